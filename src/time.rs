//! Points in time and spans of time, in the units of the client core. Arithmetic stops at both ends.
//!
//! What this module does not know: the clock, and what happens at these times.

/// A point in time: milliseconds since 1970-01-01T00:00:00Z by the device's clock, which may jump in either direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnixMillis(pub u64);

/// A point in time: whole seconds since 1970-01-01T00:00:00Z, as stanzas and prekeys have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnixSeconds(pub u64);

/// A span of time in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Millis(pub u64);

/// A span of time in whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seconds(pub u64);

/// Milliseconds of one second.
const SECOND: u64 = 1_000;

impl UnixMillis {
    /// The time after this span.
    #[must_use]
    pub const fn after(self, span: Millis) -> Self {
        Self(self.0.saturating_add(span.0))
    }

    /// The span since `earlier`; an empty one if that is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Millis {
        Millis(self.0.saturating_sub(earlier.0))
    }

    /// The second in which this time lies.
    pub(crate) const fn seconds(self) -> UnixSeconds {
        UnixSeconds(self.0 / SECOND)
    }

    /// The time in a field in which 0 stands for none.
    pub(crate) const fn from_field(number: u64) -> Option<Self> {
        match number {
            0 => None,
            number => Some(Self(number)),
        }
    }

    /// The number for a field in which 0 stands for none.
    pub(crate) const fn to_field(at: Option<Self>) -> u64 {
        match at {
            Some(at) => at.0,
            None => 0,
        }
    }
}

impl UnixSeconds {
    /// The time after this span.
    pub(crate) const fn after(self, span: Seconds) -> Self {
        Self(self.0.saturating_add(span.0))
    }

    /// The beginning of this second.
    pub(crate) const fn millis(self) -> UnixMillis {
        UnixMillis(self.0.saturating_mul(SECOND))
    }
}

impl Millis {
    /// The whole seconds in this span.
    pub(crate) const fn seconds(self) -> Seconds {
        Seconds(self.0 / SECOND)
    }
}
