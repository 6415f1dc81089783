//! Proof that the server was reached after a certain moment: a ping of its own, and the very answer to it. Stanzas keep their
//! order, so whatever the server had sent before it heard the question is here by then. Other bytes prove less: they may
//! have been on their way.
//!
//! What this module does not know: who wants to know, and what becomes of the stanzas.

use super::keepalive::ANSWER;
use crate::io::Millis;
use causeway_proto::node::Node;
use causeway_proto::stanza::iq::IqKind;
use causeway_proto::stanza::{Stanza, ping};
use rand_core::CryptoRng;

/// What is still to be proved on one connection.
#[derive(Debug, Default)]
pub(super) struct Proof {
    /// The server may have logged us in already, and cannot be asked yet.
    at_login: bool,
    asked: Option<Asked>,
}

#[derive(Debug)]
struct Asked {
    id: String,
    by: Millis,
}

impl Proof {
    /// To be asked as soon as stanzas may be sent.
    pub(super) fn want_at_login(&mut self) {
        self.at_login = true;
    }

    /// Stanzas may be sent: whether there is something to ask.
    pub(super) fn logged_in(&mut self) -> bool {
        core::mem::take(&mut self.at_login)
    }

    /// The question, which takes the place of an earlier one: later is better proof.
    pub(super) fn ask(&mut self, now: Millis, rng: &mut dyn CryptoRng) -> Node {
        let id = format!("{:x}-here", rng.next_u64());
        let question = ping::request(&id);
        self.asked = Some(Asked { id, by: now.saturating_add(ANSWER) });
        question
    }

    /// Bytes came: the answer may be behind more of them, and has its time anew.
    pub(super) fn heard(&mut self, now: Millis) {
        if let Some(asked) = &mut self.asked {
            asked.by = now.saturating_add(ANSWER);
        }
    }

    /// Whether this stanza is the answer; a refusal is one, too.
    pub(super) fn hear(&mut self, stanza: &Stanza) -> bool {
        let Stanza::Iq(iq) = stanza else { return false };
        let is_answer = matches!(iq.kind, IqKind::Result | IqKind::Error(_))
            && self.asked.as_ref().is_some_and(|asked| iq.id.as_ref() == Some(&asked.id));
        if is_answer {
            self.asked = None;
        }
        is_answer
    }

    /// Nothing is left to prove.
    pub(super) fn is_complete(&self) -> bool {
        !self.at_login && self.asked.is_none()
    }

    /// When the answer, or anything else, should be there.
    pub(super) fn wake_at(&self) -> Option<Millis> {
        self.asked.as_ref().map(|asked| asked.by)
    }

    /// Nothing has come for too long.
    pub(super) fn is_late(&self, now: Millis) -> bool {
        self.wake_at().is_some_and(|by| by <= now)
    }

    /// The device's clock was set back.
    pub(super) fn clock_set_back(&mut self, now: Millis) {
        if let Some(asked) = &mut self.asked {
            asked.by = asked.by.min(now.saturating_add(ANSWER));
        }
    }
}
