//! The database handle: connections, transactions, and the differences between the engines.
//!
//! What this module does not know: tables.

use super::error::StoreError;
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

/// Where the database is.
#[derive(Clone, Copy)]
pub(crate) enum DatabaseLocation<'a> {
    /// A file, created if it does not exist.
    Sqlite(&'a Path),
    /// The URL of a PostgreSQL database. Secret.
    Postgres(&'a str),
}

/// The type of the database server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Engine {
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
    /// Opens the connections; the schema is left as it is.
    pub(super) async fn connect(location: DatabaseLocation<'_>) -> Result<Self, StoreError> {
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
        Ok(Self { pool, engine })
    }

    pub(super) fn engine(&self) -> Engine {
        self.engine
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
    use super::*;
    use crate::store::testing::{TestDatabase, on_both_engines};

    on_both_engines!(every_connection_has_durable_settings);

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

    #[tokio::test]
    async fn an_invalid_url_is_not_repeated_in_the_error() {
        for wrong in ["hunter2", "postgres://user:hunter2@[/x"] {
            let error = Database::connect(DatabaseLocation::Postgres(wrong)).await.err().unwrap().to_string();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
