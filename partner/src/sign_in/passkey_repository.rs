//! Passkeys in the database.
//!
//! What this module does not know: what a passkey proves ([`super::passkey`]), and the time (an argument).

use super::passkey::StoredPasskey;
use crate::store::{Database, StoreError};
use webauthn_rs::prelude::Uuid;

/// Passkeys that one account may have.
const PER_ACCOUNT: i64 = 20;

/// Why a passkey was not added.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NewPasskeyError {
    #[error("the account has {PER_ACCOUNT} passkeys already")]
    TooMany,
    #[error("the passkey is somebody's already")]
    Taken,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Whose passkey it is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct PasskeyOwner {
    pub(crate) identifier: String,
    /// What the account's passkeys call it.
    pub(crate) handle: String,
    pub(crate) kept: StoredPasskey,
}

/// A passkey as its owner sees it; times are Unix seconds.
#[derive(Debug, PartialEq, Eq, serde::Serialize)]
pub(crate) struct PasskeySummary {
    pub(crate) id: String,
    pub(crate) created: i64,
    /// The last sign-in; 0 before the first.
    pub(crate) used: i64,
}

impl Database {
    /// What the account's passkeys call it: a number of its own, because names may be shown and change.
    pub(crate) async fn passkey_handle(&self, identifier: &str) -> Result<Option<Uuid>, StoreError> {
        sqlx::query("UPDATE accounts SET passkey_handle = $2 WHERE identifier = $1 AND passkey_handle = ''")
            .bind(identifier)
            .bind(Uuid::new_v4().to_string())
            .execute(self.pool())
            .await?;
        let handle: Option<String> = sqlx::query_scalar("SELECT passkey_handle FROM accounts WHERE identifier = $1")
            .bind(identifier)
            .fetch_optional(self.pool())
            .await?;
        Ok(handle.and_then(|handle| Uuid::try_parse(&handle).ok()))
    }

    /// The account's passkeys, oldest first.
    pub(crate) async fn passkeys(&self, identifier: &str) -> Result<Vec<PasskeySummary>, StoreError> {
        let rows: Vec<(String, i64, i64)> = sqlx::query_as(
            "SELECT id, created, used FROM passkeys WHERE identifier = $1 ORDER BY created, id LIMIT $2",
        )
        .bind(identifier)
        .bind(PER_ACCOUNT)
        .fetch_all(self.pool())
        .await?;
        Ok(rows.into_iter().map(|(id, created, used)| PasskeySummary { id, created, used }).collect())
    }

    /// Adds a passkey.
    pub(crate) async fn add_passkey(
        &self,
        identifier: &str,
        kept: &StoredPasskey,
        now: i64,
    ) -> Result<(), NewPasskeyError> {
        let mut transaction = self.begin().await?;
        // Of two that are added at once the second is counted after the first.
        Self::lock_account(&mut transaction, identifier).await?;
        let count: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM passkeys WHERE identifier = $1")
            .bind(identifier)
            .fetch_one(&mut *transaction)
            .await
            .map_err(StoreError::from)?;
        if count >= PER_ACCOUNT {
            return Err(NewPasskeyError::TooMany);
        }
        let added = sqlx::query(
            "INSERT INTO passkeys (id, identifier, key_json, counter, created, used) VALUES ($1, $2, $3, $4, $5, 0)
             ON CONFLICT DO NOTHING",
        )
        .bind(&kept.id)
        .bind(identifier)
        .bind(&kept.key)
        .bind(i64::from(kept.counter))
        .bind(now)
        .execute(&mut *transaction)
        .await
        .map_err(StoreError::from)?;
        if added.rows_affected() == 0 {
            return Err(NewPasskeyError::Taken);
        }
        Ok(transaction.commit().await.map_err(StoreError::from)?)
    }

    /// Whose passkey this is.
    pub(crate) async fn passkey_owner(&self, id: &str) -> Result<Option<PasskeyOwner>, StoreError> {
        let row: Option<(String, String, String, i64)> = sqlx::query_as(
            "SELECT passkeys.identifier, passkey_handle, key_json, counter FROM passkeys
             JOIN accounts ON accounts.identifier = passkeys.identifier WHERE id = $1",
        )
        .bind(id)
        .fetch_optional(self.pool())
        .await?;
        Ok(row.map(|(identifier, handle, key, counter)| {
            let kept = StoredPasskey { id: id.to_owned(), key, counter: u32::try_from(counter).unwrap_or(u32::MAX) };
            PasskeyOwner { identifier, handle, kept }
        }))
    }

    /// Notes a sign-in. `false` if another one with the same count, or a later, was faster: one of the two is a copy.
    pub(crate) async fn use_passkey(&self, kept: &StoredPasskey, now: i64) -> Result<bool, StoreError> {
        let used = sqlx::query(
            "UPDATE passkeys SET key_json = $2, counter = $3, used = $4
             WHERE id = $1 AND (counter < $3 OR (counter = 0 AND $3 = 0))",
        )
        .bind(&kept.id)
        .bind(&kept.key)
        .bind(i64::from(kept.counter))
        .bind(now)
        .execute(self.pool())
        .await?;
        Ok(used.rows_affected() == 1)
    }

    /// Ends a passkey of the account; one that does not exist has ended.
    pub(crate) async fn end_passkey(&self, identifier: &str, id: &str) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM passkeys WHERE identifier = $1 AND id = $2")
            .bind(identifier)
            .bind(id)
            .execute(self.pool())
            .await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        sign_in::Identifier,
        store::testing::{TestDatabase, on_both_engines},
    };

    on_both_engines!(
        a_passkey_is_one_accounts_and_ends_with_it,
        a_count_goes_up_or_stays_at_nothing,
        an_account_has_one_handle_and_a_bounded_number_of_passkeys
    );

    async fn with_alice(database: &TestDatabase) -> Database {
        let store = database.open().await;
        for name in ["alice", "bob"] {
            store.create_account(&Identifier::new(name).unwrap(), "hash", 1).await.unwrap();
        }
        store
    }

    fn kept(id: &str, counter: u32) -> StoredPasskey {
        StoredPasskey { id: id.to_owned(), key: "{}".to_owned(), counter }
    }

    async fn a_passkey_is_one_accounts_and_ends_with_it(database: TestDatabase) {
        let store = with_alice(&database).await;
        let handle = store.passkey_handle("alice").await.unwrap().unwrap();
        store.add_passkey("alice", &kept("a", 0), 5).await.unwrap();
        assert!(matches!(store.add_passkey("bob", &kept("a", 0), 5).await, Err(NewPasskeyError::Taken)));
        let owner = store.passkey_owner("a").await.unwrap().unwrap();
        let expected = PasskeyOwner { identifier: "alice".into(), handle: handle.to_string(), kept: kept("a", 0) };
        assert_eq!(owner, expected);
        store.end_passkey("bob", "a").await.unwrap();
        assert_eq!(store.passkeys("alice").await.unwrap(), [PasskeySummary { id: "a".into(), created: 5, used: 0 }]);
        sqlx::query("DELETE FROM accounts WHERE identifier = 'alice'").execute(store.pool()).await.unwrap();
        assert_eq!(store.passkey_owner("a").await.unwrap(), None);
    }

    async fn a_count_goes_up_or_stays_at_nothing(database: TestDatabase) {
        let store = with_alice(&database).await;
        store.add_passkey("alice", &kept("a", 0), 5).await.unwrap();
        for (counter, expected) in [(0, true), (0, true), (3, true), (3, false), (2, false), (0, false), (4, true)] {
            assert_eq!(store.use_passkey(&kept("a", counter), 6).await.unwrap(), expected, "{counter}");
        }
        assert_eq!(store.passkeys("alice").await.unwrap()[0].used, 6);
    }

    async fn an_account_has_one_handle_and_a_bounded_number_of_passkeys(database: TestDatabase) {
        let store = with_alice(&database).await;
        let first = store.passkey_handle("alice").await.unwrap().unwrap();
        assert_eq!(store.passkey_handle("alice").await.unwrap(), Some(first));
        assert_ne!(store.passkey_handle("bob").await.unwrap(), Some(first));
        assert_eq!(store.passkey_handle("nobody").await.unwrap(), None);
        for number in 0..PER_ACCOUNT {
            store.add_passkey("alice", &kept(&number.to_string(), 0), 5).await.unwrap();
        }
        assert!(matches!(store.add_passkey("alice", &kept("more", 0), 5).await, Err(NewPasskeyError::TooMany)));
    }
}
