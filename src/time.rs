//! The unit of time of the client core.

/// Milliseconds since 1970-01-01T00:00:00Z by the device's clock. May jump in either direction.
pub type Millis = u64;

/// Milliseconds of one second.
pub(crate) const SECOND: Millis = 1_000;
