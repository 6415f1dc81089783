//! Proof that the server was reached after a certain moment: a ping of its own, and the very answer to it. Stanzas keep their
//! order, so whatever the server had sent before it heard the question is here by then. Other bytes prove less: they may
//! have been on their way.
//!
//! What this module does not know: who wants to know, and what becomes of the stanzas.

use super::keepalive::ANSWER;
use crate::time::Millis;
use causeway_proto::node::Node;
use causeway_proto::stanza::iq::IqKind;
use causeway_proto::stanza::{Stanza, ping};
use rand_core::CryptoRng;

/// What is still to be proved on one connection.
#[derive(Debug, Default)]
pub(super) struct RoundTripProbe {
    /// The server may have logged us in already, and cannot be asked yet.
    at_login: bool,
    sent: Option<Sent>,
}

#[derive(Debug)]
struct Sent {
    id: String,
    by: Millis,
}

impl RoundTripProbe {
    /// To be asked as soon as stanzas may be sent.
    pub(super) fn send_at_login(&mut self) {
        self.at_login = true;
    }

    /// Stanzas may be sent: whether there is something to ask.
    pub(super) fn logged_in(&mut self) -> bool {
        core::mem::take(&mut self.at_login)
    }

    /// The question, which takes the place of an earlier one: later is better proof.
    pub(super) fn send(&mut self, now: Millis, rng: &mut dyn CryptoRng) -> Node {
        let id = format!("{:x}-here", rng.next_u64());
        let ping = ping::request(&id);
        self.sent = Some(Sent { id, by: now.saturating_add(ANSWER) });
        ping
    }

    /// Bytes came: the answer may be behind more of them, and has its time anew.
    pub(super) fn received(&mut self, now: Millis) {
        if let Some(sent) = &mut self.sent {
            sent.by = now.saturating_add(ANSWER);
        }
    }

    /// Whether this stanza is the answer; a refusal is one, too.
    pub(super) fn is_response(&mut self, stanza: &Stanza) -> bool {
        let Stanza::Iq(iq) = stanza else { return false };
        let is_answer = matches!(iq.kind, IqKind::Result | IqKind::Error(_))
            && self.sent.as_ref().is_some_and(|sent| iq.id.as_ref() == Some(&sent.id));
        if is_answer {
            self.sent = None;
        }
        is_answer
    }

    /// Nothing is left to prove.
    pub(super) fn is_complete(&self) -> bool {
        !self.at_login && self.sent.is_none()
    }

    /// When the answer, or anything else, should be there.
    pub(super) fn wake_at(&self) -> Option<Millis> {
        self.sent.as_ref().map(|sent| sent.by)
    }

    /// Nothing has come for too long.
    pub(super) fn is_late(&self, now: Millis) -> bool {
        self.wake_at().is_some_and(|by| by <= now)
    }

    /// The device's clock was set back.
    pub(super) fn clock_set_back(&mut self, now: Millis) {
        if let Some(sent) = &mut self.sent {
            sent.by = sent.by.min(now.saturating_add(ANSWER));
        }
    }
}
