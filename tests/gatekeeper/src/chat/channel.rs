//! Stanzas in sealed frames: what both the chat server and the phones speak once the handshake is done (wire.md §2.9).

use crate::noise::{CipherError, OpeningCipher, SealingCipher};
use crate::stream::{FrameReader, FrameWriter, StreamError};
use causeway_proto::node::{DecodeError, EncodeError, Node, document};
use causeway_proto::profile::Profile;
use std::time::Duration;

/// Largest stanza after inflating.
const MAX_INFLATED: usize = 16 << 20;

/// Why a connection ends.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChannelError {
    #[error(transparent)]
    Stream(#[from] StreamError),
    #[error(transparent)]
    Cipher(#[from] CipherError),
    #[error("a frame is no stanza: {0}")]
    Decode(#[from] DecodeError),
    #[error("a stanza cannot be written: {0}")]
    Encode(#[from] EncodeError),
    #[error("writing took longer than {0:?}")]
    Slow(Duration),
}

/// One logged-in connection.
pub(crate) struct Channel {
    reader: FrameReader,
    writer: FrameWriter,
    seal: SealingCipher,
    open: OpeningCipher,
    profile: Profile,
    write_timeout: Duration,
}

impl Channel {
    pub(crate) fn new(
        (reader, writer): (FrameReader, FrameWriter),
        (seal, open): (SealingCipher, OpeningCipher),
        write_timeout: Duration,
    ) -> Self {
        Self { reader, writer, seal, open, profile: Profile::default(), write_timeout }
    }

    /// The next stanza. Cancel-safe: a frame is taken whole or not at all.
    pub(crate) async fn receive(&mut self) -> Result<Node, ChannelError> {
        let sealed = self.reader.frame().await?;
        let plain = self.open.open(&sealed)?;
        Ok(document::decode(&plain, MAX_INFLATED)?)
    }

    /// Seals and writes one stanza.
    pub(crate) async fn send(&mut self, node: &Node) -> Result<(), ChannelError> {
        self.send_altered(node, false).await
    }

    /// Like [`Self::send`]; with `corrupt`, one bit of the sealed frame is flipped on the way.
    pub(crate) async fn send_altered(&mut self, node: &Node, corrupt: bool) -> Result<(), ChannelError> {
        let mut plain = Vec::new();
        document::encode(node, &self.profile, &mut plain)?;
        let mut sealed = self.seal.seal(&plain)?;
        if corrupt && let Some(byte) = sealed.first_mut() {
            *byte ^= 1;
        }
        let written = tokio::time::timeout(self.write_timeout, self.writer.frame(&sealed)).await;
        written.map_err(|_| ChannelError::Slow(self.write_timeout))?.map_err(StreamError::Io)?;
        Ok(())
    }

    /// Seals one stanza and writes the first half of it, for a connection that breaks in the middle of a frame.
    pub(crate) async fn send_torn(&mut self, node: &Node) -> Result<(), ChannelError> {
        let mut plain = Vec::new();
        document::encode(node, &self.profile, &mut plain)?;
        let sealed = self.seal.seal(&plain)?;
        let written = tokio::time::timeout(self.write_timeout, self.writer.torn(&sealed)).await;
        written.map_err(|_| ChannelError::Slow(self.write_timeout))?.map_err(StreamError::Io)?;
        Ok(())
    }

    /// Closes the sending side.
    pub(crate) async fn close(&mut self) {
        // A client that does not take the goodbye in time is dropped without one.
        drop(tokio::time::timeout(self.write_timeout, self.writer.close()).await);
    }
}
