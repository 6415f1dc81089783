//! What a phone shows: messages in their order, and how far each has got.

use crate::random;
use crate::time::UnixSeconds;
use causeway_proto::jid::Jid;
use serde::{Deserialize, Serialize};

/// Entries that a phone keeps.
const MAX_ENTRIES: usize = 10_000;

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    Text,
    /// Arrived and decrypted, but no text.
    Unsupported,
    /// Arrived, could not be decrypted; the sender has been asked again.
    Waiting,
    /// A note: the other side has a new identity key.
    IdentityChanged,
}

/// How far an entry has got. Outgoing: `Queued` to `Read`, never backwards. Incoming: `Received`, then `Seen`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Progress {
    /// Waits for a connection or for keys.
    Queued,
    /// Encrypted and on its way; not acknowledged by the server.
    Sending,
    /// The server has it.
    Sent,
    Delivered,
    Read,
    /// The server refused it.
    Failed,
    Received,
    Seen,
}

/// One message, or one note.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// Rises with every change of any entry of this phone.
    pub(crate) version: u64,
    pub(crate) id: String,
    /// The other side.
    pub(crate) chat: String,
    pub(crate) from_me: bool,
    pub(crate) kind: Kind,
    pub(crate) text: String,
    pub(crate) state: Progress,
    /// The server's error code, when it refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<u32>,
    /// Time of the message or note.
    pub(crate) t: UnixSeconds,
    /// Times the other side asked for it again.
    #[serde(default)]
    pub(crate) resends: u32,
    /// The stanza as it went out, until the server has it: the same bytes go out again after a reconnect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) stanza: Option<String>,
}

/// All entries of one phone.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Conversation {
    /// Highest version of any entry.
    pub(crate) version: u64,
    pub(crate) entries: Vec<Entry>,
}

impl Conversation {
    pub(crate) fn add(&mut self, mut entry: Entry) {
        self.version += 1;
        entry.version = self.version;
        self.entries.push(entry);
        if self.entries.len() > MAX_ENTRIES {
            self.entries.remove(0);
        }
    }

    /// Changes the entries that `wanted` picks, and marks them as changed.
    pub(crate) fn change(&mut self, wanted: impl Fn(&Entry) -> bool, change: impl Fn(&mut Entry)) {
        for entry in self.entries.iter_mut().filter(|entry| wanted(entry)) {
            self.version += 1;
            entry.version = self.version;
            change(entry);
        }
    }

    /// The entry with this id from or to `chat`.
    pub(crate) fn find(&self, chat: &Jid, id: &str, from_me: bool) -> Option<&Entry> {
        let chat = chat.to_bare().to_string();
        self.entries.iter().rev().find(|entry| entry.id == id && entry.chat == chat && entry.from_me == from_me)
    }

    /// A note of ours in a chat.
    pub(crate) fn note(&mut self, chat: &Jid, kind: Kind, t: UnixSeconds) {
        let (id, chat) = (random::stanza_id(), chat.to_bare().to_string());
        let (text, state) = (String::new(), Progress::Received);
        let (from_me, error, resends, stanza) = (false, None, 0, None);
        self.add(Entry { version: 0, id, chat, from_me, kind, text, state, error, t, resends, stanza });
    }
}
