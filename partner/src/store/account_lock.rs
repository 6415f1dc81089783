//! The lock by which all modules serialise changes of one account's rows.
//!
//! What this module does not know: the rows.

use super::error::StoreError;
use crate::account_id::AccountId;
use sqlx::AnyConnection;

/// Locks the row of an account until the transaction ends; other transactions that lock the same row wait. Returns
/// whether the account exists.
pub(crate) async fn lock_account(transaction: &mut AnyConnection, account: &AccountId) -> Result<bool, StoreError> {
    let locked = sqlx::query("UPDATE accounts SET created = created WHERE identifier = $1")
        .bind(account.as_str())
        .execute(transaction)
        .await?;
    Ok(locked.rows_affected() == 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{
        Database,
        testing::{TestDatabase, on_both_engines},
    };

    on_both_engines!(locks_of_an_account_exclude_each_other, an_account_that_does_not_exist_cannot_be_locked);

    async fn locks_of_an_account_exclude_each_other(database: TestDatabase) {
        let database = database.open().await;
        sqlx::query("INSERT INTO accounts (identifier, folded, password_hash, created) VALUES ('a', 'a', '', 0)")
            .execute(database.pool())
            .await
            .unwrap();
        // Reads, then writes: without the lock, concurrent additions would be lost.
        let add = |database: Database| async move {
            let mut transaction = database.begin().await.unwrap();
            assert!(lock_account(&mut transaction, &AccountId::new("a")).await.unwrap());
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
        assert!(!lock_account(&mut transaction, &AccountId::new("nobody")).await.unwrap());
    }
}
