//! A message that was opened, until what it means has been applied.

use super::address::DeviceAddress;
use super::recipient::Plaintext;
use super::stanza_id::StanzaId;
use crate::time::UnixMillis;
use causeway_proto::signal::PublicKey;

/// A decrypted message. The ratchet has moved, so it cannot be opened again: it is kept until it has been applied.
#[derive(Clone, PartialEq, Eq)]
pub struct Opened {
    /// The device that sent it.
    pub from: DeviceAddress,
    /// The identity key that it was authenticated with.
    pub identity: PublicKey,
    /// The sender's id of it.
    pub id: StanzaId,
    /// When the server got it.
    pub at: UnixMillis,
    /// The name that the sender gives themselves.
    pub name: Option<String>,
    /// The whole content, without padding.
    pub plaintext: Plaintext,
}

impl core::fmt::Debug for Opened {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Self { from: _, identity: _, id: _, at, name: _, plaintext } = self;
        write!(f, "Opened(at {}, {} bytes)", at.0, plaintext.len())
    }
}
