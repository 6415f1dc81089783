//! Sign-in at an OpenID provider.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::as_conversions,
    reason = "tests fail by panicking"
)]

mod provider;
#[path = "../support/mod.rs"]
mod support;

use axum::http::{StatusCode, header};
use causeway_partner::Config;
use provider::{CLIENT, Change, Provider, SECRET, Signing, now};
use reqwest::{Client, redirect::Policy};
use serde_json::json;
use std::sync::atomic::Ordering;
use support::{PASSWORD, Partner, refused};
use url::Url;

/// A browser that follows redirects only when the test says so, with the two cookies of a sign-in.
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

    /// Follows the redirects to the provider and back; returns the redirect URL and the attempt's cookie.
    async fn provider(&self) -> (String, String) {
        let response = self.go(&self.partner.url("/api/sign-in/oidc"), "").await;
        assert_eq!(response.status(), 303);
        let cookie = set(&response, "causeway_open_id=").expect("a cookie for the way back");
        let answer = self.go(&location(&response), "").await;
        (location(&answer), cookie)
    }

    /// A complete sign-in; returns the final path and the session, if there is one.
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
async fn a_user_of_the_provider_is_signed_in() {
    let provider = Provider::start().await;
    let partner = partner(&provider).await;
    let browser = Browser::of(&partner);
    let (end, session) = browser.sign_in().await;
    assert_eq!(end, "/");
    let about = partner.about(&session.unwrap()).await.text().await.unwrap();
    assert!(about.starts_with("identifier=alice&"), "{about}");
    // The same subject under another name.
    provider.set(|_, claims| claims["preferred_username"] = json!("alice.smith"), Signing::Rs256);
    let (_, session) = browser.sign_in().await;
    let about = partner.about(&session.unwrap()).await.text().await.unwrap();
    assert!(about.starts_with("identifier=alice&"), "{about}");
    // Another subject under the same name.
    provider.set(|_, claims| claims["sub"] = json!("4712"), Signing::Rs256);
    assert_eq!(browser.sign_in().await, ("/?sign_in=identifier_taken".to_owned(), None));
    assert_eq!(provider.discoveries.load(Ordering::Relaxed), 1, "the provider's metadata was fetched once");
}

#[tokio::test]
async fn the_built_in_sign_in_is_disabled() {
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
async fn an_invalid_id_token_is_refused() {
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
        ("a stranger's signature", nothing, Signing::Unpublished),
        ("an unknown key", |header, _| header["kid"] = json!("k9"), Signing::Unpublished),
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
async fn the_redirect_is_valid_once_and_only_for_its_browser() {
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
    // The code of an attacker's sign-in in the victim's browser: the PKCE verifier does not match.
    let (back, cookie) = browser.provider().await;
    let (others, _) = browser.provider().await;
    let code = |back: &str| {
        back.parse::<Url>().unwrap().query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned()
    };
    let swapped = back.replace(&code(&back), &code(&others));
    assert_eq!(browser.arrive(&swapped, &cookie).await, ("/?sign_in=bad_credentials".to_owned(), None));
}

#[tokio::test]
async fn a_declined_consent_and_a_failing_provider_are_reported() {
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
    assert_eq!(location(&response), "/?sign_in=provider_failed", "the server runs without the provider");
}

#[tokio::test]
async fn the_identifier_is_the_configured_and_verified_claim() {
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
async fn the_identifier_is_fetched_from_user_info_if_the_id_token_has_none() {
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
    let about_alice = partner.about(&session.unwrap()).await.text().await.unwrap();
    assert!(about_alice.starts_with("identifier=alice&"), "{about_alice}");
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
    // A name in the ID token is sufficient.
    provider.set(|_, _| {}, Signing::Rs256);
    about(StatusCode::INTERNAL_SERVER_ERROR, json!({}));
    assert_eq!(browser.sign_in().await.0, "/");
}

#[tokio::test]
async fn a_rotated_key_is_fetched_and_refetches_are_rate_limited() {
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
async fn sign_ins_are_rate_limited() {
    let provider = Provider::start().await;
    let partner = partner_with(&provider, |config| config.limits.address_burst = 2).await;
    let browser = Browser::of(&partner);
    for _ in 0..2 {
        browser.provider().await;
    }
    let response = browser.go(&partner.url("/api/sign-in/oidc"), "").await;
    assert_eq!(location(&response), "/?sign_in=rate_limited");
}
