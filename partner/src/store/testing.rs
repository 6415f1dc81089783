//! Databases for tests: a file in a temporary folder, or a new database of a real PostgreSQL.

use super::{
    database::{Database, DatabaseLocation},
    error::StoreError,
    open::open,
};
use std::{future::Future, path::PathBuf, sync::Arc};
use tempfile::TempDir;

#[path = "../../tests/support/postgres.rs"]
mod postgres;

#[derive(Clone)]
enum Kind {
    File(Arc<TempDir>),
    Server(String),
}

/// An empty database of one test.
#[derive(Clone)]
pub(crate) struct TestDatabase(Kind);

impl TestDatabase {
    pub(crate) async fn sqlite() -> Self {
        Self(Kind::File(Arc::new(tempfile::tempdir().unwrap())))
    }

    pub(crate) async fn postgres() -> Self {
        Self(Kind::Server(postgres::database().await))
    }

    /// Another empty database of the same engine.
    pub(crate) async fn another(&self) -> Self {
        match &self.0 {
            Kind::File(_) => Self::sqlite().await,
            Kind::Server(_) => Self::postgres().await,
        }
    }

    /// Waits until a transaction waits for a lock; returns at once on SQLite, which has one writer.
    pub(crate) async fn until_contended(&self, database: &Database) {
        const WAITING: &str = "SELECT COUNT(*) FROM pg_locks WHERE NOT granted AND pid IN (
            SELECT pid FROM pg_stat_activity WHERE datname = current_database())";
        let Kind::Server(_) = self.0 else { return };
        while sqlx::query_scalar::<_, i64>(WAITING).fetch_one(database.pool()).await.unwrap() == 0 {
            tokio::task::yield_now().await;
        }
    }

    fn file(&self) -> PathBuf {
        match &self.0 {
            // Characters with a meaning in URLs: operators choose the folder.
            Kind::File(folder) => folder.path().join("a #1 & 100%25?.db"),
            Kind::Server(_) => PathBuf::new(),
        }
    }

    /// Opens it with the current schema.
    pub(crate) async fn open(&self) -> Database {
        self.try_open().await.unwrap()
    }

    /// Like [`Self::open`], as a task of its own.
    pub(crate) fn opening(&self) -> impl Future<Output = Database> + Send + 'static {
        let database = self.clone();
        async move { database.open().await }
    }

    /// Like [`Self::open`], with the error.
    pub(crate) async fn try_open(&self) -> Result<Database, StoreError> {
        match &self.0 {
            Kind::File(_) => open(DatabaseLocation::Sqlite(&self.file())).await,
            Kind::Server(url) => open(DatabaseLocation::Postgres(url)).await,
        }
    }

    /// Opens it without a schema.
    pub(crate) async fn open_empty(&self) -> Database {
        let opened = match &self.0 {
            Kind::File(_) => Database::connect(DatabaseLocation::Sqlite(&self.file())).await,
            Kind::Server(url) => Database::connect(DatabaseLocation::Postgres(url)).await,
        };
        opened.unwrap()
    }
}

/// Runs each test, an `async fn` of a [`TestDatabase`], on SQLite and on PostgreSQL.
macro_rules! on_both_engines {
    ($($test:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                super::$test($crate::store::testing::TestDatabase::sqlite().await).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                super::$test($crate::store::testing::TestDatabase::postgres().await).await;
            })+
        }
    };
}
pub(crate) use on_both_engines;
