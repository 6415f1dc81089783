//! One relayed connection: copies bytes in both directions; the end of either side ends the other.
//!
//! Each direction has one buffer and reads no further before its bytes are written, which propagates backpressure.
//! Payloads are not interpreted; frames are tracked only to find their boundaries ([`super::frame`]). What this module
//! does not know: who the client is, and how either connection was opened.

use super::{
    buffered_halves::{BUSY_BUFFER, IDLE_BUFFER, Sink, Source},
    connection_slot::EvictReason,
    frame::{self, Frames, Opcode, Pass},
};
use std::{io, pin::pin, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf},
    sync::mpsc,
    time,
};

/// Time limit for the second half of a close handshake, and for draining a side after its close frame.
const CLOSE: Duration = Duration::from_secs(1);
/// Maximum number of control frames queued for the client; more are dropped, which RFC 6455 allows for pongs.
const INSERTS: usize = 4;
/// Payload of the relay's own pings; their pongs are not forwarded.
const PING: &[u8] = b"relay";

/// RFC 6455 §7.4.1 and the IANA registry.
const NORMAL: u16 = 1000;
const GOING_AWAY: u16 = 1001;
const PROTOCOL_ERROR: u16 = 1002;
/// 1014, "bad gateway", would be more precise, but not every client accepts it.
const BROKEN: u16 = 1011;
/// Private codes, from the range for applications.
const REPLACED: u16 = 4001;
const SIGNED_OUT: u16 = 4002;
const SILENT: u16 = 4003;
const SLOW: u16 = 4004;

/// Time limits of both sides.
#[derive(Debug, Clone, Copy)]
pub(super) struct Timeouts {
    /// Silence after which a client is pinged; after the same time again it is disconnected.
    pub(super) idle: Duration,
    /// Maximum time without progress of a write.
    pub(super) write: Duration,
}

/// Counts relayed bytes.
pub(super) trait ByteCounter: Sync {
    fn up(&self, bytes: usize);
    fn down(&self, bytes: usize);
}

/// Why a connection ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum EndReason {
    /// The client sent a close frame with this payload; it was forwarded.
    ClientClosed(Vec<u8>),
    /// The client's connection ended without a close frame.
    ClientGone,
    /// The client does not answer pings.
    ClientSilent,
    /// The client does not read.
    ClientSlow,
    /// The client violates RFC 6455.
    ClientViolation,
    /// The chat server closed; the close frame was forwarded.
    UpstreamClosed,
    /// The chat server ended its byte stream.
    UpstreamGone,
    /// The chat server's connection failed, or violates RFC 6455.
    UpstreamBroken,
    /// The chat server does not read.
    UpstreamSlow,
    /// The slot was evicted.
    Evicted(EvictReason),
}

/// The client's side; it outlives the chat server's by the close frame.
pub(super) struct Client<S> {
    source: Source<ReadHalf<S>>,
    sink: Sink<WriteHalf<S>>,
}

impl<S: AsyncRead + AsyncWrite> Client<S> {
    pub(super) fn new(stream: S, timeouts: Timeouts) -> Self {
        let (reader, writer) = tokio::io::split(stream);
        Self { source: Source::new(reader), sink: Sink::new(writer, timeouts.write) }
    }

    /// Buffers what the client sends before the chat server is connected, up to one buffer. Returns only when the
    /// client is gone.
    pub(super) async fn buffer_early_data(&mut self) {
        loop {
            if self.source.early.len() >= BUSY_BUFFER {
                std::future::pending::<()>().await;
            }
            let mut chunk = [0; IDLE_BUFFER];
            match self.source.reader.read(&mut chunk).await {
                Ok(0) | Err(_) => return,
                Ok(length) => self.source.early.extend_from_slice(chunk.get(..length).unwrap_or_default()),
            }
        }
    }

    /// Sends a close frame with the reason, if one can be sent, and closes the connection.
    pub(super) async fn close(mut self, end: &EndReason) {
        let close_frame = match end {
            EndReason::ClientGone | EndReason::UpstreamClosed => None,
            EndReason::ClientClosed(payload) => Some(frame::control(Opcode::Close, payload, None)),
            EndReason::ClientSilent => Some(frame::close(SILENT, "silent", None)),
            EndReason::ClientSlow => Some(frame::close(SLOW, "slow", None)),
            EndReason::ClientViolation => Some(frame::close(PROTOCOL_ERROR, "no websocket", None)),
            EndReason::UpstreamGone => Some(frame::close(NORMAL, "", None)),
            EndReason::UpstreamBroken | EndReason::UpstreamSlow => Some(frame::close(BROKEN, "chat server", None)),
            EndReason::Evicted(EvictReason::Replaced) => Some(frame::close(REPLACED, "replaced", None)),
            EndReason::Evicted(EvictReason::SignedOut) => Some(frame::close(SIGNED_OUT, "signed out", None)),
            EndReason::Evicted(EvictReason::Stopping) => Some(frame::close(GOING_AWAY, "stopping", None)),
        };
        let closing = async {
            if let Some(close_frame) = close_frame.filter(|_| self.sink.at_frame_boundary) {
                self.sink.writer.write_all(&close_frame).await?;
            }
            self.sink.writer.shutdown().await?;
            // Closing a socket with unread bytes resets it and discards the close frame: drain it for a moment.
            while self.source.read().await?.is_some() {}
            Ok::<_, io::Error>(())
        };
        // The connection is over, whatever fails here.
        let _ = time::timeout(CLOSE, closing).await;
    }
}

/// Relays until either side ends or `evicted` resolves; the chat server's connection is closed when this returns.
pub(super) async fn run<S, U>(
    client: &mut Client<S>,
    upstream: U,
    pass: Pass,
    evicted: impl Future<Output = EvictReason>,
    timeouts: Timeouts,
    counter: &impl ByteCounter,
) -> EndReason
where
    S: AsyncRead + AsyncWrite,
    U: AsyncRead + AsyncWrite,
{
    let (reader, writer) = tokio::io::split(upstream);
    let (mut from, mut to) = (Source::new(reader), Sink::new(writer, timeouts.write));
    let (insert, mut inserts) = mpsc::channel(INSERTS);
    let end = {
        let mut upward = pin!(up(&mut client.source, &mut to, pass, insert, timeouts.idle, counter));
        let mut downward = pin!(down(&mut from, &mut client.sink, pass, &mut inserts, counter));
        tokio::select! {
            end = &mut upward => match end {
                // The chat server's close frame in response must still reach the client.
                EndReason::ClientClosed(payload) if pass == Pass::Frames => {
                    match time::timeout(CLOSE, downward).await {
                        Ok(EndReason::UpstreamClosed) => EndReason::UpstreamClosed,
                        _ => EndReason::ClientClosed(payload),
                    }
                }
                end => end,
            },
            end = &mut downward => {
                if end == EndReason::UpstreamClosed {
                    // The client's response must still reach the chat server; if none comes, nothing is lost.
                    let _ = time::timeout(CLOSE, upward).await;
                }
                end
            }
            reason = evicted => EndReason::Evicted(reason),
        }
    };
    let informed = matches!(
        end,
        EndReason::ClientClosed(_) | EndReason::UpstreamClosed | EndReason::UpstreamGone | EndReason::UpstreamBroken
    );
    let closing = async {
        if pass == Pass::Frames && to.at_frame_boundary && !informed {
            let mut mask = [0; 4];
            getrandom::fill(&mut mask).map_err(io::Error::other)?;
            to.writer.write_all(&frame::close(GOING_AWAY, "", Some(mask))).await?;
        }
        to.writer.shutdown().await
    };
    let _ = time::timeout(CLOSE, closing).await;
    end
}

/// Copies from the client to the chat server.
async fn up<R: AsyncRead + Unpin, W: AsyncWrite + Unpin>(
    client: &mut Source<R>,
    upstream: &mut Sink<W>,
    pass: Pass,
    insert: mpsc::Sender<Vec<u8>>,
    idle: Duration,
    counter: &impl ByteCounter,
) -> EndReason {
    let mut frames = Frames::new(pass, true);
    let mut pinged = false;
    loop {
        let mut input = match time::timeout(idle, client.read()).await {
            Err(_) if pinged => return EndReason::ClientSilent,
            Err(_) => {
                pinged = true;
                // If the queue is full, the client will receive other frames anyway.
                let _ = insert.try_send(frame::control(Opcode::Ping, PING, None));
                continue;
            }
            Ok(Ok(Some(bytes))) => bytes,
            Ok(Ok(None) | Err(_)) => return EndReason::ClientGone,
        };
        pinged = false;
        let mut out = Vec::new();
        let mut closed = None;
        while !input.is_empty() && closed.is_none() {
            let control = match frames.take(&mut input, &mut out) {
                Ok(Some(control)) => control,
                Ok(None) => continue,
                Err(violation) => {
                    tracing::debug!(%violation, "a relayed client");
                    return EndReason::ClientViolation;
                }
            };
            match (control.opcode, pass) {
                (Opcode::Pong, _) if control.payload() == PING => {}
                (Opcode::Close, _) => {
                    if pass == Pass::Frames {
                        out.extend_from_slice(control.frame());
                    }
                    closed = Some(control.payload());
                }
                (_, Pass::Frames) => out.extend_from_slice(control.frame()),
                (Opcode::Ping, Pass::Payloads) => {
                    let _ = insert.try_send(frame::control(Opcode::Pong, &control.payload(), None));
                }
                (Opcode::Pong, Pass::Payloads) => {}
            }
        }
        counter.up(out.len());
        match upstream.write(&out, frames.at_boundary()).await {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::TimedOut => return EndReason::UpstreamSlow,
            // The last bytes of the chat server are still to be read, by the other direction.
            Err(_) => match closed {
                Some(payload) => return EndReason::ClientClosed(payload),
                None => return upstream_lost().await,
            },
        }
        if let Some(payload) = closed {
            return EndReason::ClientClosed(payload);
        }
    }
}

/// The chat server closed its connection during a write: the reading direction finds out how, within a moment.
async fn upstream_lost() -> EndReason {
    time::sleep(CLOSE).await;
    EndReason::UpstreamBroken
}

/// Copies from the chat server to the client, with the relay's own control frames between frames.
async fn down<R: AsyncRead + Unpin, W: AsyncWrite + Unpin>(
    upstream: &mut Source<R>,
    client: &mut Sink<W>,
    pass: Pass,
    inserts: &mut mpsc::Receiver<Vec<u8>>,
    counter: &impl ByteCounter,
) -> EndReason {
    let mut frames = Frames::new(pass, false);
    let mut out = Vec::new();
    loop {
        out.clear();
        let mut closed = false;
        tokio::select! {
            Some(frame) = inserts.recv(), if frames.at_boundary() => out = frame,
            read = upstream.read() => {
                let mut input = match read {
                    Ok(Some(bytes)) => bytes,
                    Ok(None) if pass == Pass::Payloads => return EndReason::UpstreamGone,
                    Ok(None) | Err(_) => return EndReason::UpstreamBroken,
                };
                match pass {
                    Pass::Payloads => {
                        out = frame::binary_head(input.len());
                        out.extend_from_slice(input);
                    }
                    Pass::Frames => while !input.is_empty() && !closed {
                        match frames.take(&mut input, &mut out) {
                            Ok(None) => {}
                            Ok(Some(control)) => {
                                out.extend_from_slice(control.frame());
                                closed = control.opcode == Opcode::Close;
                            }
                            Err(violation) => {
                                tracing::warn!(%violation, "the chat server");
                                return EndReason::UpstreamBroken;
                            }
                        }
                    },
                }
                counter.down(out.len());
            }
        }
        match client.write(&out, frames.at_boundary()).await {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::TimedOut => return EndReason::ClientSlow,
            Err(_) => return EndReason::ClientGone,
        }
        if closed {
            return EndReason::UpstreamClosed;
        }
        // An idle connection holds no buffer.
        out = Vec::new();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use tokio::io::{DuplexStream, duplex};

    const PIPE: usize = 1_024;
    const HOUR: Duration = Duration::from_secs(3_600);
    const TIMEOUTS: Timeouts = Timeouts { idle: HOUR, write: HOUR };

    #[derive(Default)]
    struct Count(AtomicUsize, AtomicUsize);

    impl ByteCounter for Count {
        fn up(&self, bytes: usize) {
            self.0.fetch_add(bytes, Ordering::Relaxed);
        }

        fn down(&self, bytes: usize) {
            self.1.fetch_add(bytes, Ordering::Relaxed);
        }
    }

    /// A relayed connection with pipes of 1 KiB at both ends.
    fn relayed(pass: Pass, timeouts: Timeouts) -> (DuplexStream, DuplexStream, tokio::task::JoinHandle<EndReason>) {
        let (client, near) = duplex(PIPE);
        let (upstream, far) = duplex(PIPE);
        let task = tokio::spawn(async move {
            let mut near = Client::new(near, timeouts);
            let end = run(&mut near, far, pass, std::future::pending(), timeouts, &Count::default()).await;
            near.close(&end).await;
            end
        });
        (client, upstream, task)
    }

    /// Number of bytes that a pipe accepts while the other end does not read.
    async fn flood(pipe: &mut DuplexStream, frame: &[u8]) -> usize {
        let mut sent = 0;
        loop {
            match time::timeout(Duration::from_secs(1), pipe.write(frame)).await {
                Ok(written) => sent += written.unwrap(),
                Err(_) => return sent,
            }
            assert!(sent < 1 << 24, "no end");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_is_in_flight_than_two_buffers() {
        for pass in [Pass::Frames, Pass::Payloads] {
            let (mut client, mut upstream, _task) = relayed(pass, TIMEOUTS);
            // Headers of very long frames: a relay that buffered whole frames would accept all of it.
            let (down, up) =
                ([0x82, 127, 0, 0, 0, 255, 0, 0, 0, 0], [0x82, 0xFF, 0, 0, 0, 255, 0, 0, 0, 0, 1, 2, 3, 4]);
            upstream.write_all(&down).await.unwrap();
            client.write_all(&up).await.unwrap();
            for pipe in [&mut upstream, &mut client] {
                let sent = flood(pipe, &[7; 500]).await;
                assert!(sent <= 2 * PIPE + 2 * BUSY_BUFFER, "{pass:?}: {sent} bytes in flight");
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_does_not_read_is_disconnected() {
        let timeouts = Timeouts { write: Duration::from_secs(5), ..TIMEOUTS };
        let (mut client, _upstream, task) = relayed(Pass::Payloads, timeouts);
        client.write_all(&[0x82, 0xFF, 0, 0, 0, 255, 0, 0, 0, 0, 1, 2, 3, 4]).await.unwrap();
        flood(&mut client, &[7; 500]).await;
        assert_eq!(task.await.unwrap(), EndReason::UpstreamSlow);
        let (_client, mut upstream, task) = relayed(Pass::Payloads, timeouts);
        flood(&mut upstream, &[7; 500]).await;
        assert_eq!(task.await.unwrap(), EndReason::ClientSlow);
    }

    #[tokio::test(start_paused = true)]
    async fn no_ping_is_inserted_inside_a_frame() {
        let timeouts = Timeouts { idle: Duration::from_secs(1), ..TIMEOUTS };
        let (mut client, mut upstream, task) = relayed(Pass::Frames, timeouts);
        upstream.write_all(&[0x82, 4, b'a', b'b']).await.unwrap();
        let mut received = [0; 4];
        client.read_exact(&mut received).await.unwrap();
        // The client is silent and due for a ping, but the chat server's frame is incomplete.
        assert!(time::timeout(Duration::from_millis(1_500), client.read_u8()).await.is_err());
        upstream.write_all(b"cd").await.unwrap();
        let mut rest = Vec::new();
        client.read_to_end(&mut rest).await.unwrap();
        assert!(rest.starts_with(b"cd\x89\x05relay\x88"), "{rest:?}");
        assert_eq!(task.await.unwrap(), EndReason::ClientSilent);
    }
}
