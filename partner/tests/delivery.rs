//! What becomes of a push that a push service does not take at once, and who sends it.

mod common;

use aws_lc_rs::agreement::{ECDH_P256, PrivateKey};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use causeway_partner::{Config, Server};
use common::{
    Partner, postgres,
    push_service::{PushService, decrypt},
    refused,
    whatsapp::Whatsapp,
    world::{KEY, QUEUED, SUBSCRIBED, World, ok, token, until_counted},
};
use reqwest::header;
use serde_json::json;
use std::time::Duration;

/// More pushes than are sent at once.
const HUNG: usize = 40;

#[tokio::test]
async fn a_subscription_that_is_over_is_forgotten() {
    for status in [404, 410] {
        let mut world = World::start().await;
        let cookie = world.partner.account("alice").await;
        world.subscribe(&cookie, "laptop").await;
        world.service.answer_next(status, &[]);
        ok(world.wake("alice").await).await;
        until_counted(&world, SUBSCRIBED, 0).await;
        until_counted(&world, QUEUED, 0).await;
        world.subscribe(&cookie, "phone").await;
        ok(world.wake("alice").await).await;
        assert_eq!(world.service.next().await.name, "phone");
        assert_eq!(world.service.requests(), 2);
    }
}

#[tokio::test]
async fn what_fails_for_a_while_is_sent_again_and_not_before_the_service_wants_it() {
    let mut world = World::start().await;
    let cookie = world.partner.account("alice").await;
    world.subscribe(&cookie, "laptop").await;
    world.service.answer_next(429, &[("retry-after", "2")]);
    world.service.answer_next(503, &[("retry-after", "1")]);
    let began = std::time::Instant::now();
    ok(world.wake("alice").await).await;
    assert_eq!(world.service.next().await.payload, "wake");
    assert!(began.elapsed().as_secs() >= 3, "{:?}", began.elapsed());
    assert_eq!(world.service.requests(), 3);
}

#[tokio::test]
async fn what_is_refused_is_dropped_and_redirects_are_not_followed() {
    let mut world = World::start().await;
    let cookie = world.partner.account("alice").await;
    world.subscribe(&cookie, "laptop").await;
    let elsewhere = world.service.endpoint("elsewhere");
    for (status, headers) in
        [(400, vec![]), (413, vec![]), (403, vec![]), (401, vec![]), (307, vec![("location", elsewhere.as_str())])]
    {
        let requests = world.service.requests();
        world.service.answer_next(status, &headers);
        ok(world.wake("alice").await).await;
        world.service.until_requests(requests + 1).await;
        until_counted(&world, QUEUED, 0).await;
        assert_eq!(world.service.requests(), requests + 1, "{status} was tried again");
        // The subscription is still there.
        ok(world.wake("alice").await).await;
        assert_eq!(world.service.next().await.name, "laptop");
        until_counted(&world, QUEUED, 0).await;
    }
    until_counted(&world, SUBSCRIBED, 1).await;
}

#[tokio::test]
async fn a_wake_while_another_is_under_way_comes_after_it() {
    let mut world = World::start().await;
    let cookie = world.partner.account("alice").await;
    world.subscribe(&cookie, "laptop").await;
    let held = world.service.hold().await;
    ok(world.wake("alice").await).await;
    world.service.until_requests(1).await;
    // Whoever is woken by the first may look before these messages are there; one more wake is enough for all of them.
    for _ in 0..5 {
        ok(world.wake("alice").await).await;
    }
    drop(held);
    world.service.next().await;
    world.service.next().await;
    until_counted(&world, QUEUED, 0).await;
    assert_eq!(world.service.requests(), 2);
}

#[tokio::test]
async fn a_push_service_that_hangs_keeps_nobody_else_waiting() {
    let mut hanging = PushService::start().await;
    let mut world = World::with(|config| config.push.services.push(hanging.origin())).await;
    let bob = world.partner.account("bob").await;
    world.subscribe(&bob, "phone").await;
    let names: Vec<_> = (0..HUNG).map(|person| format!("person {person}")).collect();
    for name in &names {
        let cookie = world.partner.account(name).await;
        assert_eq!(world.post(&cookie, "/api/push", &hanging.browser(name)).await.status(), 204);
    }
    let held = hanging.hold().await;
    // Only now, and quickly: the first request is given up after 20 seconds.
    for name in &names {
        ok(world.wake(name).await).await;
    }
    hanging.until_requests(24).await;
    ok(world.wake("bob").await).await;
    // Sooner than the first request there is given up.
    let came = tokio::time::timeout(Duration::from_secs(10), world.service.next()).await;
    assert_eq!(came.expect("bob waits for somebody else's push service").name, "phone");
    assert_eq!(hanging.requests(), 24);
    drop(held);
    for _ in 0..HUNG {
        hanging.next().await;
    }
    until_counted(&world, QUEUED, 0).await;
    assert_eq!(hanging.requests(), HUNG);
}

#[tokio::test]
async fn a_configured_proxy_is_used_for_pushes_and_keys() {
    // Nobody listens where the browser's endpoint is, nor where WhatsApp's keys are said to be: only the proxy does.
    let service = PushService::start().await;
    let world = World::with(|config| {
        config.push.proxy = Some(service.origin());
        config.push.services.push("http://127.0.0.1:1".to_owned());
        config.push.jwks_url = "http://127.0.0.1:1/jwks".to_owned();
    })
    .await;
    let cookie = world.partner.account("alice").await;
    let mut browser = service.browser("laptop");
    browser[0].1 = "http://127.0.0.1:1/push/laptop".to_owned();
    assert_eq!(world.post(&cookie, "/api/push", &browser).await.status(), 204);
    assert_eq!(world.post(&cookie, "/api/push/test", &browser[..1]).await.status(), 204);
    service.until_requests(1).await;
    refused(world.wake("alice").await, 503, "no_keys").await;
    assert_eq!(service.lost(), ["/jwks"], "the proxy knows no such page, but it was asked");
}

#[tokio::test]
async fn the_key_of_a_subscription_outlives_a_rotation() {
    let mut world = World::start().await;
    let cookie = world.partner.account("alice").await;
    let old = world.key().await;
    world.subscribe(&cookie, "laptop").await;
    world.service.expect_key("laptop", &old);

    let World { partner: Partner { running, http, data }, service, whatsapp } = world;
    running.stop().await;
    let url = |config: &mut Config| {
        config.push.services.push(service.origin());
        config.push.contact = Some("mailto:push@messenger.example".to_owned());
    };
    let mut config = common::config(&data);
    url(&mut config);
    let admin = causeway_partner::Admin::open(config.clone()).await.unwrap();
    admin.rotate_vapid().await.unwrap();
    admin.close().await;
    let running = Server::start(config).await.unwrap();
    world = World { partner: Partner { running, http, data }, service, whatsapp };
    let new = world.key().await;
    assert_ne!(new, old);

    let test = |name: &str| [("endpoint", world.service.endpoint(name))];
    let (laptop, phone) = (test("laptop"), test("phone"));
    assert_eq!(world.post(&cookie, "/api/push/test", &laptop).await.status(), 204);
    assert_eq!(world.service.next().await.key, old);
    world.subscribe(&cookie, "phone").await;
    assert_eq!(world.post(&cookie, "/api/push/test", &phone).await.status(), 204);
    assert_eq!(world.service.next().await.key, new);
    // A browser that asked for the key before the rotation, and subscribed after it.
    world.subscribe(&cookie, "slow").await;
    world.service.expect_key("slow", &old);
    let slow = [("endpoint", world.service.endpoint("slow"))];
    for tries in [2, 1] {
        let requests = world.service.requests();
        assert_eq!(world.post(&cookie, "/api/push/test", &slow).await.status(), 204);
        assert_eq!(world.service.next().await.key, old);
        assert_eq!(world.service.requests(), requests + tries, "what worked is remembered");
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
            config.secret = Some(common::SECRET.to_owned().into());
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
    assert!(service.is_quiet(), "nobody was woken twice");
}

/// RFC 8291 appendix A: what others encrypted is what the tests read.
#[test]
fn the_rfcs_own_message_is_read() {
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
