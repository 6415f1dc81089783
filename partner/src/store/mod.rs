//! The database: SQLite in a file for one instance, PostgreSQL by URL for several.
//!
//! The queries stand beside what they are about, as `impl Database` in the modules that know the rows; they are the common
//! part of both engines. What this module does not know: any row.
//!
//! Whoever reads before it writes within one transaction must first lock what it reads: on SQLite [`Database::begin`] does,
//! on PostgreSQL an `UPDATE` that changes nothing (see [`Database::lock_account`]).

mod schema;
#[cfg(test)]
pub(crate) mod testing;

use sqlx::{
    Any, AnyConnection, AnyPool, ConnectOptions, Executor, Transaction,
    any::{AnyConnectOptions, AnyPoolOptions, install_default_drivers},
    sqlite::SqliteConnectOptions,
};
use std::{path::Path, time::Duration};
use url::Url;

/// Connections to a file: one writes at a time, a few read meanwhile.
const SQLITE_CONNECTIONS: u32 = 4;
/// Connections of one instance to a server: six instances fit PostgreSQL's default of 100.
const POSTGRES_CONNECTIONS: u32 = 16;
/// Longest wait for a free connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);

/// What every connection to a file is told: readers never wait for the writer, a commit that was answered survives a power
/// cut, references hold, and who finds the file locked waits 5 s.
const SQLITE_SESSION: &str = "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
                            PRAGMA foreign_keys = ON;";
/// The same for a server, where nothing may wait without end, and where an instance that stopped in the middle of a
/// transaction loses it and its locks.
const POSTGRES_SESSION: &str = "SET lock_timeout = '5s'; SET statement_timeout = '15s'; \
                              SET idle_in_transaction_session_timeout = '30s';";
/// A commit that was answered survives a power cut, whatever the server's default; stricter settings stay.
const POSTGRES_DURABILITY: &str = "SELECT set_config('synchronous_commit', 'on', false)
                                 WHERE current_setting('synchronous_commit') IN ('off', 'local')";

/// The database refused or could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database's own words; queries carry no values in them.
    #[error("the database: {0}")]
    Database(#[from] sqlx::Error),
    /// The address cannot be understood. It is not repeated: it may hold a password.
    #[error("database_url is no address such as postgres://user:password@host/database")]
    Address,
    /// A newer partner server has written this database.
    #[error("the database has schema {found}, this program knows {known}: install the newer program again")]
    TooNew {
        /// The version in the database.
        found: i64,
        /// The newest version that this program knows.
        known: i64,
    },
}

/// Where the database is.
#[derive(Clone, Copy)]
pub(crate) enum DatabaseLocation<'a> {
    /// A file, which is made if it is not there.
    Sqlite(&'a Path),
    /// The URL of a PostgreSQL database. A secret.
    Postgres(&'a str),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Engine {
    Sqlite,
    Postgres,
}

/// What the partner server keeps, durable.
#[derive(Clone)]
pub(crate) struct Database {
    pool: AnyPool,
    engine: Engine,
}

impl Database {
    /// Opens the database and brings its schema up to date.
    pub(crate) async fn open(location: DatabaseLocation<'_>) -> Result<Self, StoreError> {
        install_default_drivers();
        let (engine, url, connections) = match location {
            DatabaseLocation::Sqlite(file) => {
                let options = SqliteConnectOptions::new().filename(file).create_if_missing(true);
                (Engine::Sqlite, options.to_url_lossy(), SQLITE_CONNECTIONS)
            }
            DatabaseLocation::Postgres(url) => {
                let url = Url::parse(url).map_err(|_| StoreError::Address)?;
                (Engine::Postgres, url, POSTGRES_CONNECTIONS)
            }
        };
        let options = AnyConnectOptions::from_url(&url)?;
        let pool = AnyPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .after_connect(move |connection, _| Box::pin(prepare(connection, engine)))
            .connect_with(options)
            .await?;
        let store = Self { pool, engine };
        store.migrate().await?;
        Ok(store)
    }

    /// For queries that are one statement.
    pub(crate) fn pool(&self) -> &AnyPool {
        &self.pool
    }

    /// Begins a transaction that writes. On SQLite it is the only one from here on; on PostgreSQL others run beside it and
    /// wait for the rows that it has changed.
    pub(crate) async fn begin(&self) -> Result<Transaction<'static, Any>, StoreError> {
        let begin = match self.engine {
            Engine::Sqlite => "BEGIN IMMEDIATE",
            Engine::Postgres => "BEGIN ISOLATION LEVEL READ COMMITTED",
        };
        Ok(self.pool.begin_with(begin).await?)
    }

    /// Makes every other transaction wait that locks the same account, until this one ends. Answers whether it exists.
    pub(crate) async fn lock_account(transaction: &mut AnyConnection, identifier: &str) -> Result<bool, StoreError> {
        let locked = sqlx::query("UPDATE accounts SET created = created WHERE identifier = $1")
            .bind(identifier)
            .execute(transaction)
            .await?;
        Ok(locked.rows_affected() == 1)
    }

    /// Whether the database answers.
    pub(crate) async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1").execute(&self.pool).await?;
        Ok(())
    }

    /// Writes what is under way and closes every connection.
    pub(crate) async fn close(&self) {
        self.pool.close().await;
    }
}

async fn prepare(connection: &mut AnyConnection, engine: Engine) -> Result<(), sqlx::Error> {
    match engine {
        Engine::Sqlite => connection.execute(SQLITE_SESSION).await?,
        Engine::Postgres => {
            connection.execute(POSTGRES_SESSION).await?;
            connection.execute(POSTGRES_DURABILITY).await?
        }
    };
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{
        testing::{TestDatabase, on_both_engines},
        *,
    };

    on_both_engines!(
        every_connection_is_told_to_be_durable,
        who_locks_an_account_is_alone_with_it,
        an_account_that_is_not_there_cannot_be_locked
    );

    async fn every_connection_is_told_to_be_durable(database: TestDatabase) {
        let store = database.open().await;
        let mut connections = Vec::new();
        for _ in 0..SQLITE_CONNECTIONS {
            connections.push(store.pool.acquire().await.unwrap());
        }
        for connection in &mut connections {
            match store.engine {
                Engine::Sqlite => {
                    let mode: String =
                        sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&mut **connection).await.unwrap();
                    assert_eq!(mode, "wal");
                    for (pragma, expected) in
                        [("PRAGMA synchronous", 2_i64), ("PRAGMA foreign_keys", 1), ("PRAGMA busy_timeout", 5_000)]
                    {
                        let found: i64 = sqlx::query_scalar(pragma).fetch_one(&mut **connection).await.unwrap();
                        assert_eq!(found, expected, "{pragma}");
                    }
                }
                Engine::Postgres => {
                    for (setting, expected) in [
                        ("SHOW synchronous_commit", "on"),
                        ("SHOW lock_timeout", "5s"),
                        ("SHOW statement_timeout", "15s"),
                    ] {
                        let found: String = sqlx::query_scalar(setting).fetch_one(&mut **connection).await.unwrap();
                        assert_eq!(found, expected, "{setting}");
                    }
                }
            }
        }
    }

    async fn who_locks_an_account_is_alone_with_it(database: TestDatabase) {
        let store = database.open().await;
        sqlx::query("INSERT INTO accounts (identifier, folded, password_hash, created) VALUES ('a', 'a', '', 0)")
            .execute(store.pool())
            .await
            .unwrap();
        // Each reads, then writes one more: with a reader in between, an addition would be lost.
        let add = |store: Database| async move {
            let mut transaction = store.begin().await.unwrap();
            assert!(Database::lock_account(&mut transaction, "a").await.unwrap());
            let found: i64 =
                sqlx::query_scalar("SELECT device_since FROM accounts").fetch_one(&mut *transaction).await.unwrap();
            tokio::task::yield_now().await;
            sqlx::query("UPDATE accounts SET device_since = $1")
                .bind(found + 1)
                .execute(&mut *transaction)
                .await
                .unwrap();
            transaction.commit().await.unwrap();
        };
        let adding: Vec<_> = (0..20).map(|_| tokio::spawn(add(store.clone()))).collect();
        for added in adding {
            added.await.unwrap();
        }
        let sum: i64 = sqlx::query_scalar("SELECT device_since FROM accounts").fetch_one(store.pool()).await.unwrap();
        assert_eq!(sum, 20);
    }

    async fn an_account_that_is_not_there_cannot_be_locked(database: TestDatabase) {
        let store = database.open().await;
        let mut transaction = store.begin().await.unwrap();
        assert!(!Database::lock_account(&mut transaction, "nobody").await.unwrap());
    }

    #[tokio::test]
    async fn an_address_that_is_none_is_not_repeated() {
        for wrong in ["hunter2", "postgres://user:hunter2@[/x"] {
            let error = Database::open(DatabaseLocation::Postgres(wrong)).await.err().unwrap().to_string();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
