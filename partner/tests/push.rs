//! From WhatsApp's call to the browser: who may call, who may subscribe, and what arrives.

mod common;

use causeway_partner::Config;
use common::{
    postgres,
    push_service::Push,
    refused,
    world::{DAYS, World, ok, token},
};
use reqwest::{Client, Version, header};
use serde_json::json;

#[tokio::test]
async fn a_call_of_whatsapps_wakes_every_browser_of_its_user() {
    let mut world = World::start().await;
    let (alice, bob) = (world.partner.account("alice").await, world.partner.account("bob").await);
    world.subscribe(&alice, "laptop").await;
    world.subscribe(&alice, "phone").await;
    world.subscribe(&bob, "bobs").await;
    ok(world.wake("alice").await).await;
    let mut pushes = [world.service.next().await, world.service.next().await];
    pushes.sort_by(|a, b| a.name.cmp(&b.name));
    let key = world.key().await;
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
    ok(world.wake("bob").await).await;
    assert_eq!(world.service.next().await.name, "bobs");
    ok(world.wake("alice").await).await;
    world.service.next().await;
    world.service.next().await;
    assert!(world.service.is_quiet());
}

#[tokio::test]
async fn a_person_tests_the_own_browser_and_no_others() {
    let mut world = World::start().await;
    let (alice, bob) = (world.partner.account("alice").await, world.partner.account("bob").await);
    world.subscribe(&alice, "laptop").await;
    let endpoint = [("endpoint", world.service.endpoint("laptop"))];
    let queued = world.post(&alice, "/api/push/test", &endpoint).await;
    assert_eq!(queued.status(), 204);
    let push = world.service.next().await;
    assert_eq!((push.payload.as_str(), push.topic, push.urgency.as_str()), ("test", None, "high"));
    assert!((50..=60).contains(&push.ttl), "{}", push.ttl);

    refused(world.post(&bob, "/api/push/test", &endpoint).await, 404, "not_found").await;
    let unknown = [("endpoint", world.service.endpoint("unknown"))];
    refused(world.post(&alice, "/api/push/test", &unknown).await, 404, "not_found").await;
    refused(world.post("", "/api/push/test", &endpoint).await, 401, "not_signed_in").await;
}

#[tokio::test]
async fn a_subscription_ends_when_told_and_moves_with_its_browser() {
    let mut world = World::start().await;
    let (alice, bob) = (world.partner.account("alice").await, world.partner.account("bob").await);
    world.subscribe(&alice, "laptop").await;
    world.subscribe(&alice, "phone").await;
    let endpoint = [("endpoint", world.service.endpoint("phone"))];
    // Whether it was known or not, and not by whom it does not belong to.
    assert_eq!(world.post(&bob, "/api/push/end", &endpoint).await.status(), 204);
    ok(world.wake("alice").await).await;
    world.service.next().await;
    world.service.next().await;
    for _ in 0..2 {
        assert_eq!(world.post(&alice, "/api/push/end", &endpoint).await.status(), 204);
    }
    // The laptop's browser subscribes anew, in place of the former subscription.
    let mut form = world.service.browser("laptop2").to_vec();
    form.push(("previous", world.service.endpoint("laptop")));
    assert_eq!(world.post(&alice, "/api/push", &form).await.status(), 204);
    ok(world.wake("alice").await).await;
    assert_eq!(world.service.next().await.name, "laptop2");
    // The same browser, another person.
    assert_eq!(world.post(&bob, "/api/push", &form[..3]).await.status(), 204);
    ok(world.wake("alice").await).await;
    ok(world.wake("bob").await).await;
    assert_eq!(world.service.next().await.name, "laptop2");
    assert!(world.service.is_quiet());
}

#[tokio::test]
async fn what_is_no_subscription_is_refused() {
    let world = World::start().await;
    let cookie = world.partner.account("alice").await;
    let good = world.service.browser("laptop");
    refused(world.post("", "/api/push", &good).await, 401, "not_signed_in").await;
    refused(world.post(&cookie, "/api/push", &good[..2]).await, 400, "form_invalid").await;
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
        refused(world.post(&cookie, "/api/push", &bad).await, 422, "subscription_invalid").await;
    }
    let huge = [("endpoint", format!("{}{}", world.service.endpoint("x"), "x".repeat(17_000)))];
    refused(world.post(&cookie, "/api/push/end", &huge).await, 413, "too_large").await;
    let forged = world.partner.http.post(world.partner.url("/api/push")).header(header::COOKIE, &cookie);
    let forged = forged.header("sec-fetch-site", "cross-site").form(&good).send().await.unwrap();
    refused(forged, 403, "cross_site").await;
}

#[tokio::test]
async fn subscriptions_and_tests_are_not_without_end() {
    let world = World::with(|config| {
        config.limits.push_burst = 2;
        config.limits.push_refill_seconds = 1_000;
    })
    .await;
    let cookie = world.partner.account("alice").await;
    world.subscribe(&cookie, "laptop").await;
    let endpoint = [("endpoint", world.service.endpoint("laptop"))];
    assert_eq!(world.post(&cookie, "/api/push/test", &endpoint).await.status(), 204);
    refused(world.post(&cookie, "/api/push/test", &endpoint).await, 429, "rate_limited").await;
    refused(world.post(&cookie, "/api/push", &world.service.browser("phone")).await, 429, "rate_limited").await;
    assert_eq!(world.post(&cookie, "/api/push/end", &endpoint).await.status(), 204, "to end is always allowed");
}

#[tokio::test]
async fn only_whatsapp_wakes() {
    let world = World::start().await;
    world.partner.account("alice").await;
    let body = || json!({"to": "alice"}).to_string();
    let bare = world.partner.http.post(world.partner.url("/push")).body(body()).send().await.unwrap();
    assert_eq!(bare.headers()[header::WWW_AUTHENTICATE], r#"Bearer error="invalid_token""#);
    refused(bare, 401, "bearer_invalid").await;
    let good = token(&world.partner, json!({}));
    for bad in [
        "x",
        &"x".repeat(5_000),
        &token(&world.partner, json!({"iss": "SOMEONE"})),
        &token(&world.partner, json!({"aud": ["https://other.example"]})),
        &token(&world.partner, json!({"exp": 1_700_000_000})),
        &good.replace("eyJ", "eyI"),
    ] {
        refused(world.call(bad, body()).await, 401, "bearer_invalid").await;
    }
    // Who wakes nobody is told so only if it is WhatsApp.
    for unknown in ["nobody", "Alice", " alice", "", "al\0ice", &"x".repeat(1_000)] {
        refused(world.call(&good, json!({ "to": unknown }).to_string()).await, 404, "not_found").await;
        refused(world.call("x", json!({ "to": unknown }).to_string()).await, 401, "bearer_invalid").await;
    }
    for bad in ["", "alice", "{}", r#"{"to":7}"#, "to=alice", "[", "\u{0}"] {
        refused(world.call(&good, bad.to_owned()).await, 400, "call_invalid").await;
    }
    let huge = json!({"to": "alice", "x": "x".repeat(4_096)}).to_string();
    refused(world.call(&good, huge).await, 413, "too_large").await;
    refused(world.partner.get("/push").await, 405, "method_not_allowed").await;
    ok(world.call(&good, json!({"to": "alice", "later": true}).to_string()).await).await;
}

#[tokio::test]
async fn whatsapp_speaks_http_1_and_2_and_sends_no_origin() {
    let world = World::start().await;
    world.partner.account("alice").await;
    let two = Client::builder().no_proxy().http2_prior_knowledge().build().unwrap();
    for (http, version) in [(&world.partner.http, Version::HTTP_11), (&two, Version::HTTP_2)] {
        let call = http.post(world.partner.url("/push")).bearer_auth(token(&world.partner, json!({})));
        let response = call.json(&json!({"to": "alice"})).send().await.unwrap();
        assert_eq!(response.version(), version);
        ok(response).await;
    }
}

#[tokio::test]
async fn without_whatsapps_keys_it_is_asked_to_come_again() {
    let world = World::start().await;
    world.whatsapp.fail();
    world.partner.account("alice").await;
    let response = world.wake("alice").await;
    assert_eq!(response.headers()[header::RETRY_AFTER], "1");
    refused(response, 503, "no_keys").await;
}

#[tokio::test]
async fn a_replay_is_refused_by_every_instance() {
    let url = postgres::database().await;
    let shared = |config: &mut Config| {
        config.database_url = Some(url.clone().into());
        config.secret = Some(common::SECRET.to_owned().into());
        config.push.audience = Some("https://messenger.example".to_owned());
    };
    let (one, other) = (World::with(shared).await, World::with(shared).await);
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
async fn a_token_without_a_name_is_good_once_if_configured_so() {
    let world = World::with(|config| config.push.single_use = true).await;
    world.partner.account("alice").await;
    let plain = token(&world.partner, json!({}));
    ok(world.call(&plain, json!({"to": "alice"}).to_string()).await).await;
    refused(world.call(&plain, json!({"to": "alice"}).to_string()).await, 401, "bearer_invalid").await;
}

#[tokio::test]
async fn a_deleted_account_is_nobodys() {
    let mut world = World::start().await;
    let (alice, bob) = (world.partner.account("alice").await, world.partner.account("bob").await);
    world.subscribe(&alice, "laptop").await;
    let delete = |cookie: &str, site: &'static str| {
        let request = world.partner.http.delete(world.partner.url("/api/account")).header(header::COOKIE, cookie);
        request.header("sec-fetch-site", site).send()
    };
    refused(delete(&alice, "cross-site").await.unwrap(), 403, "cross_site").await;
    refused(delete("", "same-origin").await.unwrap(), 401, "not_signed_in").await;
    let deleted = delete(&alice, "same-origin").await.unwrap();
    assert_eq!(deleted.status(), 204);
    assert!(deleted.headers()[header::SET_COOKIE].to_str().unwrap().contains("Max-Age=0"));
    refused(world.partner.token(&alice).await, 401, "not_signed_in").await;
    refused(world.partner.credentials("/api/session", "alice", common::PASSWORD).await, 401, "bad_credentials").await;
    refused(world.wake("alice").await, 404, "not_found").await;
    // The name is free again, and whoever takes it inherits nothing.
    let another = world.partner.account("alice").await;
    world.subscribe(&another, "phone").await;
    ok(world.wake("alice").await).await;
    assert_eq!(world.service.next().await.name, "phone");
    assert!(world.service.is_quiet());
    assert_eq!(world.partner.token(&bob).await.status(), 200);
}
