//! From WhatsApp's call to the browser: who may call, who may subscribe, and what arrives.

mod common;

use aws_lc_rs::agreement::{ECDH_P256, PrivateKey};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use causeway_partner::{Config, Server};
use common::{
    Partner, postgres,
    push_service::{Push, PushService, decrypt},
    refused,
    whatsapp::{SigningKey, Whatsapp},
};
use jsonwebtoken::Algorithm;
use reqwest::{Client, Response, Version, header};
use serde_json::{Value, json};
use sqlx::{Connection, sqlite::SqliteConnectOptions};
use std::{
    sync::LazyLock,
    time::{Duration, SystemTime},
};

static KEY: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::new("1aXf8"));
const DAYS: u64 = 86_400;

/// A partner server with a push service and WhatsApp's keys next to it.
struct World {
    partner: Partner,
    service: PushService,
    whatsapp: Whatsapp,
}

impl World {
    async fn start() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let service = PushService::start().await;
        let (whatsapp, url) = Whatsapp::serve(&[&KEY]).await;
        let partner = Partner::with(|config| {
            config.push.services.push(service.origin());
            config.push.jwks_url = url.to_string();
            config.push.contact = Some("mailto:push@messenger.example".to_owned());
            change(config);
        })
        .await;
        Self { partner, service, whatsapp }
    }

    async fn subscribe(&self, cookie: &str, name: &str) {
        assert_eq!(self.post(cookie, "/api/push", &self.service.browser(name)).await.status(), 204);
    }

    async fn post(&self, cookie: &str, path: &str, form: &[(&'static str, String)]) -> Response {
        let request = self.partner.http.post(self.partner.url(path)).header(header::COOKIE, cookie);
        request.form(form).send().await.unwrap()
    }

    async fn key(&self) -> String {
        let response = self.partner.get("/api/push").await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/x-www-form-urlencoded");
        response.text().await.unwrap().strip_prefix("key=").unwrap().to_owned()
    }

    /// WhatsApp's call, with a token that lives for an hour.
    async fn wake(&self, identifier: &str) -> Response {
        self.call(&token(&self.partner, json!({})), json!({ "to": identifier }).to_string()).await
    }

    async fn call(&self, token: &str, body: String) -> Response {
        let request =
            self.partner.http.post(self.partner.url("/push")).header(header::CONTENT_TYPE, "application/json");
        request.bearer_auth(token).body(body).send().await.unwrap()
    }
}

fn token(partner: &Partner, more: Value) -> String {
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
    let mut claims = json!({"iss": "WHATSAPP", "aud": partner.url(""), "iat": now, "exp": now + 3_600});
    claims.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    KEY.sign(Algorithm::RS256, &claims)
}

async fn ok(response: Response) {
    assert_eq!(response.status(), 200);
    assert_eq!(response.text().await.unwrap(), "");
}

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

/// How many rows a query of the server's database counts, once that is `expected`.
async fn until_counted(world: &World, count: &'static str, expected: i64) {
    let file = world.partner.data.path().join("partner/partner.db");
    let mut database = sqlx::SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(file)).await.unwrap();
    let counted = async {
        while sqlx::query_scalar::<_, i64>(count).fetch_one(&mut database).await.unwrap() != expected {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), counted).await.expect(count);
}

const QUEUED: &str = "SELECT COUNT(*) FROM pushes";
const SUBSCRIBED: &str = "SELECT COUNT(*) FROM subscriptions";

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
