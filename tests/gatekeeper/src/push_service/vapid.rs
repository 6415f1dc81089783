//! VAPID (RFC 8292): a server proves with an ES256 token who it is, and that it means this push service.
//!
//! Stricter than services in the field on purpose: what passes here passes there. Typed from the RFC, on the curve
//! arithmetic of a library. Must not know subscriptions, beyond the key that one was made with.

use crate::time::UnixSeconds;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use serde::Deserialize;
use std::time::Duration;

/// Longest header value: a token has about 250 bytes.
const MAX_HEADER: usize = 4096;
/// Longest lifetime of a token (RFC 8292 §2).
const MAX_LIFETIME: Duration = Duration::from_secs(86_400);
/// Tolerated difference of clocks; the end of a token is exact all the same.
const LEEWAY: Duration = Duration::from_secs(60);
/// An uncompressed point of P-256.
const POINT: usize = 65;

/// Why a server is not let in.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum VapidError {
    #[error("no Authorization header; expected `vapid t=…, k=…` (RFC 8292 §3)")]
    Missing,
    #[error("the Authorization header is not `vapid t=…, k=…` (RFC 8292 §3)")]
    Scheme,
    #[error("k is no uncompressed P-256 point in unpadded base64url")]
    Key,
    #[error("t is no JWT with the header alg ES256 and the claims aud and exp")]
    Token,
    #[error("the signature does not verify under k")]
    Signature,
    #[error("aud is {got:?}, expected {expected:?}")]
    Audience { got: String, expected: String },
    #[error("exp is {exp} and it is {now}: the token is over")]
    Expired { exp: UnixSeconds, now: UnixSeconds },
    #[error("exp is {exp} and it is {now}: more than 24 hours ahead")]
    TooLong { exp: UnixSeconds, now: UnixSeconds },
    #[error("sub is {0:?}, expected a mailto: or https: address")]
    Subject(String),
    #[error("the subscription was made with another key than k")]
    OtherKey,
}

impl VapidError {
    /// 401 for what proves nothing, 403 for the wrong server (RFC 8292 §4.2).
    pub(crate) fn status(&self) -> u16 {
        if *self == Self::OtherKey { 403 } else { 401 }
    }
}

#[derive(Deserialize)]
struct Header {
    alg: String,
}

#[derive(Deserialize)]
struct Claims {
    aud: String,
    exp: UnixSeconds,
    sub: Option<String>,
}

/// Checks an `Authorization` header for a subscription with this key (base64url). Without a key every server may post,
/// with or without a token, but a token that is there must be sound.
pub(crate) fn check(header: Option<&str>, key: Option<&str>, origin: &str, now: UnixSeconds) -> Result<(), VapidError> {
    let Some(header) = header else {
        return if key.is_some() { Err(VapidError::Missing) } else { Ok(()) };
    };
    let (token, k) = parameters(header).ok_or(VapidError::Scheme)?;
    let point = BASE64URL.decode(k).ok().filter(|point| is_point(point)).ok_or(VapidError::Key)?;
    let claims = verified(token, &point)?;
    if claims.aud != origin {
        return Err(VapidError::Audience { got: claims.aud, expected: origin.to_owned() });
    }
    if claims.exp <= now {
        return Err(VapidError::Expired { exp: claims.exp, now });
    }
    if claims.exp > now.after(MAX_LIFETIME + LEEWAY) {
        return Err(VapidError::TooLong { exp: claims.exp, now });
    }
    if let Some(subject) =
        claims.sub.filter(|subject| !subject.starts_with("mailto:") && !subject.starts_with("https:"))
    {
        return Err(VapidError::Subject(subject));
    }
    if key.is_some_and(|key| BASE64URL.decode(key).ok() != Some(point)) {
        return Err(VapidError::OtherKey);
    }
    Ok(())
}

/// Whether these bytes can be a server's public key.
pub(crate) fn is_point(bytes: &[u8]) -> bool {
    bytes.len() == POINT && bytes.first() == Some(&4)
}

/// `t` and `k` of `vapid t=…, k=…`, in either order, each once.
fn parameters(header: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = header.trim().split_once(' ').filter(|_| header.len() <= MAX_HEADER)?;
    let (mut token, mut key) = (None, None);
    for parameter in rest.split(',') {
        let (name, value) = parameter.trim().split_once('=')?;
        let slot = match name {
            "t" => &mut token,
            "k" => &mut key,
            _ => continue,
        };
        if slot.replace(value.trim_matches('"')).is_some() {
            return None;
        }
    }
    scheme.eq_ignore_ascii_case("vapid").then_some((token?, key?))
}

fn verified(token: &str, point: &[u8]) -> Result<Claims, VapidError> {
    let (signed, signature) = token.rsplit_once('.').ok_or(VapidError::Token)?;
    let (header, claims) = signed.split_once('.').ok_or(VapidError::Token)?;
    let bytes = |text: &str| BASE64URL.decode(text).map_err(|_| VapidError::Token);
    let header: Header = serde_json::from_slice(&bytes(header)?).map_err(|_| VapidError::Token)?;
    if header.alg != "ES256" {
        return Err(VapidError::Token);
    }
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
    key.verify(signed.as_bytes(), &bytes(signature)?).map_err(|_| VapidError::Signature)?;
    serde_json::from_slice(&bytes(claims)?).map_err(|_| VapidError::Token)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
    use serde_json::{Value, json};

    const ORIGIN: &str = "http://127.0.0.1:8202";
    const NOW: u64 = 1_800_000_000;

    struct Server(EcdsaKeyPair);

    impl Server {
        fn new() -> Self {
            Self(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
        }

        fn key(&self) -> String {
            BASE64URL.encode(self.0.public_key())
        }

        fn token(&self, alg: &str, claims: &Value) -> String {
            let part = |value: &Value| BASE64URL.encode(value.to_string());
            let signed = format!("{}.{}", part(&json!({"typ": "JWT", "alg": alg})), part(claims));
            let signature = self.0.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
            format!("{signed}.{}", BASE64URL.encode(signature))
        }

        fn header(&self, claims: &Value) -> String {
            format!("vapid t={}, k={}", self.token("ES256", claims), self.key())
        }
    }

    fn claims() -> Value {
        json!({"aud": ORIGIN, "exp": NOW + 3600, "sub": "mailto:ops@example.org"})
    }

    fn at(seconds: u64) -> UnixSeconds {
        UnixSeconds::new(seconds)
    }

    #[test]
    fn the_server_that_the_subscription_was_made_for_is_let_in() {
        let server = Server::new();
        let header = server.header(&claims());
        assert_eq!(check(Some(&header), Some(&server.key()), ORIGIN, at(NOW)), Ok(()));
        let turned = format!("VAPID k=\"{}\",t={}", server.key(), server.token("ES256", &claims()));
        assert_eq!(check(Some(&turned), Some(&server.key()), ORIGIN, at(NOW)), Ok(()));
        assert_eq!(check(None, None, ORIGIN, at(NOW)), Ok(()), "a subscription without a key");
    }

    #[test]
    fn everything_else_is_not() {
        let (server, other) = (Server::new(), Server::new());
        let changed = |name: &str, value: Value| {
            let mut claims = claims();
            claims[name] = value;
            server.header(&claims)
        };
        let forged = format!("vapid t={}, k={}", other.token("ES256", &claims()), server.key());
        let none = format!("vapid t={}, k={}", server.token("none", &claims()), server.key());
        let twice = format!("{}, k={}", server.header(&claims()), server.key());
        let cases = [
            (Some("Bearer abc".to_owned()), VapidError::Scheme),
            (Some(format!("vapid t={}", server.token("ES256", &claims()))), VapidError::Scheme),
            (Some(twice), VapidError::Scheme),
            (Some("vapid t=a.b.c, k=AAAA".to_owned()), VapidError::Key),
            (Some(format!("vapid t=a.b.c, k={}", server.key())), VapidError::Token),
            (Some(none), VapidError::Token),
            (Some(changed("exp", json!("soon"))), VapidError::Token),
            (Some(forged), VapidError::Signature),
            (Some(changed("exp", json!(NOW))), VapidError::Expired { exp: at(NOW), now: at(NOW) }),
            (Some(changed("exp", json!(NOW + 90_000))), VapidError::TooLong { exp: at(NOW + 90_000), now: at(NOW) }),
            (Some(changed("sub", json!("me"))), VapidError::Subject("me".to_owned())),
            (Some(other.header(&claims())), VapidError::OtherKey),
            (None, VapidError::Missing),
        ];
        for (header, expected) in cases {
            assert_eq!(check(header.as_deref(), Some(&server.key()), ORIGIN, at(NOW)), Err(expected), "{header:?}");
        }
        let elsewhere = changed("aud", json!("https://updates.push.services.mozilla.com"));
        let refused = check(Some(&elsewhere), Some(&server.key()), ORIGIN, at(NOW));
        assert!(matches!(refused, Err(VapidError::Audience { .. })), "{refused:?}");
    }
}
