//! A Partner for tests: an RSA key, its JWKS over HTTP, tokens signed with it, and the push calls that it has received.

use super::TIMEOUT;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

/// A running Partner.
pub(crate) struct Partner {
    pub(crate) url: String,
    key: KeyPair,
    /// Times that the JWKS was fetched.
    pub(crate) fetches: Arc<AtomicUsize>,
    pub(crate) pushes: Arc<PushCalls>,
}

/// A push call as it arrived.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

/// Accepts push calls; the status is 200 unless a test sets another.
#[derive(Default)]
pub(crate) struct PushCalls {
    calls: Mutex<Vec<Call>>,
    answers: Mutex<VecDeque<u16>>,
    arrived: tokio::sync::Notify,
}

impl PushCalls {
    /// The next answers' statuses.
    pub(crate) fn answer(&self, statuses: &[u16]) {
        self.answers.lock().unwrap().extend(statuses);
    }

    pub(crate) fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }

    /// All calls, once there are `count`.
    pub(crate) async fn until(&self, count: usize) -> Vec<Call> {
        let enough = async {
            while self.calls().len() < count {
                self.arrived.notified().await;
            }
        };
        tokio::time::timeout(TIMEOUT, enough).await.unwrap_or_else(|_| panic!("{} calls", self.calls().len()));
        self.calls()
    }

    fn take(&self, headers: HeaderMap, body: String) -> impl IntoResponse + use<> {
        self.calls.lock().unwrap().push(Call { headers, body });
        self.arrived.notify_one();
        let status = self.answers.lock().unwrap().pop_front().unwrap_or(200);
        (StatusCode::from_u16(status).unwrap(), [("location", "/elsewhere")])
    }
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
        let pushes = Arc::new(PushCalls::default());
        let taking = Arc::clone(&pushes);
        let push = post(move |headers: HeaderMap, body: String| async move { taking.take(headers, body) });
        let router = Router::new().route("/.well-known/oauth/openid/jwks", handler).route("/push", push);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, key, fetches, pushes }
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
