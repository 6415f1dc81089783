//! The wall clock, read nowhere else. A clock before 1970 reads as 1970.

use crate::time::{UnixMillis, UnixSeconds};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The time to the millisecond.
pub(crate) fn unix_milliseconds() -> UnixMillis {
    UnixMillis::new(0).after(since_1970())
}

/// The time to the second.
pub(crate) fn unix_seconds() -> UnixSeconds {
    UnixSeconds::EPOCH.after(since_1970())
}

fn since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
