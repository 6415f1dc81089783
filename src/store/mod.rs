//! What is kept, in which form, and how it is sealed. The database itself is the driver's.

pub mod changes;
#[cfg(any(test, feature = "testing"))]
pub mod contract;
pub mod keys;
#[cfg(any(test, feature = "testing"))]
pub mod memory;
pub mod seal;
pub mod shelf;
