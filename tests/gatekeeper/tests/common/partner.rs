//! A Partner in a few lines: an RSA key, its JWKS over HTTP, and tokens signed with it.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use axum::{Json, Router, routing::get};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// A running Partner.
pub(crate) struct Partner {
    pub(crate) url: String,
    key: KeyPair,
    /// Times that the JWKS was fetched.
    pub(crate) fetches: Arc<AtomicUsize>,
}

pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

impl Partner {
    pub(crate) async fn start() -> Self {
        let key = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let public = key.public_key();
        let part = |bytes: &[u8]| BASE64URL.encode(bytes);
        let modulus = part(public.modulus().big_endian_without_leading_zero());
        let exponent = part(public.exponent().big_endian_without_leading_zero());
        let jwks =
            json!({"keys": [{"kid": "k1", "kty": "RSA", "alg": "RS256", "use": "sig", "n": modulus, "e": exponent}]});
        let fetches = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&fetches);
        let handler = get(move || async move {
            counted.fetch_add(1, Ordering::Relaxed);
            Json(jwks)
        });
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().route("/.well-known/oauth/openid/jwks", handler);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, key, fetches }
    }

    /// A good token for this identifier.
    pub(crate) fn token(&self, identifier: &str) -> String {
        self.sign("k1", &claims(identifier))
    }

    /// A token with any claims and key id.
    pub(crate) fn sign(&self, kid: &str, claims: &Value) -> String {
        let part = |value: &Value| BASE64URL.encode(value.to_string());
        let signed = format!("{}.{}", part(&json!({"alg": "RS256", "kid": kid, "typ": "JWT"})), part(claims));
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).unwrap();
        format!("{signed}.{}", BASE64URL.encode(signature))
    }
}

/// Claims of a good token.
pub(crate) fn claims(identifier: &str) -> Value {
    json!({"iss": "test", "aud": "whatsapp", "sub": identifier, "iat": now(), "exp": now() + 300, "jti": "1"})
}
