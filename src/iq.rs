//! IQs of ours: sent, answered or timed out. Any module asks, and the answer comes back to it by its purpose.
//!
//! What this module does not know: what the answers mean.

use crate::id::PreKeyId;
use crate::model::StanzaId;
use crate::pending::Timed;
use crate::time::UnixMillis;
use causeway_proto::jid::Jid;

/// IQ response time-out, in milliseconds.
const RESPONSE_TIMEOUT: u64 = 10_000;
/// Largest number of IQs in flight; a further one waits until its module asks again.
const MAX_PENDING: usize = 256;

/// What an IQ asks for. The engine routes the answer to the module that asks for such things.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// How many of our one-time prekeys the server holds.
    PreKeyCount,
    /// To keep these one-time prekeys of ours.
    PreKeyUpload(Vec<PreKeyId>),
    /// To hand out the signed prekey with this id.
    SignedPreKey(PreKeyId),
    /// The keys of these devices.
    Keys(Vec<Jid>),
    /// To send live traffic.
    Active,
}

/// IQs in flight on this connection, by stanza id.
#[derive(Debug, Default)]
pub(crate) struct PendingIqs(Timed<StanzaId, Purpose, RESPONSE_TIMEOUT>);

impl PendingIqs {
    /// Adds an IQ that is sent now. Returns false if too many are in flight.
    pub(crate) fn insert(&mut self, id: StanzaId, purpose: Purpose, now: UnixMillis) -> bool {
        let fits = self.0.len() < MAX_PENDING;
        if fits {
            self.0.insert(id, purpose, now);
        }
        fits
    }

    /// What the IQ with this id asks for; `None` if there is none.
    pub(crate) fn get(&self, id: &StanzaId) -> Option<&Purpose> {
        self.0.get(id)
    }

    /// Removes an IQ that was answered.
    pub(crate) fn remove(&mut self, id: &StanzaId) {
        self.0.remove(id);
    }

    /// Removes and returns the IQs that timed out.
    pub(crate) fn overdue(&mut self, now: UnixMillis) -> Vec<Purpose> {
        self.0.overdue(now)
    }

    /// Whether a matching IQ is in flight.
    pub(crate) fn any(&self, like: impl Fn(&Purpose) -> bool) -> bool {
        self.0.any(like)
    }

    /// When the first IQ times out.
    pub(crate) fn wake_at(&self) -> Option<UnixMillis> {
        self.0.wake_at()
    }

    /// The connection is gone: no response will arrive.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_in_flight_is_bounded() {
        let mut iqs = PendingIqs::default();
        for number in 0..MAX_PENDING {
            assert!(iqs.insert(StanzaId::new(number.to_string()), Purpose::Active, UnixMillis(0)));
        }
        assert!(!iqs.insert(StanzaId::new("more".into()), Purpose::Active, UnixMillis(0)));
        iqs.remove(&StanzaId::new("7".into()));
        assert!(iqs.insert(StanzaId::new("more".into()), Purpose::Active, UnixMillis(0)));
    }
}
