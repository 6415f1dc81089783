//! A round-trip probe: a ping with an id of its own. Its response shows that the server was reached after the probe was
//! sent. Stanzas keep their order, so everything that the server sent before the response has arrived by then. Other
//! received bytes show less: they may have been in transit already.
//!
//! What this module does not know: why a probe is needed, and what the other stanzas mean.

use super::keepalive::RESPONSE_TIMEOUT;
use crate::time::UnixMillis;
use causeway_proto::node::Node;
use causeway_proto::stanza::iq::IqKind;
use causeway_proto::stanza::{Stanza, ping};
use rand_core::CryptoRng;

/// The probe of one connection.
#[derive(Debug, Default)]
pub(super) struct RoundTripProbe {
    /// A probe must be sent as soon as the log-in is complete.
    at_login: bool,
    sent: Option<Sent>,
}

#[derive(Debug)]
struct Sent {
    id: String,
    by: UnixMillis,
}

impl RoundTripProbe {
    /// Sends a probe as soon as stanzas may be sent.
    pub(super) fn send_at_login(&mut self) {
        self.at_login = true;
    }

    /// Stanzas may be sent now. Returns whether a probe was waiting for this.
    pub(super) fn logged_in(&mut self) -> bool {
        core::mem::take(&mut self.at_login)
    }

    /// The stanza of a new probe, which replaces an earlier one.
    pub(super) fn send(&mut self, now: UnixMillis, rng: &mut dyn CryptoRng) -> Node {
        let id = format!("{:x}-here", rng.next_u64());
        let ping = ping::request(&id);
        self.sent = Some(Sent { id, by: now.after(RESPONSE_TIMEOUT) });
        ping
    }

    /// Bytes arrived: the response may be behind more of them, so its time-out restarts.
    pub(super) fn received(&mut self, now: UnixMillis) {
        if let Some(sent) = &mut self.sent {
            sent.by = now.after(RESPONSE_TIMEOUT);
        }
    }

    /// Whether this stanza is the response; an error response counts.
    pub(super) fn is_response(&mut self, stanza: &Stanza) -> bool {
        let Stanza::Iq(iq) = stanza else { return false };
        let is_response = matches!(iq.kind, IqKind::Result | IqKind::Error(_))
            && self.sent.as_ref().is_some_and(|sent| iq.id.as_ref() == Some(&sent.id));
        if is_response {
            self.sent = None;
        }
        is_response
    }

    /// Whether no probe is outstanding.
    pub(super) fn is_complete(&self) -> bool {
        !self.at_login && self.sent.is_none()
    }

    /// When the response is overdue.
    pub(super) fn wake_at(&self) -> Option<UnixMillis> {
        self.sent.as_ref().map(|sent| sent.by)
    }

    /// Whether the response is overdue.
    pub(super) fn is_late(&self, now: UnixMillis) -> bool {
        self.wake_at().is_some_and(|by| by <= now)
    }

    /// The device's clock was set back.
    pub(super) fn clock_set_back(&mut self, now: UnixMillis) {
        if let Some(sent) = &mut self.sent {
            sent.by = sent.by.min(now.after(RESPONSE_TIMEOUT));
        }
    }
}
