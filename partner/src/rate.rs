//! Rate limits: token buckets per caller.
//!
//! What this module does not know: what is limited. Callers are stored as keyed hashes, at most a fixed number of them,
//! in this process: each instance counts for itself.

use std::{
    collections::HashMap,
    hash::{BuildHasher, Hash, RandomState},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Number of callers in each of the two generations.
const CAPACITY: usize = 32_768;

/// `burst` operations at once, then one more every `refill`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Allowance {
    pub(crate) burst: u32,
    pub(crate) refill: Duration,
}

/// Counts callers against one [`Allowance`].
pub(crate) struct RateLimit {
    allowance: Allowance,
    hasher: RandomState,
    buckets: Mutex<Generations>,
}

/// A caller, by a hash under a key of this process.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct CallerHash(u64);

/// When the newer generation is full, it replaces the older one: lookups are O(1), memory is bounded, and a caller is
/// forgotten only after `CAPACITY` others.
#[derive(Default)]
struct Generations {
    newer: HashMap<CallerHash, Instant>,
    older: HashMap<CallerHash, Instant>,
}

impl RateLimit {
    pub(crate) fn new(allowance: Allowance) -> Self {
        Self { allowance, hasher: RandomState::new(), buckets: Mutex::default() }
    }

    /// Takes one from the caller's bucket, or returns the time until the next refill.
    pub(crate) fn take(&self, caller: impl Hash, now: Instant) -> Result<(), Duration> {
        let caller = CallerHash(self.hasher.hash_one(caller));
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        // A bucket is stored as the instant at which it is full: each use moves it by one refill into the future.
        let full_at = buckets.find(caller).map_or(now, |full_at| full_at.max(now));
        let after = full_at + self.allowance.refill;
        let spare = self.allowance.refill * self.allowance.burst;
        let debt = after.saturating_duration_since(now);
        if debt > spare {
            return Err(debt - spare);
        }
        buckets.keep(caller, after);
        Ok(())
    }
}

impl Generations {
    fn find(&self, caller: CallerHash) -> Option<Instant> {
        self.newer.get(&caller).or_else(|| self.older.get(&caller)).copied()
    }

    fn keep(&mut self, caller: CallerHash, full_at: Instant) {
        if self.newer.len() >= CAPACITY && !self.newer.contains_key(&caller) {
            self.older = std::mem::take(&mut self.newer);
        }
        self.newer.insert(caller, full_at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn limit() -> RateLimit {
        RateLimit::new(Allowance { burst: 3, refill: 10 * SECOND })
    }

    #[test]
    fn after_a_burst_one_operation_per_refill_is_allowed() {
        let (limit, start) = (limit(), Instant::now());
        for _ in 0..3 {
            assert_eq!(limit.take("a", start), Ok(()));
        }
        assert_eq!(limit.take("a", start), Err(10 * SECOND));
        assert_eq!(limit.take("a", start + 4 * SECOND), Err(6 * SECOND), "a refused operation takes nothing");
        assert_eq!(limit.take("a", start + 10 * SECOND), Ok(()));
        assert_eq!(limit.take("a", start + 10 * SECOND), Err(10 * SECOND));
    }

    #[test]
    fn callers_have_separate_buckets() {
        let (limit, start) = (limit(), Instant::now());
        for _ in 0..3 {
            assert_eq!(limit.take("a", start), Ok(()));
        }
        assert_eq!(limit.take("b", start), Ok(()));
    }

    #[test]
    fn an_idle_caller_regains_the_burst_and_no_more() {
        let (limit, start) = (limit(), Instant::now());
        for _ in 0..3 {
            assert_eq!(limit.take("a", start), Ok(()));
        }
        let later = start + 1_000 * SECOND;
        for _ in 0..3 {
            assert_eq!(limit.take("a", later), Ok(()));
        }
        assert!(limit.take("a", later).is_err());
    }

    #[test]
    fn memory_is_bounded_and_recent_callers_are_remembered() {
        let (limit, start) = (limit(), Instant::now());
        for caller in 0..3 * CAPACITY {
            assert_eq!(limit.take(caller, start), Ok(()));
        }
        for _ in 0..3 {
            assert_eq!(limit.take("a", start), Ok(()));
        }
        for caller in 0..CAPACITY / 2 {
            let _ = limit.take(("flood", caller), start);
        }
        assert!(limit.take("a", start).is_err());
        let buckets = limit.buckets.lock().unwrap();
        assert!(buckets.newer.len() <= CAPACITY && buckets.older.len() <= CAPACITY);
    }
}
