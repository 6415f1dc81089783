//! Sessions in the database.
//!
//! What this module does not know: the time (an argument), and the tokens of sessions.

use super::session::SessionId;
use crate::{
    account_id::AccountId,
    store::{Database, StoreError, lock_account},
    time::UnixSeconds,
};

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
        id: &SessionId,
        account: &AccountId,
        now: UnixSeconds,
        expires: UnixSeconds,
    ) -> Result<(), StoreError> {
        let mut transaction = self.database.begin().await?;
        // The lock makes concurrent sign-ins count each other's sessions.
        lock_account(&mut transaction, account).await?;
        sqlx::query("INSERT INTO sessions (token_hash, identifier, created, expires) VALUES ($1, $2, $3, $4)")
            .bind(id.as_str())
            .bind(account.as_str())
            .bind(now.get())
            .bind(expires.get())
            .execute(&mut *transaction)
            .await?;
        sqlx::query("DELETE FROM sessions WHERE expires <= $1").bind(now.get()).execute(&mut *transaction).await?;
        sqlx::query(
            "DELETE FROM sessions WHERE identifier = $1 AND token_hash <> $2 AND token_hash NOT IN (
                 SELECT token_hash FROM sessions WHERE identifier = $1 AND token_hash <> $2
                 ORDER BY created DESC LIMIT $3
             )",
        )
        .bind(account.as_str())
        .bind(id.as_str())
        .bind(SESSIONS_PER_ACCOUNT - 1)
        .execute(&mut *transaction)
        .await?;
        Ok(transaction.commit().await?)
    }

    /// The account of an unexpired session.
    pub(crate) async fn owner(&self, id: &SessionId, now: UnixSeconds) -> Result<Option<AccountId>, StoreError> {
        let found: Option<String> =
            sqlx::query_scalar("SELECT identifier FROM sessions WHERE token_hash = $1 AND expires > $2")
                .bind(id.as_str())
                .bind(now.get())
                .fetch_optional(self.database.pool())
                .await?;
        Ok(found.map(AccountId::new))
    }

    /// Deletes a session; succeeds if there is none.
    pub(crate) async fn delete(&self, id: &SessionId) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM sessions WHERE token_hash = $1")
            .bind(id.as_str())
            .execute(self.database.pool())
            .await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        sign_in::{AccountRepository, Identifier, SessionToken},
        store::testing::{TestDatabase, on_both_engines},
    };

    on_both_engines!(
        a_session_ends_when_it_expires_or_is_deleted,
        an_account_keeps_its_newest_sessions,
        concurrent_sign_ins_leave_no_more_sessions_than_allowed,
    );

    fn session() -> SessionId {
        SessionToken::random().unwrap().id()
    }

    fn at(seconds: i64) -> UnixSeconds {
        UnixSeconds::new(seconds)
    }

    fn alice() -> Identifier {
        Identifier::new("alice").unwrap()
    }

    /// A database with the account `alice`.
    async fn open(database: &TestDatabase) -> (Database, SessionRepository) {
        let database = database.open().await;
        AccountRepository::new(database.clone()).create(&alice(), "hash", at(1)).await.unwrap();
        (database.clone(), SessionRepository::new(database))
    }

    async fn a_session_ends_when_it_expires_or_is_deleted(database: TestDatabase) {
        let (_, sessions) = open(&database).await;
        let [first, second] = [(); 2].map(|()| session());
        sessions.create(&first, alice().account(), at(100), at(200)).await.unwrap();
        sessions.create(&second, alice().account(), at(100), at(300)).await.unwrap();
        assert_eq!(sessions.owner(&first, at(199)).await.unwrap(), Some(AccountId::new("alice")));
        assert_eq!(sessions.owner(&first, at(200)).await.unwrap(), None);
        sessions.delete(&second).await.unwrap();
        assert_eq!(sessions.owner(&second, at(100)).await.unwrap(), None);
    }

    async fn an_account_keeps_its_newest_sessions(database: TestDatabase) {
        let (_, sessions) = open(&database).await;
        let mut ids = Vec::new();
        for time in 0..=SESSIONS_PER_ACCOUNT {
            ids.push(session());
            sessions.create(ids.last().unwrap(), alice().account(), at(time), at(1_000)).await.unwrap();
        }
        assert_eq!(sessions.owner(&ids[0], at(50)).await.unwrap(), None);
        assert!(sessions.owner(&ids[1], at(50)).await.unwrap().is_some());
        assert!(sessions.owner(ids.last().unwrap(), at(50)).await.unwrap().is_some());
    }

    async fn concurrent_sign_ins_leave_no_more_sessions_than_allowed(database: TestDatabase) {
        let (database, sessions) = open(&database).await;
        let sign_in = |sessions: SessionRepository, time: i64| async move {
            sessions.create(&session(), alice().account(), at(time), at(1_000)).await.unwrap();
        };
        let under_way: Vec<_> =
            (0..2 * SESSIONS_PER_ACCOUNT).map(|time| tokio::spawn(sign_in(sessions.clone(), time))).collect();
        for done in under_way {
            done.await.unwrap();
        }
        let kept: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM sessions").fetch_one(database.pool()).await.unwrap();
        assert_eq!(kept, SESSIONS_PER_ACCOUNT);
    }
}
