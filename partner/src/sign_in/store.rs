//! Accounts and sessions in the database, and its schema.
//!
//! What this module does not know: the time (an argument), and how a password or a session secret became the text that
//! is kept here. The queries are the common part of SQLite and PostgreSQL.

use super::Identifier;
use sqlx::{
    SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use std::{path::Path, time::Duration};

/// Sessions that one account keeps; signing in once more ends the oldest.
const SESSIONS_PER_ACCOUNT: i64 = 20;
/// The schema that this program reads and writes.
const SCHEMA_VERSION: i64 = 2;

/// Version 1.
const SCHEMA: [&str; 4] = [
    "CREATE TABLE accounts (
        identifier TEXT PRIMARY KEY,
        folded TEXT NOT NULL UNIQUE,
        password_hash TEXT NOT NULL,
        created BIGINT NOT NULL
    )",
    "CREATE TABLE sessions (
        token_hash TEXT PRIMARY KEY,
        identifier TEXT NOT NULL REFERENCES accounts (identifier) ON DELETE CASCADE,
        created BIGINT NOT NULL,
        expires BIGINT NOT NULL
    )",
    "CREATE INDEX sessions_of_account ON sessions (identifier, created)",
    "CREATE INDEX sessions_by_expiry ON sessions (expires)",
];

/// From version 1 to 2: an account's current device, and what its claim replaced ([`super::device`]).
const DEVICES: [&str; 4] = [
    "ALTER TABLE accounts ADD COLUMN device TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE accounts ADD COLUMN device_since BIGINT NOT NULL DEFAULT 0",
    "ALTER TABLE accounts ADD COLUMN previous_device TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE accounts ADD COLUMN previous_since BIGINT NOT NULL DEFAULT 0",
];

/// The database refused or could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database's own words; queries carry no values in them.
    #[error("the database: {0}")]
    Database(#[from] sqlx::Error),
    /// A newer partner server has written this database.
    #[error("the database has schema {found}, this program knows {known}: install the newer program again")]
    TooNew {
        /// The version in the database.
        found: i64,
        /// The newest version that this program knows.
        known: i64,
    },
}

/// Why an account was not made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NewAccountError {
    /// Someone has the identifier, in this or another case.
    #[error("the identifier is taken")]
    Taken,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Accounts and sessions, durable.
#[derive(Clone)]
pub(crate) struct Store {
    pool: SqlitePool,
}

impl Store {
    /// Opens `file`, making it or bringing its schema up to date as needed.
    pub(crate) async fn open(file: &Path) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(5));
        let pool = SqlitePoolOptions::new().max_connections(4).connect_with(options).await?;
        let store = Self { pool };
        store.migrate().await?;
        Ok(store)
    }

    async fn migrate(&self) -> Result<(), StoreError> {
        // Takes the write lock first, so that of two programs starting at once the second waits and finds the work done.
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::query("CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL)")
            .execute(&mut *transaction)
            .await?;
        let found: Option<i64> =
            sqlx::query_scalar("SELECT version FROM schema_version").fetch_optional(&mut *transaction).await?;
        let steps = match found {
            None => [SCHEMA.as_slice(), &DEVICES].concat(),
            Some(1) => DEVICES.to_vec(),
            Some(SCHEMA_VERSION) => return Ok(transaction.commit().await?),
            Some(found) => return Err(StoreError::TooNew { found, known: SCHEMA_VERSION }),
        };
        for statement in steps {
            sqlx::query(statement).execute(&mut *transaction).await?;
        }
        sqlx::query("DELETE FROM schema_version").execute(&mut *transaction).await?;
        sqlx::query("INSERT INTO schema_version (version) VALUES ($1)")
            .bind(SCHEMA_VERSION)
            .execute(&mut *transaction)
            .await?;
        Ok(transaction.commit().await?)
    }

    /// For the queries of this folder's other modules.
    pub(super) fn pool(&self) -> &SqlitePool {
        &self.pool
    }

    /// Whether the database answers.
    pub(crate) async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1").execute(&self.pool).await?;
        Ok(())
    }

    /// Makes an account.
    pub(crate) async fn create_account(
        &self,
        identifier: &Identifier,
        password_hash: &str,
        now: i64,
    ) -> Result<(), NewAccountError> {
        let made = sqlx::query(
            "INSERT INTO accounts (identifier, folded, password_hash, created) VALUES ($1, $2, $3, $4)
             ON CONFLICT DO NOTHING",
        )
        .bind(identifier.as_str())
        .bind(identifier.folded())
        .bind(password_hash)
        .bind(now)
        .execute(&self.pool)
        .await
        .map_err(StoreError::from)?;
        if made.rows_affected() == 1 { Ok(()) } else { Err(NewAccountError::Taken) }
    }

    /// Whether an account, or one that differs in case only, exists.
    pub(crate) async fn is_taken(&self, identifier: &Identifier) -> Result<bool, StoreError> {
        let found: Option<i64> = sqlx::query_scalar("SELECT 1 FROM accounts WHERE folded = $1")
            .bind(identifier.folded())
            .fetch_optional(&self.pool)
            .await?;
        Ok(found.is_some())
    }

    /// The password hash of exactly this identifier.
    pub(crate) async fn password_hash(&self, identifier: &Identifier) -> Result<Option<String>, StoreError> {
        Ok(sqlx::query_scalar("SELECT password_hash FROM accounts WHERE identifier = $1")
            .bind(identifier.as_str())
            .fetch_optional(&self.pool)
            .await?)
    }

    /// Keeps a new session, and ends expired ones and the account's oldest beyond the limit.
    pub(crate) async fn create_session(
        &self,
        token_hash: &str,
        identifier: &Identifier,
        now: i64,
        expires: i64,
    ) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::query("INSERT INTO sessions (token_hash, identifier, created, expires) VALUES ($1, $2, $3, $4)")
            .bind(token_hash)
            .bind(identifier.as_str())
            .bind(now)
            .bind(expires)
            .execute(&mut *transaction)
            .await?;
        sqlx::query("DELETE FROM sessions WHERE expires <= $1").bind(now).execute(&mut *transaction).await?;
        sqlx::query(
            "DELETE FROM sessions WHERE identifier = $1 AND token_hash <> $2 AND token_hash NOT IN (
                 SELECT token_hash FROM sessions WHERE identifier = $1 AND token_hash <> $2
                 ORDER BY created DESC LIMIT $3
             )",
        )
        .bind(identifier.as_str())
        .bind(token_hash)
        .bind(SESSIONS_PER_ACCOUNT - 1)
        .execute(&mut *transaction)
        .await?;
        Ok(transaction.commit().await?)
    }

    /// Whose unexpired session this is.
    pub(crate) async fn session(&self, token_hash: &str, now: i64) -> Result<Option<String>, StoreError> {
        Ok(sqlx::query_scalar("SELECT identifier FROM sessions WHERE token_hash = $1 AND expires > $2")
            .bind(token_hash)
            .bind(now)
            .fetch_optional(&self.pool)
            .await?)
    }

    /// Ends a session; one that does not exist has ended.
    pub(crate) async fn end_session(&self, token_hash: &str) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM sessions WHERE token_hash = $1").bind(token_hash).execute(&self.pool).await?;
        Ok(())
    }

    /// Writes what is under way and closes the file.
    pub(crate) async fn close(&self) {
        self.pool.close().await;
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Current, *};

    async fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("partner.db")).await.unwrap();
        (folder, store)
    }

    fn alice() -> Identifier {
        Identifier::new("alice").unwrap()
    }

    #[tokio::test]
    async fn an_identifier_is_taken_whatever_its_case_but_found_only_as_written() {
        let (_folder, store) = store().await;
        store.create_account(&alice(), "hash", 1).await.unwrap();
        let shouted = Identifier::new("ALICE").unwrap();
        assert!(matches!(store.create_account(&shouted, "other", 2).await, Err(NewAccountError::Taken)));
        assert!(store.is_taken(&shouted).await.unwrap());
        assert_eq!(store.password_hash(&alice()).await.unwrap().as_deref(), Some("hash"));
        assert_eq!(store.password_hash(&shouted).await.unwrap(), None);
    }

    #[tokio::test]
    async fn a_session_ends_at_its_time_or_when_told() {
        let (_folder, store) = store().await;
        store.create_account(&alice(), "hash", 1).await.unwrap();
        store.create_session("first", &alice(), 100, 200).await.unwrap();
        store.create_session("second", &alice(), 100, 300).await.unwrap();
        assert_eq!(store.session("first", 199).await.unwrap().as_deref(), Some("alice"));
        assert_eq!(store.session("first", 200).await.unwrap(), None);
        store.end_session("second").await.unwrap();
        assert_eq!(store.session("second", 100).await.unwrap(), None);
    }

    #[tokio::test]
    async fn an_account_keeps_its_newest_sessions() {
        let (_folder, store) = store().await;
        store.create_account(&alice(), "hash", 1).await.unwrap();
        for at in 0..=SESSIONS_PER_ACCOUNT {
            store.create_session(&format!("token {at}"), &alice(), at, 1_000).await.unwrap();
        }
        assert_eq!(store.session("token 0", 50).await.unwrap(), None);
        assert!(store.session("token 1", 50).await.unwrap().is_some());
        assert!(store.session(&format!("token {SESSIONS_PER_ACCOUNT}"), 50).await.unwrap().is_some());
    }

    #[tokio::test]
    async fn a_newer_schema_is_left_alone() {
        let (folder, store) = store().await;
        sqlx::query("UPDATE schema_version SET version = 3").execute(&store.pool).await.unwrap();
        store.close().await;
        let again = Store::open(&folder.path().join("partner.db")).await;
        assert!(matches!(again, Err(StoreError::TooNew { found: 3, known: 2 })));
    }

    #[tokio::test]
    async fn a_database_of_the_first_version_is_brought_up_to_date_with_everyone_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("partner.db");
        let options = SqliteConnectOptions::new().filename(&file).create_if_missing(true);
        let first = SqlitePool::connect_with(options).await.unwrap();
        sqlx::query("CREATE TABLE schema_version (version BIGINT NOT NULL)").execute(&first).await.unwrap();
        for statement in SCHEMA {
            sqlx::query(statement).execute(&first).await.unwrap();
        }
        sqlx::query("INSERT INTO schema_version (version) VALUES (1)").execute(&first).await.unwrap();
        sqlx::query("INSERT INTO accounts VALUES ('alice', 'alice', 'hash', 1)").execute(&first).await.unwrap();
        first.close().await;

        for _ in 0..2 {
            let store = Store::open(&file).await.unwrap();
            assert_eq!(store.password_hash(&alice()).await.unwrap().as_deref(), Some("hash"));
            assert_eq!(store.current_device("alice").await.unwrap(), Current::default());
            let version: Vec<i64> =
                sqlx::query_scalar("SELECT version FROM schema_version").fetch_all(&store.pool).await.unwrap();
            assert_eq!(version, [SCHEMA_VERSION]);
            store.close().await;
        }
    }
}
