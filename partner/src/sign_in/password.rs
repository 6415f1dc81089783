//! Passwords: Argon2id on blocking threads, with bounded concurrency.
//!
//! What this module does not know: whose password it is, or where the hash is stored.

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use std::{num::NonZeroUsize, sync::Arc, thread, time::Duration};
use tokio::{sync::Semaphore, task, time};
use zeroize::Zeroizing;

/// Maximum length of a password: enough for any pass phrase, and bounds the work of hashing.
pub(crate) const MAX_BYTES: usize = 1_024;
/// Maximum time that a request waits for a permit to hash.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The checked options of passwords.
#[derive(Debug, Clone)]
pub(crate) struct PasswordSettings {
    /// Minimum length in characters.
    pub(crate) min_chars: usize,
    /// Memory of one Argon2id computation, in KiB.
    pub(crate) memory_kib: u32,
    /// Passes of one Argon2id computation over its memory.
    pub(crate) passes: u32,
    /// Maximum number of concurrent Argon2id computations; `None`: one for each processor.
    pub(crate) concurrency: Option<NonZeroUsize>,
}

/// Why a password is not acceptable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PasswordError {
    /// Fewer characters than configured.
    TooShort,
    /// More than [`MAX_BYTES`].
    TooLong,
}

/// Too many concurrent sign-ins, or not enough memory; the client should retry later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Busy;

/// Hashes and verifies passwords.
#[derive(Clone)]
pub(crate) struct Passwords {
    argon2: Argon2<'static>,
    permits: Arc<Semaphore>,
    least: usize,
    /// A hash that no account has: verified for unknown identifiers, so that they take as long as known ones.
    dummy_hash: Arc<str>,
}

impl Passwords {
    /// Hashes once to verify that the machine can afford the configured cost.
    pub(crate) fn new(settings: &PasswordSettings) -> Result<Self, argon2::password_hash::Error> {
        let params = Params::new(settings.memory_kib, settings.passes, 1, None)?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let dummy_hash = argon2.hash_password(b"nobody's password")?.to_string().into();
        let at_once = settings.concurrency.or(thread::available_parallelism().ok()).map_or(1, usize::from);
        Ok(Self { argon2, permits: Arc::new(Semaphore::new(at_once)), least: settings.min_chars, dummy_hash })
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

    /// Returns the hash to store, including salt and cost.
    pub(crate) async fn hash(&self, password: Zeroizing<String>) -> Result<String, Busy> {
        let argon2 = self.argon2.clone();
        self.with_permit(move || {
            argon2.hash_password(password.as_bytes()).map(|hash| hash.to_string()).map_err(|_| Busy)
        })
        .await?
    }

    /// Whether the password matches; takes equally long for an unknown account (`None`).
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
        // The permit moves into the task: a client that disconnects does not free it before the work is done.
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
        Passwords::new(&PasswordSettings { min_chars: 8, memory_kib: 64, passes: 1, concurrency: None }).unwrap()
    }

    fn text(text: &str) -> Zeroizing<String> {
        Zeroizing::new(text.to_owned())
    }

    #[tokio::test]
    async fn only_the_right_password_is_accepted() {
        let passwords = cheap();
        let kept = passwords.hash(text("correct horse")).await.unwrap();
        assert!(kept.starts_with("$argon2id$v=19$"), "{kept}");
        assert_eq!(passwords.verify(text("correct horse"), Some(kept.clone())).await, Ok(true));
        assert_eq!(passwords.verify(text("correct horsf"), Some(kept.clone())).await, Ok(false));
        assert_ne!(passwords.hash(text("correct horse")).await.unwrap(), kept, "every hash has its own salt");
    }

    #[tokio::test]
    async fn an_unknown_account_accepts_no_password_not_even_that_of_the_dummy_hash() {
        assert_eq!(cheap().verify(text("nobody's password"), None).await, Ok(false));
    }

    #[tokio::test]
    async fn a_damaged_hash_accepts_no_password() {
        assert_eq!(cheap().verify(text("x"), Some("$argon2id$".to_owned())).await, Ok(false));
    }

    #[test]
    fn the_minimum_is_in_characters_and_the_maximum_in_bytes() {
        let passwords = cheap();
        assert_eq!(passwords.check("ÄÄÄÄÄÄÄ"), Err(PasswordError::TooShort));
        assert_eq!(passwords.check("ÄÄÄÄÄÄÄÄ"), Ok(()));
        assert_eq!(passwords.check(&"x".repeat(MAX_BYTES + 1)), Err(PasswordError::TooLong));
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_free_permit_hashing_times_out() {
        let passwords = cheap();
        let all = u32::try_from(passwords.permits.available_permits()).unwrap();
        let _taken = passwords.permits.clone().acquire_many_owned(all).await.unwrap();
        assert_eq!(passwords.hash(text("correct horse")).await, Err(Busy));
    }
}
