//! The tables, as a sequence of migrations.
//!
//! What this module does not know: what the rows mean; each migration names the module that does.
//!
//! A released migration never changes. Columns are `TEXT` and `BIGINT`, the types that both engines and the driver have
//! in common; bytes are base64url.

use super::{
    database::{Database, Engine},
    error::StoreError,
};
use sqlx::Executor;

/// The statements that lead to one schema version from the one before.
struct Migration {
    version: i64,
    statements: &'static [&'static str],
}

/// Ordered by version, without gaps.
const MIGRATIONS: &[Migration] = &[
    // Accounts and sessions: `sign_in::{account_repository, session_repository}`.
    Migration {
        version: 1,
        statements: &[
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
        ],
    },
    // The current device of an account and the one before: `sign_in::device_repository`.
    Migration {
        version: 2,
        statements: &[
            "ALTER TABLE accounts ADD COLUMN device TEXT NOT NULL DEFAULT ''",
            "ALTER TABLE accounts ADD COLUMN device_since BIGINT NOT NULL DEFAULT 0",
            "ALTER TABLE accounts ADD COLUMN previous_device TEXT NOT NULL DEFAULT ''",
            "ALTER TABLE accounts ADD COLUMN previous_since BIGINT NOT NULL DEFAULT 0",
        ],
    },
    // Sealed signing keys: `keys::key_repository`. Subscriptions, the push queue and used tokens: `push`.
    Migration {
        version: 3,
        statements: &[
            "CREATE TABLE signing_keys (
                kid TEXT PRIMARY KEY,
                purpose TEXT NOT NULL,
                created BIGINT NOT NULL,
                active BIGINT NOT NULL,
                sealed TEXT NOT NULL
            )",
            "CREATE TABLE subscriptions (
                endpoint TEXT PRIMARY KEY,
                identifier TEXT NOT NULL REFERENCES accounts (identifier) ON DELETE CASCADE,
                p256dh TEXT NOT NULL,
                auth TEXT NOT NULL,
                kid TEXT NOT NULL,
                created BIGINT NOT NULL,
                seen BIGINT NOT NULL
            )",
            "CREATE INDEX subscriptions_of_account ON subscriptions (identifier, created)",
            "CREATE TABLE pushes (
                endpoint TEXT NOT NULL REFERENCES subscriptions (endpoint) ON DELETE CASCADE,
                message TEXT NOT NULL,
                serial BIGINT NOT NULL,
                expires BIGINT NOT NULL,
                attempts BIGINT NOT NULL,
                due BIGINT NOT NULL,
                claim TEXT NOT NULL,
                PRIMARY KEY (endpoint, message)
            )",
            "CREATE INDEX pushes_by_due ON pushes (due)",
            "CREATE INDEX pushes_by_claim ON pushes (claim)",
            "CREATE TABLE used_tokens (
                token_hash TEXT PRIMARY KEY,
                expires BIGINT NOT NULL
            )",
            "CREATE INDEX used_tokens_by_expiry ON used_tokens (expires)",
        ],
    },
    // Media and their pieces: `media::upload_repository`. An account's media outlive it until their bytes are deleted.
    Migration {
        version: 4,
        statements: &[
            "CREATE TABLE media (
                reference TEXT PRIMARY KEY,
                upload TEXT NOT NULL UNIQUE,
                identifier TEXT NOT NULL,
                kind TEXT NOT NULL,
                size BIGINT NOT NULL,
                received BIGINT NOT NULL,
                expires BIGINT NOT NULL
            )",
            "CREATE TABLE media_pieces (
                reference TEXT NOT NULL REFERENCES media (reference) ON DELETE CASCADE,
                begins BIGINT NOT NULL,
                length BIGINT NOT NULL,
                object TEXT NOT NULL,
                PRIMARY KEY (reference, begins)
            )",
            "CREATE INDEX media_of_account ON media (identifier)",
            "CREATE INDEX media_by_expiry ON media (expires)",
        ],
    },
    // Passkeys, pending authentication attempts, OpenID subjects: `sign_in`.
    Migration {
        version: 5,
        statements: &[
            "ALTER TABLE accounts ADD COLUMN passkey_handle TEXT NOT NULL DEFAULT ''",
            "ALTER TABLE accounts ADD COLUMN subject TEXT NOT NULL DEFAULT ''",
            "CREATE UNIQUE INDEX accounts_by_subject ON accounts (subject) WHERE subject <> ''",
            "CREATE TABLE passkeys (
                id TEXT PRIMARY KEY,
                identifier TEXT NOT NULL REFERENCES accounts (identifier) ON DELETE CASCADE,
                key_json TEXT NOT NULL,
                counter BIGINT NOT NULL,
                created BIGINT NOT NULL,
                used BIGINT NOT NULL
            )",
            "CREATE INDEX passkeys_of_account ON passkeys (identifier, created)",
            "CREATE TABLE ceremonies (
                token_hash TEXT PRIMARY KEY,
                kind TEXT NOT NULL,
                state TEXT NOT NULL,
                expires BIGINT NOT NULL
            )",
            "CREATE INDEX ceremonies_by_expiry ON ceremonies (expires)",
        ],
    },
];

/// Advisory lock: of two programs that start at the same time, the second waits and finds the schema migrated. The
/// number is arbitrary.
const MIGRATION_LOCK: &str = "SELECT pg_advisory_xact_lock(727369731427)";
/// Migrating a large table may take longer than a query is allowed to.
const MIGRATION_TIMEOUTS: &str = "SET LOCAL lock_timeout = '60s'; SET LOCAL statement_timeout = 0;";

/// The schema version that this program requires.
fn newest() -> i64 {
    MIGRATIONS.last().map_or(0, |migration| migration.version)
}

/// Applies the missing migrations in one transaction.
pub(super) async fn migrate(database: &Database) -> Result<(), StoreError> {
    migrate_by(database, MIGRATIONS, newest()).await
}

async fn migrate_by(database: &Database, migrations: &[Migration], newest: i64) -> Result<(), StoreError> {
    // On SQLite this takes the write lock.
    let mut transaction = database.begin().await?;
    if database.engine() == Engine::Postgres {
        transaction.execute(MIGRATION_TIMEOUTS).await?;
        transaction.execute(MIGRATION_LOCK).await?;
    }
    sqlx::query("CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL)")
        .execute(&mut *transaction)
        .await?;
    let found: Option<i64> =
        sqlx::query_scalar("SELECT version FROM schema_version").fetch_optional(&mut *transaction).await?;
    let found = found.unwrap_or(0);
    if found > newest {
        return Err(StoreError::TooNew { found, known: newest });
    }
    if found < newest {
        for statement in
            migrations.iter().filter(|migration| migration.version > found).flat_map(|migration| migration.statements)
        {
            sqlx::query(*statement).execute(&mut *transaction).await?;
        }
        sqlx::query("DELETE FROM schema_version").execute(&mut *transaction).await?;
        sqlx::query("INSERT INTO schema_version (version) VALUES ($1)").bind(newest).execute(&mut *transaction).await?;
    }
    Ok(transaction.commit().await?)
}

#[cfg(test)]
mod tests {
    use super::{
        super::testing::{TestDatabase, on_both_engines},
        *,
    };
    use crate::{
        account_id::AccountId,
        sign_in::{AccountRepository, DeviceRepository},
    };

    on_both_engines!(
        a_newer_schema_is_refused,
        a_database_of_each_version_is_migrated_with_its_accounts,
        concurrent_starts_migrate_once,
        a_failed_migration_is_rolled_back
    );

    async fn versions(database: &Database) -> Vec<i64> {
        sqlx::query_scalar("SELECT version FROM schema_version").fetch_all(database.pool()).await.unwrap()
    }

    #[test]
    fn every_migration_has_the_next_version() {
        for (migration, expected) in MIGRATIONS.iter().zip(1..) {
            assert_eq!(migration.version, expected);
        }
    }

    async fn a_newer_schema_is_refused(database: TestDatabase) {
        let opened = database.open().await;
        sqlx::query("UPDATE schema_version SET version = $1").bind(newest() + 1).execute(opened.pool()).await.unwrap();
        opened.close().await;
        let again = database.try_open().await;
        let (found, known) = (newest() + 1, newest());
        assert!(matches!(again, Err(StoreError::TooNew { found: f, known: k }) if (f, k) == (found, known)));
    }

    async fn a_database_of_each_version_is_migrated_with_its_accounts(database: TestDatabase) {
        for old in 1..=newest() {
            let location = database.another().await;
            let unfinished = location.open_empty().await;
            let migrations = || MIGRATIONS.iter().filter(|migration| migration.version <= old);
            let migrations: Vec<_> = migrations()
                .map(|migration| Migration { version: migration.version, statements: migration.statements })
                .collect();
            migrate_by(&unfinished, &migrations, old).await.unwrap();
            sqlx::query("INSERT INTO accounts (identifier, folded, password_hash, created) VALUES ('alice', 'alice', 'hash', 1)")
                .execute(unfinished.pool())
                .await
                .unwrap();
            unfinished.close().await;
            for _ in 0..2 {
                let opened = location.open().await;
                let alice = AccountId::new("alice");
                assert_eq!(
                    AccountRepository::new(opened.clone()).password_hash(&alice).await.unwrap().as_deref(),
                    Some("hash")
                );
                assert_eq!(DeviceRepository::new(opened.clone()).current(&alice).await.unwrap(), None);
                assert_eq!(versions(&opened).await, [newest()], "from {old}");
                opened.close().await;
            }
        }
    }

    async fn concurrent_starts_migrate_once(database: TestDatabase) {
        let starting: Vec<_> = (0..4).map(|_| tokio::spawn(database.opening())).collect();
        for started in starting {
            let database = started.await.unwrap();
            assert_eq!(versions(&database).await, [newest()]);
        }
    }

    async fn a_failed_migration_is_rolled_back(database: TestDatabase) {
        let database = database.open().await;
        let wrong = Migration {
            version: newest() + 1,
            statements: &["CREATE TABLE half (done TEXT)", "ALTER TABLE nowhere ADD COLUMN lost TEXT"],
        };
        assert!(migrate_by(&database, &[wrong], newest() + 1).await.is_err());
        assert_eq!(versions(&database).await, [newest()]);
        assert!(sqlx::query("SELECT done FROM half").execute(database.pool()).await.is_err());
    }
}
