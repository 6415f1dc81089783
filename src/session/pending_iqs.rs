//! Iqs without a response, and their time-out.
//!
//! What this module does not know: what the iqs request, and what follows from a time-out.

use crate::pending::Pending;
use crate::time::Millis;

/// IQ response time-out.
const RESPONSE_TIMEOUT: Millis = 10_000;

/// Iqs in flight on this connection, by stanza id.
#[derive(Debug)]
pub(super) struct PendingIqs<T>(Pending<String, (T, Millis)>);

impl<T> Default for PendingIqs<T> {
    fn default() -> Self {
        Self(Pending::default())
    }
}

impl<T> PendingIqs<T> {
    /// Adds an iq that is sent now.
    pub(super) fn insert(&mut self, id: String, request: T, now: Millis) {
        self.0.insert(id, (request, now));
    }

    /// Removes the iq with this id; `None` if there is none.
    pub(super) fn remove(&mut self, id: &str) -> Option<(String, T)> {
        self.0.remove(id).map(|(id, (request, _))| (id, request))
    }

    /// Removes and returns the iqs that timed out. A clock that jumped back counts as a time-out.
    pub(super) fn overdue(&mut self, now: Millis) -> Vec<T> {
        let late = |sent_at: Millis| sent_at > now || sent_at.saturating_add(RESPONSE_TIMEOUT) <= now;
        self.0.take(|(_, sent_at)| late(*sent_at)).into_iter().map(|(request, _)| request).collect()
    }

    /// Whether a matching iq is in flight.
    pub(super) fn any(&self, like: impl Fn(&T) -> bool) -> bool {
        self.0.any(|(request, _)| like(request))
    }

    /// When the first iq times out.
    pub(super) fn wake_at(&self) -> Option<Millis> {
        self.0.iter().map(|(_, sent_at)| sent_at.saturating_add(RESPONSE_TIMEOUT)).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_iq_without_a_response_times_out_once() {
        let mut iqs = PendingIqs::default();
        iqs.insert("a".into(), 1, 0);
        iqs.insert("b".into(), 2, 5_000);
        iqs.insert("c".into(), 3, 6_000);
        assert_eq!(iqs.remove("b"), Some(("b".into(), 2)));
        assert_eq!(iqs.wake_at(), Some(RESPONSE_TIMEOUT));
        assert_eq!(iqs.overdue(RESPONSE_TIMEOUT - 1), [0; 0]);
        assert_eq!(iqs.overdue(RESPONSE_TIMEOUT), [1]);
        assert_eq!(iqs.overdue(RESPONSE_TIMEOUT), [0; 0]);
        assert_eq!(iqs.overdue(5_999), [3], "sent_at in what is now the future");
        assert_eq!(iqs.wake_at(), None);
    }
}
