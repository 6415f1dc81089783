//! From WhatsApp's call to the browser: authentication, subscriptions, and the push that arrives.

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

use causeway_partner::Config;
use reqwest::{Client, Version, header};
use serde_json::json;
use support::{
    postgres,
    push_fixture::{DAYS, PushFixture, ok, token},
    push_service::Push,
    refused,
};

#[tokio::test]
async fn a_call_of_whatsapp_wakes_every_browser_of_the_user() {
    let mut fixture = PushFixture::start().await;
    let (alice, bob) = (fixture.partner.account("alice").await, fixture.partner.account("bob").await);
    fixture.subscribe(&alice, "laptop").await;
    fixture.subscribe(&alice, "phone").await;
    fixture.subscribe(&bob, "bobs").await;
    ok(fixture.wake("alice").await).await;
    let mut pushes = [fixture.service.next().await, fixture.service.next().await];
    pushes.sort_by(|a, b| a.name.cmp(&b.name));
    let key = fixture.key().await;
    for (push, name) in pushes.iter().zip(["laptop", "phone"]) {
        let expected = Push {
            name: name.to_owned(),
            payload: "wake".to_owned(),
            ttl: 28 * DAYS,
            urgency: "high".to_owned(),
            topic: Some("wake".to_owned()),
            sub: "mailto:push@messenger.example".to_owned(),
            key: key.clone(),
        };
        assert_eq!(*push, expected);
    }
    ok(fixture.wake("bob").await).await;
    assert_eq!(fixture.service.next().await.name, "bobs");
    ok(fixture.wake("alice").await).await;
    fixture.service.next().await;
    fixture.service.next().await;
    assert!(fixture.service.is_quiet());
}

#[tokio::test]
async fn a_test_push_goes_to_the_own_browser_only() {
    let mut fixture = PushFixture::start().await;
    let (alice, bob) = (fixture.partner.account("alice").await, fixture.partner.account("bob").await);
    fixture.subscribe(&alice, "laptop").await;
    let endpoint = [("endpoint", fixture.service.endpoint("laptop"))];
    let queued = fixture.post(&alice, "/api/push/test", &endpoint).await;
    assert_eq!(queued.status(), 204);
    let push = fixture.service.next().await;
    assert_eq!((push.payload.as_str(), push.topic, push.urgency.as_str()), ("test", None, "high"));
    assert!((50..=60).contains(&push.ttl), "{}", push.ttl);

    refused(fixture.post(&bob, "/api/push/test", &endpoint).await, 404, "not_found").await;
    let unknown = [("endpoint", fixture.service.endpoint("unknown"))];
    refused(fixture.post(&alice, "/api/push/test", &unknown).await, 404, "not_found").await;
    refused(fixture.post(&alice, "/api/push/test", &[("endpoint", "nonsense".to_owned())]).await, 404, "not_found")
        .await;
    refused(fixture.post("", "/api/push/test", &endpoint).await, 401, "not_signed_in").await;
}

#[tokio::test]
async fn a_subscription_can_be_deleted_and_replaced() {
    let mut fixture = PushFixture::start().await;
    let (alice, bob) = (fixture.partner.account("alice").await, fixture.partner.account("bob").await);
    fixture.subscribe(&alice, "laptop").await;
    fixture.subscribe(&alice, "phone").await;
    let endpoint = [("endpoint", fixture.service.endpoint("phone"))];
    // Whether the subscription exists or not, and not by another account.
    assert_eq!(fixture.post(&bob, "/api/push/end", &endpoint).await.status(), 204);
    ok(fixture.wake("alice").await).await;
    fixture.service.next().await;
    fixture.service.next().await;
    for _ in 0..2 {
        assert_eq!(fixture.post(&alice, "/api/push/end", &endpoint).await.status(), 204);
    }
    // A text that is no endpoint names no subscription.
    let nonsense = ("previous", "nonsense".to_owned());
    assert_eq!(fixture.post(&alice, "/api/push/end", &[("endpoint", nonsense.1.clone())]).await.status(), 204);
    let confirmed = [fixture.service.browser("laptop").as_slice(), &[nonsense]].concat();
    assert_eq!(fixture.post(&alice, "/api/push", &confirmed).await.status(), 204);
    // The laptop's browser replaces its subscription.
    let mut form = fixture.service.browser("laptop2").to_vec();
    form.push(("previous", fixture.service.endpoint("laptop")));
    assert_eq!(fixture.post(&alice, "/api/push", &form).await.status(), 204);
    ok(fixture.wake("alice").await).await;
    assert_eq!(fixture.service.next().await.name, "laptop2");
    // The same browser, another person.
    assert_eq!(fixture.post(&bob, "/api/push", &form[..3]).await.status(), 204);
    ok(fixture.wake("alice").await).await;
    ok(fixture.wake("bob").await).await;
    assert_eq!(fixture.service.next().await.name, "laptop2");
    assert!(fixture.service.is_quiet());
}

#[tokio::test]
async fn an_invalid_subscription_is_refused() {
    let fixture = PushFixture::start().await;
    let cookie = fixture.partner.account("alice").await;
    let good = fixture.service.browser("laptop");
    refused(fixture.post("", "/api/push", &good).await, 401, "not_signed_in").await;
    refused(fixture.post(&cookie, "/api/push", &good[..2]).await, 400, "form_invalid").await;
    for (field, value) in [
        (0, "https://evil.example/push"),
        (0, "http://127.0.0.1:1/push"),
        (0, "http://fcm.googleapis.com/fcm/send/x"),
        (0, "https://fcm.googleapis.com@127.0.0.1/"),
        (0, "nonsense"),
        (1, "BAAA"),
        (1, &"A".repeat(87)),
        (2, "AAAA"),
        (2, "AAAAAAAAAAAAAAAAAAAAAA=="),
    ] {
        let mut bad = good.clone();
        bad[field].1 = value.to_owned();
        refused(fixture.post(&cookie, "/api/push", &bad).await, 422, "subscription_invalid").await;
    }
    let huge = [("endpoint", format!("{}{}", fixture.service.endpoint("x"), "x".repeat(17_000)))];
    refused(fixture.post(&cookie, "/api/push/end", &huge).await, 413, "too_large").await;
    let forged = fixture.partner.http.post(fixture.partner.url("/api/push")).header(header::COOKIE, &cookie);
    let forged = forged.header("sec-fetch-site", "cross-site").form(&good).send().await.unwrap();
    refused(forged, 403, "cross_site").await;
}

#[tokio::test]
async fn subscriptions_and_tests_are_rate_limited() {
    let fixture = PushFixture::with(|config| {
        config.limits.push_burst = 2;
        config.limits.push_refill_seconds = 1_000;
    })
    .await;
    let cookie = fixture.partner.account("alice").await;
    fixture.subscribe(&cookie, "laptop").await;
    let endpoint = [("endpoint", fixture.service.endpoint("laptop"))];
    assert_eq!(fixture.post(&cookie, "/api/push/test", &endpoint).await.status(), 204);
    refused(fixture.post(&cookie, "/api/push/test", &endpoint).await, 429, "rate_limited").await;
    refused(fixture.post(&cookie, "/api/push", &fixture.service.browser("phone")).await, 429, "rate_limited").await;
    assert_eq!(
        fixture.post(&cookie, "/api/push/end", &endpoint).await.status(),
        204,
        "unsubscribing is not rate limited"
    );
}

#[tokio::test]
async fn only_whatsapp_can_wake() {
    let fixture = PushFixture::start().await;
    fixture.partner.account("alice").await;
    let body = || json!({"to": "alice"}).to_string();
    let bare = fixture.partner.http.post(fixture.partner.url("/push")).body(body()).send().await.unwrap();
    assert_eq!(bare.headers()[header::WWW_AUTHENTICATE], r#"Bearer error="invalid_token""#);
    refused(bare, 401, "bearer_invalid").await;
    let good = token(&fixture.partner, json!({}));
    for bad in [
        "x",
        &"x".repeat(5_000),
        &token(&fixture.partner, json!({"iss": "SOMEONE"})),
        &token(&fixture.partner, json!({"aud": ["https://other.example"]})),
        &token(&fixture.partner, json!({"exp": 1_700_000_000})),
        &good.replace("eyJ", "eyI"),
    ] {
        refused(fixture.call(bad, body()).await, 401, "bearer_invalid").await;
    }
    // Only WhatsApp learns that an account does not exist.
    for unknown in ["nobody", "Alice", " alice", "", "al\0ice", &"x".repeat(1_000)] {
        refused(fixture.call(&good, json!({ "to": unknown }).to_string()).await, 404, "not_found").await;
        refused(fixture.call("x", json!({ "to": unknown }).to_string()).await, 401, "bearer_invalid").await;
    }
    for bad in ["", "alice", "{}", r#"{"to":7}"#, "to=alice", "[", "\u{0}"] {
        refused(fixture.call(&good, bad.to_owned()).await, 400, "call_invalid").await;
    }
    let huge = json!({"to": "alice", "x": "x".repeat(4_096)}).to_string();
    refused(fixture.call(&good, huge).await, 413, "too_large").await;
    refused(fixture.partner.get("/push").await, 405, "method_not_allowed").await;
    ok(fixture.call(&good, json!({"to": "alice", "later": true}).to_string()).await).await;
}

#[tokio::test]
async fn whatsapp_speaks_http_1_and_2_and_sends_no_origin() {
    let fixture = PushFixture::start().await;
    fixture.partner.account("alice").await;
    let two = Client::builder().no_proxy().http2_prior_knowledge().build().unwrap();
    for (http, version) in [(&fixture.partner.http, Version::HTTP_11), (&two, Version::HTTP_2)] {
        let call = http.post(fixture.partner.url("/push")).bearer_auth(token(&fixture.partner, json!({})));
        let response = call.json(&json!({"to": "alice"})).send().await.unwrap();
        assert_eq!(response.version(), version);
        ok(response).await;
    }
}

#[tokio::test]
async fn without_whatsapps_keys_the_response_asks_for_a_retry() {
    let fixture = PushFixture::start().await;
    fixture.whatsapp.fail();
    fixture.partner.account("alice").await;
    let response = fixture.wake("alice").await;
    assert_eq!(response.headers()[header::RETRY_AFTER], "1");
    refused(response, 503, "no_keys").await;
}

#[tokio::test]
async fn a_replay_is_refused_by_every_instance() {
    let url = postgres::database().await;
    let shared = |config: &mut Config| {
        config.database_url = Some(url.clone().into());
        config.secret = Some(support::SECRET.to_owned().into());
        config.push.audience = Some("https://messenger.example".to_owned());
    };
    let (one, other) = (PushFixture::with(shared).await, PushFixture::with(shared).await);
    one.partner.account("alice").await;
    let once = token(&one.partner, json!({"jti": "once", "aud": "https://messenger.example"}));
    let body = || json!({"to": "alice"}).to_string();
    ok(one.call(&once, body()).await).await;
    refused(one.call(&once, body()).await, 401, "bearer_invalid").await;
    refused(other.call(&once, body()).await, 401, "bearer_invalid").await;
    let plain = token(&one.partner, json!({"aud": "https://messenger.example"}));
    ok(one.call(&plain, body()).await).await;
    ok(other.call(&plain, body()).await).await;
    assert_eq!(one.key().await, other.key().await, "both have one key");
}

#[tokio::test]
async fn a_token_without_jti_is_valid_once_if_configured() {
    let fixture = PushFixture::with(|config| config.push.single_use = true).await;
    fixture.partner.account("alice").await;
    let plain = token(&fixture.partner, json!({}));
    ok(fixture.call(&plain, json!({"to": "alice"}).to_string()).await).await;
    refused(fixture.call(&plain, json!({"to": "alice"}).to_string()).await, 401, "bearer_invalid").await;
}

#[tokio::test]
async fn a_deleted_account_is_unknown() {
    let mut fixture = PushFixture::start().await;
    let (alice, bob) = (fixture.partner.account("alice").await, fixture.partner.account("bob").await);
    fixture.subscribe(&alice, "laptop").await;
    let delete = |cookie: &str, site: &'static str| {
        let request = fixture.partner.http.delete(fixture.partner.url("/api/account")).header(header::COOKIE, cookie);
        request.header("sec-fetch-site", site).send()
    };
    refused(delete(&alice, "cross-site").await.unwrap(), 403, "cross_site").await;
    refused(delete("", "same-origin").await.unwrap(), 401, "not_signed_in").await;
    let deleted = delete(&alice, "same-origin").await.unwrap();
    assert_eq!(deleted.status(), 204);
    assert!(deleted.headers()[header::SET_COOKIE].to_str().unwrap().contains("Max-Age=0"));
    refused(fixture.partner.token(&alice).await, 401, "not_signed_in").await;
    refused(fixture.partner.credentials("/api/session", "alice", support::PASSWORD).await, 401, "bad_credentials")
        .await;
    refused(fixture.wake("alice").await, 404, "not_found").await;
    // The identifier is free again; its new owner inherits nothing.
    let another = fixture.partner.account("alice").await;
    fixture.subscribe(&another, "phone").await;
    ok(fixture.wake("alice").await).await;
    assert_eq!(fixture.service.next().await.name, "phone");
    assert!(fixture.service.is_quiet());
    assert_eq!(fixture.partner.token(&bob).await.status(), 200);
}
