//! What the chat server holds: keys to hand out, mail that waits, messages that it has accepted.
//!
//! What this module does not know: links, faults, and what anybody shows.

use crate::ALICE;
use causeway_proto::jid::Jid;
use causeway_proto::node::Node;
use causeway_proto::signal::{PreKeyBundle, PublicKey};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// One user's keys.
pub(crate) struct Keys {
    /// All but the one-time prekeys.
    pub(crate) bundle: PreKeyBundle,
    /// One-time prekeys that nobody was given yet.
    pub(crate) one_time: VecDeque<(u32, PublicKey)>,
    seen: BTreeSet<[u8; 32]>,
}

impl Keys {
    pub(crate) fn new(bundle: PreKeyBundle) -> Self {
        Self { bundle, one_time: VecDeque::new(), seen: BTreeSet::new() }
    }

    /// Takes an upload in. A key that comes twice, because the first answer was lost, is still handed out once.
    pub(crate) fn take(&mut self, id: u32, key: PublicKey) {
        if self.seen.insert(key.0) {
            self.one_time.push_back((id, key));
        }
    }

    /// A bundle, with a one-time prekey as long as there are any.
    pub(crate) fn hand_out(&mut self) -> PreKeyBundle {
        PreKeyBundle { prekey: self.one_time.pop_front(), ..self.bundle.clone() }
    }
}

/// A stanza that waits for Alice until she says that she has it.
#[derive(Clone)]
pub(crate) struct Letter {
    pub(crate) number: u64,
    /// `message`, `receipt` or `notification`.
    pub(crate) class: String,
    /// Its id.
    pub(crate) id: String,
    kind: Option<String>,
    /// As it is delivered.
    pub(crate) node: Node,
}

/// The chat server's memory.
#[derive(Default)]
pub(crate) struct Directory {
    /// By the user part of the JID; Alice's under [`ALICE`].
    pub(crate) keys: BTreeMap<String, Keys>,
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
            node: node.clone(),
        });
        self.letters
    }

    /// A notice of the server's own.
    pub(crate) fn notice(&mut self, from: &Jid, child: Node) -> Node {
        self.notices += 1;
        Node::new("notification")
            .with("from", from)
            .with("type", "encrypt")
            .with("id", format!("N{}", self.notices))
            .with_node(child)
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
        let kind = node.text("type");
        let (class, ids) = match node.tag.as_ref() {
            "receipt" if kind.as_deref() == Some("retry") => return,
            "receipt" => {
                let more = node.child("list").map(Node::children).unwrap_or_default();
                let ids = node.text("id").into_iter().chain(more.iter().filter_map(|item| item.text("id")));
                ("message".to_owned(), ids.collect::<Vec<_>>())
            }
            _ => (node.text("class").unwrap_or_default().into_owned(), node.text("id").into_iter().collect()),
        };
        for id in ids {
            let covers = |letter: &Letter| {
                letter.class == class
                    && letter.id == id
                    && (class != "receipt" || letter.kind.as_deref() == kind.as_deref())
            };
            let Some(at) = delivered.iter().position(covers) else { continue };
            if let Some(answered) = delivered.remove(at) {
                self.mailbox.retain(|letter| letter.number != answered.number);
            }
        }
    }

    /// One-time prekeys of Alice's that the server holds.
    pub(crate) fn left(&self) -> usize {
        self.keys.get(ALICE).map_or(0, |keys| keys.one_time.len())
    }
}
