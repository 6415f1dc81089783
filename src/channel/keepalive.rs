//! Keep-alive: pings in both directions, and detection of a dead link.

use crate::time::{Millis, UnixMillis};
use causeway_proto::node::Node;
use causeway_proto::stanza::iq::IqKind;
use causeway_proto::stanza::{Stanza, ping};
use rand_core::CryptoRng;

/// Least idle time before a ping. Existing clients use 15 to 30 s (docs/spec/wire.md §1.3).
const IDLE_BEFORE_PING: Millis = Millis(15_000);
/// Largest random addition to it, so that clients do not ping in step.
const JITTER: Millis = Millis(10_000);
/// Time from a sent stanza to the next ping.
const PING_AFTER_SEND: Millis = Millis(4_000);
/// Response time-out: bytes must arrive within it after a ping. A used link is thus known to be dead within ten seconds.
pub(super) const RESPONSE_TIMEOUT: Millis = Millis(6_000);

/// What is due.
#[derive(Debug)]
pub(crate) enum Due {
    /// Nothing.
    Nothing,
    /// Send this.
    Ping(Node),
    /// The link is dead: nothing arrived within [`RESPONSE_TIMEOUT`] of a ping.
    Dead,
}

/// The timers of one connection.
#[derive(Debug, Default)]
pub(super) struct KeepAlive {
    ping_at: Option<UnixMillis>,
    answer_by: Option<UnixMillis>,
    sent: u64,
}

impl KeepAlive {
    pub(super) fn start(&mut self, now: UnixMillis, rng: &mut dyn CryptoRng) {
        self.ping_at = Some(now.after(Millis(IDLE_BEFORE_PING.0 + rng.next_u64() % JITTER.0)));
        self.answer_by = None;
    }

    pub(super) fn stop(&mut self) {
        self.ping_at = None;
        self.answer_by = None;
    }

    /// Bytes arrived: restarts the timers.
    pub(super) fn received(&mut self, now: UnixMillis, rng: &mut dyn CryptoRng) {
        if self.ping_at.is_some() {
            self.start(now, rng);
        }
    }

    /// Something was sent: the next ping is due within [`PING_AFTER_SEND`].
    pub(super) fn sent(&mut self, now: UnixMillis) {
        if let (Some(ping_at), None) = (self.ping_at, self.answer_by) {
            self.ping_at = Some(ping_at.min(now.after(PING_AFTER_SEND)));
        }
    }

    pub(super) fn due(&mut self, now: UnixMillis, rng: &mut dyn CryptoRng) -> Due {
        if self.answer_by.is_some_and(|by| by <= now) {
            return Due::Dead;
        }
        if self.answer_by.is_none() && self.ping_at.is_some_and(|at| at <= now) {
            self.answer_by = Some(now.after(RESPONSE_TIMEOUT));
            self.sent += 1;
            return Due::Ping(ping::request(&format!("{:x}-{}", rng.next_u32(), self.sent)));
        }
        Due::Nothing
    }

    pub(super) fn wake_at(&self) -> Option<UnixMillis> {
        self.answer_by.or(self.ping_at)
    }
}

/// The response to a ping of the server; `None` for other stanzas.
pub(super) fn answer(stanza: &Stanza) -> Option<Node> {
    match stanza {
        Stanza::Iq(iq) if matches!(iq.kind, IqKind::Get) && iq.xmlns.as_deref() == Some("urn:xmpp:ping") => {
            Some(ping::answer(iq))
        }
        _ => None,
    }
}
