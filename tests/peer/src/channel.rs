//! Stanzas in sealed frames: what both ends exchange once the handshake is done (docs/spec/wire.md §2.9).
//!
//! Must not know sockets, and which end it is.

use crate::frame::framed;
use crate::noise::{CipherError, OpeningCipher, SealingCipher};
use causeway_proto::node::{EncodeError, Node, Undecodable, document};
use causeway_proto::profile::Profile;

/// Largest stanza after inflating, in bytes.
const MAX_INFLATED: usize = 16 << 20;

/// Why a stanza could not be read or written. The connection can't go on after it.
#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    /// A frame does not authenticate, or the counters are exhausted.
    #[error(transparent)]
    Cipher(#[from] CipherError),
    /// A frame opens to something that is no stanza.
    #[error("a frame is no stanza: {0}")]
    Decode(#[from] Undecodable),
    /// The stanza has no encoding.
    #[error("a stanza cannot be written: {0}")]
    Encode(#[from] EncodeError),
    /// The sealed stanza does not fit into one frame.
    #[error("a stanza of {0} bytes does not fit into a frame")]
    TooLong(usize),
}

/// The two directions of one connection.
pub struct Channel {
    seal: SealingCipher,
    open: OpeningCipher,
    profile: Profile,
}

impl Channel {
    /// The channel of a finished handshake: what this end sends, and what it receives.
    pub fn new(seal: SealingCipher, open: OpeningCipher) -> Self {
        Self { seal, open, profile: Profile::default() }
    }

    /// The stanza in the next received frame.
    ///
    /// # Errors
    /// [`ChannelError::Cipher`] or [`ChannelError::Decode`].
    pub fn open(&mut self, frame: &[u8]) -> Result<Node, ChannelError> {
        let plain = self.open.open(frame)?;
        Ok(document::decode(&plain, MAX_INFLATED)?)
    }

    /// The next frame to send: a length and the sealed stanza.
    ///
    /// # Errors
    /// [`ChannelError`] other than [`ChannelError::Decode`].
    pub fn seal(&mut self, node: &Node) -> Result<Vec<u8>, ChannelError> {
        let mut plain = Vec::new();
        document::encode(node, &self.profile, &mut plain)?;
        self.seal_bytes(&plain)
    }

    /// The next frame to send, with these bytes in place of a stanza: for what no writer of stanzas would write.
    ///
    /// # Errors
    /// [`ChannelError::Cipher`] or [`ChannelError::TooLong`].
    pub fn seal_bytes(&mut self, document: &[u8]) -> Result<Vec<u8>, ChannelError> {
        let sealed = self.seal.seal(document)?;
        framed(&sealed).ok_or(ChannelError::TooLong(sealed.len()))
    }
}
