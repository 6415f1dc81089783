//! The sandbox's clock: the machine's, plus an offset that a test may set to reach next month at once.
//!
//! Tokens, retention and time stamps all read this one clock; certificates keep to the
//! machine's, because clients check them against theirs.

use crate::time::{UnixMillis, UnixSeconds};
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Wall clock with an adjustable offset.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    offset_ms: AtomicI64,
}

impl Clock {
    /// The time to the millisecond. Never before 1970, whatever the offset.
    pub(crate) fn now_ms(&self) -> UnixMillis {
        let real = i64::try_from(machine().as_millis()).unwrap_or(i64::MAX);
        UnixMillis::new(u64::try_from(real.saturating_add(self.offset_ms.load(Ordering::Relaxed))).unwrap_or(0))
    }

    /// The time to the second, as the wire counts.
    pub(crate) fn now_secs(&self) -> UnixSeconds {
        self.now_ms().seconds()
    }

    /// The machine's own time, for what other programs on this machine check: certificates.
    pub(crate) fn machine_secs(&self) -> UnixSeconds {
        UnixSeconds::new(machine().as_secs())
    }

    /// Moves the clock by `ms`, forwards or backwards, from where it is now.
    pub(crate) fn jump(&self, ms: i64) {
        let moved = self.offset_ms.load(Ordering::Relaxed).saturating_add(ms);
        self.offset_ms.store(moved, Ordering::Relaxed);
    }
}

fn machine() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(86_400);

    #[test]
    fn a_jump_moves_every_later_reading_and_can_be_taken_back() {
        let clock = Clock::default();
        let before = clock.now_secs();
        clock.jump(86_400_000);
        assert!(clock.now_secs() >= before.after(DAY));
        clock.jump(-86_400_000);
        assert!(clock.now_secs() < before.after(DAY));
    }

    #[test]
    fn a_jump_before_1970_reads_as_1970() {
        let clock = Clock::default();
        clock.jump(i64::MIN);
        assert_eq!(clock.now_ms(), UnixMillis::new(0));
    }
}
