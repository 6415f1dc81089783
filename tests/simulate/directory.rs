//! State of the chat server: published keys, Alice's mailbox, accepted messages.
//!
//! Must not know links, faults and what users see.

use crate::alice::ALICE;
use causeway_peer::directory::Directory as KeyDirectory;
use causeway_peer::stanza::acknowledgement::Confirmation;
use causeway_peer::stanza::session;
use causeway_proto::jid::Jid;
use causeway_proto::node::Node;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A stanza in Alice's mailbox, until she acknowledges it.
#[derive(Clone)]
pub(crate) struct QueuedStanza {
    pub(crate) number: u64,
    /// `message`, `receipt` or `notification`.
    pub(crate) class: String,
    pub(crate) id: String,
    kind: Option<String>,
    from: Jid,
    /// As it is delivered.
    pub(crate) node: Node,
}

/// State of the chat server.
#[derive(Default)]
pub(crate) struct Directory {
    /// Published keys of all users; Alice's under [`ALICE`].
    pub(crate) keys: KeyDirectory,
    /// Alice's mailbox, oldest first.
    pub(crate) mailbox: Vec<QueuedStanza>,
    accepted: BTreeSet<String>,
    /// Alice's messages by chat, in the order in which the first copy of each was accepted.
    pub(crate) order: BTreeMap<String, Vec<String>>,
    notices: u64,
    stanzas: u64,
}

impl Directory {
    /// The stanza of this number, if it is still in the mailbox.
    pub(crate) fn queued(&self, number: u64) -> Option<&QueuedStanza> {
        self.mailbox.iter().find(|queued| queued.number == number)
    }

    /// Puts a stanza into Alice's mailbox. Returns its number.
    pub(crate) fn post(&mut self, node: &Node) -> u64 {
        self.stanzas += 1;
        let text = |name| node.text(name).map(|text| text.into_owned());
        self.mailbox.push(QueuedStanza {
            number: self.stanzas,
            class: node.tag.to_string(),
            id: text("id").unwrap_or_default(),
            kind: text("type").filter(|_| node.tag == "receipt"),
            from: node.jid("from").ok().flatten().unwrap_or_else(Jid::server),
            node: node.clone(),
        });
        self.stanzas
    }

    /// A notification of the server's own.
    pub(crate) fn notice(&mut self, from: &Jid, child: Node) -> Node {
        self.notices += 1;
        session::key_notification(from, format!("N{}", self.notices), child)
    }

    /// Accepts a message of Alice's. Returns whether to deliver it: not if it was accepted before.
    pub(crate) fn accept(&mut self, chat: &Jid, id: &str, count: &str) -> bool {
        if !self.accepted.insert(format!("out {chat} {id} {count}")) {
            return false;
        }
        let order = self.order.entry(chat.to_string()).or_default();
        if !order.iter().any(|known| known == id) {
            order.push(id.to_owned());
        }
        true
    }

    /// Clears what a receipt or an ack confirms (docs/spec/wire.md §5.9, §5.10): of the stanzas that were delivered on
    /// its connection and have no answer yet, the first of that class, id and type.
    pub(crate) fn clear(&mut self, node: &Node, delivered: &mut VecDeque<QueuedStanza>) {
        let Some(confirmation) = Confirmation::read(node) else { return };
        for id in &confirmation.ids {
            let covers = |queued: &QueuedStanza| {
                queued.id == *id && confirmation.covers(&queued.class, queued.kind.as_deref(), &queued.from)
            };
            let Some(at) = delivered.iter().position(covers) else { continue };
            if let Some(answered) = delivered.remove(at) {
                self.mailbox.retain(|queued| queued.number != answered.number);
            }
        }
    }

    /// Number of Alice's one-time prekeys that the server holds.
    pub(crate) fn left(&self) -> usize {
        self.keys.prekey_count(ALICE)
    }
}
