//! The queue of pushes in the database: durable before the response to WhatsApp, and shared by all instances.
//!
//! What this module does not know: the time (an argument), and how a push is sent.
//!
//! An instance *claims* due pushes: it sets their due time to the end of a lease and sends them meanwhile. If the
//! instance dies, the lease expires and another instance sends them again: delivery is at least once.

use super::{
    claim::{ClaimId, InstanceId},
    endpoint::Endpoint,
    message::Message,
};
use crate::{
    account_id::AccountId,
    keys::KeyId,
    store::{Database, StoreError},
    time::{UnixMillis, UnixSeconds},
};

/// A hash of the unique part of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TokenHash(String);

impl TokenHash {
    /// Wraps the hash in hex.
    pub(super) fn new(hex: String) -> Self {
        Self(hex)
    }
}

/// Identifies a token of WhatsApp's that may be used only once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ReplayGuard {
    pub(crate) hash: TokenHash,
    /// Time from which the token is refused anyway.
    pub(crate) expires: UnixSeconds,
}

/// The result of WhatsApp's request to wake a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EnqueueOutcome {
    /// The push is queued for every subscription of the account, of which there may be none.
    Queued,
    /// The account does not exist.
    Unknown,
    /// The token was used before.
    Replayed,
}

/// A claimed push with its subscription. Not `Debug`: it allows sending pushes.
#[derive(Clone)]
pub(super) struct DuePush {
    pub(super) endpoint: Endpoint,
    pub(super) p256dh: String,
    pub(super) auth: String,
    /// The VAPID key that the subscription was made for.
    pub(super) kid: KeyId,
    pub(super) message: String,
    /// Incremented when the same message is queued again.
    pub(super) serial: i64,
    pub(super) expires: UnixMillis,
    /// Number of attempts including this one.
    pub(super) attempts: i64,
}

type DuePushRow = (String, String, String, String, String, i64, i64, i64);

/// Queries on the tables `pushes` and `used_tokens`.
#[derive(Clone)]
pub(crate) struct QueueRepository {
    database: Database,
}

impl QueueRepository {
    pub(crate) fn new(database: Database) -> Self {
        Self { database }
    }

    /// Queues a wake for every subscription of an account and marks the token as used, atomically. The token is used up
    /// even if the account does not exist; otherwise it could be used to probe for accounts.
    pub(crate) async fn enqueue_wake(
        &self,
        account: &AccountId,
        replay_guard: Option<&ReplayGuard>,
        now: UnixMillis,
    ) -> Result<EnqueueOutcome, StoreError> {
        // Checked before the write transaction, so that calls for unknown accounts do not delay other writers. An
        // account that is deleted right after this has no subscriptions left either.
        let known: Option<i64> = sqlx::query_scalar("SELECT created FROM accounts WHERE identifier = $1")
            .bind(account.as_str())
            .fetch_optional(self.database.pool())
            .await?;
        if known.is_none() && replay_guard.is_none() {
            return Ok(EnqueueOutcome::Unknown);
        }
        let mut transaction = self.database.begin().await?;
        if let Some(ReplayGuard { hash, expires }) = replay_guard {
            let used =
                sqlx::query("INSERT INTO used_tokens (token_hash, expires) VALUES ($1, $2) ON CONFLICT DO NOTHING")
                    .bind(&hash.0)
                    .bind(expires.get())
                    .execute(&mut *transaction)
                    .await?;
            if used.rows_affected() == 0 {
                return Ok(EnqueueOutcome::Replayed);
            }
        }
        // A waiting push is not queued twice. But if it is being sent just now, its receiver may fetch its messages
        // before this one is there: then it is sent once more.
        sqlx::query(
            "INSERT INTO pushes (endpoint, message, serial, expires, attempts, due, claim)
             SELECT endpoint, $2, 0, $3, 0, $4, '' FROM subscriptions WHERE identifier = $1 ORDER BY endpoint
             ON CONFLICT (endpoint, message) DO UPDATE SET serial = pushes.serial + 1, expires = excluded.expires",
        )
        .bind(account.as_str())
        .bind(Message::Wake.text())
        .bind(now.after(Message::Wake.lifetime()).get())
        .bind(now.get())
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(if known.is_some() { EnqueueOutcome::Queued } else { EnqueueOutcome::Unknown })
    }

    /// Queues a test push for one subscription of an account. Returns whether the subscription exists.
    pub(crate) async fn enqueue_test(
        &self,
        account: &AccountId,
        endpoint: &Endpoint,
        now: UnixMillis,
    ) -> Result<bool, StoreError> {
        // A repeated test is due at once, not when an earlier attempt is retried.
        let queued = sqlx::query(
            "INSERT INTO pushes (endpoint, message, serial, expires, attempts, due, claim)
             SELECT endpoint, $3, 0, $4, 0, $5, '' FROM subscriptions WHERE endpoint = $2 AND identifier = $1
             ON CONFLICT (endpoint, message) DO UPDATE SET serial = pushes.serial + 1, expires = excluded.expires,
                 due = CASE WHEN pushes.claim = '' THEN excluded.due ELSE pushes.due END",
        )
        .bind(account.as_str())
        .bind(endpoint.as_str())
        .bind(Message::Test.text())
        .bind(now.after(Message::Test.lifetime()).get())
        .bind(now.get())
        .execute(self.database.pool())
        .await?;
        Ok(queued.rows_affected() == 1)
    }

    /// The earliest due time in the queue; `None` if the queue is empty.
    pub(super) async fn next_due(&self) -> Result<Option<UnixMillis>, StoreError> {
        let due: Option<i64> =
            sqlx::query_scalar("SELECT MIN(due) FROM pushes").fetch_one(self.database.pool()).await?;
        Ok(due.map(UnixMillis::new))
    }

    /// Claims up to `limit` due pushes until `lease` under `claim`, a name that was never used before.
    pub(super) async fn claim(
        &self,
        claim: &ClaimId,
        limit: i64,
        now: UnixMillis,
        lease: UnixMillis,
    ) -> Result<Vec<DuePush>, StoreError> {
        // The condition is repeated outside the subquery: PostgreSQL evaluates it again for a row that another instance
        // claimed meanwhile.
        let claimed = sqlx::query(
            "UPDATE pushes SET claim = $1, due = $2, attempts = attempts + 1
             WHERE due <= $3 AND (endpoint, message) IN (
                 SELECT endpoint, message FROM pushes WHERE due <= $3 ORDER BY due, endpoint LIMIT $4
             )",
        )
        .bind(claim.to_string())
        .bind(lease.get())
        .bind(now.get())
        .bind(limit)
        .execute(self.database.pool())
        .await?;
        if claimed.rows_affected() == 0 {
            return Ok(Vec::new());
        }
        let rows: Vec<DuePushRow> = sqlx::query_as(
            "SELECT s.endpoint, s.p256dh, s.auth, s.kid, p.message, p.serial, p.expires, p.attempts
             FROM pushes p JOIN subscriptions s ON s.endpoint = p.endpoint WHERE p.claim = $1",
        )
        .bind(claim.to_string())
        .fetch_all(self.database.pool())
        .await?;
        let due = |(endpoint, p256dh, auth, kid, message, serial, expires, attempts): DuePushRow| DuePush {
            endpoint: Endpoint::stored(endpoint),
            p256dh,
            auth,
            kid: KeyId::stored(kid),
            message,
            serial,
            expires: UnixMillis::new(expires),
            attempts,
        };
        Ok(rows.into_iter().map(due).collect())
    }

    /// Removes a claimed push, whether it was delivered or dropped; if it was queued again meanwhile, it becomes due at
    /// once.
    pub(super) async fn finish(&self, claim: &ClaimId, due: &DuePush, now: UnixMillis) -> Result<(), StoreError> {
        let ended =
            sqlx::query("DELETE FROM pushes WHERE endpoint = $1 AND message = $2 AND claim = $3 AND serial = $4")
                .bind(due.endpoint.as_str())
                .bind(&due.message)
                .bind(claim.to_string())
                .bind(due.serial)
                .execute(self.database.pool())
                .await?;
        if ended.rows_affected() == 0 {
            sqlx::query(
                "UPDATE pushes SET claim = '', due = $4, attempts = 0
                 WHERE endpoint = $1 AND message = $2 AND claim = $3",
            )
            .bind(due.endpoint.as_str())
            .bind(&due.message)
            .bind(claim.to_string())
            .bind(now.get())
            .execute(self.database.pool())
            .await?;
        }
        Ok(())
    }

    /// Releases a claimed push, to be retried at `at`.
    pub(super) async fn postpone(&self, claim: &ClaimId, due: &DuePush, at: UnixMillis) -> Result<(), StoreError> {
        self.put_back(claim, due, at, 0).await
    }

    /// Releases a claimed push that was not attempted, due again at `at`.
    pub(super) async fn defer(&self, claim: &ClaimId, due: &DuePush, at: UnixMillis) -> Result<(), StoreError> {
        self.put_back(claim, due, at, 1).await
    }

    async fn put_back(&self, claim: &ClaimId, due: &DuePush, at: UnixMillis, untried: i64) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE pushes SET claim = '', due = $4, attempts = attempts - $5
             WHERE endpoint = $1 AND message = $2 AND claim = $3",
        )
        .bind(due.endpoint.as_str())
        .bind(&due.message)
        .bind(claim.to_string())
        .bind(at.get())
        .bind(untried)
        .execute(self.database.pool())
        .await?;
        Ok(())
    }

    /// Releases all claims of an instance, because it shuts down.
    pub(super) async fn release(&self, instance: &InstanceId, now: UnixMillis) -> Result<(), StoreError> {
        sqlx::query("UPDATE pushes SET claim = '', due = $2 WHERE claim LIKE $1")
            .bind(instance.pattern())
            .bind(now.get())
            .execute(self.database.pool())
            .await?;
        Ok(())
    }

    /// Deletes used tokens that have expired.
    pub(crate) async fn delete_expired_tokens(&self, now: UnixSeconds) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM used_tokens WHERE expires <= $1")
            .bind(now.get())
            .execute(self.database.pool())
            .await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
