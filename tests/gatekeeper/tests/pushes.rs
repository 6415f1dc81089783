//! WhatsApp's push calls: for which users, when, how often, and what a Partner that fails costs.
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

use causeway_gatekeeper::{Class, Gatekeeper, Running};
use causeway_proto::jid::Jid;
use causeway_proto::node::Node;
use causeway_proto::noise::StaticKey;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::{Value, json};
use support::client::{Client, User, Way, login_phone, message, rng};
use support::partner::{Call, Partner};
use support::{TIMEOUT, get, post, until_user};

const BEN: u64 = 14155550102;

struct Scene {
    _data: tempfile::TempDir,
    partner: Partner,
    running: Running,
    alice: User,
    login: Jid,
    ben: Client,
}

impl Scene {
    async fn set(push_for: &[Class]) -> Self {
        let data = tempfile::tempdir().unwrap();
        let partner = Partner::start().await;
        let mut config = support::config(data.path(), &partner.url);
        config.push_for = push_for.to_vec();
        let running = Gatekeeper::start(config).await.unwrap();
        let alice = User::new("alice");
        let login = alice.enlist(&running, &partner).await;
        let noise = StaticKey::generate(&mut rng());
        let (ben, _) = login_phone(&running, Way::Tcp, &noise, BEN).await;
        Self { _data: data, partner, running, alice, login, ben }
    }

    async fn write(&mut self, id: &'static str) {
        self.ben.send(message(&self.login, id)).await;
        self.ben.until(|node| node.tag == "ack").await;
    }

    async fn alice(&self) -> Client {
        let token = self.partner.token("alice");
        let (client, first) = self.alice.login(&self.running, Way::Tcp, &self.login, &token).await;
        assert_eq!(first.tag, "success", "{first}");
        client
    }

    /// The one entry of the list, once nothing is under way.
    async fn settled(&self) -> Value {
        let quiet = async {
            loop {
                let all = get(&self.running, "/control/pushes").await;
                if all[0]["pending"] == false {
                    return all[0].clone();
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(TIMEOUT, quiet).await.expect("calls come to an end")
    }
}

/// The claims, verified against what the sandbox publishes.
async fn claims(running: &Running, partner: &Partner, call: &Call) -> Value {
    let token = call.headers["authorization"].to_str().unwrap().strip_prefix("Bearer ").unwrap();
    let published: JwkSet = serde_json::from_value(get(running, "/.well-known/jwks").await).unwrap();
    let kid = decode_header(token).unwrap().kid.unwrap();
    let mut rules = Validation::new(Algorithm::RS256);
    rules.set_audience(&[&partner.url]);
    rules.set_issuer(&["WHATSAPP"]);
    let key = DecodingKey::from_jwk(published.find(&kid).unwrap()).unwrap();
    decode::<Value>(token, &key, &rules).unwrap().claims
}

#[tokio::test]
async fn mail_for_an_absent_user_is_pushed_with_a_token_that_verifies() {
    let mut scene = Scene::set(&[Class::Message]).await;
    scene.write("M1").await;
    let first = scene.partner.pushes.until(1).await.remove(0);
    assert_eq!(serde_json::from_str::<Value>(&first.body).unwrap(), json!({"to": "alice"}));
    assert_eq!(first.headers["content-type"], "application/json");
    let before = claims(&scene.running, &scene.partner, &first).await;
    scene.settled().await;
    let (status, rotated) = post(&scene.running, "/control/push/rotate", json!({})).await;
    assert_eq!(status, 200);
    scene.write("M2").await;
    let second = scene.partner.pushes.until(2).await.remove(1);
    let after = claims(&scene.running, &scene.partner, &second).await;
    assert_ne!(before["jti"], after["jti"]);
    let token = second.headers["authorization"].to_str().unwrap().strip_prefix("Bearer ").unwrap();
    assert_eq!(decode_header(token).unwrap().kid.unwrap(), rotated["kid"]);
    // Keys of tokens under way stay published.
    claims(&scene.running, &scene.partner, &first).await;
    let entry = scene.settled().await;
    assert_eq!(
        (&entry["identifier"], &entry["delivered"], &entry["last"]),
        (&json!("alice"), &json!(2), &json!({"status": 200}))
    );
    scene.running.stop().await;
}

#[tokio::test]
async fn a_hundred_messages_are_a_few_calls_and_the_last_begins_after_the_last_message() {
    let mut scene = Scene::set(&[Class::Message]).await;
    // The first call is under way until the hundredth message is kept.
    post(&scene.running, "/control/faults", json!({"push_delay_ms": 300})).await;
    const IDS: [&str; 4] = ["A", "B", "C", "D"];
    for _ in 0..25 {
        for id in IDS {
            // One id for many messages would count as a repetition; the count makes each another
            // (docs/spec/wire.md §5.10).
            let enc = Node::new("enc").with("v", "2").with("type", "msg").with("count", stanza_count());
            let node = Node::new("message").with("to", &scene.login).with("type", "text").with("id", id).with_node(enc);
            scene.ben.send(node).await;
        }
    }
    for _ in 0..100 {
        scene.ben.until(|node| node.tag == "ack").await;
    }
    until_user(&scene.running, &scene.login.to_string(), |user| user["waiting"] == 100).await;
    let begun = get(&scene.running, "/control/pushes").await[0]["calls"].as_u64().unwrap();
    let entry = scene.settled().await;
    let calls = entry["calls"].as_u64().unwrap();
    assert!((1..=10).contains(&calls) && calls >= begun, "{entry}");
    assert_eq!(scene.partner.pushes.calls().len() as u64, calls);
    scene.write("LAST").await;
    scene.partner.pushes.until(calls as usize + 1).await;
    scene.running.stop().await;
}

fn stanza_count() -> String {
    use std::sync::atomic::{AtomicU32, Ordering};
    static NEXT: AtomicU32 = AtomicU32::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed).to_string()
}

#[tokio::test]
async fn mail_of_a_connected_user_is_not_pushed_but_what_the_connection_leaves_behind_is() {
    let mut scene = Scene::set(&[Class::Message]).await;
    let mut alice = scene.alice().await;
    scene.write("M1").await;
    alice.until(|node| node.text("id").as_deref() == Some("M1")).await;
    assert!(scene.partner.pushes.calls().is_empty());
    drop(alice);
    scene.partner.pushes.until(1).await;
    scene.settled().await;
    // The Partner knows of M1: a connection that leaves it again changes nothing.
    let mut alice = scene.alice().await;
    alice.until(|node| node.text("id").as_deref() == Some("M1")).await;
    drop(alice);
    until_user(&scene.running, &scene.login.to_string(), |user| user["online"] == false).await;
    assert_eq!(scene.settled().await["calls"], 1);
    scene.running.stop().await;
}

#[tokio::test]
async fn receipts_are_pushed_only_if_configured() {
    for (push_for, calls) in [(&[Class::Message][..], 0), (&[Class::Message, Class::Receipt][..], 1)] {
        let mut scene = Scene::set(push_for).await;
        scene.ben.send(Node::new("receipt").with("id", "A1").with("to", &scene.login).with("type", "read")).await;
        scene.ben.until(|node| node.tag == "ack").await;
        until_user(&scene.running, &scene.login.to_string(), |user| user["waiting"] == 1).await;
        let all = get(&scene.running, "/control/pushes").await;
        assert_eq!(all.as_array().unwrap().len(), calls, "{all}");
        scene.running.stop().await;
    }
}

#[tokio::test]
async fn a_partner_that_fails_is_asked_again_and_one_that_refuses_is_not() {
    let mut scene = Scene::set(&[Class::Message]).await;
    scene.partner.pushes.answer(&[503, 429, 200]);
    scene.write("M1").await;
    let calls = scene.partner.pushes.until(3).await;
    let mut ids = Vec::new();
    for call in &calls {
        ids.push(claims(&scene.running, &scene.partner, call).await["jti"].to_string());
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 3, "each attempt has a token of its own");
    let entry = scene.settled().await;
    assert_eq!((&entry["calls"], &entry["attempts"], &entry["delivered"]), (&json!(1), &json!(3), &json!(1)));
    for status in [401, 404, 307] {
        scene.partner.pushes.answer(&[status]);
        let before = scene.partner.pushes.calls().len();
        post(&scene.running, "/control/push", json!({"to": "alice"})).await;
        scene.partner.pushes.until(before + 1).await;
        let entry = scene.settled().await;
        assert_eq!(entry["last"], json!({"status": status}), "no second attempt, no redirect followed");
        assert_eq!(scene.partner.pushes.calls().len(), before + 1);
    }
    scene.running.stop().await;
}

#[tokio::test]
async fn a_push_can_be_ordered_lost_and_put_off() {
    let mut scene = Scene::set(&[Class::Message]).await;
    let (status, _) = post(&scene.running, "/control/push", json!({"to": "nobody"})).await;
    assert_eq!(status, 404);
    post(&scene.running, "/control/faults", json!({"push_off": true})).await;
    scene.write("M1").await;
    assert_eq!(scene.settled().await["last"], "lost");
    assert!(scene.partner.pushes.calls().is_empty());
    post(&scene.running, "/control/faults", json!({"clear": true})).await;
    let (status, _) = post(&scene.running, "/control/push", json!({"to": "alice"})).await;
    assert_eq!(status, 202);
    scene.partner.pushes.until(1).await;
    scene.running.stop().await;
}

#[tokio::test]
async fn a_partner_that_is_not_there_is_named_as_such() {
    let data = tempfile::tempdir().unwrap();
    let partner = Partner::start().await;
    let running = support::start(data.path(), &partner.url).await;
    let alice = User::new("alice");
    alice.enlist(&running, &partner).await;
    running.stop().await;
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let gone = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let running = support::start(data.path(), &gone).await;
    post(&running, "/control/push", json!({"to": "alice"})).await;
    let seen = async {
        loop {
            let entry = get(&running, "/control/pushes").await[0].clone();
            if entry["attempts"].as_u64().unwrap() >= 2 {
                return entry;
            }
            tokio::task::yield_now().await;
        }
    };
    let entry = tokio::time::timeout(TIMEOUT, seen).await.expect("a second attempt");
    assert!(entry["last"]["unreachable"].is_string() && entry["delivered"] == 0, "{entry}");
    running.stop().await;
}
