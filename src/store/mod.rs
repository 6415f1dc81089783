//! What is kept, in which form, and how it is sealed. The database itself is the driver's.

pub mod changes;
pub mod keys;
pub mod seal;
pub mod shelf;
