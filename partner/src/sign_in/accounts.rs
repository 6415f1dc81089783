//! Accounts and sessions in the database.
//!
//! What this module does not know: the time (an argument), and how a password or a session secret became the text that
//! is kept here.

use super::Identifier;
use crate::store::{Database, StoreError};

/// Sessions that one account keeps; signing in once more ends the oldest.
const SESSIONS_PER_ACCOUNT: i64 = 20;

/// Why an account was not made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NewAccountError {
    /// Someone has the identifier, in this or another case.
    #[error("the identifier is taken")]
    Taken,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Database {
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
        .execute(self.pool())
        .await
        .map_err(StoreError::from)?;
        if made.rows_affected() == 1 { Ok(()) } else { Err(NewAccountError::Taken) }
    }

    /// The account of somebody whom the OpenID provider calls `subject`, made at the first sign-in as `proposed`. It keeps its
    /// identifier when the provider has another name for the same person later, and a name that the provider gives to
    /// another person later opens nothing.
    pub(crate) async fn account_of_subject(
        &self,
        subject: &str,
        proposed: &Identifier,
        now: i64,
    ) -> Result<String, NewAccountError> {
        // Nobody's password has the empty hash.
        sqlx::query(
            "INSERT INTO accounts (identifier, folded, password_hash, created, subject)
             SELECT $1, $2, '', $3, $4 WHERE NOT EXISTS (SELECT 1 FROM accounts WHERE subject = $4)
             ON CONFLICT DO NOTHING",
        )
        .bind(proposed.as_str())
        .bind(proposed.folded())
        .bind(now)
        .bind(subject)
        .execute(self.pool())
        .await
        .map_err(StoreError::from)?;
        let found: Option<String> = sqlx::query_scalar("SELECT identifier FROM accounts WHERE subject = $1")
            .bind(subject)
            .fetch_optional(self.pool())
            .await
            .map_err(StoreError::from)?;
        found.ok_or(NewAccountError::Taken)
    }

    /// Whether an account, or one that differs in case only, exists.
    pub(crate) async fn is_taken(&self, identifier: &Identifier) -> Result<bool, StoreError> {
        let found: Option<i64> = sqlx::query_scalar("SELECT 1 FROM accounts WHERE folded = $1")
            .bind(identifier.folded())
            .fetch_optional(self.pool())
            .await?;
        Ok(found.is_some())
    }

    /// The password hash of exactly this identifier.
    pub(crate) async fn password_hash(&self, identifier: &Identifier) -> Result<Option<String>, StoreError> {
        Ok(sqlx::query_scalar("SELECT password_hash FROM accounts WHERE identifier = $1")
            .bind(identifier.as_str())
            .fetch_optional(self.pool())
            .await?)
    }

    /// Deletes an account with all that belongs to it: every other table refers to this one. Answers whether it existed.
    pub(crate) async fn delete_account(&self, identifier: &str) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let deleted = sqlx::query("DELETE FROM accounts WHERE identifier = $1")
            .bind(identifier)
            .execute(&mut *transaction)
            .await?;
        // Whoever takes the name next must not find this one's files.
        Self::expire_media_of(&mut transaction, identifier).await?;
        transaction.commit().await?;
        Ok(deleted.rows_affected() == 1)
    }

    /// At most `limit` accounts after `after`, in the order of their identifiers, with the time of their making in Unix
    /// seconds.
    pub(crate) async fn accounts(&self, after: &str, limit: i64) -> Result<Vec<(String, i64)>, StoreError> {
        Ok(sqlx::query_as(
            "SELECT identifier, created FROM accounts WHERE identifier > $1 ORDER BY identifier LIMIT $2",
        )
        .bind(after)
        .bind(limit)
        .fetch_all(self.pool())
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
        let mut transaction = self.begin().await?;
        // Of two sign-ins at once the second sees the first one's session when it counts.
        Self::lock_account(&mut transaction, identifier.as_str()).await?;
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
            .fetch_optional(self.pool())
            .await?)
    }

    /// Ends a session; one that does not exist has ended.
    pub(crate) async fn end_session(&self, token_hash: &str) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM sessions WHERE token_hash = $1").bind(token_hash).execute(self.pool()).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::{TestDatabase, on_both_engines};

    on_both_engines!(
        an_identifier_is_taken_whatever_its_case_but_found_only_as_written,
        a_session_ends_at_its_time_or_when_told,
        an_account_keeps_its_newest_sessions,
        sign_ins_at_once_leave_no_more_sessions_than_allowed,
        a_subject_has_one_account_whatever_its_name_and_no_name_has_two_subjects,
        first_sign_ins_of_one_subject_at_once_make_one_account,
    );

    fn alice() -> Identifier {
        Identifier::new("alice").unwrap()
    }

    async fn an_identifier_is_taken_whatever_its_case_but_found_only_as_written(database: TestDatabase) {
        let store = database.open().await;
        store.create_account(&alice(), "hash", 1).await.unwrap();
        let shouted = Identifier::new("ALICE").unwrap();
        assert!(matches!(store.create_account(&shouted, "other", 2).await, Err(NewAccountError::Taken)));
        assert!(store.is_taken(&shouted).await.unwrap());
        assert_eq!(store.password_hash(&alice()).await.unwrap().as_deref(), Some("hash"));
        assert_eq!(store.password_hash(&shouted).await.unwrap(), None);
    }

    async fn a_subject_has_one_account_whatever_its_name_and_no_name_has_two_subjects(database: TestDatabase) {
        let store = database.open().await;
        assert_eq!(store.account_of_subject("issuer 1", &alice(), 5).await.unwrap(), "alice");
        let renamed = Identifier::new("alice.smith").unwrap();
        assert_eq!(store.account_of_subject("issuer 1", &renamed, 6).await.unwrap(), "alice");
        assert!(matches!(store.account_of_subject("issuer 2", &alice(), 7).await, Err(NewAccountError::Taken)));
        store.create_account(&Identifier::new("bob").unwrap(), "hash", 1).await.unwrap();
        let bob = Identifier::new("BOB").unwrap();
        assert!(matches!(store.account_of_subject("issuer 3", &bob, 8).await, Err(NewAccountError::Taken)));
        assert_eq!(store.account_of_subject("issuer 2", &renamed, 9).await.unwrap(), "alice.smith");
    }

    async fn first_sign_ins_of_one_subject_at_once_make_one_account(database: TestDatabase) {
        let store = database.open().await;
        let first = |store: Database, number: usize| async move {
            let proposed = Identifier::new(&format!("alice {number}")).unwrap();
            store.account_of_subject("issuer 1", &proposed, 5).await.unwrap()
        };
        let under_way: Vec<_> = (0..10).map(|number| tokio::spawn(first(store.clone(), number))).collect();
        let mut names = Vec::new();
        for done in under_way {
            names.push(done.await.unwrap());
        }
        names.dedup();
        assert_eq!(names.len(), 1, "{names:?}");
    }

    async fn a_session_ends_at_its_time_or_when_told(database: TestDatabase) {
        let store = database.open().await;
        store.create_account(&alice(), "hash", 1).await.unwrap();
        store.create_session("first", &alice(), 100, 200).await.unwrap();
        store.create_session("second", &alice(), 100, 300).await.unwrap();
        assert_eq!(store.session("first", 199).await.unwrap().as_deref(), Some("alice"));
        assert_eq!(store.session("first", 200).await.unwrap(), None);
        store.end_session("second").await.unwrap();
        assert_eq!(store.session("second", 100).await.unwrap(), None);
    }

    async fn an_account_keeps_its_newest_sessions(database: TestDatabase) {
        let store = database.open().await;
        store.create_account(&alice(), "hash", 1).await.unwrap();
        for at in 0..=SESSIONS_PER_ACCOUNT {
            store.create_session(&format!("token {at}"), &alice(), at, 1_000).await.unwrap();
        }
        assert_eq!(store.session("token 0", 50).await.unwrap(), None);
        assert!(store.session("token 1", 50).await.unwrap().is_some());
        assert!(store.session(&format!("token {SESSIONS_PER_ACCOUNT}"), 50).await.unwrap().is_some());
    }

    async fn sign_ins_at_once_leave_no_more_sessions_than_allowed(database: TestDatabase) {
        let store = database.open().await;
        store.create_account(&alice(), "hash", 1).await.unwrap();
        let sign_in = |store: Database, at: i64| async move {
            store.create_session(&format!("token {at}"), &alice(), at, 1_000).await.unwrap();
        };
        let under_way: Vec<_> =
            (0..2 * SESSIONS_PER_ACCOUNT).map(|at| tokio::spawn(sign_in(store.clone(), at))).collect();
        for done in under_way {
            done.await.unwrap();
        }
        let kept: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM sessions").fetch_one(store.pool()).await.unwrap();
        assert_eq!(kept, SESSIONS_PER_ACCOUNT);
    }
}
