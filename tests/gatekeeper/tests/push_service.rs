//! The push service between a server that signs with VAPID and a browser that speaks autopush.
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

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD as BASE64URL};
use causeway_gatekeeper::{Gatekeeper, Running};
use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use std::path::Path;
use support::partner::now;
use support::{TIMEOUT, get, post, start};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

const NOBODY: &str = "http://127.0.0.1:9";

/// A browser as far as the push service sees one.
struct Browser {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    uaid: String,
}

impl Browser {
    async fn connect(running: &Running, uaid: &str) -> Self {
        let mut request = format!("ws://{}/", running.push_addr).into_client_request().unwrap();
        request.headers_mut().insert("sec-websocket-protocol", "push-notification".parse().unwrap());
        let (socket, answer) = tokio_tungstenite::connect_async(request).await.unwrap();
        assert_eq!(answer.headers()["sec-websocket-protocol"], "push-notification");
        let mut browser = Self { socket, uaid: String::new() };
        browser.say(json!({"messageType": "hello", "broadcasts": {"a": "b"}, "use_webpush": true, "uaid": uaid})).await;
        let hello = browser.hear().await;
        assert_eq!((&hello["messageType"], &hello["status"]), (&json!("hello"), &json!(200)));
        browser.uaid = hello["uaid"].as_str().unwrap().to_owned();
        browser
    }

    async fn say(&mut self, value: Value) {
        self.socket.send(Message::text(value.to_string())).await.unwrap();
    }

    /// The next message, if the service does not close.
    async fn heard(&mut self) -> Option<Value> {
        let text = async {
            loop {
                match self.socket.next().await? {
                    Ok(Message::Text(text)) => return serde_json::from_str(&text).ok(),
                    Ok(Message::Close(_)) | Err(_) => return None,
                    Ok(_) => {}
                }
            }
        };
        tokio::time::timeout(TIMEOUT, text).await.expect("the service says something or closes")
    }

    async fn hear(&mut self) -> Value {
        self.heard().await.expect("a message")
    }

    async fn subscribe(&mut self, channel: &str, key: Option<&str>) -> String {
        self.say(json!({"messageType": "register", "channelID": channel, "key": key})).await;
        let answer = self.hear().await;
        assert_eq!((&answer["channelID"], &answer["status"]), (&json!(channel), &json!(200)), "{answer}");
        answer["pushEndpoint"].as_str().unwrap().to_owned()
    }

    /// The bytes of the next notification, which is then acknowledged.
    async fn take(&mut self) -> Vec<u8> {
        let said = self.hear().await;
        assert_eq!(said["messageType"], "notification", "{said}");
        let update = json!({"channelID": said["channelID"], "version": said["version"], "code": 100});
        self.say(json!({"messageType": "ack", "updates": [update]})).await;
        URL_SAFE.decode(said["data"].as_str().unwrap()).unwrap()
    }

    /// Everything said so far has been acted upon.
    async fn settle(&mut self) {
        self.say(json!({})).await;
        assert_eq!(self.hear().await, json!({}));
    }
}

/// A server that sends messages.
struct Sender {
    key: EcdsaKeyPair,
    audience: String,
}

impl Sender {
    fn to(running: &Running) -> Self {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        Self { key, audience: format!("http://{}", running.push_addr) }
    }

    fn public(&self) -> String {
        BASE64URL.encode(self.key.public_key())
    }

    fn authorization(&self) -> String {
        let part = |value: Value| BASE64URL.encode(value.to_string());
        let claims = json!({"aud": self.audience, "exp": now() + 3600, "sub": "mailto:ops@example.org"});
        let signed = format!("{}.{}", part(json!({"typ": "JWT", "alg": "ES256"})), part(claims));
        let signature = self.key.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        format!("vapid t={signed}.{}, k={}", BASE64URL.encode(signature), self.public())
    }

    async fn send(&self, endpoint: &str, body: &[u8], more: &[(&str, &str)]) -> reqwest::Response {
        let mut request = reqwest::Client::new().post(endpoint).header("authorization", self.authorization());
        let defaults = [("ttl", "60"), ("content-encoding", "aes128gcm")];
        let kept = defaults.iter().filter(|(name, _)| !more.iter().any(|(other, _)| other == name));
        for (name, value) in kept.chain(more) {
            request = request.header(*name, *value);
        }
        request.body(body.to_vec()).send().await.unwrap()
    }
}

async fn states(running: &Running) -> Vec<(String, Value)> {
    let all = get(running, "/control/push-service").await;
    let state = |entry: &Value| (entry["state"].as_str().unwrap().to_owned(), entry["code"].clone());
    all["deliveries"].as_array().unwrap().iter().map(state).collect()
}

async fn service(data: &Path) -> Running {
    start(data, NOBODY).await
}

#[tokio::test]
async fn a_message_reaches_the_browser_and_its_acknowledgement_is_seen() {
    let data = tempfile::tempdir().unwrap();
    let running = service(data.path()).await;
    let sender = Sender::to(&running);
    let mut browser = Browser::connect(&running, "").await;
    let endpoint = browser.subscribe("c1", Some(&sender.public())).await;
    let answer = sender.send(&endpoint, b"sealed", &[("urgency", "high"), ("topic", "wake")]).await;
    assert_eq!((answer.status().as_u16(), &answer.headers()["ttl"]), (201, &"60".parse().unwrap()));
    assert!(answer.headers()["location"].to_str().unwrap().starts_with(&sender.audience));
    assert_eq!(browser.take().await, b"sealed");
    browser.settle().await;
    assert_eq!(states(&running).await, [("acknowledged".to_owned(), json!(100))]);
    sender.send(&endpoint, b"again", &[]).await;
    let said = browser.hear().await;
    browser.say(json!({"messageType": "nack", "version": said["version"], "code": 302})).await;
    browser.settle().await;
    assert_eq!(states(&running).await[1], ("refused".to_owned(), json!(302)));
    running.stop().await;
}

#[tokio::test]
async fn messages_wait_for_a_browser_that_is_away_and_topics_replace() {
    let data = tempfile::tempdir().unwrap();
    let running = service(data.path()).await;
    let sender = Sender::to(&running);
    let mut browser = Browser::connect(&running, "").await;
    let endpoint = browser.subscribe("c1", Some(&sender.public())).await;
    let uaid = browser.uaid.clone();
    post(&running, "/control/push-service/disconnect", json!({})).await;
    assert!(browser.heard().await.is_none(), "the service closes");
    for (body, more) in [
        (b"old", &[("topic", "wake")][..]),
        (b"new", &[("topic", "wake")]),
        (b"now", &[("ttl", "0")]),
        (b"aux", &[("ttl", "5")]),
    ] {
        assert_eq!(sender.send(&endpoint, body, more).await.status(), 201);
    }
    post(&running, "/control/faults", json!({"clock_ms": 10_000})).await;
    let mut browser = Browser::connect(&running, &uaid).await;
    assert_eq!(browser.uaid, uaid);
    assert_eq!(browser.take().await, b"new");
    browser.settle().await;
    let seen: Vec<_> = states(&running).await.into_iter().map(|(state, _)| state).collect();
    assert_eq!(seen, ["replaced", "acknowledged", "expired", "expired"]);
    running.stop().await;
}

#[tokio::test]
async fn what_was_not_acknowledged_comes_again() {
    let data = tempfile::tempdir().unwrap();
    let running = service(data.path()).await;
    let sender = Sender::to(&running);
    let mut browser = Browser::connect(&running, "").await;
    let endpoint = browser.subscribe("c1", Some(&sender.public())).await;
    sender.send(&endpoint, b"sealed", &[]).await;
    let first = browser.hear().await;
    let uaid = browser.uaid.clone();
    drop(browser);
    let mut browser = Browser::connect(&running, &uaid).await;
    assert_eq!(browser.hear().await["version"], first["version"]);
    running.stop().await;
}

#[tokio::test]
async fn only_the_server_that_it_was_made_for_may_use_a_subscription() {
    let data = tempfile::tempdir().unwrap();
    let running = service(data.path()).await;
    let (sender, other) = (Sender::to(&running), Sender::to(&running));
    let elsewhere = Sender { audience: "https://push.example.org".to_owned(), ..Sender::to(&running) };
    let mut browser = Browser::connect(&running, "").await;
    let endpoint = browser.subscribe("c1", Some(&sender.public())).await;
    assert_eq!(other.send(&endpoint, b"x", &[]).await.status(), 403);
    assert_eq!(elsewhere.send(&endpoint, b"x", &[]).await.status(), 401);
    let bare = reqwest::Client::new().post(&endpoint).header("ttl", "60").send().await.unwrap();
    assert_eq!(bare.status(), 401);
    assert_eq!(sender.send(&endpoint, b"x", &[("ttl", "soon")]).await.status(), 400);
    assert_eq!(sender.send(&endpoint, b"x", &[("content-encoding", "gzip")]).await.status(), 400);
    assert_eq!(sender.send(&endpoint, &[0; 4096], &[]).await.status(), 201);
    assert_eq!(sender.send(&endpoint, &[0; 4097], &[]).await.status(), 413);
    let all = get(&running, "/control/push-service").await;
    let reasons: Vec<_> = all["rejections"].as_array().unwrap().iter().map(|entry| entry["status"].clone()).collect();
    assert_eq!(reasons, [403, 401, 401, 400, 400, 413]);
    assert_eq!(all["deliveries"].as_array().unwrap().len(), 1);
    running.stop().await;
}

#[tokio::test]
async fn an_ended_subscription_is_gone_and_an_invented_one_is_not_found() {
    let data = tempfile::tempdir().unwrap();
    let running = service(data.path()).await;
    let sender = Sender::to(&running);
    let mut browser = Browser::connect(&running, "").await;
    let endpoint = browser.subscribe("c1", Some(&sender.public())).await;
    browser.say(json!({"messageType": "unregister", "channelID": "c1", "code": 200})).await;
    assert_eq!(browser.hear().await["status"], 200);
    assert_eq!(sender.send(&endpoint, b"x", &[]).await.status(), 410);
    assert_eq!(sender.send(&format!("{endpoint}x"), b"x", &[]).await.status(), 404);
    let dropped = browser.subscribe("c2", Some(&sender.public())).await;
    let uaid = browser.uaid.clone();
    let (_, answer) = post(&running, "/control/push-service/drop", json!({"uaid": uaid})).await;
    assert_eq!(answer, json!({"dropped": 1}));
    assert!(browser.heard().await.is_none(), "the service closes");
    assert_eq!(sender.send(&dropped, b"x", &[]).await.status(), 410);
    assert_ne!(Browser::connect(&running, &uaid).await.uaid, uaid, "a forgotten browser is a stranger");
    running.stop().await;
}

#[tokio::test]
async fn subscriptions_survive_a_restart_of_the_sandbox() {
    let data = tempfile::tempdir().unwrap();
    let running = service(data.path()).await;
    let sender = Sender::to(&running);
    let mut browser = Browser::connect(&running, "").await;
    let endpoint = browser.subscribe("c1", Some(&sender.public())).await;
    let (uaid, address) = (browser.uaid.clone(), running.push_addr);
    running.stop().await;
    let mut config = support::config(data.path(), NOBODY);
    config.push_listen = address;
    let running = Gatekeeper::start(config).await.unwrap();
    let mut browser = Browser::connect(&running, &uaid).await;
    assert_eq!(browser.uaid, uaid);
    assert_eq!(sender.send(&endpoint, b"sealed", &[]).await.status(), 201);
    assert_eq!(browser.take().await, b"sealed");
    running.stop().await;
}

#[tokio::test]
async fn answers_can_be_ordered_and_messages_held_back() {
    let data = tempfile::tempdir().unwrap();
    let running = service(data.path()).await;
    let sender = Sender::to(&running);
    let mut browser = Browser::connect(&running, "").await;
    let endpoint = browser.subscribe("c1", Some(&sender.public())).await;
    let order = json!({"status": 429, "count": 2, "retry_after": 7});
    assert_eq!(post(&running, "/control/push-service/answer", order).await.0, 204);
    for _ in 0..2 {
        let answer = sender.send(&endpoint, b"x", &[]).await;
        assert_eq!((answer.status().as_u16(), &answer.headers()["retry-after"]), (429, &"7".parse().unwrap()));
    }
    post(&running, "/control/push-service/hold", json!({"held": true})).await;
    assert_eq!(sender.send(&endpoint, b"held", &[]).await.status(), 201);
    browser.settle().await;
    assert_eq!(states(&running).await[0].0, "waiting");
    post(&running, "/control/push-service/hold", json!({"held": false})).await;
    assert_eq!(browser.take().await, b"held");
    running.stop().await;
}

#[tokio::test]
async fn nonsense_is_answered_or_passed_over_and_a_stranger_is_shown_out() {
    let data = tempfile::tempdir().unwrap();
    let running = service(data.path()).await;
    let mut browser = Browser::connect(&running, "made up").await;
    assert_ne!(browser.uaid, "made up");
    browser.say(json!({"messageType": "broadcast_subscribe", "broadcasts": {}})).await;
    browser.say(json!([1, 2])).await;
    browser.say(json!({"messageType": "register", "channelID": "c", "key": "AAAA"})).await;
    assert_eq!(browser.hear().await["status"], 400);
    browser.say(json!({"messageType": "register", "channelID": ""})).await;
    assert_eq!(browser.hear().await["status"], 400);
    browser.settle().await;
    let url = format!("ws://{}/", running.push_addr);
    let (mut socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();
    socket.send(Message::text("{}")).await.unwrap();
    let end = tokio::time::timeout(TIMEOUT, socket.next()).await.expect("the service closes");
    assert!(matches!(end, Some(Ok(Message::Close(_)))), "{end:?}");
    running.stop().await;
}
