//! Misbehaviour on request: what the network and the server's side may do to a client, chosen by a test.
//!
//! Stanza faults strike before sealing (the stanza is lost, late or doubled, the channel stays in step); byte faults
//! strike after (the client must notice). They hit Partners' users only, unless a target is named, so that the phones
//! of the sandbox stay dependable.

mod loss;

use crate::authority::CertificateFault;
use causeway_proto::jid::{Jid, Server};
use loss::Loss;
use serde::Deserialize;
use std::sync::Mutex;
use std::time::Duration;

/// Longest delay per stanza or push call.
const MAX_DELAY_MS: u64 = 60_000;

/// What `POST /control/faults` takes. Every field is optional and replaces what was set before; counts run down.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Request {
    /// Forget every fault set so far, before anything else of this request.
    pub(crate) clear: bool,
    /// JID (bare) that the faults hit; default every Partner's user.
    pub(crate) target: Option<String>,
    /// Tag that stanza faults are limited to, e.g. `ack`.
    pub(crate) stanza: Option<String>,
    /// Number of next stanzas to lose.
    pub(crate) drop: Option<u32>,
    /// Number of next stanzas to send twice.
    pub(crate) duplicate: Option<u32>,
    /// Delay of each stanza, in milliseconds; 0 ends it.
    pub(crate) delay_ms: Option<u64>,
    /// Number of next pairs of stanzas to send in the wrong order.
    pub(crate) reorder: Option<u32>,
    /// Share of stanzas to lose in both directions, in percent; 0 ends it.
    pub(crate) loss_percent: Option<u8>,
    /// Fixes which ones.
    pub(crate) seed: Option<u64>,
    /// Number of next frames with one bit flipped.
    pub(crate) corrupt: Option<u32>,
    /// Number of next frames in whose middle the connection breaks.
    pub(crate) tear: Option<u32>,
    /// After the next stanza, close the sending side and go on reading.
    pub(crate) half_close: Option<bool>,
    /// Refuse every new connection to the chat server.
    pub(crate) refuse: Option<bool>,
    /// Answer the next login with this failure reason.
    pub(crate) failure: Option<u32>,
    /// Oldest version that may connect, e.g. `2.3001.0`.
    pub(crate) min_version: Option<String>,
    /// Fault of the certificate chain; `"none"` ends it.
    pub(crate) certificate: Option<CertificateChoice>,
    /// Lose every push call to a Partner's server.
    pub(crate) push_off: Option<bool>,
    /// Delay of each push call, in milliseconds; 0 ends it.
    pub(crate) push_delay_ms: Option<u64>,
    /// Move the sandbox's clock.
    pub(crate) clock_ms: Option<i64>,
    /// End the target's connections now: a code for `<stream:error>`, or 0 for a bare close.
    pub(crate) disconnect: Option<u32>,
    /// Never read from nor write to the target's present connections again, and leave them open.
    pub(crate) stall: bool,
}

/// Wire name of a certificate fault, or its end.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(untagged)]
pub(crate) enum CertificateChoice {
    Fault(CertificateFault),
    Sound(Sound),
}

/// The literal `"none"`.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Sound {
    None,
}

/// What to do with one stanza.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct StanzaFaults {
    pub(crate) drop: bool,
    pub(crate) twice: bool,
    pub(crate) after_next: bool,
    pub(crate) corrupt: bool,
    pub(crate) tear: bool,
    pub(crate) half_close: bool,
    pub(crate) delay: Duration,
}

/// What to do with one push call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct PushFaults {
    pub(crate) off: bool,
    pub(crate) delay: Duration,
}

#[derive(Default)]
struct Plan {
    target: Option<Jid>,
    stanza: Option<String>,
    drop: u32,
    duplicate: u32,
    reorder: u32,
    loss: Loss,
    corrupt: u32,
    tear: u32,
    delay: Duration,
    half_close: bool,
    refuse: bool,
    failure: Option<u32>,
    certificate: Option<CertificateFault>,
    push: PushFaults,
}

/// The faults in force.
#[derive(Default)]
pub(crate) struct Faults(Mutex<Plan>);

/// A target that is no JID.
#[derive(Debug, thiserror::Error)]
#[error("target {0:?} is no JID")]
pub(crate) struct TargetError(String);

impl Faults {
    /// Takes over what a request sets. Clock, version and disconnection are the caller's part.
    pub(crate) fn set(&self, request: &Request) -> Result<(), TargetError> {
        let target = request.target.as_deref();
        let target = target.map(|text| text.parse::<Jid>().map_err(|_| TargetError(text.to_owned()))).transpose()?;
        let mut plan = self.plan();
        if request.clear {
            *plan = Plan::default();
        }
        if target.is_some() {
            plan.target = target;
        }
        if request.stanza.is_some() {
            plan.stanza.clone_from(&request.stanza);
        }
        plan.drop = request.drop.unwrap_or(plan.drop);
        plan.duplicate = request.duplicate.unwrap_or(plan.duplicate);
        plan.reorder = request.reorder.unwrap_or(plan.reorder);
        if let Some(seed) = request.seed {
            plan.loss.seed(seed);
        }
        if let Some(percent) = request.loss_percent {
            plan.loss.set_percent(percent);
        }
        plan.corrupt = request.corrupt.unwrap_or(plan.corrupt);
        plan.tear = request.tear.unwrap_or(plan.tear);
        plan.delay = request.delay_ms.map_or(plan.delay, bounded);
        plan.half_close = request.half_close.unwrap_or(plan.half_close);
        plan.refuse = request.refuse.unwrap_or(plan.refuse);
        plan.failure = request.failure.or(plan.failure);
        plan.push.off = request.push_off.unwrap_or(plan.push.off);
        plan.push.delay = request.push_delay_ms.map_or(plan.push.delay, bounded);
        match request.certificate {
            Some(CertificateChoice::Fault(fault)) => plan.certificate = Some(fault),
            Some(CertificateChoice::Sound(Sound::None)) => plan.certificate = None,
            None => {}
        }
        Ok(())
    }

    /// Whether new connections are refused.
    pub(crate) fn refusing(&self) -> bool {
        self.plan().refuse
    }

    /// The fault that the next certificate chain shows.
    pub(crate) fn certificate(&self) -> Option<CertificateFault> {
        self.plan().certificate
    }

    /// The failure reason that this login gets, once.
    pub(crate) fn failure(&self, who: &Jid) -> Option<u32> {
        let mut plan = self.plan();
        if plan.hits(who) { plan.failure.take() } else { None }
    }

    /// What happens to a push call for `who`.
    pub(crate) fn push(&self, who: &Jid) -> PushFaults {
        let plan = self.plan();
        if plan.hits(who) { plan.push } else { PushFaults::default() }
    }

    /// What happens to the next stanza for `who`.
    pub(crate) fn next_stanza(&self, who: &Jid, tag: &str) -> StanzaFaults {
        let mut plan = self.plan();
        if !plan.concerns(who, tag) {
            return StanzaFaults::default();
        }
        StanzaFaults {
            drop: take_one(&mut plan.drop) || plan.loss.is_lost(),
            twice: take_one(&mut plan.duplicate),
            after_next: take_one(&mut plan.reorder),
            corrupt: take_one(&mut plan.corrupt),
            tear: take_one(&mut plan.tear),
            half_close: std::mem::take(&mut plan.half_close),
            delay: plan.delay,
        }
    }

    /// Whether a stanza of `who`, which has arrived, is to count as lost on its way.
    pub(crate) fn drops_received(&self, who: &Jid, tag: &str) -> bool {
        let mut plan = self.plan();
        plan.concerns(who, tag) && plan.loss.is_lost()
    }

    fn plan(&self) -> std::sync::MutexGuard<'_, Plan> {
        // A panic while holding the lock leaves a plan that is still a plan.
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Plan {
    fn hits(&self, who: &Jid) -> bool {
        self.target.as_ref().map_or(who.server == Server::Interop, |target| target.to_bare() == who.to_bare())
    }

    fn concerns(&self, who: &Jid, tag: &str) -> bool {
        self.hits(who) && self.stanza.as_deref().is_none_or(|wanted| wanted == tag)
    }
}

fn bounded(ms: u64) -> Duration {
    Duration::from_millis(ms.min(MAX_DELAY_MS))
}

fn take_one(count: &mut u32) -> bool {
    let due = *count > 0;
    *count = count.saturating_sub(1);
    due
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(faults: &Faults, json: &str) {
        faults.set(&serde_json::from_str(json).unwrap()).unwrap();
    }

    #[test]
    fn counts_run_down_and_only_the_named_tag_is_hit() {
        let (faults, alice) = (Faults::default(), Jid::interop(1, "10853634039893"));
        set(&faults, r#"{"drop":1,"stanza":"ack"}"#);
        assert_eq!(faults.next_stanza(&alice, "message"), StanzaFaults::default());
        assert!(faults.next_stanza(&alice, "ack").drop);
        assert!(!faults.next_stanza(&alice, "ack").drop);
    }

    #[test]
    fn phones_are_spared_unless_named() {
        let (faults, phone) = (Faults::default(), Jid::user("14155550100"));
        set(&faults, r#"{"duplicate":2}"#);
        assert!(!faults.next_stanza(&phone, "message").twice);
        set(&faults, r#"{"target":"14155550100@s.whatsapp.net"}"#);
        assert!(faults.next_stanza(&phone, "message").twice);
    }

    #[test]
    fn loss_strikes_both_directions_and_spares_other_tags_and_phones() {
        let (faults, alice, phone) = (Faults::default(), Jid::interop(1, "10853634039893"), Jid::user("14155550100"));
        set(&faults, r#"{"loss_percent":100,"stanza":"message"}"#);
        assert!(faults.next_stanza(&alice, "message").drop && faults.drops_received(&alice, "message"));
        assert!(!faults.next_stanza(&alice, "ack").drop && !faults.drops_received(&alice, "ack"));
        assert!(!faults.next_stanza(&phone, "message").drop && !faults.drops_received(&phone, "message"));
        set(&faults, r#"{"loss_percent":0}"#);
        assert!(!faults.next_stanza(&alice, "message").drop && !faults.drops_received(&alice, "message"));
    }

    #[test]
    fn push_faults_hit_their_target_and_end() {
        let (faults, alice, bob) = (Faults::default(), Jid::interop(1, "10853634039893"), Jid::interop(1, "2"));
        set(&faults, r#"{"push_off":true,"push_delay_ms":99999999,"target":"1-10853634039893@interop"}"#);
        let delay = Duration::from_millis(MAX_DELAY_MS);
        assert_eq!(faults.push(&alice), PushFaults { off: true, delay });
        assert_eq!(faults.push(&bob), PushFaults::default());
        set(&faults, r#"{"push_off":false,"push_delay_ms":0}"#);
        assert_eq!(faults.push(&alice), PushFaults::default());
    }

    #[test]
    fn a_certificate_fault_begins_and_ends() {
        let faults = Faults::default();
        set(&faults, r#"{"certificate":"foreign_root"}"#);
        assert_eq!(faults.certificate(), Some(CertificateFault::ForeignRoot));
        set(&faults, r#"{"certificate":"none"}"#);
        assert_eq!(faults.certificate(), None);
    }
}
