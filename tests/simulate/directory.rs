//! What the chat server holds: keys to hand out, mail that waits, messages that it has accepted.
//!
//! What this module does not know: links, faults, and what anybody shows.

use crate::ALICE;
use causeway_peer::directory::Directory as KeyDirectory;
use causeway_peer::stanza::acknowledgement::Confirmation;
use causeway_peer::stanza::session;
use causeway_proto::jid::Jid;
use causeway_proto::node::Node;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A stanza that waits for Alice until she says that she has it.
#[derive(Clone)]
pub(crate) struct Letter {
    pub(crate) number: u64,
    /// `message`, `receipt` or `notification`.
    pub(crate) class: String,
    /// Its id.
    pub(crate) id: String,
    kind: Option<String>,
    from: Jid,
    /// As it is delivered.
    pub(crate) node: Node,
}

/// The chat server's memory.
#[derive(Default)]
pub(crate) struct Directory {
    /// Everybody's keys; Alice's under [`ALICE`].
    pub(crate) keys: KeyDirectory,
    /// Alice's mail, oldest first.
    pub(crate) mailbox: Vec<Letter>,
    accepted: BTreeSet<String>,
    /// Alice's messages by chat, in the order in which the first copy of each was accepted.
    pub(crate) order: BTreeMap<String, Vec<String>>,
    notices: u64,
    letters: u64,
}

impl Directory {
    /// The letter of this number, if it still waits.
    pub(crate) fn letter(&self, number: u64) -> Option<&Letter> {
        self.mailbox.iter().find(|letter| letter.number == number)
    }

    /// Puts a stanza into Alice's mailbox: the letter's number.
    pub(crate) fn post(&mut self, node: &Node) -> u64 {
        self.letters += 1;
        let text = |name| node.text(name).map(|text| text.into_owned());
        self.mailbox.push(Letter {
            number: self.letters,
            class: node.tag.to_string(),
            id: text("id").unwrap_or_default(),
            kind: text("type").filter(|_| node.tag == "receipt"),
            from: node.jid("from").ok().flatten().unwrap_or_else(Jid::server),
            node: node.clone(),
        });
        self.letters
    }

    /// A notice of the server's own.
    pub(crate) fn notice(&mut self, from: &Jid, child: Node) -> Node {
        self.notices += 1;
        session::key_notification(from, format!("N{}", self.notices), child)
    }

    /// A message of Alice's. Answers whether it is to be delivered: one that was accepted before is not.
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

    /// Alice has what this receipt or ack speaks of (wire.md §5.9, §5.10): of the letters that were delivered on its
    /// connection and have no answer yet, the first of that class, id and type.
    pub(crate) fn clear(&mut self, node: &Node, delivered: &mut VecDeque<Letter>) {
        let Some(confirmation) = Confirmation::read(node) else { return };
        for id in &confirmation.ids {
            let covers = |letter: &Letter| {
                letter.id == *id && confirmation.covers(&letter.class, letter.kind.as_deref(), &letter.from)
            };
            let Some(at) = delivered.iter().position(covers) else { continue };
            if let Some(answered) = delivered.remove(at) {
                self.mailbox.retain(|letter| letter.number != answered.number);
            }
        }
    }

    /// One-time prekeys of Alice's that the server holds.
    pub(crate) fn left(&self) -> usize {
        self.keys.prekey_count(ALICE)
    }
}
