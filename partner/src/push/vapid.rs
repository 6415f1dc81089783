//! Authenticates this server to push services: a P-256 key and the tokens under it (RFC 8292).
//!
//! What this module does not know: which subscription was made for which key; a push service accepts only that one.

use super::subscription::origin;
use crate::{
    keys::{Key, KeyError, KeyId, KeyRing},
    time::UnixSeconds,
};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::json;
use std::time::Duration;
use url::Url;
use zeroize::Zeroizing;

/// Lifetime of a token; RFC 8292 §2 allows a day, and clocks differ.
const LIFETIME: Duration = Duration::from_secs(12 * 3_600);

/// A key with its identifier in the database.
pub(crate) struct VapidKey {
    der: Zeroizing<Vec<u8>>,
    signer: EncodingKey,
    kid: KeyId,
    public: String,
}

impl VapidKey {
    /// The public key as browsers subscribe with it: an uncompressed point in base64url.
    pub(crate) fn public(&self) -> &str {
        &self.public
    }

    /// The value of the `Authorization` header for a request to `url`.
    pub(super) fn authorization(
        &self,
        url: &Url,
        contact: &str,
        now: UnixSeconds,
    ) -> Result<Zeroizing<String>, KeyError> {
        let claims = json!({"aud": origin(url), "exp": now.after(LIFETIME).get(), "sub": contact});
        let token = encode(&Header::new(Algorithm::ES256), &claims, &self.signer)
            .map_err(|_| KeyError::Library("sign for a push service"))?;
        Ok(Zeroizing::new(format!("vapid t={token}, k={}", self.public)))
    }
}

impl Key for VapidKey {
    const PURPOSE: &'static str = "push";
    /// No copies are cached: browsers request the key when they subscribe.
    const LEAD: Duration = Duration::ZERO;

    fn make() -> Result<Self, KeyError> {
        let failed = |_| KeyError::Library("make a key for push services");
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(failed)?;
        let der = pair.to_pkcs8v1().map_err(failed)?;
        Self::read(der.as_ref()).ok_or(KeyError::Library("read a key that it made"))
    }

    fn read(der: &[u8]) -> Option<Self> {
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der).ok()?;
        let public = pair.public_key().as_ref();
        let kid = KeyId::of(public);
        let public = URL_SAFE_NO_PAD.encode(public);
        Some(Self { der: Zeroizing::new(der.to_vec()), signer: EncodingKey::from_ec_der(der), kid, public })
    }

    fn write(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        Ok(self.der.clone())
    }

    fn kid(&self) -> &KeyId {
        &self.kid
    }
}

/// The VAPID keys. Browsers get the newest; older keys stay for their subscriptions.
pub(crate) type VapidKeys = KeyRing<VapidKey>;

/// Time for which a key is kept after its successor, for browsers that were subscribing meanwhile.
const RETENTION: Duration = Duration::from_secs(7 * 86_400);

impl VapidKeys {
    /// Reloads the keys and removes those that no subscription was made for. `used` names the keys to keep.
    pub(crate) async fn maintain(&self, used: &[KeyId], now: UnixSeconds) -> Result<(), KeyError> {
        let entries = self.reload().await?;
        for (entry, next) in entries.iter().zip(entries.iter().skip(1)) {
            let over = next.active.after(RETENTION) <= now;
            if over && !used.contains(entry.key.kid()) {
                self.remove(entry.key.kid()).await?;
            }
        }
        Ok(())
    }
}
