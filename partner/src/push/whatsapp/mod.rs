//! Verifies that a call to `/push` is WhatsApp's: an RS256 token under one of its published keys
//! (docs/spec/enlistment.md §3.2.2).
//!
//! What this module does not know: what the call asks for; the token does not name the recipient. Used tokens are
//! stored by [`super::queue_repository`].

mod source;

pub(crate) use source::KeySource;

use super::queue_repository::{ReplayGuard, TokenHash};
use crate::time::UnixSeconds;
use jsonwebtoken::{Algorithm, Validation, decode, decode_header};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use source::{Lookup, WhatsAppKeyId};
use std::{fmt::Write, time::Duration};

/// Maximum length of a token in bytes.
const MAX_BYTES: usize = 4_096;
/// Maximum length of `kid` and `jti` in bytes.
const MAX_NAME_BYTES: usize = 256;

/// The token is not valid, or cannot be verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BearerError {
    /// The reason why the token is invalid.
    #[error("{0}")]
    Invalid(&'static str),
    /// WhatsApp's keys are not available at the moment.
    #[error("WhatsApp's keys cannot be fetched")]
    NoKeys {
        /// Time until a retry makes sense.
        wait: Duration,
    },
}

/// The required claims.
pub(crate) struct Verifier {
    pub(crate) issuer: String,
    pub(crate) audience: String,
    /// Allowed difference between WhatsApp's clock and this server's.
    pub(crate) leeway: Duration,
    /// Maximum time between `iat` and `exp`.
    pub(crate) lifetime: Duration,
    /// Whether a token without `jti` may be used only once.
    pub(crate) single_use: bool,
    pub(crate) keys: KeySource,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    aud: Audience,
    iat: UnixSeconds,
    exp: UnixSeconds,
    nbf: Option<UnixSeconds>,
    jti: Option<String>,
}

impl Verifier {
    /// Verifies a token. Returns the replay guard of a token that may be used only once; whether it was used before is
    /// not checked here.
    pub(crate) async fn verify(&self, token: &str, now: UnixSeconds) -> Result<Option<ReplayGuard>, BearerError> {
        let invalid = BearerError::Invalid;
        if token.len() > MAX_BYTES {
            return Err(invalid("too long"));
        }
        // Only the algorithm, which must be RS256, and the key id are used from the unverified header.
        let header = decode_header(token).map_err(|_| invalid("not a token"))?;
        if header.alg != Algorithm::RS256 {
            return Err(invalid("not RS256"));
        }
        if header.crit.is_some() {
            return Err(invalid("an extension that must be understood"));
        }
        let kid =
            header.kid.filter(|kid| kid.len() <= MAX_NAME_BYTES).map(WhatsAppKeyId::new).ok_or(invalid("no kid"))?;
        let key = match self.keys.key(&kid).await {
            Lookup::Found(key) => key,
            Lookup::Unknown => return Err(invalid("an unknown key")),
            Lookup::Unavailable { wait } => return Err(BearerError::NoKeys { wait }),
        };
        let claims = decode::<Claims>(token, &key, &signature_only()).map_err(|error| match error.kind() {
            jsonwebtoken::errors::ErrorKind::InvalidSignature => invalid("a wrong signature"),
            _ => invalid("claims missing or misshapen"),
        })?;
        self.check(claims.claims, token, now).map_err(invalid)
    }

    fn check(&self, claims: Claims, token: &str, now: UnixSeconds) -> Result<Option<ReplayGuard>, &'static str> {
        let Claims { iss, aud, iat, exp, nbf, jti } = claims;
        let ours = match aud {
            Audience::One(audience) => audience == self.audience,
            Audience::Several(audiences) => audiences.contains(&self.audience),
        };
        let late = exp.after(self.leeway);
        if iss != self.issuer {
            return Err("another issuer");
        } else if !ours {
            return Err("another audience");
        } else if late <= now {
            return Err("expired");
        } else if iat.max(nbf.unwrap_or(iat)) > now.after(self.leeway) {
            return Err("not yet valid");
        } else if exp.since(iat).is_none_or(|lifetime| lifetime > self.lifetime) {
            return Err("too long a life");
        }
        let unique = match jti {
            Some(id) if id.is_empty() || id.len() > MAX_NAME_BYTES => return Err("a misshapen jti"),
            Some(id) => Some(digest(&["jti", &id])),
            // Without the signature: base64url allows other encodings of the same signature.
            None if self.single_use => token.rsplit_once('.').map(|(signed, _)| digest(&["token", signed])),
            None => None,
        };
        Ok(unique.map(|hash| ReplayGuard { hash, expires: late }))
    }
}

/// The library checks algorithm and signature; the claims are checked against a time that is an argument.
fn signature_only() -> Validation {
    let mut validation = Validation::new(Algorithm::RS256);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    validation
}

/// The prefix separates the two kinds: no `jti` can collide with a token.
fn digest(parts: &[&str]) -> TokenHash {
    let hex = Sha256::digest(parts.join(" ")).iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    });
    TokenHash::new(hex)
}

#[cfg(test)]
mod tests;
