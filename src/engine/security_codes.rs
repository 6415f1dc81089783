//! The security codes of the chats that a page has opened: each takes ten thousand hashes (docs/spec/wire.md §8), once for
//! each set of identities.
//!
//! What this module does not know: which chats are open, and whose identities are whose.

use crate::model::{ChatId, Peer};
use crate::sorted_map::SortedMap;
use crate::store::chats::ChatRow;
use causeway_proto::signal::PublicKey;

/// A code, and the peer's identities that it was computed from.
#[derive(Debug, Default)]
struct SecurityCode {
    identities: Vec<PublicKey>,
    code: String,
}

/// The codes that are wanted, by chat.
#[derive(Debug, Default)]
pub(super) struct SecurityCodes(SortedMap<ChatId, Box<SecurityCode>>);

impl SecurityCodes {
    /// The code of this chat is wanted from now on.
    pub(super) fn want(&mut self, id: &ChatId) {
        self.0.get_or_default(id.clone());
    }

    /// Whether the code of this chat is wanted and is not that of these identities, of which there are some.
    pub(super) fn is_missing(&self, id: &ChatId, identities: &[PublicKey]) -> bool {
        !identities.is_empty() && self.0.get(id.as_str()).is_some_and(|known| known.identities != identities)
    }

    /// The code was computed.
    pub(super) fn put(&mut self, id: &ChatId, identities: Vec<PublicKey>, code: String) {
        self.0.insert(id.clone(), Box::new(SecurityCode { identities, code }));
    }

    /// The code of a chat; none if it is not known for the peer's identities of now.
    pub(super) fn of(&self, chat: &ChatRow, peer: Option<&Peer>) -> Option<&str> {
        let known = self.0.get(chat.id.as_str())?;
        peer?.identities().eq(known.identities.iter().copied()).then_some(known.code.as_str())
    }

    /// Drops the codes of other chats.
    pub(super) fn retain(&mut self, keep: impl Fn(&ChatId) -> bool) {
        self.0.retain(|id, _| keep(id));
    }

    /// Drops the code of a chat.
    pub(super) fn remove(&mut self, id: &ChatId) {
        self.0.remove(id);
    }
}
