//! Points in time, in the units of the wire, the journal and the control API. Spans of time are [`Duration`]s.
//!
//! Must not know the clock.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

/// Seconds since 1970-01-01T00:00:00Z; a number in JSON.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct UnixSeconds(u64);

impl UnixSeconds {
    pub(crate) const fn new(count: u64) -> Self {
        Self(count)
    }

    /// The number of seconds, for a stanza or a certificate.
    pub(crate) const fn get(self) -> u64 {
        self.0
    }

    /// The time after the whole seconds of `span`.
    pub(crate) fn after(self, span: Duration) -> Self {
        Self(self.0.saturating_add(span.as_secs()))
    }

    /// The time before the whole seconds of `span`, at least 1970.
    pub(crate) fn before(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(span.as_secs()))
    }
}

impl fmt::Display for UnixSeconds {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// Milliseconds since 1970-01-01T00:00:00Z; a number in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub(crate) struct UnixMillis(u64);

impl UnixMillis {
    pub(crate) const fn new(count: u64) -> Self {
        Self(count)
    }

    /// The second in which this time lies.
    pub(crate) fn seconds(self) -> UnixSeconds {
        UnixSeconds(self.0 / 1_000)
    }

    /// The time after the whole milliseconds of `span`.
    pub(crate) fn after(self, span: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(span.as_millis()).unwrap_or(u64::MAX)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_saturates_at_both_ends() {
        assert_eq!(UnixSeconds::new(5).before(Duration::from_secs(6)), UnixSeconds::new(0));
        assert_eq!(UnixSeconds::new(5).after(Duration::MAX), UnixSeconds::new(u64::MAX));
        assert_eq!(UnixMillis::new(5).after(Duration::MAX), UnixMillis::new(u64::MAX));
        assert_eq!(UnixMillis::new(1_999).seconds(), UnixSeconds::new(1));
    }

    #[test]
    fn the_journal_holds_plain_numbers() {
        assert_eq!(serde_json::to_string(&UnixSeconds::new(7)).unwrap(), "7");
        assert_eq!(serde_json::from_str::<UnixSeconds>("7").unwrap(), UnixSeconds::new(7));
    }
}
