//! The token itself: a compact JWT (RFC 7519) signed with RS256.
//!
//! What this module does not know: whether the identifier is the caller's.

use super::token_key::TokenKey;
use crate::{
    account_id::AccountId,
    keys::{Key, KeyError},
    time::UnixSeconds,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;
use std::time::Duration;

/// Maximum length of a token that WhatsApp accepts, in bytes (docs/spec/enlistment.md §1.2.2).
const MAX_BYTES: usize = 4_096;

/// The token could not be issued.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TokenError {
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error("the operating system has no randomness: {0}")]
    NoRandomness(#[from] getrandom::Error),
    #[error("the token would have {got} bytes, WhatsApp takes {MAX_BYTES}: shorten token.issuer and token.audience")]
    TooLong { got: usize },
}

/// The claims of a token.
pub(crate) struct Claims<'a> {
    pub(crate) issuer: &'a str,
    pub(crate) audience: &'a str,
    /// The signed-in caller.
    pub(crate) subject: &'a AccountId,
    pub(crate) issued_at: UnixSeconds,
    /// Time between `iat` and `exp`.
    pub(crate) lifetime: Duration,
}

impl Claims<'_> {
    /// Signs the claims, with a random `jti`.
    pub(crate) fn sign(&self, key: &TokenKey) -> Result<String, TokenError> {
        let mut id = [0; 16];
        getrandom::fill(&mut id)?;
        let header = json!({"alg": "RS256", "kid": key.kid().as_str(), "typ": "JWT"});
        let claims = json!({
            "iss": self.issuer,
            "aud": self.audience,
            "sub": self.subject.as_str(),
            "iat": self.issued_at.get(),
            "exp": self.issued_at.after(self.lifetime).get(),
            "jti": URL_SAFE_NO_PAD.encode(id),
        });
        let encode = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let mut token = format!("{}.{}", encode(header), encode(claims));
        let signature = URL_SAFE_NO_PAD.encode(key.sign(token.as_bytes())?);
        token.push('.');
        token.push_str(&signature);
        if token.len() > MAX_BYTES {
            return Err(TokenError::TooLong { got: token.len() });
        }
        Ok(token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_values_still_fit() {
        let key = TokenKey::make().unwrap();
        // A backslash takes two bytes in JSON: the worst case for a claim of 512 bytes, or an identifier.
        let lifetime = Duration::from_secs(3_600);
        let (long, subject) = ("\\".repeat(512), AccountId::new("𝒶".repeat(40)));
        let claims = Claims {
            issuer: &long,
            audience: &long,
            subject: &subject,
            issued_at: UnixSeconds::new(i64::MAX),
            lifetime,
        };
        let token = claims.sign(&key).unwrap();
        assert!(token.len() <= MAX_BYTES, "{} bytes", token.len());
    }

    #[test]
    fn a_longer_one_is_refused() {
        let key = TokenKey::make().unwrap();
        let (long, lifetime) = ("x".repeat(MAX_BYTES), Duration::from_secs(300));
        let claims = Claims {
            issuer: &long,
            audience: "a",
            subject: &AccountId::new("a"),
            issued_at: UnixSeconds::EPOCH,
            lifetime,
        };
        assert!(matches!(claims.sign(&key), Err(TokenError::TooLong { .. })));
    }
}
