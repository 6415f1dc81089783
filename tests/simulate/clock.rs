//! The unit of the clocks of the world, which computes with them. It must not know the engine's types.

/// Milliseconds: since 1970-01-01T00:00:00Z, or of a span.
pub(crate) type Millis = u64;
