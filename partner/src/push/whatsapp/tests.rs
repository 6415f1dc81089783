//! Valid tokens, and each way in which a token can be invalid.

use super::*;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::{Value, json};
use server::{SigningKey, Whatsapp};
use std::sync::Arc;
use url::Url;

#[path = "../../../tests/support/whatsapp.rs"]
mod server;

const NOW: i64 = 1_700_000_000;
fn at(seconds: i64) -> UnixSeconds {
    UnixSeconds::new(seconds)
}

const AUDIENCE: &str = "https://messenger.example";

fn verifier_of(url: Url, fresh: Duration, pause: Duration) -> Verifier {
    let client = super::super::outbound(None).unwrap();
    Verifier {
        issuer: "WHATSAPP".to_owned(),
        audience: AUDIENCE.to_owned(),
        leeway: Duration::from_secs(60),
        lifetime: HOUR,
        single_use: false,
        keys: KeySource::new(client, url, fresh, pause),
    }
}

const HOUR: Duration = Duration::from_secs(3_600);

async fn usual() -> (SigningKey, Verifier) {
    let key = SigningKey::new("1aXf8");
    let (_, url) = Whatsapp::serve(&[&key]).await;
    (key, verifier_of(url, HOUR, HOUR))
}

/// The claims of the public example, valid for an hour.
fn claims() -> Value {
    json!({"iss": "WHATSAPP", "aud": AUDIENCE, "iat": NOW, "exp": NOW + 3_600})
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}

fn without(name: &str) -> Value {
    let mut claims = claims();
    claims.as_object_mut().unwrap().remove(name);
    claims
}

fn api_error(answer: Result<Option<ReplayGuard>, BearerError>) -> &'static str {
    match answer {
        Err(BearerError::Invalid(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_seeds_example_is_accepted_repeatedly() {
    let (key, verifier) = usual().await;
    let token = key.sign(Algorithm::RS256, &claims());
    for _ in 0..2 {
        assert_eq!(verifier.verify(&token, at(NOW + 10)).await, Ok(None));
    }
    for array in [json!([AUDIENCE]), json!(["https://other.example", AUDIENCE])] {
        let token = key.sign(Algorithm::RS256, &with("aud", array));
        assert_eq!(verifier.verify(&token, at(NOW)).await, Ok(None));
    }
}

#[tokio::test]
async fn invalid_claims_are_refused() {
    let (key, verifier) = usual().await;
    for (claims, expected) in [
        (with("iss", json!("WHATSAPP2")), "another issuer"),
        (with("iss", json!("whatsapp")), "another issuer"),
        (with("iss", json!(["WHATSAPP"])), "claims missing or misshapen"),
        (without("iss"), "claims missing or misshapen"),
        (with("aud", json!("https://other.example")), "another audience"),
        (with("aud", json!(format!("{AUDIENCE}/"))), "another audience"),
        (with("aud", json!(["https://other.example"])), "another audience"),
        (with("aud", json!([])), "another audience"),
        (with("aud", json!({"0": AUDIENCE})), "claims missing or misshapen"),
        (without("aud"), "claims missing or misshapen"),
        (with("exp", json!(NOW + 3_601)), "too long a life"),
        (with("exp", json!(i64::MAX)), "too long a life"),
        (with("exp", json!(NOW - 60)), "expired"),
        (with("exp", json!(i64::MIN)), "expired"),
        (with("exp", json!("tomorrow")), "claims missing or misshapen"),
        (without("exp"), "claims missing or misshapen"),
        (with("iat", json!(NOW + 61)), "not yet valid"),
        (with("iat", json!(NOW + 86_400)), "not yet valid"),
        (with("iat", json!(i64::MIN)), "too long a life"),
        (without("iat"), "claims missing or misshapen"),
        (with("nbf", json!(NOW + 61)), "not yet valid"),
        (with("jti", json!("")), "a misshapen jti"),
        (with("jti", json!("x".repeat(257))), "a misshapen jti"),
        (with("jti", json!(7)), "claims missing or misshapen"),
    ] {
        let token = key.sign(Algorithm::RS256, &claims);
        assert_eq!(api_error(verifier.verify(&token, at(NOW)).await), expected, "{claims}");
    }
}

#[tokio::test]
async fn clocks_may_differ_by_the_leeway() {
    let (key, verifier) = usual().await;
    let token = key.sign(Algorithm::RS256, &with("exp", json!(NOW + 300)));
    for minute in -10..=10 {
        let skewed = NOW + minute * 60;
        let expected = match minute {
            ..-1 => Err(BearerError::Invalid("not yet valid")),
            -1..6 => Ok(None),
            6.. => Err(BearerError::Invalid("expired")),
        };
        assert_eq!(verifier.verify(&token, at(skewed)).await, expected, "{minute} minutes");
    }
}

#[tokio::test]
async fn only_rs256_under_a_published_key() {
    let (key, verifier) = usual().await;
    let good = key.sign(Algorithm::RS256, &claims());
    let [header, payload, signature] = good.split('.').collect::<Vec<_>>().try_into().unwrap();
    let head = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());

    for none in ["none", "None", "NONE"] {
        let header = head(json!({"alg": none, "typ": "JWT", "kid": key.kid}));
        for token in [format!("{header}.{payload}."), format!("{header}.{payload}.{signature}")] {
            assert_eq!(api_error(verifier.verify(&token, at(NOW)).await), "not a token");
        }
    }
    // The public key as the secret of an HMAC.
    for secret in [key.n.as_bytes(), &URL_SAFE_NO_PAD.decode(&key.n).unwrap(), key.jwk().to_string().as_bytes()] {
        let mut header = Header::new(Algorithm::HS256);
        header.kid = Some(key.kid.to_owned());
        let token = encode(&header, &claims(), &EncodingKey::from_secret(secret)).unwrap();
        assert_eq!(api_error(verifier.verify(&token, at(NOW)).await), "not RS256");
    }
    for algorithm in [Algorithm::RS384, Algorithm::RS512, Algorithm::PS256] {
        assert_eq!(api_error(verifier.verify(&key.sign(algorithm, &claims()), at(NOW)).await), "not RS256");
    }
    // An unpublished key: under its own name, under the published name, and embedded in the header.
    let stranger = SigningKey::new("stranger");
    assert_eq!(
        api_error(verifier.verify(&stranger.sign(Algorithm::RS256, &claims()), at(NOW)).await),
        "an unknown key"
    );
    let impostor = SigningKey { kid: key.kid, ..stranger };
    assert_eq!(
        api_error(verifier.verify(&impostor.sign(Algorithm::RS256, &claims()), at(NOW)).await),
        "a wrong signature"
    );
    let mut brought = Header::new(Algorithm::RS256);
    brought.kid = Some(key.kid.to_owned());
    brought.jwk = Some(serde_json::from_value(impostor.jwk()).unwrap());
    let token = encode(&brought, &claims(), &EncodingKey::from_rsa_der(&impostor.der)).unwrap();
    assert_eq!(api_error(verifier.verify(&token, at(NOW)).await), "a wrong signature");

    let other = URL_SAFE_NO_PAD.encode(with("exp", json!(NOW + 3_599)).to_string());
    let first = if signature.starts_with('A') { "B" } else { "A" };
    let other_signature = format!("{first}{}", signature.split_at_checked(1).unwrap().1);
    let no_kid = head(json!({"alg": "RS256"}));
    let critical = head(json!({"alg": "RS256", "kid": key.kid, "crit": ["b64"], "b64": false}));
    for (token, expected) in [
        (format!("{header}.{other}.{signature}"), "a wrong signature"),
        (format!("{header}.{payload}."), "a wrong signature"),
        (format!("{header}.{payload}.{other_signature}"), "a wrong signature"),
        (format!("{no_kid}.{payload}.{signature}"), "no kid"),
        (format!("{critical}.{payload}.{signature}"), "an extension that must be understood"),
        (format!("{header}.{payload}"), "not a token"),
        (String::new(), "not a token"),
        ("a.b.c".to_owned(), "not a token"),
        (format!("{good}.x"), "not a token"),
        ("x".repeat(4_097), "too long"),
        (key.sign(Algorithm::RS256, &with("x", json!("x".repeat(4_096)))), "too long"),
    ] {
        let found = api_error(verifier.verify(&token, at(NOW)).await);
        assert_eq!(found, expected, "{token}");
    }
    assert_eq!(verifier.verify(&good, at(NOW)).await, Ok(None));
}

#[tokio::test]
async fn a_single_use_token_has_a_unique_replay_guard() {
    let (key, mut verifier) = usual().await;
    let named = |id: &str| key.sign(Algorithm::RS256, &with("jti", json!(id)));
    let replay_guard = |answer: Result<Option<ReplayGuard>, BearerError>| answer.unwrap().unwrap();
    let first = replay_guard(verifier.verify(&named("one"), at(NOW)).await);
    assert_eq!(first.expires, at(NOW + 3_660), "until the token expires, leeway included");
    assert_eq!(replay_guard(verifier.verify(&named("one"), at(NOW)).await).hash, first.hash);
    assert_ne!(replay_guard(verifier.verify(&named("two"), at(NOW)).await).hash, first.hash);

    verifier.single_use = true;
    let plain = key.sign(Algorithm::RS256, &claims());
    let unnamed = replay_guard(verifier.verify(&plain, at(NOW)).await);
    assert_eq!(replay_guard(verifier.verify(&plain, at(NOW)).await), unnamed);
    let later = key.sign(Algorithm::RS256, &with("iat", json!(NOW + 1)));
    assert_ne!(replay_guard(verifier.verify(&later, at(NOW)).await).hash, unnamed.hash);
}

#[tokio::test]
async fn a_rotation_is_noticed_and_fetches_are_rate_limited() {
    let (old, new) = (SigningKey::new("old"), SigningKey::new("new"));
    let (whatsapp, url) = Whatsapp::serve(&[&old]).await;
    let quick = verifier_of(url.clone(), HOUR, Duration::ZERO);
    let patient = verifier_of(url, HOUR, HOUR);
    let (old_token, new_token) = (old.sign(Algorithm::RS256, &claims()), new.sign(Algorithm::RS256, &claims()));
    for _ in 0..10 {
        assert_eq!(quick.verify(&old_token, at(NOW)).await, Ok(None));
    }
    assert_eq!(whatsapp.asked(), 1);
    assert_eq!(patient.verify(&old_token, at(NOW)).await, Ok(None));
    whatsapp.publish(&[&new]);
    assert_eq!(quick.verify(&new_token, at(NOW)).await, Ok(None));
    assert_eq!(api_error(quick.verify(&old_token, at(NOW)).await), "an unknown key");

    let asked = whatsapp.asked();
    for _ in 0..10 {
        assert_eq!(api_error(patient.verify(&new_token, at(NOW)).await), "an unknown key");
    }
    assert_eq!(whatsapp.asked(), asked, "the pause has not passed");
    assert_eq!(patient.verify(&old_token, at(NOW)).await, Ok(None));
}

#[tokio::test]
async fn the_last_good_keys_are_used_while_fetching_fails() {
    let key = SigningKey::new("key");
    let (whatsapp, url) = Whatsapp::serve(&[&key]).await;
    // Never fresh: every call fetches.
    let verifier = verifier_of(url.clone(), Duration::ZERO, Duration::ZERO);
    let token = key.sign(Algorithm::RS256, &claims());
    assert_eq!(verifier.verify(&token, at(NOW)).await, Ok(None));
    whatsapp.fail();
    assert_eq!(verifier.verify(&token, at(NOW)).await, Ok(None));
    for body in ["", "[]", r#"{"keys":[]}"#, &format!(r#"{{"keys":[],"x":"{}"}}"#, "x".repeat(300_000))] {
        whatsapp.answer(200, body);
        assert_eq!(verifier.verify(&token, at(NOW)).await, Ok(None));
    }
    assert_eq!(whatsapp.asked(), 6);

    // A verifier without any cached set, and one whose server redirects, have no keys.
    whatsapp.fail();
    let fresh = verifier_of(url.clone(), HOUR, HOUR);
    assert_eq!(fresh.verify(&token, at(NOW)).await, Err(BearerError::NoKeys { wait: Duration::from_secs(1) }));
    whatsapp.publish(&[&key]);
    let moved = verifier_of(url.join("/moved").unwrap(), HOUR, Duration::ZERO);
    assert!(matches!(moved.verify(&token, at(NOW)).await, Err(BearerError::NoKeys { .. })));
}

#[tokio::test]
async fn concurrent_verifications_make_one_request() {
    let key = SigningKey::new("key");
    let (whatsapp, url) = Whatsapp::serve(&[&key]).await;
    let verifier = Arc::new(verifier_of(url, HOUR, HOUR));
    let token = key.sign(Algorithm::RS256, &claims());
    let calls: Vec<_> = (0..50)
        .map(|_| {
            let (verifier, token) = (verifier.clone(), token.clone());
            tokio::spawn(async move { verifier.verify(&token, at(NOW)).await })
        })
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap(), Ok(None));
    }
    assert_eq!(whatsapp.asked(), 1);
}
