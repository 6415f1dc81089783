//! The bound on the number of keys.

/// Maximum number of keys of one purpose.
pub(crate) const MAX_KEYS: usize = 16;
