//! The state of one phone. How it handles stanzas is in `incoming` and `outgoing`.
//!
//! No sockets and no files: every method that takes a stanza returns the stanzas to send, and the caller stores the
//! state before it sends them.

use super::conversation::{Conversation, Kind};
use crate::random;
use crate::time::UnixSeconds;
use causeway_peer::keyring::Keyring;
use causeway_proto::jid::Jid;
use causeway_proto::signal::KeyPair;
use std::collections::BTreeMap;

/// A phone.
pub(crate) struct State {
    pub(crate) name: String,
    /// Other numbers that people write this one as: Brazil's with and without the ninth digit.
    pub(crate) also: Vec<String>,
    /// Answers every text.
    pub(crate) echo: bool,
    /// Wants to be connected.
    pub(crate) online: bool,
    /// Rises with every reinstallation.
    pub(crate) installation: u64,
    /// The static key of its connections.
    pub(crate) noise: KeyPair,
    pub(crate) keys: Keyring,
    pub(crate) conversation: Conversation,
    /// How often each message was asked for again.
    pub(crate) retries: BTreeMap<String, u32>,
}

impl State {
    pub(crate) fn new(name: String, also: Vec<String>, echo: bool, now: UnixSeconds) -> Self {
        Self {
            name,
            also,
            echo,
            online: true,
            installation: 1,
            noise: KeyPair::generate(&mut random::rng()),
            keys: Keyring::generate(now.get(), &mut random::rng()),
            conversation: Conversation::default(),
            retries: BTreeMap::new(),
        }
    }

    /// A new installation of the app: new keys, empty chats, the same number.
    pub(crate) fn reinstall(&mut self, now: UnixSeconds) {
        let version = self.conversation.version + 1;
        self.noise = KeyPair::generate(&mut random::rng());
        self.keys = Keyring::generate(now.get(), &mut random::rng());
        self.conversation = Conversation { version, entries: Vec::new() };
        self.retries.clear();
        self.installation += 1;
    }

    /// Notes in the chat that the other side has a new identity key, if it has.
    pub(crate) fn note_identity(&mut self, with: &Jid, changed: bool, t: UnixSeconds) {
        if changed {
            self.conversation.note(with, Kind::IdentityChanged, t);
        }
    }
}
