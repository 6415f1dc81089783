//! Why the database failed or cannot be opened.

/// The database failed or cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The error of the database; queries contain no values.
    #[error("the database: {0}")]
    Database(#[from] sqlx::Error),
    /// The URL is invalid. It is not included in the message because it may contain a password.
    #[error("database_url is no address such as postgres://user:password@host/database")]
    Address,
    /// A row holds a text that no release of this program writes.
    #[error("the database: {column} holds {expected}, and this row does not")]
    Damaged {
        /// Table and column.
        column: &'static str,
        /// What the column holds.
        expected: &'static str,
    },
    /// The database was written by a newer version of this program.
    #[error("the database has schema {found}, this program knows {known}: install the newer program again")]
    TooNew {
        /// The version in the database.
        found: i64,
        /// The newest version that this program supports.
        known: i64,
    },
}
