//! What a browser has begun and must itself finish within minutes: a passkey's challenge, a sign-in elsewhere.
//!
//! A cookie holds a secret, the database its hash and what was begun, so that any instance can finish it and nobody else's
//! browser can; it is good once. What this module does not know: what is begun.

use super::session::SessionToken;
use crate::store::{Database, StoreError};

/// Seconds to finish: as long as browsers wait for a person with a security key.
pub(crate) const SECONDS: u64 = 300;
/// Attempts under way at once, of everyone together: a bound on the table, far above what the limits let through.
const AT_ONCE: i64 = 100_000;

/// What was begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AuthKind {
    /// A new passkey for who is signed in.
    NewPasskey,
    /// A sign-in with a passkey.
    Passkey,
    /// A sign-in at the OpenID provider.
    OpenId,
}

impl AuthKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::NewPasskey => "new_passkey",
            Self::Passkey => "passkey",
            Self::OpenId => "open_id",
        }
    }

    /// The way back from the provider is a navigation that another site began: browsers send `Strict` cookies with none.
    fn same_site(self) -> &'static str {
        if self == Self::OpenId { "Lax" } else { "Strict" }
    }

    /// `__Host-` as for the session.
    fn cookie_name(self, secure: bool) -> String {
        let prefix = if secure { "__Host-" } else { "" };
        format!("{prefix}causeway_{}", self.as_str())
    }
}

/// 256 random bits that stand for one attempt.
pub(crate) struct AuthAttempt {
    token: SessionToken,
    kind: AuthKind,
}

impl AuthAttempt {
    /// A fresh one; fails only if the operating system has no randomness.
    pub(crate) fn random(kind: AuthKind) -> Result<Self, getrandom::Error> {
        Ok(Self { token: SessionToken::random()?, kind })
    }

    /// The one of a request's `Cookie` header.
    pub(crate) fn from_cookies(header: &str, kind: AuthKind, secure: bool) -> Option<Self> {
        let name = kind.cookie_name(secure);
        let value = header.split(';').rev().find_map(|pair| pair.trim().strip_prefix(&name)?.strip_prefix('='))?;
        Some(Self { token: SessionToken::parse(value)?, kind })
    }

    /// The `Set-Cookie` header that lets the browser finish.
    pub(crate) fn cookie(&self, secure: bool) -> String {
        set_cookie(self.kind, &self.token.text(), SECONDS, secure)
    }

    /// The `Set-Cookie` header that makes the browser forget.
    pub(crate) fn forget(kind: AuthKind, secure: bool) -> String {
        set_cookie(kind, "", 0, secure)
    }
}

fn set_cookie(kind: AuthKind, value: &str, seconds: u64, secure: bool) -> String {
    let flag = if secure { "; Secure" } else { "" };
    let (name, same_site) = (kind.cookie_name(secure), kind.same_site());
    format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite={same_site}{flag}")
}

impl Database {
    /// Keeps what was begun, and forgets what nobody finished. `false` if too much is under way.
    pub(crate) async fn begin_attempt(&self, attempt: &AuthAttempt, state: &str, now: i64) -> Result<bool, StoreError> {
        sqlx::query("DELETE FROM ceremonies WHERE expires <= $1").bind(now).execute(self.pool()).await?;
        let kept = sqlx::query(
            "INSERT INTO ceremonies (token_hash, kind, state, expires)
             SELECT $1, $2, $3, $4 WHERE (SELECT COUNT(*) FROM ceremonies) < $5",
        )
        .bind(attempt.token.hash())
        .bind(attempt.kind.as_str())
        .bind(state)
        .bind(now.saturating_add_unsigned(SECONDS))
        .bind(AT_ONCE)
        .execute(self.pool())
        .await?;
        Ok(kept.rows_affected() == 1)
    }

    /// What was begun, once, while its time is not over.
    pub(crate) async fn take_attempt(&self, attempt: &AuthAttempt, now: i64) -> Result<Option<String>, StoreError> {
        let taken: Option<(String, i64)> =
            sqlx::query_as("DELETE FROM ceremonies WHERE token_hash = $1 AND kind = $2 RETURNING state, expires")
                .bind(attempt.token.hash())
                .bind(attempt.kind.as_str())
                .fetch_optional(self.pool())
                .await?;
        Ok(taken.and_then(|(state, expires)| (expires > now).then_some(state)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::{TestDatabase, on_both_engines};

    on_both_engines!(an_attempt_is_finished_once_in_time_and_as_what_it_was, of_many_who_finish_at_once_one_does);

    async fn an_attempt_is_finished_once_in_time_and_as_what_it_was(database: TestDatabase) {
        let store = database.open().await;
        let [first, second] = [(); 2].map(|()| AuthAttempt::random(AuthKind::Passkey).unwrap());
        assert!(store.begin_attempt(&first, "one", 100).await.unwrap());
        assert!(store.begin_attempt(&second, "two", 100).await.unwrap());
        let other =
            AuthAttempt { token: SessionToken::parse(&first.token.text()).unwrap(), kind: AuthKind::NewPasskey };
        assert_eq!(store.take_attempt(&other, 101).await.unwrap(), None);
        assert_eq!(store.take_attempt(&first, 101).await.unwrap().as_deref(), Some("one"));
        assert_eq!(store.take_attempt(&first, 101).await.unwrap(), None);
        assert_eq!(store.take_attempt(&second, 100 + SECONDS.cast_signed()).await.unwrap(), None);
        let third = AuthAttempt::random(AuthKind::OpenId).unwrap();
        assert!(store.begin_attempt(&second, "two", 100).await.unwrap());
        assert!(store.begin_attempt(&third, "three", 1_000).await.unwrap());
        let left: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM ceremonies").fetch_one(store.pool()).await.unwrap();
        assert_eq!(left, 1, "what nobody finished is forgotten");
    }

    async fn of_many_who_finish_at_once_one_does(database: TestDatabase) {
        let store = database.open().await;
        let attempt = AuthAttempt::random(AuthKind::OpenId).unwrap();
        assert!(store.begin_attempt(&attempt, "state", 100).await.unwrap());
        let text = attempt.token.text();
        let finish = |store: Database, text: String| async move {
            let attempt = AuthAttempt { token: SessionToken::parse(&text).unwrap(), kind: AuthKind::OpenId };
            store.take_attempt(&attempt, 101).await.unwrap().is_some()
        };
        let finishing: Vec<_> = (0..10).map(|_| tokio::spawn(finish(store.clone(), text.clone()))).collect();
        let mut finished = 0;
        for done in finishing {
            finished += usize::from(done.await.unwrap());
        }
        assert_eq!(finished, 1);
    }

    #[test]
    fn the_cookie_is_read_back_for_its_kind_only() {
        for secure in [false, true] {
            let attempt = AuthAttempt::random(AuthKind::Passkey).unwrap();
            let cookie = attempt.cookie(secure);
            let pair = cookie.split(';').next().unwrap();
            let back = AuthAttempt::from_cookies(&format!("a=1; {pair}"), AuthKind::Passkey, secure).unwrap();
            assert_eq!(back.token.hash(), attempt.token.hash());
            assert!(AuthAttempt::from_cookies(pair, AuthKind::OpenId, secure).is_none());
            assert!(AuthAttempt::from_cookies(pair, AuthKind::Passkey, !secure).is_none());
        }
        let lax = AuthAttempt::random(AuthKind::OpenId).unwrap().cookie(true);
        assert!(lax.starts_with("__Host-causeway_open_id="), "{lax}");
        assert!(lax.ends_with("; Path=/; Max-Age=300; HttpOnly; SameSite=Lax; Secure"), "{lax}");
    }
}
