//! Stored rows: their form, their keys, sealing, caching and group commit. The database itself belongs to the driver.

pub mod account;
pub mod changes;
pub mod chats;
#[cfg(any(test, feature = "testing"))]
pub mod contract;
pub mod failure;
pub mod group_commit;
#[cfg(any(test, feature = "testing"))]
pub mod memory;
pub mod paged;
pub mod prekeys;
pub mod records;
pub mod resident;
pub mod row;
mod row_cache;
pub mod row_key;
pub mod rows;
pub mod seal;
#[cfg(test)]
mod word;
