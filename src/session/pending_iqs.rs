//! Questions to the server that wait for an answer, and for how long.
//!
//! What this module does not know: what is asked, and what to do when no answer comes.

use crate::pending::Pending;
use crate::time::Millis;

/// An answer that has not come by then does not come any more.
const RESPONSE_TIMEOUT: Millis = 10_000;

/// Questions under way on this connection, by stanza id.
#[derive(Debug)]
pub(super) struct PendingIqs<T>(Pending<String, (T, Millis)>);

impl<T> Default for PendingIqs<T> {
    fn default() -> Self {
        Self(Pending::default())
    }
}

impl<T> PendingIqs<T> {
    /// Asked now.
    pub(super) fn insert(&mut self, id: String, request: T, now: Millis) {
        self.0.insert(id, (request, now));
    }

    /// Answered, or not ours.
    pub(super) fn remove(&mut self, id: &str) -> Option<(String, T)> {
        self.0.remove(id).map(|(id, (request, _))| (id, request))
    }

    /// Takes the questions whose time is up. A clock that jumped back makes nobody wait longer.
    pub(super) fn overdue(&mut self, now: Millis) -> Vec<T> {
        let late = |sent_at: Millis| sent_at > now || sent_at.saturating_add(RESPONSE_TIMEOUT) <= now;
        self.0.take(|(_, sent_at)| late(*sent_at)).into_iter().map(|(request, _)| request).collect()
    }

    /// Something like this is under way.
    pub(super) fn any(&self, like: impl Fn(&T) -> bool) -> bool {
        self.0.any(|(request, _)| like(request))
    }

    /// When the first one's time is up.
    pub(super) fn wake_at(&self) -> Option<Millis> {
        self.0.iter().map(|(_, sent_at)| sent_at.saturating_add(RESPONSE_TIMEOUT)).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_answered_in_time_is_given_back_once() {
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
