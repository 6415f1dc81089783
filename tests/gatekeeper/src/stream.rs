//! Bytes of one connection, over TCP or over WebSocket, and the frames in them (wire.md §1).
//!
//! WebSocket message boundaries mean nothing: a frame may span messages and a message may hold several. What this
//! module does not know: what is inside a frame. Memory is bounded by the largest frame plus one read.

use axum::body::Bytes;
use axum::extract::ws::{Message, WebSocket};
use futures::stream::{SplitSink, SplitStream};
use futures::{SinkExt as _, StreamExt as _};
use std::io;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

/// "ED", 0, 1: routing information precedes the header (wire.md §1.1).
const ROUTING_MARK: [u8; 4] = [b'E', b'D', 0, 1];
/// Routing information above this is not ours.
const MAX_ROUTING: usize = 4096;
const READ_CHUNK: usize = 16 * 1024;

/// Why no further frame can be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StreamError {
    /// The socket broke.
    #[error("the connection broke: {0}")]
    Io(#[from] io::Error),
    /// The other end closed, perhaps in the middle of a frame.
    #[error("the connection was closed")]
    Closed,
    /// A frame longer than this server takes.
    #[error("a frame of {got} bytes came, at most {limit} are taken")]
    TooLong {
        /// Announced length.
        got: usize,
        /// Largest accepted.
        limit: usize,
    },
    /// The first bytes are no connection header of this protocol.
    #[error("the connection does not begin with WA")]
    NotOurs,
}

enum Source {
    Tcp(OwnedReadHalf),
    WebSocket(SplitStream<WebSocket>),
}

enum Sink {
    Tcp(OwnedWriteHalf),
    WebSocket(SplitSink<WebSocket, Message>),
}

/// Reads frames. Every method is cancel-safe: what has been read stays in the buffer.
pub(crate) struct FrameReader {
    source: Source,
    buffer: Vec<u8>,
    start: usize,
    limit: usize,
}

/// Writes frames.
pub(crate) struct FrameWriter(Sink);

/// Splits a TCP connection; frames above `limit` bytes are refused on reading.
pub(crate) fn tcp(stream: TcpStream, limit: usize) -> (FrameReader, FrameWriter) {
    let (source, sink) = stream.into_split();
    (FrameReader::new(Source::Tcp(source), limit), FrameWriter(Sink::Tcp(sink)))
}

/// Splits a WebSocket.
pub(crate) fn websocket(socket: WebSocket, limit: usize) -> (FrameReader, FrameWriter) {
    let (sink, source) = socket.split();
    (FrameReader::new(Source::WebSocket(source), limit), FrameWriter(Sink::WebSocket(sink)))
}

impl FrameReader {
    fn new(source: Source, limit: usize) -> Self {
        Self { source, buffer: Vec::new(), start: 0, limit }
    }

    /// The four bytes of the connection header, after optional routing information. Whatever follows "WA" is taken:
    /// the handshake proves that both ends saw the same bytes.
    pub(crate) async fn header(&mut self) -> Result<[u8; 4], StreamError> {
        let mut first = self.take(4).await?;
        if first == ROUTING_MARK {
            let length = self.take(3).await?;
            let length = big_endian(&length);
            if length > MAX_ROUTING {
                return Err(StreamError::TooLong { got: length, limit: MAX_ROUTING });
            }
            self.take(length).await?;
            first = self.take(4).await?;
        }
        match <[u8; 4]>::try_from(first) {
            Ok(header) if header.starts_with(b"WA") => Ok(header),
            _ => Err(StreamError::NotOurs),
        }
    }

    /// The next frame's payload.
    pub(crate) async fn frame(&mut self) -> Result<Vec<u8>, StreamError> {
        loop {
            let held = &self.buffer[self.start..];
            if held.len() >= 3 {
                let length = big_endian(&held[..3]);
                if length > self.limit {
                    return Err(StreamError::TooLong { got: length, limit: self.limit });
                }
                if let Some(payload) = held.get(3..3 + length) {
                    let payload = payload.to_vec();
                    self.consume(3 + length);
                    return Ok(payload);
                }
            }
            self.fill().await?;
        }
    }

    async fn take(&mut self, count: usize) -> Result<Vec<u8>, StreamError> {
        while self.buffer.len() - self.start < count {
            self.fill().await?;
        }
        let taken = self.buffer[self.start..self.start + count].to_vec();
        self.consume(count);
        Ok(taken)
    }

    fn consume(&mut self, count: usize) {
        self.start += count;
        if self.start == self.buffer.len() {
            self.buffer.clear();
            self.start = 0;
        } else if self.start > READ_CHUNK {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
    }

    async fn fill(&mut self) -> Result<(), StreamError> {
        match &mut self.source {
            Source::Tcp(source) => {
                self.buffer.reserve(READ_CHUNK);
                if source.read_buf(&mut self.buffer).await? == 0 {
                    return Err(StreamError::Closed);
                }
            }
            Source::WebSocket(source) => match source.next().await {
                Some(Ok(Message::Binary(bytes))) => self.buffer.extend_from_slice(&bytes),
                Some(Ok(Message::Close(_))) | None => return Err(StreamError::Closed),
                // Text is ignored (wire.md §1.2); the library answers pings.
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(StreamError::Io(io::Error::other(error))),
            },
        }
        Ok(())
    }
}

impl FrameWriter {
    /// Writes one frame.
    pub(crate) async fn frame(&mut self, payload: &[u8]) -> io::Result<()> {
        self.prefixed(&[], payload).await
    }

    /// Writes the first half of one frame.
    pub(crate) async fn torn(&mut self, payload: &[u8]) -> io::Result<()> {
        let mut bytes = framed(&[], payload)?;
        bytes.truncate(bytes.len() / 2);
        self.write(bytes).await
    }

    /// Writes bytes that belong before the frame, then the frame, in one go (wire.md §1.1).
    pub(crate) async fn prefixed(&mut self, prefix: &[u8], payload: &[u8]) -> io::Result<()> {
        self.write(framed(prefix, payload)?).await
    }

    async fn write(&mut self, bytes: Vec<u8>) -> io::Result<()> {
        match &mut self.0 {
            Sink::Tcp(sink) => sink.write_all(&bytes).await,
            Sink::WebSocket(sink) => sink.send(Message::Binary(Bytes::from(bytes))).await.map_err(io::Error::other),
        }
    }

    /// Says goodbye, as far as the transport can.
    pub(crate) async fn close(&mut self) {
        // The other end may be gone already; there is nobody left to tell.
        match &mut self.0 {
            Sink::Tcp(sink) => drop(sink.shutdown().await),
            Sink::WebSocket(sink) => drop(sink.close().await),
        }
    }
}

fn framed(prefix: &[u8], payload: &[u8]) -> io::Result<Vec<u8>> {
    let length = u32::try_from(payload.len()).ok().filter(|length| *length < 1 << 24);
    let length = length.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "a frame of 16 MiB or more"))?;
    let mut bytes = Vec::with_capacity(prefix.len() + 3 + payload.len());
    bytes.extend_from_slice(prefix);
    bytes.extend_from_slice(&length.to_be_bytes()[1..]);
    bytes.extend_from_slice(payload);
    Ok(bytes)
}

fn big_endian(bytes: &[u8]) -> usize {
    bytes.iter().fold(0, |value, byte| value << 8 | usize::from(*byte))
}
