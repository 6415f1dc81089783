//! WhatsApp's side of `/push`: keys, tokens under them, and the server that publishes the keys.

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der},
    rsa::{KeyPair, KeySize},
    signature::KeyPair as _,
};
use axum::{
    Router,
    http::StatusCode,
    response::{IntoResponse, Redirect},
    routing::get,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};
use tokio::net::TcpListener;
use url::Url;

pub(crate) struct SigningKey {
    pub(crate) der: Vec<u8>,
    /// The modulus in base64url.
    pub(crate) n: String,
    pub(crate) kid: &'static str,
}

impl SigningKey {
    pub(crate) fn new(kid: &'static str) -> Self {
        let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let n = URL_SAFE_NO_PAD.encode(pair.public_key().modulus().big_endian_without_leading_zero());
        let pkcs8: Pkcs8V1Der<'_> = pair.as_der().unwrap();
        // PKCS #8 wraps the PKCS #1 form, which jsonwebtoken reads, in a header of 26 bytes.
        Self { der: pkcs8.as_ref()[26..].to_vec(), n, kid }
    }

    pub(crate) fn jwk(&self) -> Value {
        json!({"kid": self.kid, "kty": "RSA", "alg": "RS256", "use": "sig", "n": self.n, "e": "AQAB"})
    }

    pub(crate) fn sign(&self, algorithm: Algorithm, claims: &Value) -> String {
        let mut header = Header::new(algorithm);
        header.kid = Some(self.kid.to_owned());
        encode(&header, claims, &EncodingKey::from_rsa_der(&self.der)).unwrap()
    }
}

/// The key server: a configurable response at `/jwks`, a redirect at `/moved`, and a request counter.
#[derive(Clone, Default)]
pub(crate) struct Whatsapp {
    answer: Arc<Mutex<(u16, String)>>,
    asked: Arc<AtomicUsize>,
}

impl Whatsapp {
    pub(crate) async fn serve(keys: &[&SigningKey]) -> (Self, Url) {
        let whatsapp = Self::default();
        whatsapp.publish(keys);
        let state = whatsapp.clone();
        let answer = move || {
            state.asked.fetch_add(1, Ordering::SeqCst);
            let (status, body) = state.answer.lock().unwrap().clone();
            async move { (StatusCode::from_u16(status).unwrap(), body).into_response() }
        };
        let elsewhere = Redirect::temporary("/jwks");
        let router = Router::new().route("/jwks", get(answer)).route("/moved", get(|| async move { elsewhere }));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/jwks", listener.local_addr().unwrap()).parse().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        (whatsapp, url)
    }

    pub(crate) fn publish(&self, keys: &[&SigningKey]) {
        let keys: Vec<_> = keys.iter().map(|key| key.jwk()).collect();
        self.answer(200, &json!({ "keys": keys }).to_string());
    }

    pub(crate) fn fail(&self) {
        self.answer(500, "{}");
    }

    pub(crate) fn answer(&self, status: u16, body: &str) {
        *self.answer.lock().unwrap() = (status, body.to_owned());
    }

    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}
