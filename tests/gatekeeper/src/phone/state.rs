//! One phone's whole state, in memory and on disk. What it makes of stanzas is in `incoming` and `outgoing`.
//!
//! Pure decisions, no sockets: every method that takes a stanza returns the stanzas to send, and the caller stores the
//! state before it sends them.

use super::conversation::{Conversation, Kind};
use super::keyring::{Keyring, StoredKeyring};
use causeway_proto::jid::Jid;
use causeway_proto::signal::PublicKey;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A phone.
pub(super) struct State {
    pub(super) name: String,
    /// Answers every text.
    pub(super) echo: bool,
    /// Wants to be connected.
    pub(super) online: bool,
    /// Rises with every reinstallation.
    pub(super) installation: u64,
    pub(super) keys: Keyring,
    pub(super) conversation: Conversation,
    /// How often each message was asked for again.
    pub(super) retries: BTreeMap<String, u32>,
}

/// A phone as it lies on disk.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredState {
    name: String,
    echo: bool,
    online: bool,
    installation: u64,
    keys: StoredKeyring,
    conversation: Conversation,
}

impl State {
    pub(super) fn new(name: String, echo: bool, now: u64) -> Self {
        Self {
            name,
            echo,
            online: true,
            installation: 1,
            keys: Keyring::generate(now),
            conversation: Conversation::default(),
            retries: BTreeMap::new(),
        }
    }

    pub(super) fn store(&self) -> StoredState {
        StoredState {
            name: self.name.clone(),
            echo: self.echo,
            online: self.online,
            installation: self.installation,
            keys: self.keys.store(),
            conversation: self.conversation.clone(),
        }
    }

    /// A new installation of the app: new keys, empty chats, the same number.
    pub(super) fn reinstall(&mut self, now: u64) {
        let version = self.conversation.version + 1;
        self.keys = Keyring::generate(now);
        self.conversation = Conversation { version, entries: Vec::new() };
        self.retries.clear();
        self.installation += 1;
    }

    /// Notes in the chat that the other side's identity key is another than before.
    pub(super) fn compare_identity(&mut self, with: &Jid, known: Option<PublicKey>, now: Option<PublicKey>, t: u64) {
        if known.is_some() && known != now {
            self.conversation.note(with, Kind::IdentityChanged, t);
        }
    }
}

impl StoredState {
    /// `None` when any part is not what [`State::store`] wrote.
    pub(super) fn open(self) -> Option<State> {
        Some(State {
            name: self.name,
            echo: self.echo,
            online: self.online,
            installation: self.installation,
            keys: self.keys.open()?,
            conversation: self.conversation,
            retries: BTreeMap::new(),
        })
    }
}
