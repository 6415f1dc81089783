//! An address that has a form on the wire and is none that exists here: another domain type, a user that does not fit
//! its server, another server than the tag stands for.
//!
//! It is kept as it came, so that an acknowledgement can repeat it. What this module does not know: how it was read.

use core::fmt;

use crate::jid::{Jid, JidError, Server};

/// An address that is no [`Jid`]. Equal if all of it is.
#[derive(Clone, PartialEq, Eq)]
pub struct UnknownJid {
    bytes: Box<[u8]>,
    text: Box<str>,
    error: JidError,
}

impl UnknownJid {
    /// `bytes` from the tag to the last byte; `text` as people write its parts.
    pub(super) fn new(bytes: &[u8], mut text: String, error: JidError) -> Self {
        // Two forms on the wire may have one form as text: this one must not be read as an address that exists.
        if text.parse::<Jid>().is_ok_and(|jid| !matches!(jid.server, Server::Other(_))) {
            text.push('?');
        }
        Self { bytes: bytes.into(), text: text.into_boxed_str(), error }
    }

    /// The bytes that came, tag first.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// For people: never the text of an address that exists, and not enough to write the address again.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Why it is no [`Jid`].
    pub fn error(&self) -> JidError {
        self.error
    }
}

impl fmt::Display for UnknownJid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for UnknownJid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnknownJid").field("text", &self.text).field("error", &self.error).finish_non_exhaustive()
    }
}
