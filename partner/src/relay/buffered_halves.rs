//! The two halves of a side of a relayed connection: reads into a buffer that is small while idle, writes with a time
//! limit.
//!
//! What this module does not know: frames, and which side it is.

use std::{io, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    time,
};

/// Read buffer of an idle direction in bytes.
pub(super) const IDLE_BUFFER: usize = 1_024;
/// Read buffer of a busy direction in bytes.
pub(super) const BUSY_BUFFER: usize = 16 * 1_024;

/// The reading half of a side.
pub(super) struct Source<R> {
    pub(super) reader: R,
    /// Bytes that were read before the relay started.
    pub(super) early: Vec<u8>,
    buffer: Vec<u8>,
    last: usize,
}

impl<R: AsyncRead + Unpin> Source<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { reader, early: Vec::new(), buffer: Vec::new(), last: 0 }
    }

    /// Reads the next bytes; `None` at the end of the stream. The buffer is large only while the direction is busy.
    pub(super) async fn read(&mut self) -> io::Result<Option<&[u8]>> {
        if !self.early.is_empty() {
            self.buffer = std::mem::take(&mut self.early);
            return Ok(Some(&self.buffer));
        }
        let wanted = if self.last >= IDLE_BUFFER { BUSY_BUFFER } else { IDLE_BUFFER };
        if self.buffer.len() != wanted {
            self.buffer = vec![0; wanted];
        }
        self.last = self.reader.read(&mut self.buffer).await?;
        Ok(self.buffer.get(..self.last).filter(|bytes| !bytes.is_empty()))
    }
}

/// The writing half of a side.
pub(super) struct Sink<W> {
    pub(super) writer: W,
    write_timeout: Duration,
    /// Whether all written bytes end at a frame boundary, so that a frame can be written now.
    pub(super) at_frame_boundary: bool,
}

impl<W: AsyncWrite + Unpin> Sink<W> {
    pub(super) fn new(writer: W, write_timeout: Duration) -> Self {
        Self { writer, write_timeout, at_frame_boundary: true }
    }

    /// Writes all bytes; fails with `TimedOut` if the peer reads nothing for `write_timeout`.
    pub(super) async fn write(&mut self, mut bytes: &[u8], at_frame_boundary: bool) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.at_frame_boundary = false;
        while !bytes.is_empty() {
            let written = time::timeout(self.write_timeout, self.writer.write(bytes)).await;
            let written = written.map_err(|_| io::ErrorKind::TimedOut)??;
            if written == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            bytes = bytes.get(written..).unwrap_or_default();
        }
        time::timeout(self.write_timeout, self.writer.flush()).await.map_err(|_| io::ErrorKind::TimedOut)??;
        self.at_frame_boundary = at_frame_boundary;
        Ok(())
    }
}
