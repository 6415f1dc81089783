//! One relayed connection: bytes up, bytes down, and the end of either side is the end of the other.
//!
//! Each direction has one buffer and reads no further before its bytes are written: whoever does not take stops whoever
//! sends. What passes is never looked into; frames are followed only to find their ends ([`super::frame`]). What this
//! module does not know: who the client is, and how either connection was made.

use super::{
    connection_slot::EvictReason,
    frame::{self, Frames, Opcode, Pass},
};
use std::{io, pin::pin, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf},
    sync::mpsc,
    time,
};

/// What an idle direction keeps for the bytes that may come.
const QUIET_BUFFER: usize = 1_024;
/// What a busy one reads at once.
const BUSY_BUFFER: usize = 16 * 1_024;
/// How long the second side of a close handshake may take, and how long a side that is told close_frame is listened to.
const CLOSE: Duration = Duration::from_secs(1);
/// Control frames on their way to the client; more are left out, which the protocol allows for pongs.
const INSERTS: usize = 4;
/// The payload of our own pings, whose pongs are for us.
const PING: &[u8] = b"relay";

/// RFC 6455 §7.4.1 and IANA's registry.
const NORMAL: u16 = 1000;
const GOING_AWAY: u16 = 1001;
const PROTOCOL_ERROR: u16 = 1002;
/// 1014, "bad gateway", says more, but not every client takes it.
const BROKEN: u16 = 1011;
/// Ours, of the range for applications.
const REPLACED: u16 = 4001;
const SIGNED_OUT: u16 = 4002;
const SILENT: u16 = 4003;
const SLOW: u16 = 4004;

/// How long a side may be silent or stalled.
#[derive(Debug, Clone, Copy)]
pub(super) struct Timeouts {
    /// Silence after which a client is pinged; as much again, and it is gone.
    pub(super) idle: Duration,
    /// How long a write may make no progress.
    pub(super) write: Duration,
}

/// Counts what passed.
pub(super) trait ByteCounter: Sync {
    fn up(&self, bytes: usize);
    fn down(&self, bytes: usize);
}

/// Why a connection ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum End {
    /// The client closed with this payload; it was handed on.
    ClientClosed(Vec<u8>),
    /// The client's connection broke off, without a close frame.
    ClientGone,
    /// The client answers no ping.
    ClientSilent,
    /// The client does not take what it is sent.
    ClientSlow,
    /// The client's frames are no WebSocket's.
    ClientConfused,
    /// The chat server closed, and the client was told.
    UpstreamClosed,
    /// The chat server ended its stream.
    UpstreamGone,
    /// The chat server's connection broke, or its frames are no WebSocket's.
    UpstreamBroken,
    /// The chat server does not take what it is sent.
    UpstreamSlow,
    /// We ended it.
    Evicted(EvictReason),
}

/// The client's side, which outlives the chat server's by a close_frame.
pub(super) struct Client<S> {
    source: Source<ReadHalf<S>>,
    sink: Sink<WriteHalf<S>>,
}

impl<S: AsyncRead + AsyncWrite> Client<S> {
    pub(super) fn new(stream: S, timeouts: Timeouts) -> Self {
        let (reader, writer) = tokio::io::split(stream);
        Self { source: Source::new(reader), sink: Sink::new(writer, timeouts.write) }
    }

    /// Keeps what the client says before the chat server is there, no more than a buffer of it. Returns only when the
    /// client is gone.
    pub(super) async fn buffer_early_data(&mut self) {
        loop {
            if self.source.early.len() >= BUSY_BUFFER {
                std::future::pending::<()>().await;
            }
            let mut chunk = [0; QUIET_BUFFER];
            match self.source.reader.read(&mut chunk).await {
                Ok(0) | Err(_) => return,
                Ok(length) => self.source.early.extend_from_slice(chunk.get(..length).unwrap_or_default()),
            }
        }
    }

    /// Says why, if a frame can be said, and hangs up.
    pub(super) async fn close(mut self, end: &End) {
        let close_frame = match end {
            End::ClientGone | End::UpstreamClosed => None,
            End::ClientClosed(payload) => Some(frame::control(Opcode::Close, payload, None)),
            End::ClientSilent => Some(frame::close(SILENT, "silent", None)),
            End::ClientSlow => Some(frame::close(SLOW, "slow", None)),
            End::ClientConfused => Some(frame::close(PROTOCOL_ERROR, "no websocket", None)),
            End::UpstreamGone => Some(frame::close(NORMAL, "", None)),
            End::UpstreamBroken | End::UpstreamSlow => Some(frame::close(BROKEN, "chat server", None)),
            End::Evicted(EvictReason::Replaced) => Some(frame::close(REPLACED, "replaced", None)),
            End::Evicted(EvictReason::SignedOut) => Some(frame::close(SIGNED_OUT, "signed out", None)),
            End::Evicted(EvictReason::Stopping) => Some(frame::close(GOING_AWAY, "stopping", None)),
        };
        let closing = async {
            if let Some(close_frame) = close_frame.filter(|_| self.sink.at_frame_boundary) {
                self.sink.writer.write_all(&close_frame).await?;
            }
            self.sink.writer.shutdown().await?;
            // A socket closed with bytes unread takes the close_frame back: read what still comes, for a moment.
            while self.source.read().await?.is_some() {}
            Ok::<_, io::Error>(())
        };
        // Whatever goes wrong now, the connection is over.
        let _ = time::timeout(CLOSE, closing).await;
    }
}

/// Relays until either side ends or `leave` resolves; at the return nothing of the chat server's connection is left.
pub(super) async fn run<S, U>(
    client: &mut Client<S>,
    upstream: U,
    pass: Pass,
    leave: impl Future<Output = EvictReason>,
    timeouts: Timeouts,
    counter: &impl ByteCounter,
) -> End
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
                // The chat server's answer to the close still belongs to the client.
                End::ClientClosed(payload) if pass == Pass::Frames => {
                    match time::timeout(CLOSE, downward).await {
                        Ok(End::UpstreamClosed) => End::UpstreamClosed,
                        _ => End::ClientClosed(payload),
                    }
                }
                end => end,
            },
            end = &mut downward => {
                if end == End::UpstreamClosed {
                    // And the client's to the chat server; if none comes, both were told all there is.
                    let _ = time::timeout(CLOSE, upward).await;
                }
                end
            }
            why = leave => End::Evicted(why),
        }
    };
    let told = matches!(end, End::ClientClosed(_) | End::UpstreamClosed | End::UpstreamGone | End::UpstreamBroken);
    let closing = async {
        if pass == Pass::Frames && to.at_frame_boundary && !told {
            let mut mask = [0; 4];
            getrandom::fill(&mut mask).map_err(io::Error::other)?;
            to.writer.write_all(&frame::close(GOING_AWAY, "", Some(mask))).await?;
        }
        to.writer.shutdown().await
    };
    let _ = time::timeout(CLOSE, closing).await;
    end
}

/// From the client to the chat server.
async fn up<R: AsyncRead + Unpin, W: AsyncWrite + Unpin>(
    client: &mut Source<R>,
    upstream: &mut Sink<W>,
    pass: Pass,
    insert: mpsc::Sender<Vec<u8>>,
    idle: Duration,
    counter: &impl ByteCounter,
) -> End {
    let mut frames = Frames::new(pass, true);
    let mut asked = false;
    loop {
        let mut input = match time::timeout(idle, client.read()).await {
            Err(_) if asked => return End::ClientSilent,
            Err(_) => {
                asked = true;
                // If others are waiting there, the client is about to hear something anyway.
                let _ = insert.try_send(frame::control(Opcode::Ping, PING, None));
                continue;
            }
            Ok(Ok(Some(bytes))) => bytes,
            Ok(Ok(None) | Err(_)) => return End::ClientGone,
        };
        asked = false;
        let mut out = Vec::new();
        let mut closed = None;
        while !input.is_empty() && closed.is_none() {
            let control = match frames.take(&mut input, &mut out) {
                Ok(Some(control)) => control,
                Ok(None) => continue,
                Err(violation) => {
                    tracing::debug!(%violation, "a relayed client");
                    return End::ClientConfused;
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
        match upstream.write(&out, frames.between()).await {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::TimedOut => return End::UpstreamSlow,
            // What the chat server last said is still to be read: that is the other direction's.
            Err(_) => match closed {
                Some(payload) => return End::ClientClosed(payload),
                None => return upstream_lost().await,
            },
        }
        if let Some(payload) = closed {
            return End::ClientClosed(payload);
        }
    }
}

/// A chat server that ends a connection while we write: for a moment it is the reader who finds out how.
async fn upstream_lost() -> End {
    time::sleep(CLOSE).await;
    End::UpstreamBroken
}

/// From the chat server to the client, with our own control frames in between.
async fn down<R: AsyncRead + Unpin, W: AsyncWrite + Unpin>(
    upstream: &mut Source<R>,
    client: &mut Sink<W>,
    pass: Pass,
    inserts: &mut mpsc::Receiver<Vec<u8>>,
    counter: &impl ByteCounter,
) -> End {
    let mut frames = Frames::new(pass, false);
    let mut out = Vec::new();
    loop {
        out.clear();
        let mut closed = false;
        tokio::select! {
            Some(frame) = inserts.recv(), if frames.between() => out = frame,
            read = upstream.read() => {
                let mut input = match read {
                    Ok(Some(bytes)) => bytes,
                    Ok(None) if pass == Pass::Payloads => return End::UpstreamGone,
                    Ok(None) | Err(_) => return End::UpstreamBroken,
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
                                return End::UpstreamBroken;
                            }
                        }
                    },
                }
                counter.down(out.len());
            }
        }
        match client.write(&out, frames.between()).await {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::TimedOut => return End::ClientSlow,
            Err(_) => return End::ClientGone,
        }
        if closed {
            return End::UpstreamClosed;
        }
        // A quiet connection keeps nothing.
        out = Vec::new();
    }
}

/// Where bytes come from.
struct Source<R> {
    reader: R,
    /// What was read before anyone could take it.
    early: Vec<u8>,
    buffer: Vec<u8>,
    last: usize,
}

impl<R: AsyncRead + Unpin> Source<R> {
    fn new(reader: R) -> Self {
        Self { reader, early: Vec::new(), buffer: Vec::new(), last: 0 }
    }

    /// The next bytes; `None` at the end. The buffer is large only while there is much to read.
    async fn read(&mut self) -> io::Result<Option<&[u8]>> {
        if !self.early.is_empty() {
            self.buffer = std::mem::take(&mut self.early);
            return Ok(Some(&self.buffer));
        }
        let wanted = if self.last >= QUIET_BUFFER { BUSY_BUFFER } else { QUIET_BUFFER };
        if self.buffer.len() != wanted {
            self.buffer = vec![0; wanted];
        }
        self.last = self.reader.read(&mut self.buffer).await?;
        Ok(self.buffer.get(..self.last).filter(|bytes| !bytes.is_empty()))
    }
}

/// Where bytes go to.
struct Sink<W> {
    writer: W,
    write_timeout: Duration,
    /// Whether a frame can be written now: all that was written ends where a frame ends.
    at_frame_boundary: bool,
}

impl<W: AsyncWrite + Unpin> Sink<W> {
    fn new(writer: W, write_timeout: Duration) -> Self {
        Self { writer, write_timeout, at_frame_boundary: true }
    }

    /// Writes all of it, or fails: with `TimedOut` if the other end takes nothing for too long.
    async fn write(&mut self, mut bytes: &[u8], at_frame_boundary: bool) -> io::Result<()> {
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

    /// A relayed connection with pipes of one KiB at both ends.
    fn relayed(pass: Pass, timeouts: Timeouts) -> (DuplexStream, DuplexStream, tokio::task::JoinHandle<End>) {
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

    /// How many bytes of endless frames a pipe takes while nobody reads at the other end.
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
            // Heads that promise very long frames: a relay that gathered frames would take all of it.
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
    async fn whoever_takes_nothing_for_too_long_is_dropped() {
        let timeouts = Timeouts { write: Duration::from_secs(5), ..TIMEOUTS };
        let (mut client, _upstream, task) = relayed(Pass::Payloads, timeouts);
        client.write_all(&[0x82, 0xFF, 0, 0, 0, 255, 0, 0, 0, 0, 1, 2, 3, 4]).await.unwrap();
        flood(&mut client, &[7; 500]).await;
        assert_eq!(task.await.unwrap(), End::UpstreamSlow);
        let (_client, mut upstream, task) = relayed(Pass::Payloads, timeouts);
        flood(&mut upstream, &[7; 500]).await;
        assert_eq!(task.await.unwrap(), End::ClientSlow);
    }

    #[tokio::test(start_paused = true)]
    async fn no_ping_stands_inside_a_frame() {
        let timeouts = Timeouts { idle: Duration::from_secs(1), ..TIMEOUTS };
        let (mut client, mut upstream, task) = relayed(Pass::Frames, timeouts);
        upstream.write_all(&[0x82, 4, b'a', b'b']).await.unwrap();
        let mut received = [0; 4];
        client.read_exact(&mut received).await.unwrap();
        // The client is silent and must be asked, but the chat server has not finished.
        assert!(time::timeout(Duration::from_millis(1_500), client.read_u8()).await.is_err());
        upstream.write_all(b"cd").await.unwrap();
        let mut rest = Vec::new();
        client.read_to_end(&mut rest).await.unwrap();
        assert!(rest.starts_with(b"cd\x89\x05relay\x88"), "{rest:?}");
        assert_eq!(task.await.unwrap(), End::ClientSilent);
    }
}
