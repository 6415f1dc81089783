//! A small OpenID provider, which follows the standard or breaks it as a test requires.

use aws_lc_rs::{
    hmac,
    rand::SystemRandom,
    rsa::{KeyPair, KeySize},
    signature::{KeyPair as _, RSA_PKCS1_SHA256, RSA_PKCS1_SHA512},
};
use axum::{
    Form, Json, Router,
    extract::{Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};
use url::Url;

pub(crate) const CLIENT: &str = "messenger";
pub(crate) const SECRET: &str = "a secret of at least 32 characters!";

pub(crate) type Fields = HashMap<String, String>;
/// Modifies a token's header and claims before it is signed.
pub(crate) type Change = fn(&mut Value, &mut Value);

/// How a token is signed.
#[derive(Clone, Copy)]
pub(crate) enum Signing {
    Rs256,
    Rs512,
    /// With a key that the provider does not publish.
    Unpublished,
    /// With the client secret as a symmetric key.
    Secret,
    /// With the public key's modulus as a symmetric key.
    PublicKey,
    Nothing,
}

pub(crate) struct Account {
    pub(crate) change: Change,
    pub(crate) signing: Signing,
    /// Response of the token endpoint instead of a token.
    pub(crate) failure: Option<(StatusCode, String)>,
    /// Response of the UserInfo endpoint; `None`: there is no such endpoint.
    pub(crate) user_info: Option<(StatusCode, Value)>,
    pub(crate) declines: bool,
}

pub(crate) struct Provider {
    pub(crate) issuer: String,
    pub(crate) keys: Mutex<Vec<(String, KeyPair)>>,
    pub(crate) unpublished: KeyPair,
    pub(crate) account: Mutex<Account>,
    /// Issued codes with the parameters of their requests.
    pub(crate) codes: Mutex<HashMap<String, Fields>>,
    pub(crate) discoveries: AtomicUsize,
}

pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

pub(crate) fn part(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn rsa() -> KeyPair {
    KeyPair::generate(KeySize::Rsa2048).unwrap()
}

impl Provider {
    pub(crate) async fn start() -> Arc<Self> {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let provider = Arc::new(Self {
            issuer: format!("http://{}", listener.local_addr().unwrap()),
            keys: Mutex::new(vec![("k1".to_owned(), rsa())]),
            unpublished: rsa(),
            account: Mutex::new(Account {
                change: |_, _| {},
                signing: Signing::Rs256,
                failure: None,
                user_info: None,
                declines: false,
            }),
            codes: Mutex::default(),
            discoveries: AtomicUsize::new(0),
        });
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(discover))
            .route("/jwks", get(jwks))
            .route("/authorize", get(authorize))
            .route("/token", post(token))
            .route("/me", get(user_info))
            .with_state(provider.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        provider
    }

    pub(crate) fn set(&self, change: Change, signing: Signing) {
        let mut account = self.account.lock().unwrap();
        (account.change, account.signing) = (change, signing);
    }

    pub(crate) fn rotate(&self) {
        let mut keys = self.keys.lock().unwrap();
        let next = format!("k{}", keys.len() + 1);
        keys.push((next, rsa()));
    }

    pub(crate) fn id_token(&self, nonce: &str) -> String {
        let account = self.account.lock().unwrap();
        let keys = self.keys.lock().unwrap();
        let (kid, key) = keys.last().unwrap();
        let algorithm = match account.signing {
            Signing::Rs256 | Signing::Unpublished => "RS256",
            Signing::Rs512 => "RS512",
            Signing::Secret | Signing::PublicKey => "HS256",
            Signing::Nothing => "none",
        };
        let mut header = json!({"alg": algorithm, "kid": kid, "typ": "JWT"});
        let mut claims = json!({
            "iss": self.issuer, "aud": CLIENT, "sub": "4711", "iat": now(), "exp": now() + 300, "nonce": nonce,
            "preferred_username": "alice", "email": "alice@mail.example", "email_verified": true,
        });
        (account.change)(&mut header, &mut claims);
        let signed = format!("{}.{}", part(header.to_string()), part(claims.to_string()));
        let by_rsa = |key: &KeyPair, encoding| {
            let mut signature = vec![0; key.public_modulus_len()];
            key.sign(encoding, &SystemRandom::new(), signed.as_bytes(), &mut signature).unwrap();
            signature
        };
        let by_secret = |secret: &[u8]| hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), signed.as_bytes());
        let signature = match account.signing {
            Signing::Rs256 => by_rsa(key, &RSA_PKCS1_SHA256),
            Signing::Rs512 => by_rsa(key, &RSA_PKCS1_SHA512),
            Signing::Unpublished => by_rsa(&self.unpublished, &RSA_PKCS1_SHA256),
            Signing::Secret => by_secret(SECRET.as_bytes()).as_ref().to_vec(),
            Signing::PublicKey => {
                by_secret(key.public_key().modulus().big_endian_without_leading_zero()).as_ref().to_vec()
            }
            Signing::Nothing => Vec::new(),
        };
        format!("{signed}.{}", part(signature))
    }
}

pub(crate) async fn discover(State(provider): State<Arc<Provider>>) -> Json<Value> {
    provider.discoveries.fetch_add(1, Ordering::Relaxed);
    let at = |path: &str| format!("{}{path}", provider.issuer);
    let mut metadata = json!({
        "issuer": provider.issuer, "authorization_endpoint": at("/authorize"), "token_endpoint": at("/token"),
        "jwks_uri": at("/jwks"), "response_types_supported": ["code"], "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
    });
    if provider.account.lock().unwrap().user_info.is_some() {
        metadata["userinfo_endpoint"] = json!(at("/me"));
    }
    Json(metadata)
}

pub(crate) async fn jwks(State(provider): State<Arc<Provider>>) -> Json<Value> {
    let keys = provider.keys.lock().unwrap();
    let public = |(kid, key): &(String, KeyPair)| {
        let key = key.public_key();
        let modulus = part(key.modulus().big_endian_without_leading_zero());
        let exponent = part(key.exponent().big_endian_without_leading_zero());
        json!({"kid": kid, "kty": "RSA", "use": "sig", "n": modulus, "e": exponent})
    };
    Json(json!({ "keys": keys.iter().map(public).collect::<Vec<_>>() }))
}

/// The user is signed in at the provider and consents, or declines.
pub(crate) async fn authorize(State(provider): State<Arc<Provider>>, Query(asked): Query<Fields>) -> Response {
    assert_eq!((&*asked["response_type"], &*asked["client_id"]), ("code", CLIENT));
    assert_eq!(asked["code_challenge_method"], "S256");
    assert!(asked["scope"].split(' ').any(|scope| scope == "openid"));
    assert!(asked["state"].len() >= 16 && asked["nonce"].len() >= 16);
    let mut back: Url = asked["redirect_uri"].parse().unwrap();
    back.query_pairs_mut().append_pair("state", &asked["state"]);
    if provider.account.lock().unwrap().declines {
        back.query_pairs_mut().append_pair("error", "access_denied");
    } else {
        let code = format!("code-{}", provider.codes.lock().unwrap().len());
        back.query_pairs_mut().append_pair("code", &code);
        provider.codes.lock().unwrap().insert(code, asked);
    }
    (StatusCode::FOUND, [(header::LOCATION, back.to_string())]).into_response()
}

/// Exchanges a code for a token: once, for the same client, with the PKCE verifier.
pub(crate) async fn token(
    State(provider): State<Arc<Provider>>,
    headers: HeaderMap,
    Form(given): Form<Fields>,
) -> Response {
    if let Some(failure) = provider.account.lock().unwrap().failure.clone() {
        return failure.into_response();
    }
    let basic = format!("Basic {}", STANDARD.encode(format!("{CLIENT}:{}", encoded(SECRET))));
    let asked = provider.codes.lock().unwrap().remove(&given["code"]);
    let fits = |asked: &Fields| {
        headers[header::AUTHORIZATION] == basic
            && given["grant_type"] == "authorization_code"
            && given["redirect_uri"] == asked["redirect_uri"]
            && part(Sha256::digest(&given["code_verifier"])) == asked["code_challenge"]
    };
    match asked.filter(fits) {
        Some(asked) => Json(json!({
            "access_token": "opaque", "token_type": "Bearer", "id_token": provider.id_token(&asked["nonce"]),
        }))
        .into_response(),
        None => (StatusCode::BAD_REQUEST, Json(json!({"error": "invalid_grant"}))).into_response(),
    }
}

/// Requires the access token that [`token`] issued.
pub(crate) async fn user_info(State(provider): State<Arc<Provider>>, headers: HeaderMap) -> Response {
    let response = provider.account.lock().unwrap().user_info.clone();
    match response.filter(|_| headers[header::AUTHORIZATION] == "Bearer opaque") {
        Some((status, claims)) => (status, Json(claims)).into_response(),
        None => StatusCode::UNAUTHORIZED.into_response(),
    }
}

/// RFC 6749 §2.3.1: the secret is form-encoded before it is put into the header.
pub(crate) fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
