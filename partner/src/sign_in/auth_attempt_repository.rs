//! Authentication attempts in the database.
//!
//! What this module does not know: the time (an argument), and what `state` holds.

use super::auth_attempt::{AuthAttempt, LIFETIME};
use crate::{
    store::{Database, StoreError},
    time::UnixSeconds,
};

/// Maximum number of pending attempts of all users together; bounds the table, far above what the rate limits allow.
const MAX_PENDING: i64 = 100_000;

/// Queries on the table `ceremonies`.
#[derive(Clone)]
pub(crate) struct AuthAttemptRepository {
    database: Database,
}

impl AuthAttemptRepository {
    pub(crate) fn new(database: Database) -> Self {
        Self { database }
    }

    /// Stores an attempt and deletes expired ones. Returns `false` if there are too many.
    pub(crate) async fn insert(
        &self,
        attempt: &AuthAttempt,
        state: &str,
        now: UnixSeconds,
    ) -> Result<bool, StoreError> {
        let id = attempt.id();
        sqlx::query("DELETE FROM ceremonies WHERE expires <= $1").bind(now.get()).execute(self.database.pool()).await?;
        let kept = sqlx::query(
            "INSERT INTO ceremonies (token_hash, kind, state, expires)
             SELECT $1, $2, $3, $4 WHERE (SELECT COUNT(*) FROM ceremonies) < $5",
        )
        .bind(id.as_str())
        .bind(attempt.kind().as_str())
        .bind(state)
        .bind(now.after(LIFETIME).get())
        .bind(MAX_PENDING)
        .execute(self.database.pool())
        .await?;
        Ok(kept.rows_affected() == 1)
    }

    /// Removes an attempt and returns its state, unless it has expired.
    pub(crate) async fn take(&self, attempt: &AuthAttempt, now: UnixSeconds) -> Result<Option<String>, StoreError> {
        let id = attempt.id();
        let taken: Option<(String, i64)> =
            sqlx::query_as("DELETE FROM ceremonies WHERE token_hash = $1 AND kind = $2 RETURNING state, expires")
                .bind(id.as_str())
                .bind(attempt.kind().as_str())
                .fetch_optional(self.database.pool())
                .await?;
        Ok(taken.and_then(|(state, expires)| (UnixSeconds::new(expires) > now).then_some(state)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        sign_in::AuthKind,
        store::testing::{TestDatabase, on_both_engines},
    };

    on_both_engines!(
        an_attempt_is_finished_once_in_time_and_as_its_own_kind,
        an_attempt_that_is_finished_concurrently_succeeds_once
    );

    fn at(seconds: i64) -> UnixSeconds {
        UnixSeconds::new(seconds)
    }

    async fn an_attempt_is_finished_once_in_time_and_as_its_own_kind(database: TestDatabase) {
        let database = database.open().await;
        let attempts = AuthAttemptRepository::new(database.clone());
        let [first, second] = [(); 2].map(|()| AuthAttempt::random(AuthKind::Passkey).unwrap());
        assert!(attempts.insert(&first, "one", at(100)).await.unwrap());
        assert!(attempts.insert(&second, "two", at(100)).await.unwrap());
        let other = first.with_kind(AuthKind::NewPasskey).unwrap();
        assert_eq!(attempts.take(&other, at(101)).await.unwrap(), None);
        assert_eq!(attempts.take(&first, at(101)).await.unwrap().as_deref(), Some("one"));
        assert_eq!(attempts.take(&first, at(101)).await.unwrap(), None);
        assert_eq!(attempts.take(&second, at(100).after(LIFETIME)).await.unwrap(), None);
        let third = AuthAttempt::random(AuthKind::OpenId).unwrap();
        assert!(attempts.insert(&second, "two", at(100)).await.unwrap());
        assert!(attempts.insert(&third, "three", at(1_000)).await.unwrap());
        let left: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM ceremonies").fetch_one(database.pool()).await.unwrap();
        assert_eq!(left, 1, "expired attempts are deleted");
    }

    async fn an_attempt_that_is_finished_concurrently_succeeds_once(database: TestDatabase) {
        let database = database.open().await;
        let attempts = AuthAttemptRepository::new(database.clone());
        let attempt = AuthAttempt::random(AuthKind::OpenId).unwrap();
        assert!(attempts.insert(&attempt, "state", at(100)).await.unwrap());
        let finish = |attempts: AuthAttemptRepository, attempt: AuthAttempt| async move {
            attempts.take(&attempt, at(101)).await.unwrap().is_some()
        };
        let finishing: Vec<_> = (0..10)
            .map(|_| tokio::spawn(finish(attempts.clone(), attempt.with_kind(AuthKind::OpenId).unwrap())))
            .collect();
        let mut finished = 0;
        for done in finishing {
            finished += usize::from(done.await.unwrap());
        }
        assert_eq!(finished, 1);
    }
}
