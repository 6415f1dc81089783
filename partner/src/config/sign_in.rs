//! The options of accounts and sessions, and their checks.

use super::checker::{Checker, number};
use crate::sign_in::PasswordSettings;
use serde::Deserialize;
use std::num::NonZeroUsize;

/// Accounts and sessions.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SignInConfig {
    /// Days until a session expires.
    pub session_days: u32,
    /// Minimum length of a password in characters.
    pub password_min: usize,
    /// Memory of one Argon2id computation, in KiB.
    pub hash_memory_kib: u32,
    /// Passes of one Argon2id computation over its memory.
    pub hash_passes: u32,
    /// Maximum number of concurrent Argon2id computations; 0 means one for each processor.
    pub hash_at_once: usize,
}

impl Default for SignInConfig {
    fn default() -> Self {
        // OWASP's first recommendation for Argon2id with one lane: 19 MiB and two passes.
        Self { session_days: 30, password_min: 8, hash_memory_kib: 19_456, hash_passes: 2, hash_at_once: 0 }
    }
}

impl SignInConfig {
    pub(super) fn check(&self, checker: &mut Checker) -> PasswordSettings {
        checker.within("sign_in.session_days", self.session_days.into(), 1, 400);
        checker.within("sign_in.password_min", number(self.password_min), 8, 64);
        checker.within("sign_in.hash_memory_kib", self.hash_memory_kib.into(), 7_168, 1 << 20);
        checker.within("sign_in.hash_passes", self.hash_passes.into(), 1, 20);
        checker.within("sign_in.hash_at_once", number(self.hash_at_once), 0, 256);
        PasswordSettings {
            min_chars: self.password_min,
            memory_kib: self.hash_memory_kib,
            passes: self.hash_passes,
            concurrency: NonZeroUsize::new(self.hash_at_once),
        }
    }
}
