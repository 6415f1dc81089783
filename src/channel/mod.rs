//! The chat channel: socket, frames, Noise, log-in, keep-alive, reconnect.
//!
//! Turns received bytes into stanzas, and stanzas into bytes to send. What this module does not know: the meaning of
//! stanzas beyond the life of the connection.
//!
//! ```text
//!          start            opened          server hello        <success>          <ib><offline/>
//!   Off ─────────▶ Opening ────────▶ Hello ────────────▶ Login ───────────▶ Draining ───────────▶ Online
//!                     │                │                   │                   │                     │
//!                     └────────────────┴───── closed, timeout, broken ─────────┴─────────────────────┘
//!                                                     │
//!                                              Waiting (backoff) or Stopped (the user must act)
//! ```
//!
//! Stopped ends only on behalf of a person ([`resume`](Channel::resume)). Every other attempt asks
//! [`may_begin`](Channel::may_begin) first, which bounds their number.

mod attempts;
pub(crate) mod backoff;
mod disconnect;
mod disconnect_policy;
mod keepalive;
mod round_trip_probe;
mod timers;
mod weight;

pub(crate) use disconnect_policy::DisconnectPolicy;

use crate::id::{AccountNumber, Counted};
use crate::io::{Millis, Output, SocketId, UnixMillis};
use crate::view::{ConnectionState, Issue};
use attempts::Attempts;
use backoff::Backoff;
use causeway_proto::frame::{self, FrameReader};
use causeway_proto::node::{Node, document};
use causeway_proto::noise::handshake::{self, AwaitServerHello};
use causeway_proto::noise::{StaticKey, Transport, payload};
use causeway_proto::profile::Profile;
use causeway_proto::stanza::Stanza;
use keepalive::KeepAlive;
use rand_core::CryptoRng;
use round_trip_probe::RoundTripProbe;
use std::collections::VecDeque;
use zeroize::Zeroizing;

/// From opening the socket to `<success>`.
const LOGIN_TIMEOUT: Millis = Millis(20_000);
/// With no mail for this long the mailbox counts as read (docs/spec/wire.md §5.5).
const DRAIN_TIMEOUT: Millis = Millis(60_000);
/// With no mail for this long, the next batch is requested: a server may send fewer stanzas than a batch holds.
const DRAIN_PAUSE: Millis = Millis(5_000);
/// Bytes of memory of the stanzas that wait for the engine. A browser cannot pause a socket: if another one comes then, the
/// connection is given up, and the server sends again what was not acknowledged, in smaller batches.
const MAX_WAITING: usize = 32 << 20;

/// What a connection needs to log in.
#[derive(Debug)]
pub(crate) struct Login {
    /// The chat server's WebSocket.
    pub(crate) url: String,
    /// Constants of the wire.
    pub(crate) profile: Profile,
    /// Our account number at WhatsApp.
    pub(crate) account_id: AccountNumber,
    /// A fresh identity token.
    pub(crate) token: Zeroizing<String>,
    /// Our Noise key.
    pub(crate) noise: StaticKey,
}

enum State {
    Off,
    Opening { login: Box<Login>, until: UnixMillis },
    Hello { login: Box<Login>, reader: FrameReader, handshake: Box<AwaitServerHello>, until: UnixMillis },
    Live { profile: Profile, reader: FrameReader, transport: Box<Transport>, phase: Phase },
    Waiting { until: UnixMillis },
    Stopped,
}

enum Phase {
    Login { until: UnixMillis },
    Draining { until: UnixMillis, pause: UnixMillis },
    Online,
}

impl Phase {
    fn draining(now: UnixMillis) -> Self {
        Self::Draining { until: now.after(DRAIN_TIMEOUT), pause: now.after(DRAIN_PAUSE) }
    }
}

/// What happened on the connection, for the engine.
#[derive(Debug)]
pub(crate) enum Event {
    /// A stanza arrived, and its weight, for [`Channel::handled`]. `<success>`, `<failure>`, stream errors and pings are
    /// handled in the channel.
    Stanza(Box<Stanza>, usize),
    /// Logged in: stanzas may be sent.
    LoggedIn,
    /// The mailbox is not read to its end, and nothing arrived for [`DRAIN_PAUSE`].
    Paused,
    /// The connection is gone; what was sent and not acknowledged must be sent again.
    Lost,
}

/// The one connection.
pub(crate) struct Channel {
    state: State,
    socket: SocketId,
    backoff: Backoff,
    attempts: Attempts,
    /// When the server last requested a restart.
    restarted: Option<UnixMillis>,
    /// Weight of the stanzas that are not handled yet.
    waiting: usize,
    /// How often that was too much since the mailbox was last read to its end.
    overflows: u32,
    keepalive: KeepAlive,
    probe: RoundTripProbe,
    issue: Issue,
    events: VecDeque<Event>,
    out: VecDeque<Output>,
    /// Where each stanza is encoded and encrypted, so that encoding seldom allocates. Holds ciphertext between stanzas.
    buffer: Vec<u8>,
}

impl Default for Channel {
    fn default() -> Self {
        Self {
            state: State::Off,
            socket: SocketId::default(),
            backoff: Backoff::default(),
            attempts: Attempts::default(),
            restarted: None,
            waiting: 0,
            overflows: 0,
            keepalive: KeepAlive::default(),
            probe: RoundTripProbe::default(),
            issue: Issue::None,
            events: VecDeque::new(),
            out: VecDeque::new(),
            buffer: Vec::new(),
        }
    }
}

impl Channel {
    /// Opens a connection. Does nothing unless there is none, or while stopped.
    pub(crate) fn start(&mut self, login: Login, now: UnixMillis) {
        if !matches!(self.state, State::Off | State::Waiting { .. }) {
            return;
        }
        self.socket = self.socket.next();
        self.out.push_back(Output::Connect(self.socket, login.url.clone()));
        self.state = State::Opening { login: Box::new(login), until: now.after(LOGIN_TIMEOUT) };
    }

    /// Whether an attempt that no person requested may begin now. After too many, the next one is scheduled.
    pub(crate) fn may_begin(&mut self, now: UnixMillis) -> bool {
        let at = self.attempts.next_at(now);
        if at > now && matches!(self.state, State::Off | State::Waiting { .. }) {
            self.state = State::Waiting { until: at };
        }
        at <= now && !matches!(self.state, State::Stopped)
    }

    /// An attempt begins, with the requests before it.
    pub(crate) fn begin_attempt(&mut self, now: UnixMillis) {
        self.attempts.begin(now);
    }

    /// A person wants a connection: ends [`stop`](Self::stop).
    pub(crate) fn resume(&mut self) {
        if matches!(self.state, State::Stopped) {
            self.state = State::Off;
        }
    }

    /// Stanzas of the next batch of the mailbox, at most `offered` of them: half as many after each overflow, so that even
    /// very large ones are read one by one.
    pub(crate) fn batch(&self, offered: u32) -> u32 {
        offered.checked_shr(self.overflows).unwrap_or(0).max(1)
    }

    /// A stanza of this weight was handled.
    pub(crate) fn handled(&mut self, weight: usize) {
        self.waiting = self.waiting.saturating_sub(weight);
    }

    /// Whether there is no connection and none is being opened.
    pub(crate) fn is_idle(&self) -> bool {
        matches!(self.state, State::Off | State::Waiting { .. } | State::Stopped)
    }

    /// Whether stanzas may be sent.
    pub(crate) fn is_live(&self) -> bool {
        matches!(self.state, State::Live { phase: Phase::Draining { .. } | Phase::Online, .. })
    }

    /// Which socket is in use; what was prepared for an older one is not sent.
    pub(crate) fn socket(&self) -> SocketId {
        self.socket
    }

    /// When the next connection attempt is due, if one is scheduled.
    pub(crate) fn retry_at(&self) -> Option<UnixMillis> {
        match self.state {
            State::Waiting { until } => Some(until),
            _ => None,
        }
    }

    /// The last problem; [`Issue::None`] after a successful log-in.
    pub(crate) fn issue(&self) -> Issue {
        self.issue
    }

    /// The state as pages show it.
    pub(crate) fn view(&self) -> ConnectionState {
        match &self.state {
            State::Off => ConnectionState::Off,
            State::Opening { .. } | State::Hello { .. } | State::Live { phase: Phase::Login { .. }, .. } => {
                ConnectionState::Connecting
            }
            State::Live { phase: Phase::Draining { .. }, .. } => ConnectionState::Draining,
            State::Live { phase: Phase::Online, .. } => ConnectionState::Online,
            State::Waiting { .. } => ConnectionState::Waiting,
            State::Stopped => ConnectionState::Stopped,
        }
    }

    /// Takes the next event.
    pub(crate) fn event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Takes the next output.
    pub(crate) fn output(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    /// The socket is open: sends the client hello.
    pub(crate) fn opened(&mut self, socket: SocketId, now: UnixMillis, rng: &mut dyn CryptoRng) {
        if socket != self.socket {
            return;
        }
        let State::Opening { login, until } = std::mem::replace(&mut self.state, State::Off) else {
            return self.broken(now, rng);
        };
        let Ok((handshake, hello)) = handshake::start(&login.noise, &login.profile, rng) else {
            return self.broken(now, rng);
        };
        let mut bytes = login.profile.connection_header.to_vec();
        if framed(&mut bytes, &hello).is_err() {
            return self.broken(now, rng);
        }
        self.out.push_back(Output::Transmit(socket, bytes));
        let reader = FrameReader::new(login.profile.max_frame_bytes);
        self.state = State::Hello { login, reader, handshake: Box::new(handshake), until };
    }

    /// Handles received bytes. Bytes of an older socket are ignored.
    pub(crate) fn received(&mut self, socket: SocketId, bytes: &[u8], now: UnixMillis, rng: &mut dyn CryptoRng) {
        if socket != self.socket {
            return;
        }
        self.keepalive.received(now, rng);
        self.probe.received(now);
        match &mut self.state {
            State::Hello { reader, .. } | State::Live { reader, .. } => reader.feed(bytes),
            _ => return,
        }
        // Bounded: every iteration takes one frame out of the received bytes.
        loop {
            let frame = match &mut self.state {
                State::Hello { reader, .. } | State::Live { reader, .. } => reader.next(),
                _ => return,
            };
            match frame {
                Ok(Some(frame)) => self.frame(frame, now, rng),
                Ok(None) => return,
                Err(_) => return self.broken(now, rng),
            }
        }
    }

    fn frame(&mut self, frame: Vec<u8>, now: UnixMillis, rng: &mut dyn CryptoRng) {
        match std::mem::replace(&mut self.state, State::Off) {
            State::Hello { login, reader, handshake, until } => match finish(&login, *handshake, &frame, now) {
                Ok((bytes, transport)) => {
                    self.out.push_back(Output::Transmit(self.socket, bytes));
                    let (transport, phase) = (Box::new(transport), Phase::Login { until });
                    self.state = State::Live { profile: login.profile, reader, transport, phase };
                }
                Err(issue) => self.lose(DisconnectPolicy::Retry(issue), now, rng),
            },
            State::Live { profile, reader, mut transport, phase } => {
                let mut bytes = frame;
                let opened = transport.open.open(&mut bytes).is_ok();
                // What opens is the server's own: if it does not decode, the stanza is malformed, not the connection.
                let node = opened.then(|| document::decode(&bytes, profile.max_inflated_bytes));
                self.state = State::Live { profile, reader, transport, phase };
                match node {
                    Some(Ok(node)) => {
                        let weight = weight::of(&node);
                        self.stanza(Stanza::from_node(node), weight, now, rng);
                    }
                    Some(Err(undecodable)) => {
                        let weight = weight::of(&undecodable.root);
                        self.stanza(Stanza::from_undecodable(undecodable), weight, now, rng);
                    }
                    None => self.broken(now, rng),
                }
            }
            other => self.state = other,
        }
    }

    fn stanza(&mut self, stanza: Stanza, weight: usize, now: UnixMillis, rng: &mut dyn CryptoRng) {
        if let Some(policy) = disconnect_policy::of(&stanza) {
            return self.lose(policy, now, rng);
        }
        if let Some(answer) = keepalive::answer(&stanza) {
            return self.transmit(&answer, now, rng);
        }
        if self.probe.is_response(&stanza) {
            return;
        }
        let State::Live { phase, .. } = &mut self.state else { return };
        match (&phase, &stanza) {
            (Phase::Login { .. }, Stanza::Success(_)) => {
                *phase = Phase::draining(now);
                self.backoff.live(now);
                self.keepalive.start(now, rng);
                self.issue = Issue::None;
                self.events.push_back(Event::LoggedIn);
                if self.probe.logged_in() {
                    self.send_probe(now, rng);
                }
            }
            // The time-out of the log-in ends a connection on which nothing else comes. Nothing can be acknowledged yet.
            (Phase::Login { .. }, Stanza::Malformed { .. }) => {}
            (Phase::Login { .. }, _) => self.broken(now, rng),
            (Phase::Draining { .. }, _) => {
                // Only mail extends the drain: ping responses keep arriving even if the end of the mailbox was lost.
                let malformed = matches!(&stanza, Stanza::Malformed { node, .. } if node.attr("offline").is_some());
                if malformed || matches!(stanza, Stanza::Message(_) | Stanza::Receipt(..) | Stanza::Notification(_)) {
                    *phase = Phase::draining(now);
                }
                self.queue(stanza, weight, now, rng);
            }
            (Phase::Online, _) => self.queue(stanza, weight, now, rng),
        }
    }

    fn queue(&mut self, stanza: Stanza, weight: usize, now: UnixMillis, rng: &mut dyn CryptoRng) {
        if self.waiting > MAX_WAITING {
            self.overflows = self.overflows.saturating_add(1);
            return self.lose(DisconnectPolicy::Retry(Issue::ChatUnreachable), now, rng);
        }
        self.waiting = self.waiting.saturating_add(weight);
        self.events.push_back(Event::Stanza(Box::new(stanza), weight));
    }

    /// The mailbox has been read to its end.
    pub(crate) fn drained(&mut self) {
        if let State::Live { phase: phase @ Phase::Draining { .. }, .. } = &mut self.state {
            *phase = Phase::Online;
            self.overflows = 0;
        }
    }

    /// Sends a stanza now. A stanza that cannot be encoded is a defect of this client and closes the connection.
    pub(crate) fn transmit(&mut self, node: &Node, now: UnixMillis, rng: &mut dyn CryptoRng) {
        let State::Live { profile, transport, .. } = &mut self.state else { return };
        let Self { buffer, .. } = self;
        buffer.clear();
        buffer.resize(FRAME_HEADER, 0);
        let sealed =
            document::encode(node, profile, buffer).is_ok() && transport.seal.seal(buffer, FRAME_HEADER).is_ok();
        let header = frame::header(buffer.len().saturating_sub(FRAME_HEADER));
        let bytes = match (header, buffer.first_chunk_mut()) {
            (Ok(header), Some(space)) if sealed => {
                *space = header;
                Some(buffer.to_vec())
            }
            _ => None,
        };
        if buffer.capacity() > MAX_BUFFER {
            buffer.clear();
            buffer.shrink_to(MAX_BUFFER);
        }
        match bytes {
            Some(bytes) => {
                self.keepalive.sent(now);
                self.out.push_back(Output::Transmit(self.socket, bytes));
            }
            None => self.broken(now, rng),
        }
    }

    /// Sends a probe; until its response arrives, [`is_caught_up`](Self::is_caught_up) is false. Detects a dead link
    /// within seconds.
    pub(crate) fn require_round_trip(&mut self, now: UnixMillis, rng: &mut dyn CryptoRng) {
        match &self.state {
            State::Live { phase: Phase::Login { .. }, .. } => self.probe.send_at_login(),
            State::Live { .. } => self.send_probe(now, rng),
            // The log-in is still to come, and the end of the mailbox after it.
            State::Off | State::Opening { .. } | State::Hello { .. } | State::Waiting { .. } | State::Stopped => {}
        }
    }

    fn send_probe(&mut self, now: UnixMillis, rng: &mut dyn CryptoRng) {
        let ping = self.probe.send(now, rng);
        self.transmit(&ping, now, rng);
    }

    /// Logged in, the mailbox is read, and everything that was to be [proved](Self::prove) is.
    pub(crate) fn is_caught_up(&self) -> bool {
        matches!(self.state, State::Live { phase: Phase::Online, .. }) && self.probe.is_complete()
    }
}

/// Bytes of a frame's length in front of it.
const FRAME_HEADER: usize = 3;
/// Bytes of the buffer for outgoing stanzas that are kept from one stanza to the next.
const MAX_BUFFER: usize = 64 * 1024;

fn framed(out: &mut Vec<u8>, payload: &[u8]) -> Result<(), frame::FrameError> {
    out.extend_from_slice(&frame::header(payload.len())?);
    out.extend_from_slice(payload);
    Ok(())
}

fn finish(
    login: &Login,
    handshake: AwaitServerHello,
    frame: &[u8],
    now: UnixMillis,
) -> Result<(Vec<u8>, Transport), Issue> {
    let verified = handshake.read(frame, now.seconds().0).map_err(disconnect_policy::of_handshake)?;
    let payload = payload::login(&login.profile, login.account_id.0, &login.token);
    let (message, transport) = verified.finish(&payload).map_err(disconnect_policy::of_handshake)?;
    let mut bytes = Vec::with_capacity(FRAME_HEADER + message.len());
    framed(&mut bytes, &message).map_err(|_| Issue::ChannelBroken)?;
    Ok((bytes, transport))
}
