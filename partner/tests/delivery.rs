//! Retries, rejections and limits of push services, and which instance sends a push.

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

use aws_lc_rs::agreement::{ECDH_P256, PrivateKey};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use causeway_partner::{Config, Server};
use reqwest::header;
use serde_json::json;
use std::time::Duration;
use support::{
    Partner, postgres,
    push_fixture::{KEY, PushFixture, QUEUED, SUBSCRIBED, ok, token, until_counted},
    push_service::{PushService, decrypt},
    refused,
    whatsapp::Whatsapp,
};

/// More pushes than the limit of concurrent requests.
const HUNG: usize = 40;

#[tokio::test]
async fn a_subscription_that_has_ended_is_deleted() {
    for status in [404, 410] {
        let mut fixture = PushFixture::start().await;
        let cookie = fixture.partner.account("alice").await;
        fixture.subscribe(&cookie, "laptop").await;
        fixture.service.answer_next(status, &[]);
        ok(fixture.wake("alice").await).await;
        until_counted(&fixture, SUBSCRIBED, 0).await;
        until_counted(&fixture, QUEUED, 0).await;
        fixture.subscribe(&cookie, "phone").await;
        ok(fixture.wake("alice").await).await;
        assert_eq!(fixture.service.next().await.name, "phone");
        assert_eq!(fixture.service.requests(), 2);
    }
}

#[tokio::test]
async fn temporary_failures_are_retried_after_the_requested_delay() {
    let mut fixture = PushFixture::start().await;
    let cookie = fixture.partner.account("alice").await;
    fixture.subscribe(&cookie, "laptop").await;
    fixture.service.answer_next(429, &[("retry-after", "2")]);
    fixture.service.answer_next(503, &[("retry-after", "1")]);
    let began = std::time::Instant::now();
    ok(fixture.wake("alice").await).await;
    assert_eq!(fixture.service.next().await.payload, "wake");
    assert!(began.elapsed().as_secs() >= 3, "{:?}", began.elapsed());
    assert_eq!(fixture.service.requests(), 3);
}

#[tokio::test]
async fn rejected_pushes_are_dropped_and_redirects_are_not_followed() {
    let mut fixture = PushFixture::start().await;
    let cookie = fixture.partner.account("alice").await;
    fixture.subscribe(&cookie, "laptop").await;
    let elsewhere = fixture.service.endpoint("elsewhere");
    for (status, headers) in
        [(400, vec![]), (413, vec![]), (403, vec![]), (401, vec![]), (307, vec![("location", elsewhere.as_str())])]
    {
        let requests = fixture.service.requests();
        fixture.service.answer_next(status, &headers);
        ok(fixture.wake("alice").await).await;
        fixture.service.until_requests(requests + 1).await;
        until_counted(&fixture, QUEUED, 0).await;
        assert_eq!(fixture.service.requests(), requests + 1, "{status} was tried again");
        // The subscription still exists.
        ok(fixture.wake("alice").await).await;
        assert_eq!(fixture.service.next().await.name, "laptop");
        until_counted(&fixture, QUEUED, 0).await;
    }
    until_counted(&fixture, SUBSCRIBED, 1).await;
}

#[tokio::test]
async fn a_wake_during_another_delivery_is_sent_after_it() {
    let mut fixture = PushFixture::start().await;
    let cookie = fixture.partner.account("alice").await;
    fixture.subscribe(&cookie, "laptop").await;
    let held = fixture.service.hold().await;
    ok(fixture.wake("alice").await).await;
    fixture.service.until_requests(1).await;
    // The browser may fetch its messages after the first push, before these messages are there; one more push covers
    // all of them.
    for _ in 0..5 {
        ok(fixture.wake("alice").await).await;
    }
    drop(held);
    fixture.service.next().await;
    fixture.service.next().await;
    until_counted(&fixture, QUEUED, 0).await;
    assert_eq!(fixture.service.requests(), 2);
}

#[tokio::test]
async fn a_push_service_that_hangs_does_not_delay_the_others() {
    let mut hanging = PushService::start().await;
    let mut fixture = PushFixture::with(|config| config.push.services.push(hanging.origin())).await;
    let bob = fixture.partner.account("bob").await;
    fixture.subscribe(&bob, "phone").await;
    let names: Vec<_> = (0..HUNG).map(|person| format!("person {person}")).collect();
    for name in &names {
        let cookie = fixture.partner.account(name).await;
        assert_eq!(fixture.post(&cookie, "/api/push", &hanging.browser(name)).await.status(), 204);
    }
    let held = hanging.hold().await;
    // Only now, and quickly: the first request times out after 20 seconds.
    for name in &names {
        ok(fixture.wake(name).await).await;
    }
    hanging.until_requests(24).await;
    ok(fixture.wake("bob").await).await;
    // Before the time-out of the first request there.
    let came = tokio::time::timeout(Duration::from_secs(10), fixture.service.next()).await;
    assert_eq!(came.expect("bob waits for somebody else's push service").name, "phone");
    assert_eq!(hanging.requests(), 24);
    drop(held);
    for _ in 0..HUNG {
        hanging.next().await;
    }
    until_counted(&fixture, QUEUED, 0).await;
    assert_eq!(hanging.requests(), HUNG);
}

#[tokio::test]
async fn a_configured_proxy_is_used_for_pushes_and_keys() {
    // Only the proxy listens: the browser's endpoint and the URL of WhatsApp's keys do not exist.
    let service = PushService::start().await;
    let fixture = PushFixture::with(|config| {
        config.push.proxy = Some(service.origin());
        config.push.services.push("http://127.0.0.1:1".to_owned());
        config.push.jwks_url = "http://127.0.0.1:1/jwks".to_owned();
    })
    .await;
    let cookie = fixture.partner.account("alice").await;
    let mut browser = service.browser("laptop");
    browser[0].1 = "http://127.0.0.1:1/push/laptop".to_owned();
    assert_eq!(fixture.post(&cookie, "/api/push", &browser).await.status(), 204);
    assert_eq!(fixture.post(&cookie, "/api/push/test", &browser[..1]).await.status(), 204);
    service.until_requests(1).await;
    refused(fixture.wake("alice").await, 503, "no_keys").await;
    assert_eq!(service.lost(), ["/jwks"], "the request went through the proxy");
}

#[tokio::test]
async fn the_key_of_a_subscription_outlives_a_rotation() {
    let mut fixture = PushFixture::start().await;
    let cookie = fixture.partner.account("alice").await;
    let old = fixture.key().await;
    fixture.subscribe(&cookie, "laptop").await;
    fixture.service.expect_key("laptop", &old);

    let PushFixture { partner: Partner { running, http, data }, service, whatsapp } = fixture;
    running.stop().await;
    let url = |config: &mut Config| {
        config.push.services.push(service.origin());
        config.push.contact = Some("mailto:push@messenger.example".to_owned());
    };
    let mut config = support::config(&data);
    url(&mut config);
    let admin = causeway_partner::Admin::open(config.clone()).await.unwrap();
    admin.rotate_vapid().await.unwrap();
    admin.close().await;
    let running = Server::start(config).await.unwrap();
    fixture = PushFixture { partner: Partner { running, http, data }, service, whatsapp };
    let new = fixture.key().await;
    assert_ne!(new, old);

    let test = |name: &str| [("endpoint", fixture.service.endpoint(name))];
    let (laptop, phone) = (test("laptop"), test("phone"));
    assert_eq!(fixture.post(&cookie, "/api/push/test", &laptop).await.status(), 204);
    assert_eq!(fixture.service.next().await.key, old);
    fixture.subscribe(&cookie, "phone").await;
    assert_eq!(fixture.post(&cookie, "/api/push/test", &phone).await.status(), 204);
    assert_eq!(fixture.service.next().await.key, new);
    // A browser that requested the key before the rotation and subscribed after it.
    fixture.subscribe(&cookie, "slow").await;
    fixture.service.expect_key("slow", &old);
    let slow = [("endpoint", fixture.service.endpoint("slow"))];
    for tries in [2, 1] {
        let requests = fixture.service.requests();
        assert_eq!(fixture.post(&cookie, "/api/push/test", &slow).await.status(), 204);
        assert_eq!(fixture.service.next().await.key, old);
        assert_eq!(fixture.service.requests(), requests + tries, "the working key is stored");
    }
}

#[tokio::test]
async fn instances_share_the_work() {
    let url = postgres::database().await;
    let mut service = PushService::start().await;
    let (_whatsapp, jwks) = Whatsapp::serve(&[&KEY]).await;
    let instance = || {
        Partner::with(|config| {
            config.database_url = Some(url.clone().into());
            config.secret = Some(support::SECRET.to_owned().into());
            config.push.audience = Some("https://messenger.example".to_owned());
            config.push.services.push(service.origin());
            config.push.jwks_url = jwks.to_string();
        })
    };
    let (one, other) = (instance().await, instance().await);
    let cookie = one.account("alice").await;
    let names: Vec<_> = (0..10).map(|number| format!("browser{number}")).collect();
    for name in &names {
        let form = service.browser(name);
        let request = one.http.post(one.url("/api/push")).header(header::COOKIE, &cookie);
        assert_eq!(request.form(&form).send().await.unwrap().status(), 204);
    }
    for (round, partner) in [&one, &other, &one].into_iter().enumerate() {
        let token = token(partner, json!({"aud": "https://messenger.example", "jti": round.to_string()}));
        let call = partner.http.post(partner.url("/push")).bearer_auth(token).json(&json!({"to": "alice"}));
        ok(call.send().await.unwrap()).await;
        let mut woken = Vec::new();
        for _ in &names {
            woken.push(service.next().await.name);
        }
        woken.sort();
        assert_eq!(woken, names);
    }
    one.running.stop().await;
    other.running.stop().await;
    assert!(service.is_quiet(), "no browser was woken twice");
}

/// RFC 8291 appendix A: the test service decrypts a message of another implementation.
#[test]
fn the_rfcs_example_message_is_decrypted() {
    let bytes = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap();
    let private = bytes("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94");
    let private = PrivateKey::from_private_key(&ECDH_P256, &private).unwrap();
    let public = bytes("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4");
    let body = bytes(
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl\
         7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN",
    );
    let plain = decrypt(&private, &public, &bytes("BTBZMqHH6r4Tts7J_aSIgg"), &body).unwrap();
    assert_eq!(plain, b"When I grow up, I want to be a watermelon");
}
