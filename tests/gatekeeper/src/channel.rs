//! Stanzas over a socket, once the handshake is done: the codec of `causeway_peer` with a reader and a writer.
//!
//! Used by the chat server and by phones. Must not know which end it is.

use crate::stream::{Reader, StreamError, Writer};
use causeway_peer::channel::{Channel as Codec, ChannelError as CodecError};
use causeway_peer::frame::{FrameBuffer, FrameError};
use causeway_proto::node::Node;
use std::time::Duration;

/// Bytes of the length before each frame.
const LENGTH: usize = 3;

/// Why a connection ends.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChannelError {
    #[error(transparent)]
    Stream(#[from] StreamError),
    #[error(transparent)]
    Frame(#[from] FrameError),
    #[error(transparent)]
    Codec(#[from] CodecError),
    #[error("writing took longer than {0:?}")]
    Slow(Duration),
}

/// One logged-in connection.
pub(crate) struct Channel {
    reader: Reader,
    writer: Writer,
    frames: FrameBuffer,
    codec: Codec,
    write_timeout: Duration,
}

impl Channel {
    pub(crate) fn new(
        (reader, writer): (Reader, Writer),
        (frames, codec): (FrameBuffer, Codec),
        write_timeout: Duration,
    ) -> Self {
        Self { reader, writer, frames, codec, write_timeout }
    }

    /// The next stanza. Cancel-safe: what has been read stays in the buffer.
    pub(crate) async fn receive(&mut self) -> Result<Node, ChannelError> {
        loop {
            if let Some(frame) = self.frames.frame()? {
                return Ok(self.codec.open(&frame)?);
            }
            let bytes = self.reader.read().await?;
            self.frames.feed(&bytes);
        }
    }

    /// Seals and writes one stanza.
    pub(crate) async fn send(&mut self, node: &Node) -> Result<(), ChannelError> {
        let frame = self.codec.seal(node)?;
        self.write(frame).await
    }

    /// Like [`Self::send`], with one bit of the sealed stanza flipped.
    pub(crate) async fn send_corrupted(&mut self, node: &Node) -> Result<(), ChannelError> {
        let mut frame = self.codec.seal(node)?;
        if let Some(byte) = frame.get_mut(LENGTH) {
            *byte ^= 1;
        }
        self.write(frame).await
    }

    /// Seals one stanza and writes the first half of it, for a connection that breaks in the middle of a frame.
    pub(crate) async fn send_torn(&mut self, node: &Node) -> Result<(), ChannelError> {
        let mut frame = self.codec.seal(node)?;
        frame.truncate(frame.len() / 2);
        self.write(frame).await
    }

    async fn write(&mut self, bytes: Vec<u8>) -> Result<(), ChannelError> {
        let written = tokio::time::timeout(self.write_timeout, self.writer.write(bytes)).await;
        Ok(written.map_err(|_| ChannelError::Slow(self.write_timeout))??)
    }

    /// Closes the sending side.
    pub(crate) async fn close(&mut self) {
        // A client that does not take the last bytes in time is dropped without them.
        drop(tokio::time::timeout(self.write_timeout, self.writer.close()).await);
    }
}
