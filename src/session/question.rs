//! Questions to the server that wait for an answer, and for how long.
//!
//! What this module does not know: what is asked, and what to do when no answer comes.

use crate::io::Millis;
use crate::pending::Pending;

/// An answer that has not come by then does not come any more.
const PATIENCE: Millis = 10_000;

/// Questions under way on this connection, by stanza id.
#[derive(Debug)]
pub(super) struct Questions<T>(Pending<String, (T, Millis)>);

impl<T> Default for Questions<T> {
    fn default() -> Self {
        Self(Pending::default())
    }
}

impl<T> Questions<T> {
    /// Asked now.
    pub(super) fn insert(&mut self, id: String, question: T, now: Millis) {
        self.0.insert(id, (question, now));
    }

    /// Answered, or not ours.
    pub(super) fn remove(&mut self, id: &str) -> Option<(String, T)> {
        self.0.remove(id).map(|(id, (question, _))| (id, question))
    }

    /// Takes the questions whose time is up. A clock that jumped back makes nobody wait longer.
    pub(super) fn overdue(&mut self, now: Millis) -> Vec<T> {
        let late = |asked: Millis| asked > now || asked.saturating_add(PATIENCE) <= now;
        self.0.take(|(_, asked)| late(*asked)).into_iter().map(|(question, _)| question).collect()
    }

    /// Something like this is under way.
    pub(super) fn any(&self, like: impl Fn(&T) -> bool) -> bool {
        self.0.any(|(question, _)| like(question))
    }

    /// When the first one's time is up.
    pub(super) fn wake_at(&self) -> Option<Millis> {
        self.0.iter().map(|(_, asked)| asked.saturating_add(PATIENCE)).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_answered_in_time_is_given_back_once() {
        let mut questions = Questions::default();
        questions.insert("a".into(), 1, 0);
        questions.insert("b".into(), 2, 5_000);
        questions.insert("c".into(), 3, 6_000);
        assert_eq!(questions.remove("b"), Some(("b".into(), 2)));
        assert_eq!(questions.wake_at(), Some(PATIENCE));
        assert_eq!(questions.overdue(PATIENCE - 1), [0; 0]);
        assert_eq!(questions.overdue(PATIENCE), [1]);
        assert_eq!(questions.overdue(PATIENCE), [0; 0]);
        assert_eq!(questions.overdue(5_999), [3], "asked in what is now the future");
        assert_eq!(questions.wake_at(), None);
    }
}
