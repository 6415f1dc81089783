//! The token of a push call: a JWT that WhatsApp signs for one Partner (docs/spec/enlistment.md §3.2.2).
//!
//! Must not know when a call is made.

use super::keys::{PushKeyError, SigningKeys};
use crate::time::UnixSeconds;
use crate::{hex, random};
use serde_json::json;
use std::time::Duration;

/// `iss` of the tokens (docs/spec/enlistment.md §3.2.2).
const ISSUER: &str = "WHATSAPP";
/// Lifetime of a token, as in docs/spec/enlistment.md §3.2.2.
const LIFETIME: Duration = Duration::from_secs(3600);

/// A token for the Partner that calls itself `audience`, issued at `now`, with a random id.
pub(super) fn token(keys: &SigningKeys, audience: &str, now: UnixSeconds) -> Result<String, PushKeyError> {
    let id = hex::encode(&random::bytes::<16>());
    keys.sign(&json!({ "iss": ISSUER, "aud": audience, "iat": now, "exp": now.after(LIFETIME), "jti": id }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jsonwebtoken::jwk::JwkSet;
    use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
    use serde_json::Value;

    #[test]
    fn a_token_verifies_against_the_published_keys_before_and_after_a_rotation() {
        let folder = tempfile::tempdir().unwrap();
        let mut keys = SigningKeys::open(folder.path()).unwrap();
        let now = UnixSeconds::new(jsonwebtoken::get_current_timestamp());
        let before = token(&keys, "http://127.0.0.1:8100", now).unwrap();
        keys.rotate().unwrap();
        let after = token(&keys, "http://127.0.0.1:8100", now).unwrap();
        let published: JwkSet = serde_json::from_value(keys.jwks()).unwrap();
        let mut ids = Vec::new();
        for token in [before, after] {
            let kid = decode_header(&token).unwrap().kid.unwrap();
            let key = DecodingKey::from_jwk(published.find(&kid).unwrap()).unwrap();
            let mut rules = Validation::new(Algorithm::RS256);
            rules.set_audience(&["http://127.0.0.1:8100"]);
            rules.set_issuer(&["WHATSAPP"]);
            let claims = decode::<Value>(&token, &key, &rules).unwrap().claims;
            assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), 3600);
            ids.push((kid, claims["jti"].clone()));
        }
        assert!(ids[0].0 != ids[1].0 && ids[0].1 != ids[1].1, "{ids:?}");
    }
}
