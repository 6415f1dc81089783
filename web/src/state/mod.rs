//! Updates as signals.
