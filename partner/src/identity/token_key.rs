//! The RSA keys that sign identity tokens, published as a JWKS.
//!
//! What this module does not know: what is signed, and how keys are stored ([`crate::keys`]).
//!
//! A key is published [`Key::LEAD`] before it signs: by then every instance has loaded it, and every verifier's copy of
//! the set, which may be [`JWKS_MAX_AGE`] old, contains it. It stays published while a token under it can be presented.

use crate::{
    keys::{Key, KeyError, KeyId, KeyRing},
    time::UnixSeconds,
};
use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der},
    rand::SystemRandom,
    rsa::{KeyPair, KeySize},
    signature::{KeyPair as _, RSA_PKCS1_SHA256},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;
use std::time::Duration;
use zeroize::Zeroizing;

/// Minimum modulus for RS256 (RFC 7518 §3.3).
const MIN_MODULUS_BYTES: usize = 256;
/// Time for which verifiers may cache the published set.
pub(crate) const JWKS_MAX_AGE: Duration = Duration::from_secs(300);
/// Time by which a verifier's clock may be behind: it still accepts a token that has expired here.
pub(crate) const SKEW: Duration = Duration::from_secs(600);
/// Maximum configurable lifetime of a token.
pub(crate) const MAX_LIFETIME: Duration = Duration::from_secs(3_600);
/// Time for which a key stays published after its successor signs. Uses the maximum lifetime, not the configured
/// one, which may have been shortened since.
const RETENTION: Duration = MAX_LIFETIME.saturating_add(SKEW).saturating_add(JWKS_MAX_AGE);

/// A key with its id and its public values in base64url.
pub(crate) struct TokenKey {
    pair: KeyPair,
    kid: KeyId,
    modulus: String,
    exponent: String,
}

impl TokenKey {
    fn named(pair: KeyPair) -> Self {
        let public = pair.public_key();
        let modulus = URL_SAFE_NO_PAD.encode(public.modulus().big_endian_without_leading_zero());
        let exponent = URL_SAFE_NO_PAD.encode(public.exponent().big_endian_without_leading_zero());
        // RFC 7638: the hash of the required members, sorted, without spaces.
        let canonical = format!(r#"{{"e":"{exponent}","kty":"RSA","n":"{modulus}"}}"#);
        let kid = KeyId::of(canonical);
        Self { pair, kid, modulus, exponent }
    }

    /// RS256 over `message`.
    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
            .map_err(|_| KeyError::Library("sign a token"))?;
        Ok(signature)
    }
}

impl Key for TokenKey {
    const PURPOSE: &'static str = "token";
    /// Twice the cache time of verifiers, for instances that are slow to load the key.
    const LEAD: Duration = JWKS_MAX_AGE.saturating_mul(2);

    fn make() -> Result<Self, KeyError> {
        let pair = KeyPair::generate(KeySize::Rsa2048).map_err(|_| KeyError::Library("make a signing key"))?;
        Ok(Self::named(pair))
    }

    fn read(der: &[u8]) -> Option<Self> {
        let pair = KeyPair::from_pkcs8(der).ok()?;
        (pair.public_modulus_len() >= MIN_MODULUS_BYTES).then(|| Self::named(pair))
    }

    fn write(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let der: Pkcs8V1Der<'_> = self.pair.as_der().map_err(|_| KeyError::Library("write a signing key"))?;
        Ok(Zeroizing::new(der.as_ref().to_vec()))
    }

    fn kid(&self) -> &KeyId {
        &self.kid
    }
}

/// The keys of identity tokens.
pub(crate) type TokenKeys = KeyRing<TokenKey>;

impl TokenKeys {
    /// The public keys as a JSON Web Key Set (RFC 7517), in the form of docs/spec/enlistment.md §1.3.
    pub(crate) fn jwks(&self, now: UnixSeconds) -> String {
        let entries = self.entries();
        let published =
            entries.iter().enumerate().filter(|(at, _)| !is_expired(entries.get(at + 1).map(|next| next.active), now));
        let keys: Vec<_> = published
            .map(|(_, entry)| {
                let TokenKey { kid, modulus, exponent, .. } = &entry.key;
                json!({"kid": kid.as_str(), "kty": "RSA", "alg": "RS256", "use": "sig", "n": modulus, "e": exponent})
            })
            .collect();
        json!({ "keys": keys }).to_string()
    }

    /// Reloads the keys, adds one if `rotation` has passed since the last, and removes those whose tokens have expired.
    pub(crate) async fn maintain(&self, rotation: Duration, now: UnixSeconds) -> Result<(), KeyError> {
        self.reload().await?;
        self.rotate_after(rotation, now).await?;
        let entries = self.entries();
        for (entry, next) in entries.iter().zip(entries.iter().skip(1)) {
            if is_expired(Some(next.active), now) {
                self.remove(entry.key.kid()).await?;
            }
        }
        Ok(())
    }
}

/// Whether all tokens under a key have expired for all verifiers. `next` is when its successor began to sign, if there
/// is one.
fn is_expired(next: Option<UnixSeconds>, now: UnixSeconds) -> bool {
    next.is_some_and(|taken_over| taken_over.after(RETENTION) <= now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        account_id::AccountId,
        clock,
        identity::Claims,
        keys::{Seal, SealingSecret},
        store::{
            Database,
            testing::{TestDatabase, on_both_engines},
        },
    };
    use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header, jwk::JwkSet};
    use std::sync::Arc;

    on_both_engines!(a_key_is_published_before_it_signs_and_as_long_as_its_tokens_live, keys_rotate_on_schedule);

    const START: i64 = 1_700_000_000;
    const DAY: Duration = Duration::from_secs(86_400);

    async fn ring(database: &Database) -> TokenKeys {
        let seal = Arc::new(Seal::open(&SealingSecret::Given(Zeroizing::new([1; 32]))).unwrap());
        TokenKeys::open(database.clone(), seal, at(START), || Ok(Vec::new())).await.unwrap()
    }

    fn at(seconds: i64) -> UnixSeconds {
        UnixSeconds::new(seconds)
    }

    fn published(ring: &TokenKeys, now: i64) -> JwkSet {
        serde_json::from_str(&ring.jwks(at(now))).unwrap()
    }

    /// Whether a verifier accepts a token at `at` by its own clock, with a key set of the given age.
    fn accepts(token: &str, set: &JwkSet, issued: i64, lifetime: i64, at: i64, leeway: i64) -> bool {
        let kid = decode_header(token).unwrap().kid.unwrap();
        let Some(key) = set.find(&kid) else { return false };
        let mut validation = Validation::new(Algorithm::RS256);
        validation.validate_exp = false;
        validation.set_audience(&["whatsapp"]);
        let key = DecodingKey::from_jwk(key).unwrap();
        assert!(decode::<serde_json::Value>(token, &key, &validation).is_ok(), "the signature verifies under its key");
        // How verifiers check the times: RFC 7519 §4.1.4, and OpenID Connect's check of `iat`.
        at < issued + lifetime + leeway && at >= issued - leeway
    }

    async fn a_key_is_published_before_it_signs_and_as_long_as_its_tokens_live(database: TestDatabase) {
        let database = database.open().await;
        // Two instances: one rotates, the other reloads its keys within 30 s.
        let (one, other) = (ring(&database).await, ring(&database).await);
        let rotated = START + 10_000;
        let lifetime = 300;
        // Every two minutes from before the rotation to long after the last token under the old key.
        let (mut signers, mut most) = (Vec::new(), 0);
        for issued in (rotated - 1_200..rotated + 3 * 3_600).step_by(120) {
            if issued == rotated {
                one.rotate(at(rotated)).await.unwrap();
            }
            let signer = one.signer(at(issued)).unwrap();
            let claims = Claims {
                issuer: "x",
                audience: "whatsapp",
                subject: &AccountId::new("alice"),
                issued_at: at(issued),
                lifetime: Duration::from_secs(300),
            };
            let token = claims.sign(&signer.key).unwrap();
            signers.push(signer.key.kid().clone());
            for minutes in -10..=10 {
                let skew = minutes * 60;
                // Presented at once or as late as accepted; the verifier's set is fresh or as old as allowed.
                for leeway in [0, 60, 300, 600] {
                    for presented in [issued, issued + lifetime - 1, issued + lifetime + leeway - skew - 1] {
                        let at = presented + skew;
                        let expected = at < issued + lifetime + leeway && at >= issued - leeway;
                        if presented < issued || !expected {
                            continue;
                        }
                        for fetched in [presented, presented - JWKS_MAX_AGE.as_secs().cast_signed()] {
                            let known = if fetched < rotated + 30 && fetched >= rotated { &other } else { &one };
                            let set = published(known, fetched);
                            most = most.max(set.keys.len());
                            assert!(
                                accepts(&token, &set, issued, lifetime, at, leeway),
                                "issued {} s after the rotation, presented after {} s, {minutes} minutes, {leeway} s leeway",
                                issued - rotated,
                                presented - issued
                            );
                        }
                    }
                }
            }
            if issued == rotated + 120 {
                other.reload().await.unwrap();
            }
        }
        signers.dedup();
        assert_eq!(signers.len(), 2, "the keys changed once");
        assert_eq!(most, 2);
        // Then the key is removed, here and in the database.
        let over = rotated + (TokenKey::LEAD + RETENTION).as_secs().cast_signed();
        assert_eq!(published(&one, over - 1).keys.len(), 2);
        assert_eq!(published(&one, over).keys.len(), 1);
        one.maintain(30 * DAY, at(over - 1)).await.unwrap();
        assert_eq!(other.reload().await.unwrap().len(), 2);
        one.maintain(30 * DAY, at(over)).await.unwrap();
        assert_eq!(other.reload().await.unwrap().len(), 1);
    }

    async fn keys_rotate_on_schedule(database: TestDatabase) {
        let database = database.open().await;
        let ring = ring(&database).await;
        let mut takeovers = Vec::new();
        let mut before = ring.signer(at(START)).unwrap();
        // In steps of an hour for 90 days, with ten days between keys.
        for now in (START..START + 90 * 86_400).step_by(3_600) {
            ring.maintain(10 * DAY, at(now)).await.unwrap();
            let signer = ring.signer(at(now)).unwrap();
            if signer.key.kid() != before.key.kid() {
                takeovers.push((now - START) / 86_400);
                before = signer;
            }
            assert!(ring.entries().len() <= 2);
        }
        assert_eq!(takeovers, [10, 20, 30, 40, 50, 60, 70, 80]);
    }

    #[tokio::test]
    async fn a_clock_that_is_behind_signs_with_the_first_key() {
        let database = TestDatabase::sqlite().await;
        let database = database.open().await;
        let ring = ring(&database).await;
        assert_eq!(ring.signer(at(START - 600)).unwrap().key.kid(), ring.signer(at(START)).unwrap().key.kid());
        assert!(ring.signer(clock::unix_seconds()).is_ok());
    }
}
