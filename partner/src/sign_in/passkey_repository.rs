//! Passkeys in the database.
//!
//! What this module does not know: how a passkey is verified ([`super::passkey`]), and the time (an argument).

use super::passkey::{PasskeyId, StoredPasskey};
use crate::{
    account_id::AccountId,
    store::{Database, StoreError, lock_account},
    time::UnixSeconds,
};
use std::num::NonZeroU32;
use webauthn_rs::prelude::Uuid;

/// Maximum number of passkeys of one account.
const MAX_PER_ACCOUNT: i64 = 20;

/// Why a passkey was not added.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NewPasskeyError {
    #[error("the account has {MAX_PER_ACCOUNT} passkeys already")]
    TooMany,
    #[error("the passkey is registered already")]
    Taken,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A passkey with its account.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct PasskeyOwner {
    pub(crate) account: AccountId,
    /// The account's WebAuthn user handle.
    pub(crate) handle: Option<Uuid>,
    pub(crate) kept: StoredPasskey,
}

/// A passkey as its owner sees it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct PasskeySummary {
    pub(crate) id: PasskeyId,
    pub(crate) created: UnixSeconds,
    /// Time of the last sign-in; `None` before the first.
    pub(crate) used: Option<UnixSeconds>,
}

/// The column of a signature counter.
fn column(counter: Option<NonZeroU32>) -> i64 {
    counter.map_or(0, |counter| counter.get().into())
}

/// Queries on the table `passkeys`, and on the column `accounts.passkey_handle`.
#[derive(Clone)]
pub(crate) struct PasskeyRepository {
    database: Database,
}

impl PasskeyRepository {
    pub(crate) fn new(database: Database) -> Self {
        Self { database }
    }

    /// The account's WebAuthn user handle, created on first use: a random number, because authenticators may reveal
    /// handles and identifiers can change.
    pub(crate) async fn handle(&self, account: &AccountId) -> Result<Option<Uuid>, StoreError> {
        sqlx::query("UPDATE accounts SET passkey_handle = $2 WHERE identifier = $1 AND passkey_handle = ''")
            .bind(account.as_str())
            .bind(Uuid::new_v4().to_string())
            .execute(self.database.pool())
            .await?;
        let handle: Option<String> = sqlx::query_scalar("SELECT passkey_handle FROM accounts WHERE identifier = $1")
            .bind(account.as_str())
            .fetch_optional(self.database.pool())
            .await?;
        Ok(handle.and_then(|handle| Uuid::try_parse(&handle).ok()))
    }

    /// The account's passkeys, oldest first.
    pub(crate) async fn list(&self, account: &AccountId) -> Result<Vec<PasskeySummary>, StoreError> {
        let rows: Vec<(String, i64, i64)> = sqlx::query_as(
            "SELECT id, created, used FROM passkeys WHERE identifier = $1 ORDER BY created, id LIMIT $2",
        )
        .bind(account.as_str())
        .bind(MAX_PER_ACCOUNT)
        .fetch_all(self.database.pool())
        .await?;
        let summary = |(id, created, used): (String, i64, i64)| PasskeySummary {
            id: PasskeyId::new(id),
            created: UnixSeconds::new(created),
            used: (used != 0).then(|| UnixSeconds::new(used)),
        };
        Ok(rows.into_iter().map(summary).collect())
    }

    /// Stores a new passkey.
    pub(crate) async fn add(
        &self,
        account: &AccountId,
        kept: &StoredPasskey,
        now: UnixSeconds,
    ) -> Result<(), NewPasskeyError> {
        let mut transaction = self.database.begin().await?;
        // The lock makes concurrent additions count each other.
        lock_account(&mut transaction, account).await?;
        let count: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM passkeys WHERE identifier = $1")
            .bind(account.as_str())
            .fetch_one(&mut *transaction)
            .await
            .map_err(StoreError::from)?;
        if count >= MAX_PER_ACCOUNT {
            return Err(NewPasskeyError::TooMany);
        }
        let added = sqlx::query(
            "INSERT INTO passkeys (id, identifier, key_json, counter, created, used) VALUES ($1, $2, $3, $4, $5, 0)
             ON CONFLICT DO NOTHING",
        )
        .bind(kept.id.as_str())
        .bind(account.as_str())
        .bind(&kept.key)
        .bind(column(kept.counter))
        .bind(now.get())
        .execute(&mut *transaction)
        .await
        .map_err(StoreError::from)?;
        if added.rows_affected() == 0 {
            return Err(NewPasskeyError::Taken);
        }
        Ok(transaction.commit().await.map_err(StoreError::from)?)
    }

    /// The passkey with this id and its account.
    pub(crate) async fn owner(&self, id: &PasskeyId) -> Result<Option<PasskeyOwner>, StoreError> {
        let row: Option<(String, String, String, i64)> = sqlx::query_as(
            "SELECT passkeys.identifier, passkey_handle, key_json, counter FROM passkeys
             JOIN accounts ON accounts.identifier = passkeys.identifier WHERE id = $1",
        )
        .bind(id.as_str())
        .fetch_optional(self.database.pool())
        .await?;
        Ok(row.map(|(identifier, handle, key, counter)| {
            let counter = NonZeroU32::new(u32::try_from(counter).unwrap_or(u32::MAX));
            let kept = StoredPasskey { id: id.clone(), key, counter };
            PasskeyOwner { account: AccountId::new(identifier), handle: Uuid::try_parse(&handle).ok(), kept }
        }))
    }

    /// Records a sign-in. Returns `false` if a sign-in with the same or a later counter was recorded before: the
    /// authenticator may have been cloned.
    pub(crate) async fn record_use(&self, kept: &StoredPasskey, now: UnixSeconds) -> Result<bool, StoreError> {
        let used = sqlx::query(
            "UPDATE passkeys SET key_json = $2, counter = $3, used = $4
             WHERE id = $1 AND (counter < $3 OR (counter = 0 AND $3 = 0))",
        )
        .bind(kept.id.as_str())
        .bind(&kept.key)
        .bind(column(kept.counter))
        .bind(now.get())
        .execute(self.database.pool())
        .await?;
        Ok(used.rows_affected() == 1)
    }

    /// Deletes a passkey of the account; succeeds if there is none.
    pub(crate) async fn delete(&self, account: &AccountId, id: &PasskeyId) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM passkeys WHERE identifier = $1 AND id = $2")
            .bind(account.as_str())
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
        sign_in::{AccountRepository, Identifier},
        store::testing::{TestDatabase, on_both_engines},
    };

    on_both_engines!(
        a_passkey_belongs_to_one_account_and_is_deleted_with_it,
        the_counter_increases_or_stays_zero,
        an_account_has_one_handle_and_a_bounded_number_of_passkeys
    );

    /// A database with the accounts `alice` and `bob`.
    async fn open(database: &TestDatabase) -> (Database, PasskeyRepository) {
        let database = database.open().await;
        let accounts = AccountRepository::new(database.clone());
        for name in ["alice", "bob"] {
            accounts.create(&Identifier::new(name).unwrap(), "hash", UnixSeconds::new(1)).await.unwrap();
        }
        (database.clone(), PasskeyRepository::new(database))
    }

    fn account(name: &str) -> AccountId {
        AccountId::new(name)
    }

    fn kept(id: &str, counter: u32) -> StoredPasskey {
        StoredPasskey { id: PasskeyId::new(id), key: "{}".to_owned(), counter: NonZeroU32::new(counter) }
    }

    async fn a_passkey_belongs_to_one_account_and_is_deleted_with_it(database: TestDatabase) {
        let (database, passkeys) = open(&database).await;
        let handle = passkeys.handle(&account("alice")).await.unwrap().unwrap();
        passkeys.add(&account("alice"), &kept("a", 0), UnixSeconds::new(5)).await.unwrap();
        assert!(matches!(
            passkeys.add(&account("bob"), &kept("a", 0), UnixSeconds::new(5)).await,
            Err(NewPasskeyError::Taken)
        ));
        let owner = passkeys.owner(&PasskeyId::new("a")).await.unwrap().unwrap();
        let expected = PasskeyOwner { account: account("alice"), handle: Some(handle), kept: kept("a", 0) };
        assert_eq!(owner, expected);
        passkeys.delete(&account("bob"), &PasskeyId::new("a")).await.unwrap();
        let unused = PasskeySummary { id: PasskeyId::new("a"), created: UnixSeconds::new(5), used: None };
        assert_eq!(passkeys.list(&account("alice")).await.unwrap(), [unused]);
        sqlx::query("DELETE FROM accounts WHERE identifier = 'alice'").execute(database.pool()).await.unwrap();
        assert_eq!(passkeys.owner(&PasskeyId::new("a")).await.unwrap(), None);
    }

    async fn the_counter_increases_or_stays_zero(database: TestDatabase) {
        let (_, passkeys) = open(&database).await;
        passkeys.add(&account("alice"), &kept("a", 0), UnixSeconds::new(5)).await.unwrap();
        for (counter, expected) in [(0, true), (0, true), (3, true), (3, false), (2, false), (0, false), (4, true)] {
            assert_eq!(
                passkeys.record_use(&kept("a", counter), UnixSeconds::new(6)).await.unwrap(),
                expected,
                "{counter}"
            );
        }
        assert_eq!(passkeys.list(&account("alice")).await.unwrap()[0].used, Some(UnixSeconds::new(6)));
    }

    async fn an_account_has_one_handle_and_a_bounded_number_of_passkeys(database: TestDatabase) {
        let (_, passkeys) = open(&database).await;
        let first = passkeys.handle(&account("alice")).await.unwrap().unwrap();
        assert_eq!(passkeys.handle(&account("alice")).await.unwrap(), Some(first));
        assert_ne!(passkeys.handle(&account("bob")).await.unwrap(), Some(first));
        assert_eq!(passkeys.handle(&account("nobody")).await.unwrap(), None);
        for number in 0..MAX_PER_ACCOUNT {
            passkeys.add(&account("alice"), &kept(&number.to_string(), 0), UnixSeconds::new(5)).await.unwrap();
        }
        assert!(matches!(
            passkeys.add(&account("alice"), &kept("more", 0), UnixSeconds::new(5)).await,
            Err(NewPasskeyError::TooMany)
        ));
    }
}
