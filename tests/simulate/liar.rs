//! Keys and memory of the lying server. Must not know when it lies, and to whom.

use crate::alice::alice;
use crate::seeded_rng::SeededRng;
use causeway_peer::keyring::{Keyring, envelope};
use causeway_proto::node::Node;
use causeway_proto::signal::PublicKey;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Stanzas that may be repeated.
const HISTORY: usize = 20;

/// What the lying server holds.
pub(crate) struct Liar {
    pub(crate) keys: Keyring,
    /// Chat and id of each message that it made up: it must end as a placeholder.
    pub(crate) messages: Vec<(String, String)>,
    /// Ids of Alice's messages that it receipted itself: whether they arrive is nobody's to say.
    pub(crate) spoiled: BTreeSet<String>,
    pub(crate) asked: BTreeMap<String, u32>,
    /// Number of stanzas that do not decode.
    pub(crate) garbage: u32,
    /// Number of lies that came by mail.
    pub(crate) mailed: u32,
    pub(crate) history: VecDeque<Node>,
    pub(crate) rng: SeededRng,
}

impl Liar {
    pub(crate) fn new(mut rng: SeededRng) -> Self {
        let keys = Keyring::generate(0, &mut rng.0);
        let (messages, spoiled, asked) = (Vec::new(), BTreeSet::new(), BTreeMap::new());
        Self { keys, messages, spoiled, asked, garbage: 0, mailed: 0, history: VecDeque::new(), rng }
    }

    /// The key that it passes off as others'.
    pub(crate) fn identity(&self) -> PublicKey {
        self.keys.identity.public()
    }

    /// Whether its keys open a message of Alice's.
    pub(crate) fn opens(&mut self, message: &Node) -> bool {
        let Some(Ok(envelope)) = envelope(message) else { return false };
        self.keys.decrypt(&alice(), &envelope, &mut self.rng.0).is_ok()
    }

    /// Remembers a stanza that was delivered.
    pub(crate) fn saw(&mut self, node: &Node) {
        if self.history.len() >= HISTORY {
            self.history.pop_front();
        }
        self.history.push_back(node.clone());
    }
}
