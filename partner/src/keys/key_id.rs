//! The ids of keys: public, in key sets, tokens and subscriptions.
//!
//! What this module does not know: which key an id belongs to.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use std::fmt;

/// A hash of a public key, in base64url.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(String);

impl KeyId {
    /// The id of the key with this public part.
    pub(crate) fn of(public: impl AsRef<[u8]>) -> Self {
        Self(URL_SAFE_NO_PAD.encode(Sha256::digest(public)))
    }

    /// Takes a text from a row as it is.
    pub(crate) fn stored(text: String) -> Self {
        Self(text)
    }

    /// The id as tokens and key sets name it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
