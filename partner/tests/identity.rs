//! Tokens as WhatsApp sees them, verified by another implementation against the published keys; and the partner
//! profile.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::as_conversions,
    reason = "tests fail by panicking"
)]

mod support;

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der},
    rsa::{KeyPair, KeySize},
    signature::KeyPair as _,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use causeway_partner::{Running, Server};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header, jwk::JwkSet};
use reqwest::header;
use serde::Deserialize;
use std::{collections::HashMap, fs, os::unix::fs::PermissionsExt, time::SystemTime};
use support::{Partner, ROOT_KEY, refused};

#[derive(Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: String,
    iat: u64,
    exp: u64,
    jti: String,
}

async fn keys(partner: &Partner) -> JwkSet {
    partner.get("/.well-known/oauth/openid/jwks").await.json().await.unwrap()
}

fn verify(token: &str, keys: &JwkSet) -> Result<Claims, jsonwebtoken::errors::Error> {
    let header = decode_header(token)?;
    let key = keys.find(header.kid.as_deref().unwrap()).unwrap();
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_audience(&["whatsapp"]);
    Ok(decode::<Claims>(token, &DecodingKey::from_jwk(key)?, &validation)?.claims)
}

#[tokio::test]
async fn another_implementation_verifies_the_token() {
    let partner = Partner::start().await;
    let cookie = partner.account("Zoë 👩‍👧").await;
    let response = partner.token(&cookie).await;
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/jwt");
    assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
    let token = response.text().await.unwrap();
    assert!(token.len() <= 4_096);
    let header = decode_header(&token).unwrap();
    assert_eq!((header.alg, header.typ.as_deref()), (Algorithm::RS256, Some("JWT")));

    let keys = keys(&partner).await;
    let claims = verify(&token, &keys).unwrap();
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
    assert_eq!((claims.iss, claims.aud), (partner.url(""), "whatsapp".to_owned()));
    assert_eq!(claims.sub, "Zoë 👩‍👧");
    assert!(claims.iat.abs_diff(now) < 30);
    assert_eq!(claims.exp, claims.iat + 300);
    let second = verify(&partner.token(&cookie).await.text().await.unwrap(), &keys).unwrap();
    assert_ne!(second.jti, claims.jti);
}

#[tokio::test]
async fn an_altered_token_or_another_partners_key_does_not_verify() {
    let (partner, other) = (Partner::start().await, Partner::start().await);
    let token = partner.token(&partner.account("alice").await).await.text().await.unwrap();
    let keys = keys(&partner).await;
    let mut parts: Vec<_> = token.split('.').map(str::to_owned).collect();
    parts[1] = parts[1].chars().rev().collect();
    assert!(verify(&parts.join("."), &keys).is_err());

    let foreign = self::keys(&other).await;
    let kid = &decode_header(&token).unwrap().kid.unwrap();
    assert!(foreign.find(kid).is_none());
    let mut renamed = foreign.clone();
    renamed.keys[0].common.key_id = Some(kid.clone());
    assert!(verify(&token, &renamed).is_err());
    assert!(verify(&token, &keys).is_ok());
}

#[tokio::test]
async fn the_key_set_has_the_published_form_and_may_be_cached() {
    let partner = Partner::start().await;
    let response = partner.get("/.well-known/oauth/openid/jwks").await;
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/json");
    assert_eq!(response.headers()[header::CACHE_CONTROL], "public, max-age=300");
    let set: HashMap<String, Vec<HashMap<String, String>>> = response.json().await.unwrap();
    let [key] = set["keys"].as_slice() else { panic!("one key") };
    let mut members: Vec<_> = key.keys().map(String::as_str).collect();
    members.sort_unstable();
    assert_eq!(members, ["alg", "e", "kid", "kty", "n", "use"]);
    assert_eq!((&*key["alg"], &*key["kty"], &*key["use"], &*key["e"]), ("RS256", "RSA", "sig", "AQAB"));
    assert_eq!(key["n"].len(), 342, "2048 bits in base64url without padding");
    let expected = keys(&partner).await.keys[0].thumbprint(jsonwebtoken::jwk::ThumbprintHash::SHA256);
    assert_eq!(key["kid"], expected.unwrap(), "RFC 7638");
}

#[tokio::test]
async fn tokens_require_a_session_and_are_rate_limited() {
    let partner = Partner::with(|config| {
        config.limits.token_burst = 2;
        config.limits.token_refill_seconds = 1_000;
    })
    .await;
    let cookie = partner.account("alice").await;
    assert_eq!(partner.token(&cookie).await.status(), 200);
    assert_eq!(partner.token(&cookie).await.status(), 200);
    refused(partner.token(&cookie).await, 429, "rate_limited").await;
    refused(partner.token("").await, 401, "not_signed_in").await;
}

#[tokio::test]
async fn key_files_of_older_servers_are_imported() {
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().join("partner/keys");
    fs::create_dir_all(&folder).unwrap();
    let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let der: Pkcs8V1Der<'_> = pair.as_der().unwrap();
    let file = folder.join("001700000000-name.pk8");
    fs::write(&file, der.as_ref()).unwrap();

    // Readable by others: not imported.
    let error = Server::start(support::config(&data)).await.unwrap_err().to_string();
    assert!(error.contains("chmod 600"), "{error}");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let n = URL_SAFE_NO_PAD.encode(pair.public_key().modulus().big_endian_without_leading_zero());
    for _ in 0..2 {
        let running = Server::start(support::config(&data)).await.unwrap();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let partner = Partner { running, http, data: tempfile::tempdir().unwrap() };
        let jwks = partner.get("/.well-known/oauth/openid/jwks").await.text().await.unwrap();
        assert!(jwks.contains(&n), "{jwks}");
        // From now on the key is in the database. It is thirty days old and will be rotated.
        let _ = fs::remove_dir_all(&folder);
        partner.running.stop().await;
    }
}

#[tokio::test]
async fn keys_under_a_lost_secret_are_neither_used_nor_replaced() {
    let data = tempfile::tempdir().unwrap();
    let start = || Server::start(support::config(&data));
    let jwks = |running: &Running| {
        let url = format!("http://{}/.well-known/oauth/openid/jwks", running.addr);
        async move { reqwest::Client::builder().no_proxy().build().unwrap().get(url).send().await.unwrap().text().await }
    };
    let running = start().await.unwrap();
    let before = jwks(&running).await.unwrap();
    running.stop().await;
    let (secret, safe) = (data.path().join("partner/secret"), data.path().join("secret"));
    fs::rename(&secret, &safe).unwrap();
    let error = start().await.unwrap_err().to_string();
    assert!(error.contains("Restore the secret"), "{error}");
    fs::rename(&safe, &secret).unwrap();
    let running = start().await.unwrap();
    assert_eq!(jwks(&running).await.unwrap(), before);
    running.stop().await;
}

#[tokio::test]
async fn issuer_audience_and_lifetime_are_configurable() {
    let partner = Partner::with(|config| {
        config.token.issuer = Some("https://messenger.example".to_owned());
        config.token.lifetime_seconds = 60;
    })
    .await;
    let token = partner.token(&partner.account("alice").await).await.text().await.unwrap();
    let claims = verify(&token, &keys(&partner).await).unwrap();
    assert_eq!((claims.iss.as_str(), claims.exp - claims.iat), ("https://messenger.example", 60));
}

#[tokio::test]
async fn the_profile_contains_what_clients_need() {
    let partner = Partner::with(|config| config.whatsapp.partner_name = "Löwe & Co".to_owned()).await;
    let response = partner.get("/api/profile").await;
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/x-www-form-urlencoded");
    let body = response.text().await.unwrap();
    let fields: Vec<(String, String)> = url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    let expected = [
        ("integrator", "1"),
        ("enlist_url", "http://127.0.0.1:8200/3p/interop_reg"),
        ("chat_url", "ws://127.0.0.1:8200/ws/chat"),
        ("root_key", ROOT_KEY),
        ("root_serial", "0"),
        ("version", "2.3000.0"),
        ("partner_name", "Löwe & Co"),
        ("sign_in", "built-in"),
        ("passkeys", "false"),
    ];
    assert_eq!(fields, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
}

#[tokio::test]
async fn the_root_key_can_be_read_from_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("root_key.hex");
    fs::write(&file, format!("{}\n", "C3".repeat(32))).unwrap();
    let partner = Partner::with(|config| {
        config.whatsapp.root_key = None;
        config.whatsapp.root_key_file = Some(file);
    })
    .await;
    let body = partner.get("/api/profile").await.text().await.unwrap();
    assert!(body.contains(&format!("root_key={}", "c3".repeat(32))), "{body}");
}
