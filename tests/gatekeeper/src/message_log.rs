//! Every encrypted message that Partners' users have sent to the chat server, as it was received: before faults, and
//! with repetitions.
//!
//! Tests use it to check that no key of a ratchet is used twice; mailboxes hold only what was accepted. Kept in memory,
//! newest last, within bounds. Must not know what is inside a ciphertext.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use causeway_proto::jid::{Jid, Server};
use causeway_proto::node::Node;
use serde::Serialize;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Most messages kept; the oldest are dropped first.
const MOST: usize = 20_000;
/// Most bytes of ciphertext kept.
const MOST_BYTES: usize = 64 << 20;

/// One encrypted message.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Record {
    who: String,
    to: String,
    id: String,
    /// Which resend after a retry receipt this is; absent for the message itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<String>,
    /// `pkmsg` or `msg`.
    kind: String,
    /// Base64 without padding.
    ciphertext: String,
}

#[derive(Default)]
struct Memory {
    records: VecDeque<Record>,
    bytes: usize,
}

/// All recorded messages.
#[derive(Default)]
pub(crate) struct MessageLog(Mutex<Memory>);

impl MessageLog {
    /// Records the messages in one stanza of a user.
    pub(crate) fn record(&self, who: &Jid, stanza: &Node) {
        if who.server != Server::Interop || stanza.tag != "message" {
            return;
        }
        let text = |node: &Node, key| node.text(key).map(|text| text.into_owned());
        for enc in stanza.children().iter().filter(|child| child.tag == "enc") {
            self.keep(Record {
                who: who.to_string(),
                to: text(stanza, "to").unwrap_or_default(),
                id: text(stanza, "id").unwrap_or_default(),
                count: text(enc, "count"),
                kind: text(enc, "type").unwrap_or_default(),
                ciphertext: BASE64.encode(enc.bytes().unwrap_or_default()),
            });
        }
    }

    /// All of it, oldest first.
    pub(crate) fn all(&self) -> Vec<Record> {
        self.memory().records.iter().cloned().collect()
    }

    fn keep(&self, record: Record) {
        let mut memory = self.memory();
        memory.bytes += record.ciphertext.len();
        memory.records.push_back(record);
        while memory.records.len() > MOST || memory.bytes > MOST_BYTES {
            let Some(oldest) = memory.records.pop_front() else { break };
            memory.bytes -= oldest.ciphertext.len();
        }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        // A panic while holding the lock leaves records that are still records.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(id: impl std::fmt::Display) -> Node {
        let enc = Node::new("enc").with("type", "msg").with_bytes(vec![1, 2, 3]);
        Node::new("message").with("to", Jid::user("14155550100")).with("id", id.to_string()).with_node(enc)
    }

    #[test]
    fn messages_of_partners_users_are_recorded_and_those_of_phones_are_not() {
        let (log, alice) = (MessageLog::default(), Jid::interop(1, "10853634039893"));
        log.record(&alice, &message("A"));
        log.record(&alice, &Node::new("receipt").with("id", "B"));
        log.record(&Jid::user("14155550100"), &message("C"));
        let all = log.all();
        assert_eq!(all.iter().map(|record| &*record.id).collect::<Vec<_>>(), ["A"]);
        assert_eq!((&*all[0].kind, &*all[0].ciphertext, &all[0].count), ("msg", "AQID", &None));
    }

    #[test]
    fn memory_is_bounded() {
        let (log, alice) = (MessageLog::default(), Jid::interop(1, "10853634039893"));
        for number in 0..=MOST {
            log.record(&alice, &message(number));
        }
        let all = log.all();
        assert_eq!((all.len(), &*all[0].id), (MOST, "1"));
    }
}
