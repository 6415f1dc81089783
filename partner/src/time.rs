//! Points in time, in the units of the database and of tokens. Spans of time are [`Duration`]s.
//!
//! What this module does not know: the clock ([`crate::clock`]), and what happens at these times.

use serde::Deserialize;
use std::time::Duration;

/// Seconds since 1970-01-01T00:00:00Z, negative before. A JSON number in tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(transparent)]
pub struct UnixSeconds(i64);

impl UnixSeconds {
    /// The beginning of 1970.
    pub const EPOCH: Self = Self(0);

    /// Wraps a number of seconds.
    #[must_use]
    pub const fn new(count: i64) -> Self {
        Self(count)
    }

    /// The number of seconds, for a column, a token or a header.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    /// The time after the whole seconds of `span`, at most the latest that can be expressed.
    pub(crate) fn after(self, span: Duration) -> Self {
        Self(self.0.saturating_add_unsigned(span.as_secs()))
    }

    /// The time before the whole seconds of `span`, at least the earliest that can be expressed.
    pub(crate) fn before(self, span: Duration) -> Self {
        Self(self.0.saturating_sub_unsigned(span.as_secs()))
    }

    /// The span since `earlier`; none if that is later.
    pub(crate) fn since(self, earlier: Self) -> Option<Duration> {
        (self >= earlier).then(|| Duration::from_secs(self.0.abs_diff(earlier.0)))
    }
}

/// Milliseconds since 1970-01-01T00:00:00Z, negative before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct UnixMillis(i64);

impl UnixMillis {
    /// Wraps a number of milliseconds.
    pub(crate) const fn new(count: i64) -> Self {
        Self(count)
    }

    /// The number of milliseconds, for a column or a form.
    pub(crate) const fn get(self) -> i64 {
        self.0
    }

    /// The second in which this time lies.
    pub(crate) fn seconds(self) -> UnixSeconds {
        UnixSeconds(self.0.div_euclid(1_000))
    }

    /// The time after the whole milliseconds of `span`, at most the latest that can be expressed.
    pub(crate) fn after(self, span: Duration) -> Self {
        Self(self.0.saturating_add_unsigned(whole_milliseconds_of(span)))
    }

    /// The time before the whole milliseconds of `span`, at least the earliest that can be expressed.
    pub(crate) fn before(self, span: Duration) -> Self {
        Self(self.0.saturating_sub_unsigned(whole_milliseconds_of(span)))
    }

    /// The span since `earlier`; none if that is later.
    pub(crate) fn since(self, earlier: Self) -> Option<Duration> {
        (self >= earlier).then(|| Duration::from_millis(self.0.abs_diff(earlier.0)))
    }
}

fn whole_milliseconds_of(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_saturates_at_both_ends() {
        let (first, last) = (UnixSeconds::new(i64::MIN), UnixSeconds::new(i64::MAX));
        assert_eq!(last.after(Duration::from_secs(1)), last);
        assert_eq!(first.before(Duration::MAX), first);
        assert_eq!(first.after(Duration::MAX), last);
        assert_eq!(last.since(first), Some(Duration::from_secs(u64::MAX)));
        assert_eq!(UnixMillis::new(i64::MAX).after(Duration::MAX), UnixMillis::new(i64::MAX));
        assert_eq!(UnixMillis::new(i64::MIN).before(Duration::MAX), UnixMillis::new(i64::MIN));
    }

    #[test]
    fn a_span_is_never_negative() {
        let (early, late) = (UnixMillis::new(-500), UnixMillis::new(1_500));
        assert_eq!(late.since(early), Some(Duration::from_secs(2)));
        assert_eq!(early.since(early), Some(Duration::ZERO));
        assert_eq!(early.since(late), None);
        assert_eq!(UnixSeconds::new(1).since(UnixSeconds::new(2)), None);
    }

    #[test]
    fn a_time_before_1970_lies_in_the_second_that_began_before_it() {
        let second = |milliseconds| UnixMillis::new(milliseconds).seconds().get();
        assert_eq!([second(-1), second(0), second(999), second(1_000)], [-1, 0, 0, 1]);
    }

    #[test]
    fn a_token_holds_seconds_as_a_whole_number() {
        assert_eq!(serde_json::from_str::<UnixSeconds>("1700000000").ok(), Some(UnixSeconds::new(1_700_000_000)));
        assert!(serde_json::from_str::<UnixSeconds>("\"1700000000\"").is_err());
    }
}
