//! What is to be sent, in the database: durable before WhatsApp is told that we have it, and shared by all instances.
//!
//! What this module does not know: the time (an argument, Unix milliseconds), and how anything is sent.
//!
//! An instance *claims* what is due: it makes it due again only after a lease, in which it sends it. If it dies the lease
//! runs out and another instance sends it again: a push may come twice, and never not at all.

use super::{Message, subscription::address};
use crate::store::{Database, StoreError};

/// A token of WhatsApp's that is good replay_guard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ReplayGuard {
    /// What tells it from others.
    pub(crate) hash: String,
    /// From when on it would be refused anyhow, Unix seconds.
    pub(crate) expires: i64,
}

/// What became of a call to wake someone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EnqueueOutcome {
    /// It is queued for every subscription of the account, be there any or none.
    Queued,
    /// There is no such account.
    Unknown,
    /// The token was used before.
    Replayed,
}

/// Something to send, as it is kept.
#[derive(Debug, Clone)]
pub(super) struct DuePush {
    pub(super) endpoint: String,
    pub(super) p256dh: String,
    pub(super) auth: String,
    /// The key that the subscription was made for.
    pub(super) kid: String,
    pub(super) message: String,
    /// Changes when the same is queued again.
    pub(super) serial: i64,
    pub(super) expires: i64,
    /// This one included.
    pub(super) attempts: i64,
}

type DuePushRow = (String, String, String, String, String, i64, i64, i64);

impl Database {
    /// Queues a wake for every subscription of an account, and uses up the token, both or neither. A call for nobody uses
    /// its token up, too: else it would be good for asking who has an account.
    pub(crate) async fn enqueue_wake(
        &self,
        identifier: &str,
        replay_guard: Option<&ReplayGuard>,
        now: i64,
    ) -> Result<EnqueueOutcome, StoreError> {
        // Before the transaction, which alone may write: a call for nobody need not keep others waiting. Who is deleted right
        // after it has no subscriptions left either.
        let known: Option<i64> = sqlx::query_scalar("SELECT created FROM accounts WHERE identifier = $1")
            .bind(identifier)
            .fetch_optional(self.pool())
            .await?;
        if known.is_none() && replay_guard.is_none() {
            return Ok(EnqueueOutcome::Unknown);
        }
        let mut transaction = self.begin().await?;
        if let Some(ReplayGuard { hash, expires }) = replay_guard {
            let used =
                sqlx::query("INSERT INTO used_tokens (token_hash, expires) VALUES ($1, $2) ON CONFLICT DO NOTHING")
                    .bind(hash)
                    .bind(expires)
                    .execute(&mut *transaction)
                    .await?;
            if used.rows_affected() == 0 {
                return Ok(EnqueueOutcome::Replayed);
            }
        }
        // One that waits is not queued twice. But if it is being sent just now, its receiver may look into the mailbox
        // before this message is there: then it is sent once more.
        sqlx::query(
            "INSERT INTO pushes (endpoint, message, serial, expires, attempts, due, claim)
             SELECT endpoint, $2, 0, $3, 0, $4, '' FROM subscriptions WHERE identifier = $1 ORDER BY endpoint
             ON CONFLICT (endpoint, message) DO UPDATE SET serial = pushes.serial + 1, expires = excluded.expires",
        )
        .bind(identifier)
        .bind(Message::Wake.text())
        .bind(now.saturating_add(Message::Wake.lifetime_seconds() * 1_000))
        .bind(now)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(if known.is_some() { EnqueueOutcome::Queued } else { EnqueueOutcome::Unknown })
    }

    /// Queues a test for one subscription of an account. Answers whether there is one.
    pub(crate) async fn enqueue_test(&self, identifier: &str, endpoint: &str, now: i64) -> Result<bool, StoreError> {
        let Some(endpoint) = address(endpoint) else { return Ok(false) };
        // Who tests again wants an answer now, not when an earlier try comes round.
        let queued = sqlx::query(
            "INSERT INTO pushes (endpoint, message, serial, expires, attempts, due, claim)
             SELECT endpoint, $3, 0, $4, 0, $5, '' FROM subscriptions WHERE endpoint = $2 AND identifier = $1
             ON CONFLICT (endpoint, message) DO UPDATE SET serial = pushes.serial + 1, expires = excluded.expires,
                 due = CASE WHEN pushes.claim = '' THEN excluded.due ELSE pushes.due END",
        )
        .bind(identifier)
        .bind(endpoint.as_str())
        .bind(Message::Test.text())
        .bind(now.saturating_add(Message::Test.lifetime_seconds() * 1_000))
        .bind(now)
        .execute(self.pool())
        .await?;
        Ok(queued.rows_affected() == 1)
    }

    /// When the next one is due; `None` if nothing is queued.
    pub(super) async fn next_push(&self) -> Result<Option<i64>, StoreError> {
        Ok(sqlx::query_scalar("SELECT MIN(due) FROM pushes").fetch_one(self.pool()).await?)
    }

    /// Takes at most `limit` of what is due, under the name `claim`, which nobody used before, until `lease`.
    pub(super) async fn claim_pushes(
        &self,
        claim: &str,
        limit: i64,
        now: i64,
        lease: i64,
    ) -> Result<Vec<DuePush>, StoreError> {
        // The condition stands outside, too: PostgreSQL asks it again for a row that another instance took meanwhile.
        let claimed = sqlx::query(
            "UPDATE pushes SET claim = $1, due = $2, attempts = attempts + 1
             WHERE due <= $3 AND (endpoint, message) IN (
                 SELECT endpoint, message FROM pushes WHERE due <= $3 ORDER BY due, endpoint LIMIT $4
             )",
        )
        .bind(claim)
        .bind(lease)
        .bind(now)
        .bind(limit)
        .execute(self.pool())
        .await?;
        if claimed.rows_affected() == 0 {
            return Ok(Vec::new());
        }
        let rows: Vec<DuePushRow> = sqlx::query_as(
            "SELECT s.endpoint, s.p256dh, s.auth, s.kid, p.message, p.serial, p.expires, p.attempts
             FROM pushes p JOIN subscriptions s ON s.endpoint = p.endpoint WHERE p.claim = $1",
        )
        .bind(claim)
        .fetch_all(self.pool())
        .await?;
        let due = |(endpoint, p256dh, auth, kid, message, serial, expires, attempts)| DuePush {
            endpoint,
            p256dh,
            auth,
            kid,
            message,
            serial,
            expires,
            attempts,
        };
        Ok(rows.into_iter().map(due).collect())
    }

    /// Ends what was claimed, whether it arrived or never will; if it was queued again meanwhile, it is due at replay_guard.
    pub(super) async fn finish_push(&self, claim: &str, due: &DuePush, now: i64) -> Result<(), StoreError> {
        let ended =
            sqlx::query("DELETE FROM pushes WHERE endpoint = $1 AND message = $2 AND claim = $3 AND serial = $4")
                .bind(&due.endpoint)
                .bind(&due.message)
                .bind(claim)
                .bind(due.serial)
                .execute(self.pool())
                .await?;
        if ended.rows_affected() == 0 {
            sqlx::query(
                "UPDATE pushes SET claim = '', due = $4, attempts = 0
                 WHERE endpoint = $1 AND message = $2 AND claim = $3",
            )
            .bind(&due.endpoint)
            .bind(&due.message)
            .bind(claim)
            .bind(now)
            .execute(self.pool())
            .await?;
        }
        Ok(())
    }

    /// Puts back what was claimed, to be tried again at `at`.
    pub(super) async fn postpone_push(&self, claim: &str, due: &DuePush, at: i64) -> Result<(), StoreError> {
        self.put_back(claim, due, at, 0).await
    }

    /// Puts back what was claimed and not tried, to be looked at again at `at`.
    pub(super) async fn defer_push(&self, claim: &str, due: &DuePush, at: i64) -> Result<(), StoreError> {
        self.put_back(claim, due, at, 1).await
    }

    async fn put_back(&self, claim: &str, due: &DuePush, at: i64, untried: i64) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE pushes SET claim = '', due = $4, attempts = attempts - $5
             WHERE endpoint = $1 AND message = $2 AND claim = $3",
        )
        .bind(&due.endpoint)
        .bind(&due.message)
        .bind(claim)
        .bind(at)
        .bind(untried)
        .execute(self.pool())
        .await?;
        Ok(())
    }

    /// Puts back whatever is claimed under names that begin with `instance`, because that instance stops.
    pub(super) async fn release_pushes(&self, instance: &str, now: i64) -> Result<(), StoreError> {
        sqlx::query("UPDATE pushes SET claim = '', due = $2 WHERE claim LIKE $1")
            .bind(format!("{instance}.%"))
            .bind(now)
            .execute(self.pool())
            .await?;
        Ok(())
    }

    /// Forgets used tokens that would be refused anyhow. `now` in Unix seconds.
    pub(crate) async fn forget_used_tokens(&self, now: i64) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM used_tokens WHERE expires <= $1").bind(now).execute(self.pool()).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
