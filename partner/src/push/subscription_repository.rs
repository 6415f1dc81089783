//! Subscriptions in the database.
//!
//! What this module does not know: the time (an argument).

use super::{endpoint::Endpoint, subscription::Subscription};
use crate::{
    account_id::AccountId,
    keys::KeyId,
    store::{Database, StoreError, lock_account},
    time::UnixMillis,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

/// Maximum number of subscriptions of one account; one more removes the one that was confirmed least recently.
const MAX_PER_ACCOUNT: i64 = 10;

/// A subscription without its encryption keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SubscriptionRow {
    pub(crate) account: AccountId,
    pub(crate) endpoint: Endpoint,
    pub(crate) kid: KeyId,
    pub(crate) created: UnixMillis,
    /// When its browser last confirmed it.
    pub(crate) seen: UnixMillis,
}

/// Queries on the table `subscriptions`.
#[derive(Clone)]
pub(crate) struct SubscriptionRepository {
    database: Database,
}

impl SubscriptionRepository {
    pub(crate) fn new(database: Database) -> Self {
        Self { database }
    }

    /// Stores a subscription for an account, even if another account had it. `kid` names the VAPID key that a new
    /// subscription was made for. Pushes that are queued for `previous` are moved to this subscription.
    pub(crate) async fn save(
        &self,
        account: &AccountId,
        subscription: &Subscription,
        previous: Option<&Endpoint>,
        kid: &KeyId,
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        let endpoint = subscription.endpoint.as_str();
        let key = URL_SAFE_NO_PAD.encode(subscription.public_key.to_sec1_bytes());
        let mut transaction = self.database.begin().await?;
        lock_account(&mut transaction, account).await?;
        // A push that waits for one account must not be delivered to another.
        sqlx::query(
            "DELETE FROM pushes WHERE endpoint = $1
             AND EXISTS (SELECT 1 FROM subscriptions WHERE endpoint = $1 AND identifier <> $2)",
        )
        .bind(endpoint)
        .bind(account.as_str())
        .execute(&mut *transaction)
        .await?;
        sqlx::query(
            "INSERT INTO subscriptions (endpoint, identifier, p256dh, auth, kid, created, seen)
             VALUES ($1, $2, $3, $4, $5, $6, $6)
             ON CONFLICT (endpoint) DO UPDATE SET
                 kid = CASE WHEN subscriptions.p256dh = excluded.p256dh THEN subscriptions.kid ELSE excluded.kid END,
                 identifier = excluded.identifier, p256dh = excluded.p256dh, auth = excluded.auth, seen = excluded.seen",
        )
        .bind(endpoint)
        .bind(account.as_str())
        .bind(key)
        .bind(URL_SAFE_NO_PAD.encode(subscription.auth))
        .bind(kid.as_str())
        .bind(now.get())
        .execute(&mut *transaction)
        .await?;
        let previous = previous.filter(|previous| **previous != subscription.endpoint);
        if let Some(previous) = previous {
            sqlx::query(
                "INSERT INTO pushes (endpoint, message, serial, expires, attempts, due, claim)
                 SELECT $1, message, 0, expires, 0, $3, '' FROM pushes WHERE endpoint = $2
                 AND EXISTS (SELECT 1 FROM subscriptions WHERE endpoint = $2 AND identifier = $4)
                 ON CONFLICT (endpoint, message) DO NOTHING",
            )
            .bind(endpoint)
            .bind(previous.as_str())
            .bind(now.get())
            .bind(account.as_str())
            .execute(&mut *transaction)
            .await?;
            sqlx::query("DELETE FROM subscriptions WHERE endpoint = $1 AND identifier = $2")
                .bind(previous.as_str())
                .bind(account.as_str())
                .execute(&mut *transaction)
                .await?;
        }
        sqlx::query(
            "DELETE FROM subscriptions WHERE identifier = $1 AND endpoint <> $2 AND endpoint NOT IN (
                 SELECT endpoint FROM subscriptions WHERE identifier = $1 AND endpoint <> $2
                 ORDER BY seen DESC, created DESC LIMIT $3
             )",
        )
        .bind(account.as_str())
        .bind(endpoint)
        .bind(MAX_PER_ACCOUNT - 1)
        .execute(&mut *transaction)
        .await?;
        Ok(transaction.commit().await?)
    }

    /// Deletes a subscription of an account; succeeds if there is none.
    pub(crate) async fn delete(&self, account: &AccountId, endpoint: &Endpoint) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM subscriptions WHERE endpoint = $1 AND identifier = $2")
            .bind(endpoint.as_str())
            .bind(account.as_str())
            .execute(self.database.pool())
            .await?;
        Ok(())
    }

    /// Deletes a subscription that its push service no longer knows, unless the browser has renewed it meanwhile.
    pub(super) async fn delete_gone(&self, subscription: &Subscription) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM subscriptions WHERE endpoint = $1 AND p256dh = $2")
            .bind(subscription.endpoint.as_str())
            .bind(URL_SAFE_NO_PAD.encode(subscription.public_key.to_sec1_bytes()))
            .execute(self.database.pool())
            .await?;
        Ok(())
    }

    /// Records the VAPID key that a subscription turned out to be made for.
    pub(super) async fn set_key(&self, endpoint: &Endpoint, kid: &KeyId) -> Result<(), StoreError> {
        sqlx::query("UPDATE subscriptions SET kid = $2 WHERE endpoint = $1")
            .bind(endpoint.as_str())
            .bind(kid.as_str())
            .execute(self.database.pool())
            .await?;
        Ok(())
    }

    /// The VAPID keys that subscriptions were made for.
    pub(crate) async fn key_ids(&self) -> Result<Vec<KeyId>, StoreError> {
        let rows: Vec<String> =
            sqlx::query_scalar("SELECT DISTINCT kid FROM subscriptions").fetch_all(self.database.pool()).await?;
        Ok(rows.into_iter().map(KeyId::stored).collect())
    }

    /// Up to `limit` subscriptions after `after`, ordered by account and endpoint.
    pub(crate) async fn list(
        &self,
        after: Option<&SubscriptionRow>,
        limit: i64,
    ) -> Result<Vec<SubscriptionRow>, StoreError> {
        // No identifier is empty: the empty one comes before all.
        let after = after.map_or(("", ""), |row| (row.account.as_str(), row.endpoint.as_str()));
        let rows: Vec<(String, String, String, i64, i64)> = sqlx::query_as(
            "SELECT identifier, endpoint, kid, created, seen FROM subscriptions
             WHERE identifier > $1 OR (identifier = $1 AND endpoint > $2) ORDER BY identifier, endpoint LIMIT $3",
        )
        .bind(after.0)
        .bind(after.1)
        .bind(limit)
        .fetch_all(self.database.pool())
        .await?;
        let kept = |(identifier, endpoint, kid, created, seen): (String, String, String, i64, i64)| SubscriptionRow {
            account: AccountId::new(identifier),
            endpoint: Endpoint::stored(endpoint),
            kid: KeyId::stored(kid),
            created: UnixMillis::new(created),
            seen: UnixMillis::new(seen),
        };
        Ok(rows.into_iter().map(kept).collect())
    }
}
