//! The database: SQLite in a file for one instance, PostgreSQL by URL for several.
//!
//! [`Database`] is the shared handle: pool, transactions and the differences between the engines. Each module that owns
//! tables has repository types that hold the handle and run that module's queries, in the SQL that both engines share.
//! What this module does not know: what the rows mean.
//!
//! A transaction that reads before it writes must first lock what it reads: on SQLite [`Database::begin`] does, on
//! PostgreSQL an `UPDATE` that changes nothing (see [`lock_account`]).

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

/// Connections to a file: SQLite allows one writer and several readers.
const SQLITE_CONNECTIONS: u32 = 4;
/// Connections of one instance to PostgreSQL: six instances fit its default of 100.
const POSTGRES_CONNECTIONS: u32 = 16;
/// Maximum wait for a free connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);

/// Settings of every SQLite connection: readers never wait for the writer, a committed transaction survives a power
/// failure, foreign keys are enforced, and waits for the file lock are limited to 5 s.
const SQLITE_SESSION: &str = "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
                            PRAGMA foreign_keys = ON;";
/// Settings of every PostgreSQL connection: all waits are limited, and the transaction of a stopped instance is
/// aborted.
const POSTGRES_SESSION: &str = "SET lock_timeout = '5s'; SET statement_timeout = '15s'; \
                              SET idle_in_transaction_session_timeout = '30s';";
/// A committed transaction survives a power failure, whatever the server's default; stricter settings are kept.
const POSTGRES_DURABILITY: &str = "SELECT set_config('synchronous_commit', 'on', false)
                                 WHERE current_setting('synchronous_commit') IN ('off', 'local')";

/// The database failed or cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The error of the database; queries contain no values.
    #[error("the database: {0}")]
    Database(#[from] sqlx::Error),
    /// The URL is invalid. It is not included in the message because it may contain a password.
    #[error("database_url is no address such as postgres://user:password@host/database")]
    Address,
    /// The database was written by a newer version of this program.
    #[error("the database has schema {found}, this program knows {known}: install the newer program again")]
    TooNew {
        /// The version in the database.
        found: i64,
        /// The newest version that this program supports.
        known: i64,
    },
}

/// Where the database is.
#[derive(Clone, Copy)]
pub(crate) enum DatabaseLocation<'a> {
    /// A file, created if it does not exist.
    Sqlite(&'a Path),
    /// The URL of a PostgreSQL database. Secret.
    Postgres(&'a str),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Engine {
    Sqlite,
    Postgres,
}

/// The connection pool. Clones share it.
#[derive(Clone)]
pub(crate) struct Database {
    pool: AnyPool,
    engine: Engine,
}

impl Database {
    /// Opens the database and migrates its schema.
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
        let database = Self { pool, engine };
        database.migrate().await?;
        Ok(database)
    }

    /// For queries outside a transaction.
    pub(crate) fn pool(&self) -> &AnyPool {
        &self.pool
    }

    /// Begins a write transaction. On SQLite all other writers wait; on PostgreSQL those that need the same rows.
    pub(crate) async fn begin(&self) -> Result<Transaction<'static, Any>, StoreError> {
        let begin = match self.engine {
            Engine::Sqlite => "BEGIN IMMEDIATE",
            Engine::Postgres => "BEGIN ISOLATION LEVEL READ COMMITTED",
        };
        Ok(self.pool.begin_with(begin).await?)
    }

    /// Fails if the database does not respond.
    pub(crate) async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1").execute(&self.pool).await?;
        Ok(())
    }

    /// Waits for pending queries and closes all connections.
    pub(crate) async fn close(&self) {
        self.pool.close().await;
    }
}

/// Locks the row of an account until the transaction ends; other transactions that lock the same row wait. Returns
/// whether the account exists.
///
/// It is part of this module because the rows of every module belong to an account, and each module serialises its
/// changes by this lock.
pub(crate) async fn lock_account(transaction: &mut AnyConnection, identifier: &str) -> Result<bool, StoreError> {
    let locked = sqlx::query("UPDATE accounts SET created = created WHERE identifier = $1")
        .bind(identifier)
        .execute(transaction)
        .await?;
    Ok(locked.rows_affected() == 1)
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
        every_connection_has_durable_settings,
        locks_of_an_account_exclude_each_other,
        an_account_that_does_not_exist_cannot_be_locked
    );

    async fn every_connection_has_durable_settings(database: TestDatabase) {
        let database = database.open().await;
        let mut connections = Vec::new();
        for _ in 0..SQLITE_CONNECTIONS {
            connections.push(database.pool.acquire().await.unwrap());
        }
        for connection in &mut connections {
            match database.engine {
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

    async fn locks_of_an_account_exclude_each_other(database: TestDatabase) {
        let database = database.open().await;
        sqlx::query("INSERT INTO accounts (identifier, folded, password_hash, created) VALUES ('a', 'a', '', 0)")
            .execute(database.pool())
            .await
            .unwrap();
        // Reads, then writes: without the lock, concurrent additions would be lost.
        let add = |database: Database| async move {
            let mut transaction = database.begin().await.unwrap();
            assert!(lock_account(&mut transaction, "a").await.unwrap());
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
        let adding: Vec<_> = (0..20).map(|_| tokio::spawn(add(database.clone()))).collect();
        for added in adding {
            added.await.unwrap();
        }
        let sum: i64 =
            sqlx::query_scalar("SELECT device_since FROM accounts").fetch_one(database.pool()).await.unwrap();
        assert_eq!(sum, 20);
    }

    async fn an_account_that_does_not_exist_cannot_be_locked(database: TestDatabase) {
        let database = database.open().await;
        let mut transaction = database.begin().await.unwrap();
        assert!(!lock_account(&mut transaction, "nobody").await.unwrap());
    }

    #[tokio::test]
    async fn an_invalid_url_is_not_repeated_in_the_error() {
        for wrong in ["hunter2", "postgres://user:hunter2@[/x"] {
            let error = Database::open(DatabaseLocation::Postgres(wrong)).await.err().unwrap().to_string();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
