//! The options of identity tokens, and their checks.

use super::checker::{Checker, MAX_CLAIM_BYTES};
use crate::identity::MAX_LIFETIME;
use serde::Deserialize;

/// Identity tokens.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TokenConfig {
    /// The `iss` claim; by default the public URL.
    pub issuer: Option<String>,
    /// The `aud` claim.
    pub audience: String,
    /// Seconds between `iat` and `exp`.
    pub lifetime_seconds: u64,
    /// Days between key rotations.
    pub rotate_days: u32,
}

impl Default for TokenConfig {
    fn default() -> Self {
        Self { issuer: None, audience: "whatsapp".to_owned(), lifetime_seconds: 300, rotate_days: 30 }
    }
}

impl TokenConfig {
    pub(super) fn check(&self, checker: &mut Checker) {
        checker.within("token.lifetime_seconds", self.lifetime_seconds, 1, MAX_LIFETIME.as_secs());
        checker.within("token.rotate_days", self.rotate_days.into(), 1, 3_650);
        checker.text("token.audience", &self.audience, MAX_CLAIM_BYTES);
        if let Some(issuer) = &self.issuer {
            checker.text("token.issuer", issuer, MAX_CLAIM_BYTES);
        }
    }
}
