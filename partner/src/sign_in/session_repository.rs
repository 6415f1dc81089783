//! Sessions in the database.
//!
//! What this module does not know: the time (an argument), and how a session token became the hash that is stored.

use super::identifier::Identifier;
use crate::store::{Database, StoreError, lock_account};

/// Maximum number of sessions of one account; a sign-in beyond it deletes the oldest.
const SESSIONS_PER_ACCOUNT: i64 = 20;

/// Queries on the table `sessions`.
#[derive(Clone)]
pub(crate) struct SessionRepository {
    database: Database,
}

impl SessionRepository {
    pub(crate) fn new(database: Database) -> Self {
        Self { database }
    }

    /// Stores a session; deletes expired ones, and the oldest of the account beyond the limit.
    pub(crate) async fn create(
        &self,
        token_hash: &str,
        identifier: &Identifier,
        now: i64,
        expires: i64,
    ) -> Result<(), StoreError> {
        let mut transaction = self.database.begin().await?;
        // The lock makes concurrent sign-ins count each other's sessions.
        lock_account(&mut transaction, identifier.as_str()).await?;
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

    /// The account of an unexpired session.
    pub(crate) async fn owner(&self, token_hash: &str, now: i64) -> Result<Option<String>, StoreError> {
        Ok(sqlx::query_scalar("SELECT identifier FROM sessions WHERE token_hash = $1 AND expires > $2")
            .bind(token_hash)
            .bind(now)
            .fetch_optional(self.database.pool())
            .await?)
    }

    /// Deletes a session; succeeds if there is none.
    pub(crate) async fn delete(&self, token_hash: &str) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM sessions WHERE token_hash = $1")
            .bind(token_hash)
            .execute(self.database.pool())
            .await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        sign_in::AccountRepository,
        store::testing::{TestDatabase, on_both_engines},
    };

    on_both_engines!(
        a_session_ends_when_it_expires_or_is_deleted,
        an_account_keeps_its_newest_sessions,
        concurrent_sign_ins_leave_no_more_sessions_than_allowed,
    );

    fn alice() -> Identifier {
        Identifier::new("alice").unwrap()
    }

    /// A database with the account `alice`.
    async fn open(database: &TestDatabase) -> (Database, SessionRepository) {
        let database = database.open().await;
        AccountRepository::new(database.clone()).create(&alice(), "hash", 1).await.unwrap();
        (database.clone(), SessionRepository::new(database))
    }

    async fn a_session_ends_when_it_expires_or_is_deleted(database: TestDatabase) {
        let (_, sessions) = open(&database).await;
        sessions.create("first", &alice(), 100, 200).await.unwrap();
        sessions.create("second", &alice(), 100, 300).await.unwrap();
        assert_eq!(sessions.owner("first", 199).await.unwrap().as_deref(), Some("alice"));
        assert_eq!(sessions.owner("first", 200).await.unwrap(), None);
        sessions.delete("second").await.unwrap();
        assert_eq!(sessions.owner("second", 100).await.unwrap(), None);
    }

    async fn an_account_keeps_its_newest_sessions(database: TestDatabase) {
        let (_, sessions) = open(&database).await;
        for at in 0..=SESSIONS_PER_ACCOUNT {
            sessions.create(&format!("token {at}"), &alice(), at, 1_000).await.unwrap();
        }
        assert_eq!(sessions.owner("token 0", 50).await.unwrap(), None);
        assert!(sessions.owner("token 1", 50).await.unwrap().is_some());
        assert!(sessions.owner(&format!("token {SESSIONS_PER_ACCOUNT}"), 50).await.unwrap().is_some());
    }

    async fn concurrent_sign_ins_leave_no_more_sessions_than_allowed(database: TestDatabase) {
        let (database, sessions) = open(&database).await;
        let sign_in = |sessions: SessionRepository, at: i64| async move {
            sessions.create(&format!("token {at}"), &alice(), at, 1_000).await.unwrap();
        };
        let under_way: Vec<_> =
            (0..2 * SESSIONS_PER_ACCOUNT).map(|at| tokio::spawn(sign_in(sessions.clone(), at))).collect();
        for done in under_way {
            done.await.unwrap();
        }
        let kept: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM sessions").fetch_one(database.pool()).await.unwrap();
        assert_eq!(kept, SESSIONS_PER_ACCOUNT);
    }
}
