//! Keep-alive: pings in both directions, and detection of a dead link.

use crate::time::Millis;
use causeway_proto::node::Node;
use causeway_proto::stanza::iq::IqKind;
use causeway_proto::stanza::{Stanza, ping};
use rand_core::CryptoRng;

/// A ping after this much silence at least (wire.md §1.3 has 15 to 30 s in the field)...
const QUIET: Millis = 15_000;
/// ...and at most this much more, so that clients don't ping in step.
const JITTER: Millis = 10_000;
/// After we sent something the ping comes this soon...
const SOON: Millis = 4_000;
/// ...and something must come this soon after a ping: a dead link shows within ten seconds of being used.
pub(super) const ANSWER: Millis = 6_000;

/// What is due.
#[derive(Debug)]
pub(crate) enum Due {
    /// Nothing.
    Nothing,
    /// Send this.
    Ping(Node),
    /// The link is dead: nothing arrived within [`ANSWER`] of a ping.
    Dead,
}

/// The timers of one connection.
#[derive(Debug, Default)]
pub(super) struct KeepAlive {
    ping_at: Option<Millis>,
    answer_by: Option<Millis>,
    sent: u64,
}

impl KeepAlive {
    pub(super) fn start(&mut self, now: Millis, rng: &mut dyn CryptoRng) {
        self.ping_at = Some(now.saturating_add(QUIET + rng.next_u64() % JITTER));
        self.answer_by = None;
    }

    pub(super) fn stop(&mut self) {
        self.ping_at = None;
        self.answer_by = None;
    }

    /// Bytes arrived: restarts the timers.
    pub(super) fn received(&mut self, now: Millis, rng: &mut dyn CryptoRng) {
        if self.ping_at.is_some() {
            self.start(now, rng);
        }
    }

    /// Something was sent: the next ping is due within [`SOON`].
    pub(super) fn sent(&mut self, now: Millis) {
        if let (Some(ping_at), None) = (self.ping_at, self.answer_by) {
            self.ping_at = Some(ping_at.min(now.saturating_add(SOON)));
        }
    }

    pub(super) fn due(&mut self, now: Millis, rng: &mut dyn CryptoRng) -> Due {
        if self.answer_by.is_some_and(|by| by <= now) {
            return Due::Dead;
        }
        if self.answer_by.is_none() && self.ping_at.is_some_and(|at| at <= now) {
            self.answer_by = Some(now.saturating_add(ANSWER));
            self.sent += 1;
            return Due::Ping(ping::request(&format!("{:x}-{}", rng.next_u32(), self.sent)));
        }
        Due::Nothing
    }

    pub(super) fn wake_at(&self) -> Option<Millis> {
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
