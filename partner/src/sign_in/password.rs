//! Passwords: Argon2id, off the async threads, a bounded number at once.
//!
//! What this module does not know: whose password it is, or where the hash is kept.

use crate::config::SignInConfig;
use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use std::{sync::Arc, thread, time::Duration};
use tokio::{sync::Semaphore, task, time};
use zeroize::Zeroizing;

/// Longest password in bytes: enough for any pass phrase, too short to be worth sending as a burden.
pub(crate) const MAX_BYTES: usize = 1_024;
/// How long a request waits for its permit to hash.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Why a password cannot be hashed at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PasswordError {
    /// Fewer characters than configured.
    TooShort,
    /// More than [`MAX_BYTES`].
    TooLong,
}

/// Too many sign-ins at once (or no memory for one more): the caller should come back later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Busy;

/// Hashes and compares passwords.
#[derive(Clone)]
pub(crate) struct Passwords {
    argon2: Argon2<'static>,
    permits: Arc<Semaphore>,
    least: usize,
    /// The hash of nobody's password: compared with for unknown identifiers, so that they take as long as known ones.
    dummy_hash: Arc<str>,
}

impl Passwords {
    /// Prepares for the configured cost; hashes once to learn that the machine can.
    pub(crate) fn new(config: &SignInConfig) -> Result<Self, argon2::password_hash::Error> {
        let params = Params::new(config.hash_memory_kib, config.hash_passes, 1, None)?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let dummy_hash = argon2.hash_password(b"nobody's password")?.to_string().into();
        let at_once = match config.hash_at_once {
            0 => thread::available_parallelism().map_or(1, usize::from),
            chosen => chosen,
        };
        Ok(Self { argon2, permits: Arc::new(Semaphore::new(at_once)), least: config.password_min, dummy_hash })
    }

    /// Whether a new password is acceptable.
    pub(crate) fn check(&self, password: &str) -> Result<(), PasswordError> {
        if password.len() > MAX_BYTES {
            return Err(PasswordError::TooLong);
        }
        if password.chars().count() < self.least {
            return Err(PasswordError::TooShort);
        }
        Ok(())
    }

    /// The hash to keep, with salt and cost in it.
    pub(crate) async fn hash(&self, password: Zeroizing<String>) -> Result<String, Busy> {
        let argon2 = self.argon2.clone();
        self.with_permit(move || {
            argon2.hash_password(password.as_bytes()).map(|hash| hash.to_string()).map_err(|_| Busy)
        })
        .await?
    }

    /// Whether the password is the one that was hashed; takes as long for an unknown account (`None`).
    pub(crate) async fn verify(&self, password: Zeroizing<String>, kept: Option<String>) -> Result<bool, Busy> {
        if password.len() > MAX_BYTES {
            return Ok(false);
        }
        let (argon2, dummy_hash, known) = (self.argon2.clone(), self.dummy_hash.clone(), kept.is_some());
        self.with_permit(move || {
            let hash = PasswordHash::new(kept.as_deref().unwrap_or(&dummy_hash));
            let same = hash.is_ok_and(|hash| argon2.verify_password(password.as_bytes(), &hash).is_ok());
            same && known
        })
        .await
    }

    async fn with_permit<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Busy> {
        let permit = time::timeout(TIMEOUT, self.permits.clone().acquire_owned()).await;
        let Ok(Ok(permit)) = permit else { return Err(Busy) };
        // The permit goes with the work: a caller who hangs up does not free the processor before it is free.
        task::spawn_blocking(move || {
            let done = work();
            drop(permit);
            done
        })
        .await
        .map_err(|_| Busy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cheap() -> Passwords {
        Passwords::new(&SignInConfig { hash_memory_kib: 64, hash_passes: 1, ..SignInConfig::default() }).unwrap()
    }

    fn text(text: &str) -> Zeroizing<String> {
        Zeroizing::new(text.to_owned())
    }

    #[tokio::test]
    async fn the_right_password_and_no_other() {
        let passwords = cheap();
        let kept = passwords.hash(text("correct horse")).await.unwrap();
        assert!(kept.starts_with("$argon2id$v=19$"), "{kept}");
        assert_eq!(passwords.verify(text("correct horse"), Some(kept.clone())).await, Ok(true));
        assert_eq!(passwords.verify(text("correct horsf"), Some(kept.clone())).await, Ok(false));
        assert_ne!(passwords.hash(text("correct horse")).await.unwrap(), kept, "every hash has its own salt");
    }

    #[tokio::test]
    async fn an_unknown_account_has_no_password_not_even_nobodys() {
        assert_eq!(cheap().verify(text("nobody's password"), None).await, Ok(false));
    }

    #[tokio::test]
    async fn a_damaged_hash_opens_nothing() {
        assert_eq!(cheap().verify(text("x"), Some("$argon2id$".to_owned())).await, Ok(false));
    }

    #[test]
    fn length_is_checked_in_characters_below_and_bytes_above() {
        let passwords = cheap();
        assert_eq!(passwords.check("ÄÄÄÄÄÄÄ"), Err(PasswordError::TooShort));
        assert_eq!(passwords.check("ÄÄÄÄÄÄÄÄ"), Ok(()));
        assert_eq!(passwords.check(&"x".repeat(MAX_BYTES + 1)), Err(PasswordError::TooLong));
    }

    #[tokio::test(start_paused = true)]
    async fn when_every_permit_is_taken_callers_are_sent_away_after_a_while() {
        let passwords = cheap();
        let all = passwords.permits.available_permits() as u32;
        let _taken = passwords.permits.clone().acquire_many_owned(all).await.unwrap();
        assert_eq!(passwords.hash(text("correct horse")).await, Err(Busy));
    }
}
