//! Which stanza.
//!
//! What this module does not know: whose stanza it is, and what is in it.

use core::borrow::Borrow;

/// Identifies a stanza among those of its sender, who chose it: 16 to 22 hexadecimal digits for ours, any text for others.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct StanzaId(String);

impl StanzaId {
    /// The id that this text is.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for StanzaId {
    fn borrow(&self) -> &str {
        &self.0
    }
}
