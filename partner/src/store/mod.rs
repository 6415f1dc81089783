//! The database: SQLite in a file for one instance, PostgreSQL by URL for several.
//!
//! [`Database`] is the shared handle: pool, transactions and the differences between the engines. Each module that owns
//! tables has repository types that hold the handle and run that module's queries, in the SQL that both engines share.
//! What this module does not know: what the rows mean.
//!
//! A transaction that reads before it writes must first lock what it reads: on SQLite [`Database::begin`] does, on
//! PostgreSQL an `UPDATE` that changes nothing (see [`lock_account`]).

mod account_lock;
mod database;
mod error;
mod open;
mod schema;
#[cfg(test)]
pub(crate) mod testing;

pub(crate) use account_lock::lock_account;
pub(crate) use database::{Database, DatabaseLocation};
pub use error::StoreError;
pub(crate) use open::open;
