//! IQs of ours: sent, answered or timed out. Any module asks, and the answer comes back to it by its purpose.
//!
//! What this module does not know: what the answers mean.

use crate::id::PreKeyId;
use crate::model::StanzaId;
use crate::pending::Pending;
use crate::time::{Millis, UnixMillis};
use causeway_proto::jid::Jid;

/// IQ response time-out.
const RESPONSE_TIMEOUT: Millis = Millis(10_000);
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
pub(crate) struct PendingIqs(Pending<StanzaId, (Purpose, UnixMillis)>);

impl PendingIqs {
    /// Adds an IQ that is sent now. Returns false if too many are in flight.
    pub(crate) fn insert(&mut self, id: StanzaId, purpose: Purpose, now: UnixMillis) -> bool {
        let fits = self.0.iter().count() < MAX_PENDING;
        if fits {
            self.0.insert(id, (purpose, now));
        }
        fits
    }

    /// What the IQ with this id asks for; `None` if there is none.
    pub(crate) fn get(&self, id: &StanzaId) -> Option<&Purpose> {
        self.0.get(id).map(|(purpose, _)| purpose)
    }

    /// Removes an IQ that was answered.
    pub(crate) fn remove(&mut self, id: &StanzaId) {
        self.0.remove(id);
    }

    /// Removes and returns the IQs that timed out. A clock that jumped back counts as a time-out.
    pub(crate) fn overdue(&mut self, now: UnixMillis) -> Vec<Purpose> {
        let late = |sent_at: UnixMillis| sent_at > now || sent_at.after(RESPONSE_TIMEOUT) <= now;
        self.0.take(|(_, sent_at)| late(*sent_at)).into_iter().map(|(purpose, _)| purpose).collect()
    }

    /// Whether a matching IQ is in flight.
    pub(crate) fn any(&self, like: impl Fn(&Purpose) -> bool) -> bool {
        self.0.any(|(purpose, _)| like(purpose))
    }

    /// When the first IQ times out.
    pub(crate) fn wake_at(&self) -> Option<UnixMillis> {
        self.0.iter().map(|(_, sent_at)| sent_at.after(RESPONSE_TIMEOUT)).min()
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
    fn an_iq_without_a_response_times_out_once() {
        let mut iqs = PendingIqs::default();
        assert!(iqs.insert(StanzaId::new("a".into()), Purpose::SignedPreKey(PreKeyId(1)), UnixMillis(0)));
        assert!(iqs.insert(StanzaId::new("b".into()), Purpose::SignedPreKey(PreKeyId(2)), UnixMillis(5_000)));
        assert!(iqs.insert(StanzaId::new("c".into()), Purpose::SignedPreKey(PreKeyId(3)), UnixMillis(6_000)));
        assert_eq!(iqs.get(&StanzaId::new("b".into())), Some(&Purpose::SignedPreKey(PreKeyId(2))));
        iqs.remove(&StanzaId::new("b".into()));
        assert_eq!(iqs.get(&StanzaId::new("b".into())), None);
        assert_eq!(iqs.wake_at(), Some(UnixMillis(RESPONSE_TIMEOUT.0)));
        assert_eq!(iqs.overdue(UnixMillis(RESPONSE_TIMEOUT.0 - 1)), []);
        assert_eq!(iqs.overdue(UnixMillis(RESPONSE_TIMEOUT.0)), [Purpose::SignedPreKey(PreKeyId(1))]);
        assert_eq!(iqs.overdue(UnixMillis(RESPONSE_TIMEOUT.0)), []);
        assert_eq!(
            iqs.overdue(UnixMillis(5_999)),
            [Purpose::SignedPreKey(PreKeyId(3))],
            "sent at what is now the future"
        );
        assert_eq!(iqs.wake_at(), None);
    }

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
