//! The message that an edit, a revoke or a reaction is about.

use super::text;
use crate::jid::Jid;
use crate::protobuf::{Field, FieldError, Fields};

/// Names a message, as the sender sees it.
#[derive(Clone, PartialEq, Eq)]
pub struct Target {
    /// Its id, never empty.
    pub id: String,
    /// Whether the sender wrote it. Only then may the sender change it or take it back.
    pub is_from_sender: bool,
    /// The chat: in a chat of two, the other end, which may be us.
    pub chat: Option<Jid>,
    /// Who wrote it, in groups.
    pub author: Option<Jid>,
}

impl Target {
    /// Reads `MessageKey`; `None` if it names no message. Addresses that are none count as absent.
    pub(super) fn read(bytes: &[u8]) -> Result<Option<Self>, FieldError> {
        let mut target = Self { id: String::new(), is_from_sender: false, chat: None, author: None };
        for field in Fields::of(bytes) {
            match field? {
                (1, Field::Bytes { value, .. }) => target.chat = text::of(value).parse().ok(),
                (2, Field::Varint(value)) => target.is_from_sender = value != 0,
                (3, Field::Bytes { value, .. }) => target.id = text::of(value),
                (4, Field::Bytes { value, .. }) => target.author = text::of(value).parse().ok(),
                _ => {}
            }
        }
        Ok(Some(target).filter(|target| !target.id.is_empty()))
    }
}
