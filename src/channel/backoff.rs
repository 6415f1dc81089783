//! Reconnect delay: exponential backoff with full jitter, reset only after a minute of stability.
//!
//! Full jitter spreads clients evenly after a server restart. If a successful connection reset the delay at once, a
//! connection that dies immediately would be retried about once a second without end.

use crate::time::{Millis, UnixMillis};
use rand_core::CryptoRng;

const BASE: Millis = Millis(1_000);
/// The longest wait.
pub(super) const CEILING: Millis = Millis(120_000);
const STABLE: Millis = Millis(60_000);

/// The failures in a row that the next delay grows with.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
    live_since: Option<UnixMillis>,
}

impl Backoff {
    /// The connection is up.
    pub(crate) fn live(&mut self, now: UnixMillis) {
        self.live_since = Some(now);
    }

    /// The connection is gone. Returns when to reconnect.
    pub(crate) fn next(&mut self, now: UnixMillis, rng: &mut dyn CryptoRng) -> UnixMillis {
        if self.live_since.take().is_some_and(|since| now.since(since) >= STABLE) {
            self.failures = 0;
        }
        let ceiling = BASE.0.saturating_mul(1 << self.failures.min(16)).min(CEILING.0);
        self.failures = self.failures.saturating_add(1);
        now.after(Millis(rng.next_u64() % (ceiling + 1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::SeedableRng;

    #[test]
    fn delays_grow_to_the_ceiling_and_fill_the_whole_range() {
        let rng = &mut ChaCha8Rng::seed_from_u64(1);
        let mut backoff = Backoff::default();
        let begin = UnixMillis(0);
        assert!(backoff.next(begin, rng).since(begin) <= BASE);
        let waits: Vec<_> = (0..2_000).map(|_| backoff.next(begin, rng).since(begin)).collect();
        assert!(waits.iter().all(|&wait| wait <= CEILING));
        assert!(
            waits.iter().any(|&wait| wait.0 > CEILING.0 * 9 / 10) && waits.iter().any(|&wait| wait.0 < CEILING.0 / 10)
        );
    }

    #[test]
    fn only_a_minute_of_stability_resets_the_backoff() {
        let rng = &mut ChaCha8Rng::seed_from_u64(2);
        let mut backoff = Backoff { failures: 10, live_since: None };
        backoff.live(UnixMillis(0));
        backoff.next(UnixMillis(STABLE.0 - 1), rng);
        assert_eq!(backoff.failures, 11);
        backoff.live(UnixMillis(0));
        backoff.next(UnixMillis(STABLE.0), rng);
        assert_eq!(backoff.failures, 1);
    }

    #[test]
    fn a_connection_that_flaps_for_an_hour_is_retried_at_most_twenty_times_in_ten_minutes() {
        let rng = &mut ChaCha8Rng::seed_from_u64(3);
        let mut backoff = Backoff::default();
        let (mut now, mut times) = (0, Vec::new());
        while now < 3_600_000 {
            backoff.live(UnixMillis(now));
            times.push(now);
            now = backoff.next(UnixMillis(now + 1), rng).0;
        }
        let busiest = times.iter().map(|&t| times.iter().filter(|&&u| u >= t && u < t + 600_000).count()).max();
        assert!(busiest.unwrap() <= 20, "{busiest:?} connections in ten minutes");
    }
}
