//! A limit on connection attempts, whatever the server, the network and pushes do.
//!
//! Backoff alone is no limit: the server can request a restart, a push or a returning network ends the wait, and every
//! log-in that holds for a minute resets it. What this module does not know: why an attempt is made.

use crate::time::{Millis, UnixMillis};
use std::collections::VecDeque;

/// Largest number of attempts within [`WINDOW`]; only a person exceeds it.
const LIMIT: usize = 20;
/// Ten minutes.
const WINDOW: Millis = Millis(600_000);

/// When the last attempts began, at most [`LIMIT`] of them.
#[derive(Debug, Default)]
pub(super) struct Attempts(VecDeque<UnixMillis>);

impl Attempts {
    /// An attempt begins.
    pub(super) fn begin(&mut self, now: UnixMillis) {
        if self.0.len() >= LIMIT {
            self.0.pop_front();
        }
        self.0.push_back(now);
    }

    /// When the next attempt may begin; not after `now` if that is at once.
    pub(super) fn next_at(&self, now: UnixMillis) -> UnixMillis {
        match self.0.front() {
            Some(oldest) if self.0.len() >= LIMIT => oldest.after(WINDOW),
            _ => now,
        }
    }

    /// The device's clock was set back: attempts count as begun now if they would be in the future.
    pub(super) fn clock_set_back(&mut self, now: UnixMillis) {
        self.0.iter_mut().for_each(|at| *at = (*at).min(now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_ten_minutes_have_more_attempts_than_the_limit() {
        let (mut attempts, mut begun, mut now) = (Attempts::default(), Vec::new(), UnixMillis(5_000));
        for step in [0, 0, 1, 7_000, 59_000].into_iter().cycle().take(500) {
            let next = now.after(Millis(step));
            now = next.max(attempts.next_at(next));
            attempts.begin(now);
            begun.push(now);
        }
        let busiest =
            begun.iter().map(|at| begun.iter().filter(|other| (*at..at.after(WINDOW)).contains(other)).count());
        assert_eq!(busiest.max(), Some(LIMIT));
    }

    #[test]
    fn attempts_of_a_person_delay_the_next_automatic_one() {
        let mut attempts = Attempts::default();
        (0..25).for_each(|at| attempts.begin(UnixMillis(at)));
        assert_eq!(attempts.0.len(), LIMIT);
        assert_eq!(attempts.next_at(UnixMillis(30)), UnixMillis(5).after(WINDOW));
    }

    #[test]
    fn a_clock_that_is_set_back_delays_by_no_more_than_the_window() {
        let mut attempts = Attempts::default();
        (0..LIMIT).for_each(|_| attempts.begin(UnixMillis(1_000_000_000)));
        let now = UnixMillis(1_000);
        attempts.clock_set_back(now);
        assert_eq!(attempts.next_at(now), now.after(WINDOW));
    }
}
