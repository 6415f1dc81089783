//! Sign-in at an OpenID provider: a real one in a few lines, which keeps to the standard or breaks it as a test wants.

mod common;

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
use causeway_partner::Config;
use common::{PASSWORD, Partner, refused};
use reqwest::{Client, redirect::Policy};
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

const CLIENT: &str = "messenger";
const SECRET: &str = "a secret of at least 32 characters!";

type Fields = HashMap<String, String>;
/// What to do to a token's header and claims before it is signed.
type Change = fn(&mut Value, &mut Value);

/// How a token is signed.
#[derive(Clone, Copy)]
enum Signing {
    Rs256,
    Rs512,
    /// With a key that the provider does not publish.
    Stranger,
    /// With our client secret as a symmetric key.
    Secret,
    /// With the public key's modulus as a symmetric key.
    PublicKey,
    Nothing,
}

struct Account {
    change: Change,
    signing: Signing,
    /// What the token endpoint answers with instead.
    failure: Option<(StatusCode, String)>,
    /// What the UserInfo endpoint answers; without it there is none.
    user_info: Option<(StatusCode, Value)>,
    declines: bool,
}

struct Provider {
    issuer: String,
    keys: Mutex<Vec<(String, KeyPair)>>,
    stranger: KeyPair,
    account: Mutex<Account>,
    /// Codes that were given out, with what was asked for.
    codes: Mutex<HashMap<String, Fields>>,
    discoveries: AtomicUsize,
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn part(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn rsa() -> KeyPair {
    KeyPair::generate(KeySize::Rsa2048).unwrap()
}

impl Provider {
    async fn start() -> Arc<Self> {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let provider = Arc::new(Self {
            issuer: format!("http://{}", listener.local_addr().unwrap()),
            keys: Mutex::new(vec![("k1".to_owned(), rsa())]),
            stranger: rsa(),
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

    fn set(&self, change: Change, signing: Signing) {
        let mut account = self.account.lock().unwrap();
        (account.change, account.signing) = (change, signing);
    }

    fn rotate(&self) {
        let mut keys = self.keys.lock().unwrap();
        let next = format!("k{}", keys.len() + 1);
        keys.push((next, rsa()));
    }

    fn id_token(&self, nonce: &str) -> String {
        let account = self.account.lock().unwrap();
        let keys = self.keys.lock().unwrap();
        let (kid, key) = keys.last().unwrap();
        let algorithm = match account.signing {
            Signing::Rs256 | Signing::Stranger => "RS256",
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
            Signing::Stranger => by_rsa(&self.stranger, &RSA_PKCS1_SHA256),
            Signing::Secret => by_secret(SECRET.as_bytes()).as_ref().to_vec(),
            Signing::PublicKey => {
                by_secret(key.public_key().modulus().big_endian_without_leading_zero()).as_ref().to_vec()
            }
            Signing::Nothing => Vec::new(),
        };
        format!("{signed}.{}", part(signature))
    }
}

async fn discover(State(provider): State<Arc<Provider>>) -> Json<Value> {
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

async fn jwks(State(provider): State<Arc<Provider>>) -> Json<Value> {
    let keys = provider.keys.lock().unwrap();
    let public = |(kid, key): &(String, KeyPair)| {
        let key = key.public_key();
        let modulus = part(key.modulus().big_endian_without_leading_zero());
        let exponent = part(key.exponent().big_endian_without_leading_zero());
        json!({"kid": kid, "kty": "RSA", "use": "sig", "n": modulus, "e": exponent})
    };
    Json(json!({ "keys": keys.iter().map(public).collect::<Vec<_>>() }))
}

/// The person is known here and agrees, or does not.
async fn authorize(State(provider): State<Arc<Provider>>, Query(asked): Query<Fields>) -> Response {
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

/// A code for a token: once, for the client that asked, with the verifier of its challenge.
async fn token(State(provider): State<Arc<Provider>>, headers: HeaderMap, Form(given): Form<Fields>) -> Response {
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

/// For whoever brings the access token that [`token`] gave.
async fn user_info(State(provider): State<Arc<Provider>>, headers: HeaderMap) -> Response {
    let told = provider.account.lock().unwrap().user_info.clone();
    match told.filter(|_| headers[header::AUTHORIZATION] == "Bearer opaque") {
        Some((status, claims)) => (status, Json(claims)).into_response(),
        None => StatusCode::UNAUTHORIZED.into_response(),
    }
}

/// RFC 6749 §2.3.1: the secret is form-encoded before it is put into the header.
fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// A person's browser: follows no redirect by itself, and has a jar for two cookies.
struct Browser<'a> {
    partner: &'a Partner,
    http: Client,
}

impl<'a> Browser<'a> {
    fn of(partner: &'a Partner) -> Self {
        Self { partner, http: Client::builder().no_proxy().redirect(Policy::none()).build().unwrap() }
    }

    async fn go(&self, url: &str, cookie: &str) -> reqwest::Response {
        self.http.get(url).header(header::COOKIE, cookie).send().await.unwrap()
    }

    /// To the provider and back as far as our door: the address of the way back, and our cookie.
    async fn provider(&self) -> (String, String) {
        let response = self.go(&self.partner.url("/api/sign-in/oidc"), "").await;
        assert_eq!(response.status(), 303);
        let cookie = set(&response, "causeway_open_id=").expect("a cookie for the way back");
        let answer = self.go(&location(&response), "").await;
        (location(&answer), cookie)
    }

    /// All the way: where it ends, and the session if there is one.
    async fn sign_in(&self) -> (String, Option<String>) {
        let (back, cookie) = self.provider().await;
        self.arrive(&back, &cookie).await
    }

    async fn arrive(&self, back: &str, cookie: &str) -> (String, Option<String>) {
        let response = self.go(back, cookie).await;
        assert_eq!(response.status(), 303);
        assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
        (location(&response), set(&response, "causeway_session="))
    }
}

fn location(response: &reqwest::Response) -> String {
    response.headers()[header::LOCATION].to_str().unwrap().to_owned()
}

fn set(response: &reqwest::Response, name: &str) -> Option<String> {
    let cookies = response.headers().get_all(header::SET_COOKIE).iter().map(|cookie| cookie.to_str().unwrap());
    cookies.filter_map(|cookie| cookie.split(';').next()).find(|pair| pair.starts_with(name)).map(str::to_owned)
}

async fn partner(provider: &Provider) -> Partner {
    partner_with(provider, |_| {}).await
}

async fn partner_with(provider: &Provider, change: impl FnOnce(&mut Config)) -> Partner {
    Partner::with(|config| {
        config.oidc.issuer = Some(provider.issuer.clone());
        config.oidc.client_id = Some(CLIENT.to_owned());
        config.oidc.client_secret = Some(SECRET.to_owned().into());
        change(config);
    })
    .await
}

#[tokio::test]
async fn whom_the_provider_knows_is_signed_in() {
    let provider = Provider::start().await;
    let partner = partner(&provider).await;
    let browser = Browser::of(&partner);
    let (end, session) = browser.sign_in().await;
    assert_eq!(end, "/");
    let about = partner.about(&session.unwrap()).await.text().await.unwrap();
    assert!(about.starts_with("identifier=alice&"), "{about}");
    // Another name today, the same person.
    provider.set(|_, claims| claims["preferred_username"] = json!("alice.smith"), Signing::Rs256);
    let (_, session) = browser.sign_in().await;
    let about = partner.about(&session.unwrap()).await.text().await.unwrap();
    assert!(about.starts_with("identifier=alice&"), "{about}");
    // The same name, another person.
    provider.set(|_, claims| claims["sub"] = json!("4712"), Signing::Rs256);
    assert_eq!(browser.sign_in().await, ("/?sign_in=identifier_taken".to_owned(), None));
    assert_eq!(provider.discoveries.load(Ordering::Relaxed), 1, "what the provider is was asked once");
}

#[tokio::test]
async fn the_built_in_doors_are_closed() {
    let provider = Provider::start().await;
    let partner = partner(&provider).await;
    let profile = partner.get("/api/profile").await.text().await.unwrap();
    assert!(profile.contains("sign_in=oidc") && profile.contains("passkeys=false"), "{profile}");
    refused(partner.credentials("/api/account", "mallory", PASSWORD).await, 404, "not_found").await;
    refused(partner.credentials("/api/session", "mallory", PASSWORD).await, 404, "not_found").await;
    let start = partner.http.post(partner.url("/api/passkey/sign-in/start"));
    refused(start.send().await.unwrap(), 404, "not_found").await;
    let built_in = Partner::start().await;
    refused(built_in.get("/api/sign-in/oidc").await, 404, "not_found").await;
    refused(built_in.get("/api/sign-in/oidc/return?code=a&state=b").await, 404, "not_found").await;
}

#[tokio::test]
async fn a_token_that_is_not_for_us_now_signs_nobody_in() {
    let provider = Provider::start().await;
    let partner = partner(&provider).await;
    let browser = Browser::of(&partner);
    let nothing: Change = |_, _| {};
    let cases: [(&str, Change, Signing); 16] = [
        ("nonce", |_, claims| claims["nonce"] = json!("another sign-in's"), Signing::Rs256),
        ("no nonce", |_, claims| drop(claims.as_object_mut().unwrap().remove("nonce")), Signing::Rs256),
        ("issuer", |_, claims| claims["iss"] = json!("https://accounts.example"), Signing::Rs256),
        ("audience", |_, claims| claims["aud"] = json!("somebody"), Signing::Rs256),
        ("one more audience", |_, claims| claims["aud"] = json!([CLIENT, "somebody"]), Signing::Rs256),
        ("over", |_, claims| claims["exp"] = json!(now() - 1), Signing::Rs256),
        ("in the future", |_, claims| claims["iat"] = json!(now() + 600), Signing::Rs256),
        ("no subject", |_, claims| drop(claims.as_object_mut().unwrap().remove("sub")), Signing::Rs256),
        ("access token", |_, claims| claims["at_hash"] = json!("AAAAAAAAAAAAAAAAAAAAAA"), Signing::Rs256),
        ("unsigned", nothing, Signing::Nothing),
        ("our secret as the key", nothing, Signing::Secret),
        ("the public key as the secret", nothing, Signing::PublicKey),
        ("an algorithm that was not agreed", nothing, Signing::Rs512),
        ("a stranger's signature", nothing, Signing::Stranger),
        ("an unknown key", |header, _| header["kid"] = json!("k9"), Signing::Stranger),
        ("a subject without end", |_, claims| claims["sub"] = json!("x".repeat(256)), Signing::Rs256),
    ];
    for (what, change, signing) in cases {
        provider.set(change, signing);
        let (end, session) = browser.sign_in().await;
        assert!(end == "/?sign_in=bad_credentials" || end == "/?sign_in=provider_failed", "{what}: {end}");
        assert_eq!(session, None, "{what}");
    }
    provider.set(nothing, Signing::Rs256);
    assert_eq!(browser.sign_in().await.0, "/", "the unchanged token is good");
}

#[tokio::test]
async fn the_way_back_is_open_once_and_for_the_browser_that_left() {
    let provider = Provider::start().await;
    let partner = partner(&provider).await;
    let browser = Browser::of(&partner);
    let (back, _) = browser.provider().await;
    assert_eq!(browser.arrive(&back, "").await, ("/?sign_in=challenge_over".to_owned(), None), "another browser");
    let (_, cookie) = browser.provider().await;
    let (end, session) = browser.arrive(&back, &cookie).await;
    assert_eq!((&*end, session), ("/?sign_in=bad_credentials", None), "the state of another sign-in");
    let (back, cookie) = browser.provider().await;
    assert_eq!(browser.arrive(&back, &cookie).await.0, "/");
    assert_eq!(browser.arrive(&back, &cookie).await, ("/?sign_in=challenge_over".to_owned(), None), "once more");
    let (back, cookie) = browser.provider().await;
    let (without, _) = back.split_once("code=").unwrap();
    let bare = without.trim_end_matches(['&', '?']);
    assert_eq!(browser.arrive(bare, &cookie).await.0, "/?sign_in=form_invalid");
    // A code of the attacker's own sign-in, in the victim's browser: the verifier does not fit.
    let (back, cookie) = browser.provider().await;
    let (others, _) = browser.provider().await;
    let code = |back: &str| {
        back.parse::<Url>().unwrap().query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned()
    };
    let swapped = back.replace(&code(&back), &code(&others));
    assert_eq!(browser.arrive(&swapped, &cookie).await, ("/?sign_in=bad_credentials".to_owned(), None));
}

#[tokio::test]
async fn a_person_may_decline_and_a_provider_may_fail() {
    let provider = Provider::start().await;
    let partner = partner(&provider).await;
    let browser = Browser::of(&partner);
    provider.account.lock().unwrap().declines = true;
    assert_eq!(browser.sign_in().await, ("/?sign_in=declined".to_owned(), None));
    provider.account.lock().unwrap().declines = false;
    for failure in [
        (StatusCode::INTERNAL_SERVER_ERROR, "oh".to_owned()),
        (StatusCode::OK, "no JSON".to_owned()),
        (StatusCode::OK, "x".repeat(300 * 1_024)),
        (StatusCode::FOUND, String::new()),
    ] {
        provider.account.lock().unwrap().failure = Some(failure);
        assert_eq!(browser.sign_in().await, ("/?sign_in=provider_failed".to_owned(), None));
    }
    let gone = Partner::with(|config| {
        config.oidc.issuer = Some("http://127.0.0.1:9".to_owned());
        config.oidc.client_id = Some(CLIENT.to_owned());
    })
    .await;
    let response = Browser::of(&gone).go(&gone.url("/api/sign-in/oidc"), "").await;
    assert_eq!(location(&response), "/?sign_in=provider_failed", "and the server runs all the same");
}

#[tokio::test]
async fn the_identifier_is_the_configured_claim_and_a_verified_one() {
    let provider = Provider::start().await;
    let by_mail = partner_with(&provider, |config| config.oidc.identifier_claim = "email".to_owned()).await;
    let browser = Browser::of(&by_mail);
    provider.set(|_, claims| claims["email_verified"] = json!(false), Signing::Rs256);
    assert_eq!(browser.sign_in().await, ("/?sign_in=identifier_invalid".to_owned(), None));
    provider.set(|_, _| {}, Signing::Rs256);
    let (_, session) = browser.sign_in().await;
    let about = by_mail.about(&session.unwrap()).await.text().await.unwrap();
    assert!(about.starts_with("identifier=alice%40mail.example&"), "{about}");
    let by_nick = partner_with(&provider, |config| config.oidc.identifier_claim = "nick".to_owned()).await;
    let browser = Browser::of(&by_nick);
    assert_eq!(browser.sign_in().await, ("/?sign_in=identifier_invalid".to_owned(), None));
    provider.set(|_, claims| claims["nick"] = json!("x".repeat(41)), Signing::Rs256);
    assert_eq!(browser.sign_in().await, ("/?sign_in=identifier_invalid".to_owned(), None));
}

#[tokio::test]
async fn a_provider_with_no_names_in_its_tokens_is_asked_for_them() {
    let provider = Provider::start().await;
    let nameless: Change = |_, claims| {
        claims.as_object_mut().unwrap().remove("preferred_username");
    };
    provider.set(nameless, Signing::Rs256);
    let about = |status, claims| provider.account.lock().unwrap().user_info = Some((status, claims));
    let alice = json!({"sub": "4711", "preferred_username": "alice"});
    about(StatusCode::OK, alice.clone());
    let partner = partner(&provider).await;
    let browser = Browser::of(&partner);
    let (end, session) = browser.sign_in().await;
    assert_eq!(end, "/");
    let told = partner.about(&session.unwrap()).await.text().await.unwrap();
    assert!(told.starts_with("identifier=alice&"), "{told}");
    for (status, claims, expected) in [
        (StatusCode::OK, json!({"sub": "4712", "preferred_username": "alice"}), "bad_credentials"),
        (StatusCode::OK, json!({"preferred_username": "alice"}), "bad_credentials"),
        (StatusCode::OK, json!({"sub": "4711"}), "identifier_invalid"),
        (StatusCode::OK, json!({"sub": "4711", "preferred_username": 7}), "identifier_invalid"),
        (StatusCode::OK, json!("alice"), "bad_credentials"),
        (StatusCode::UNAUTHORIZED, alice.clone(), "provider_failed"),
    ] {
        about(status, claims.clone());
        assert_eq!(browser.sign_in().await, (format!("/?sign_in={expected}"), None), "{status} {claims}");
    }
    // A name in the token itself is enough.
    provider.set(|_, _| {}, Signing::Rs256);
    about(StatusCode::INTERNAL_SERVER_ERROR, json!({}));
    assert_eq!(browser.sign_in().await.0, "/");
}

#[tokio::test]
async fn a_providers_next_key_is_found_and_made_up_ones_are_not_looked_for_without_end() {
    let provider = Provider::start().await;
    let partner = partner(&provider).await;
    let browser = Browser::of(&partner);
    assert_eq!(browser.sign_in().await.0, "/");
    provider.rotate();
    assert_eq!(browser.sign_in().await.0, "/");
    provider.set(|header, _| header["kid"] = json!("made up"), Signing::Rs256);
    for _ in 0..6 {
        assert_eq!(browser.sign_in().await, ("/?sign_in=bad_credentials".to_owned(), None));
    }
    let discoveries = provider.discoveries.load(Ordering::Relaxed);
    assert!((2..=4).contains(&discoveries), "{discoveries}");
}

#[tokio::test]
async fn only_so_many_ways_are_begun() {
    let provider = Provider::start().await;
    let partner = partner_with(&provider, |config| config.limits.address_burst = 2).await;
    let browser = Browser::of(&partner);
    for _ in 0..2 {
        browser.provider().await;
    }
    let response = browser.go(&partner.url("/api/sign-in/oidc"), "").await;
    assert_eq!(location(&response), "/?sign_in=rate_limited");
}
