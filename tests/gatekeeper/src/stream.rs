//! Bytes of one connection, over TCP or over WebSocket (docs/spec/wire.md §1.2).
//!
//! WebSocket message boundaries mean nothing. Must not know frames. Memory is bounded by one read, or by one WebSocket
//! message.

use axum::body::Bytes;
use axum::extract::ws::{Message, WebSocket};
use futures::stream::{SplitSink, SplitStream};
use futures::{SinkExt as _, StreamExt as _};
use std::io;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

/// Bytes of one read.
const READ_CHUNK: usize = 16 * 1024;

/// Why no further bytes can be read or written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StreamError {
    /// The socket broke.
    #[error("the connection broke: {0}")]
    Io(#[from] io::Error),
    /// The other end closed, perhaps in the middle of a frame.
    #[error("the connection was closed")]
    Closed,
}

/// The receiving half of a connection.
pub(crate) enum Reader {
    Tcp(OwnedReadHalf),
    WebSocket(SplitStream<WebSocket>),
}

/// The sending half of a connection.
pub(crate) enum Writer {
    Tcp(OwnedWriteHalf),
    WebSocket(SplitSink<WebSocket, Message>),
}

/// Splits a TCP connection.
pub(crate) fn tcp(stream: TcpStream) -> (Reader, Writer) {
    let (reader, writer) = stream.into_split();
    (Reader::Tcp(reader), Writer::Tcp(writer))
}

/// Splits a WebSocket.
pub(crate) fn websocket(socket: WebSocket) -> (Reader, Writer) {
    let (writer, reader) = socket.split();
    (Reader::WebSocket(reader), Writer::WebSocket(writer))
}

impl Reader {
    /// The next bytes, at least one. Cancel-safe.
    pub(crate) async fn read(&mut self) -> Result<Bytes, StreamError> {
        match self {
            Self::Tcp(reader) => {
                let mut bytes = Vec::with_capacity(READ_CHUNK);
                if reader.read_buf(&mut bytes).await? == 0 {
                    return Err(StreamError::Closed);
                }
                Ok(bytes.into())
            }
            Self::WebSocket(reader) => loop {
                match reader.next().await {
                    Some(Ok(Message::Binary(bytes))) => return Ok(bytes),
                    Some(Ok(Message::Close(_))) | None => return Err(StreamError::Closed),
                    // Text is ignored (docs/spec/wire.md §1.2); the library answers pings.
                    Some(Ok(_)) => {}
                    Some(Err(error)) => return Err(StreamError::Io(io::Error::other(error))),
                }
            },
        }
    }
}

impl Writer {
    /// Writes these bytes.
    pub(crate) async fn write(&mut self, bytes: Vec<u8>) -> Result<(), StreamError> {
        match self {
            Self::Tcp(writer) => writer.write_all(&bytes).await?,
            Self::WebSocket(writer) => {
                writer.send(Message::Binary(Bytes::from(bytes))).await.map_err(io::Error::other)?;
            }
        }
        Ok(())
    }

    /// Closes this direction as far as the transport can.
    pub(crate) async fn close(&mut self) {
        // The other end may be gone already.
        match self {
            Self::Tcp(writer) => drop(writer.shutdown().await),
            Self::WebSocket(writer) => drop(writer.close().await),
        }
    }
}
