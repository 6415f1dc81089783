//! The chat server as a client sees it, over both transports: login, mailbox, acks, and every kind of no.
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

use causeway_gatekeeper::{Gatekeeper, Running};
use causeway_proto::jid::Jid;
use causeway_proto::node::Node;
use causeway_proto::noise::StaticKey;
use serde_json::json;
use support::client::{Client, User, Way, iq, login_phone, message, rng};
use support::partner::{Partner, claims, now};
use support::{post, start, until_user};
use tokio::io::AsyncReadExt as _;

const BEN: u64 = 14155550102;

struct Scene {
    data: tempfile::TempDir,
    partner: Partner,
    running: Running,
    alice: User,
    login: Jid,
}

impl Scene {
    async fn set() -> Self {
        let data = tempfile::tempdir().unwrap();
        let partner = Partner::start().await;
        let running = start(data.path(), &partner.url).await;
        let alice = User::new("alice");
        let login = alice.enlist(&running, &partner).await;
        Self { data, partner, running, alice, login }
    }

    async fn alice(&self, way: Way) -> Client {
        let token = self.partner.token("alice");
        let (client, first) = self.alice.login(&self.running, way, &self.login, &token).await;
        assert_eq!(first.tag, "success", "{first}");
        client
    }

    /// Login that must fail with this reason.
    async fn refused(&self, user: &User, login: &Jid, token: &str) -> u32 {
        let (mut client, first) = user.login(&self.running, Way::Tcp, login, token).await;
        assert_eq!(first.tag, "failure", "{first}");
        assert!(client.receive().await.is_none(), "the server must close after a failure");
        first.text("reason").unwrap().parse().unwrap()
    }
}

fn is(tag: &'static str) -> impl Fn(&Node) -> bool {
    move |node| node.tag == tag
}

fn end_of_mailbox(node: &Node) -> bool {
    node.tag == "ib" && node.child("offline").is_some()
}

fn ben() -> Jid {
    Jid::user(BEN.to_string())
}

#[tokio::test]
async fn a_partner_user_and_a_whatsapp_user_exchange_messages_over_either_transport() {
    for (way, other) in [(Way::Tcp, Way::WebSocket), (Way::WebSocket, Way::Tcp)] {
        let scene = Scene::set().await;
        let noise = StaticKey::generate(&mut rng());
        let (mut ben_client, first) = login_phone(&scene.running, other, &noise, BEN).await;
        assert_eq!(first.tag, "success");
        let mut alice = scene.alice(way).await;
        alice.send(message(&ben(), "A1")).await;
        let ack = alice.until(is("ack")).await;
        assert_eq!((ack.text("id").unwrap(), ack.text("error")), ("A1".into(), None));
        let arrived = ben_client.until(is("message")).await;
        assert_eq!(arrived.jid("from").unwrap(), Some(scene.login.clone()));
        assert_eq!((arrived.text("notify").unwrap(), arrived.text("offline")), ("alice".into(), None));
        assert_eq!(arrived.child("enc").unwrap().bytes(), Some(&b"sealed"[..]));
        ben_client.send(Node::new("receipt").with("id", "A1").with("to", &scene.login)).await;
        let receipt = alice.until(is("receipt")).await;
        assert_eq!((receipt.jid("from").unwrap(), receipt.text("id").unwrap()), (Some(ben()), "A1".into()));
        scene.running.stop().await;
    }
}

#[tokio::test]
async fn mail_waits_through_a_restart_and_comes_again_until_it_is_acknowledged() {
    let mut scene = Scene::set().await;
    let noise = StaticKey::generate(&mut rng());
    let (mut ben_client, _) = login_phone(&scene.running, Way::Tcp, &noise, BEN).await;
    for id in ["M1", "M2"] {
        ben_client.send(message(&scene.login, id)).await;
        ben_client.until(is("ack")).await;
    }
    scene.running.stop().await;
    scene.running = start(scene.data.path(), &scene.partner.url).await;

    let mut alice = scene.alice(Way::Tcp).await;
    let preview = alice.until(|node| node.child("offline_preview").is_some()).await;
    assert_eq!(preview.child("offline_preview").unwrap().text("message").unwrap(), "2");
    alice.send(Node::new("ib").with_node(Node::new("offline_batch").with("count", "100"))).await;
    let first = alice.until(is("message")).await;
    assert_eq!(first.text("id").unwrap(), "M1");
    assert!(first.text("offline").is_some(), "what waited says so");
    alice.until(end_of_mailbox).await;
    alice.send(Node::new("receipt").with("id", "M1").with("to", ben())).await;
    alice.until(|node| node.tag == "ack" && node.text("class").as_deref() == Some("receipt")).await;
    drop(alice);

    let mut alice = scene.alice(Way::WebSocket).await;
    let again = alice.until(is("message")).await;
    assert_eq!(again.text("id").unwrap(), "M2", "the unacknowledged one comes again, the other does not");
    let ack = Node::new("ack").with("class", "message").with("id", "M2").with("to", ben());
    alice.send(ack).await;
    until_user(&scene.running, &scene.login.to_string(), |user| user["waiting"] == 0).await;
    scene.running.stop().await;
}

#[tokio::test]
async fn a_batch_is_a_limit_on_what_is_under_way() {
    let scene = Scene::set().await;
    let noise = StaticKey::generate(&mut rng());
    let (mut ben_client, _) = login_phone(&scene.running, Way::Tcp, &noise, BEN).await;
    for id in ["M1", "M2", "M3"] {
        ben_client.send(message(&scene.login, id)).await;
        ben_client.until(is("ack")).await;
    }
    let mut alice = scene.alice(Way::Tcp).await;
    let mut seen = Vec::new();
    alice.send(Node::new("ib").with_node(Node::new("offline_batch").with("count", "1"))).await;
    loop {
        let node = alice.receive().await.unwrap();
        if end_of_mailbox(&node) {
            break;
        }
        if node.tag == "message" {
            seen.push(node.text("id").unwrap().into_owned());
            alice.send(Node::new("receipt").with("id", seen.last().unwrap().clone()).with("to", ben())).await;
        }
    }
    assert_eq!(seen, ["M1", "M2", "M3"]);
    scene.running.stop().await;
}

#[tokio::test]
async fn mail_older_than_thirty_days_is_gone_and_so_is_a_partner_user_who_stayed_away() {
    let scene = Scene::set().await;
    let noise = StaticKey::generate(&mut rng());
    let (mut ben_client, _) = login_phone(&scene.running, Way::Tcp, &noise, BEN).await;
    ben_client.send(message(&scene.login, "M1")).await;
    ben_client.until(is("ack")).await;
    until_user(&scene.running, &scene.login.to_string(), |user| user["waiting"] == 1).await;
    post(&scene.running, "/control/faults", json!({"clock_ms": 31 * 86_400_000u64})).await;
    until_user(&scene.running, &scene.login.to_string(), |user| user["waiting"] == 0).await;
    let mut late = claims("alice");
    late["exp"] = json!(now() + 40 * 86_400);
    let reason = scene.refused(&scene.alice, &scene.login, &scene.partner.sign("k1", &late)).await;
    assert_eq!(reason, 401);
    scene.running.stop().await;
}

#[tokio::test]
async fn a_message_sent_twice_is_acknowledged_twice_and_delivered_once() {
    let scene = Scene::set().await;
    let noise = StaticKey::generate(&mut rng());
    let (mut ben_client, _) = login_phone(&scene.running, Way::Tcp, &noise, BEN).await;
    let mut alice = scene.alice(Way::Tcp).await;
    for id in ["A1", "A1", "A2"] {
        alice.send(message(&ben(), id)).await;
        assert_eq!(alice.until(is("ack")).await.text("id").unwrap(), id);
    }
    assert_eq!(ben_client.until(is("message")).await.text("id").unwrap(), "A1");
    assert_eq!(ben_client.until(is("message")).await.text("id").unwrap(), "A2");
    scene.running.stop().await;
}

#[tokio::test]
async fn unknown_and_forbidden_addressees_are_refused() {
    let scene = Scene::set().await;
    let bob = User::new("bob").enlist(&scene.running, &scene.partner).await;
    let mut alice = scene.alice(Way::Tcp).await;
    for (to, error) in [(ben(), "404"), (bob, "403"), ("1234-5@g.us".parse().unwrap(), "403")] {
        alice.send(message(&to, "A1")).await;
        assert_eq!(alice.until(is("ack")).await.text("error").unwrap(), error, "{to}");
    }
    scene.running.stop().await;
}

#[tokio::test]
async fn one_time_prekeys_are_handed_out_once_and_running_low_is_said() {
    let scene = Scene::set().await;
    let mut alice = scene.alice(Way::Tcp).await;
    let count = iq("c", "get", "encrypt").with_node(Node::new("count"));
    assert_eq!(alice.ask(count.clone()).await.child("count").unwrap().text("value").unwrap(), "0");
    assert_eq!(alice.ask(scene.alice.upload("u", 11)).await.text("type").unwrap(), "result");
    let noise = StaticKey::generate(&mut rng());
    let (mut ben_client, _) = login_phone(&scene.running, Way::Tcp, &noise, BEN).await;
    let user = Node::new("user").with("jid", &scene.login);
    let fetch = iq("k", "get", "encrypt").with_node(Node::new("key").with_node(user));
    let mut seen = Vec::new();
    for _ in 0..12 {
        let answer = ben_client.ask(fetch.clone()).await;
        let user = &answer.child("list").unwrap().children()[0];
        assert_eq!(user.child("identity").unwrap().bytes(), Some(&scene.alice.identity.public().0[..]));
        seen.extend(user.child("key").map(|key| key.child("id").unwrap().bytes().unwrap().to_vec()));
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 11, "eleven different keys, and none the twelfth time");
    let notice = alice.until(is("notification")).await;
    assert_eq!((notice.text("type").unwrap(), notice.jid("from").unwrap()), ("encrypt".into(), Some(Jid::server())));
    assert!(notice.child("count").is_some());
    scene.running.stop().await;
}

#[tokio::test]
async fn contacts_are_notified_of_a_new_identity() {
    let scene = Scene::set().await;
    let noise = StaticKey::generate(&mut rng());
    let (mut ben_client, _) = login_phone(&scene.running, Way::Tcp, &noise, BEN).await;
    ben_client.send(message(&scene.login, "M1")).await;
    ben_client.until(is("ack")).await;
    User::new("alice").enlist(&scene.running, &scene.partner).await;
    let notice = ben_client.until(is("notification")).await;
    assert_eq!(notice.jid("from").unwrap(), Some(scene.login.clone()));
    assert!(notice.child("identity").is_some());
    let reason = scene.refused(&scene.alice, &scene.login, &scene.partner.token("alice")).await;
    assert_eq!(reason, 401, "the old Noise key is no longer enlisted");
    scene.running.stop().await;
}

#[tokio::test]
async fn a_second_connection_replaces_the_first() {
    let scene = Scene::set().await;
    let mut first = scene.alice(Way::Tcp).await;
    let mut second = scene.alice(Way::WebSocket).await;
    let error = first.until(is("stream:error")).await;
    assert_eq!(error.child("conflict").unwrap().text("type").unwrap(), "replaced");
    assert!(first.receive().await.is_none());
    assert_eq!(second.ask(iq("p", "get", "w:p")).await.text("type").unwrap(), "result");
    scene.running.stop().await;
}

#[tokio::test]
async fn tokens_versions_and_keys_are_checked_at_every_login() {
    let scene = Scene::set().await;
    let mut old = claims("alice");
    old["exp"] = json!(now() - 10);
    for token in [scene.partner.token("bob"), scene.partner.sign("k1", &old), "rubbish".to_owned()] {
        assert_eq!(scene.refused(&scene.alice, &scene.login, &token).await, 401);
    }
    let token = scene.partner.token("alice");
    assert_eq!(scene.refused(&User::new("alice"), &scene.login, &token).await, 401, "another Noise key");
    assert_eq!(scene.refused(&scene.alice, &Jid::interop(1, "77"), &token).await, 401, "nobody has this id");
    post(&scene.running, "/control/faults", json!({"min_version": "2.3001.0"})).await;
    assert_eq!(scene.refused(&scene.alice, &scene.login, &token).await, 405);
    post(&scene.running, "/control/faults", json!({"clear": true, "failure": 503})).await;
    assert_eq!(scene.refused(&scene.alice, &scene.login, &token).await, 503);
    scene.alice(Way::Tcp).await;
    scene.running.stop().await;
}

#[tokio::test]
async fn a_number_belongs_to_the_first_key_that_logs_in_with_it() {
    let scene = Scene::set().await;
    let (_client, first) = login_phone(&scene.running, Way::Tcp, &StaticKey::generate(&mut rng()), BEN).await;
    assert_eq!(first.tag, "success");
    let (_client, first) = login_phone(&scene.running, Way::Tcp, &StaticKey::generate(&mut rng()), BEN).await;
    assert_eq!((&*first.tag, first.text("reason").unwrap()), ("failure", "401".into()));
    scene.running.stop().await;
}

#[tokio::test]
async fn every_request_is_answered_known_or_not() {
    let scene = Scene::set().await;
    let mut alice = scene.alice(Way::Tcp).await;
    for (xmlns, kind) in [("w:p", "get"), ("privacy", "get"), ("w:m", "set"), ("urn:xmpp:whatsapp:push", "set")] {
        assert_eq!(alice.ask(iq("1", kind, xmlns)).await.text("type").unwrap(), "result", "{xmlns}");
    }
    assert_eq!(
        alice.ask(iq("2", "set", "passive").with_node(Node::new("active"))).await.text("type").unwrap(),
        "result"
    );
    let unknown = alice.ask(iq("3", "get", "tea:pot")).await;
    assert_eq!(unknown.text("type").unwrap(), "error");
    assert_eq!(unknown.child("error").unwrap().text("code").unwrap(), "501");
    let digest = alice.ask(iq("4", "get", "encrypt").with_node(Node::new("digest"))).await;
    assert_eq!(digest.child("error").unwrap().text("code").unwrap(), "404");
    scene.running.stop().await;
}

#[tokio::test]
async fn a_blocked_sender_is_acknowledged_and_not_delivered() {
    let scene = Scene::set().await;
    let noise = StaticKey::generate(&mut rng());
    let (mut ben_client, _) = login_phone(&scene.running, Way::Tcp, &noise, BEN).await;
    let mut alice = scene.alice(Way::Tcp).await;
    let item = |action: &'static str| Node::new("item").with("jid", ben()).with("action", action);
    let list = alice.ask(iq("b", "set", "blocklist").with_node(item("block"))).await;
    assert_eq!(list.child("list").unwrap().children().len(), 1);
    ben_client.send(message(&scene.login, "M1")).await;
    assert_eq!(ben_client.until(is("ack")).await.text("error"), None);
    let list = alice.ask(iq("u", "set", "blocklist").with_node(item("unblock"))).await;
    assert!(list.child("list").unwrap().children().is_empty());
    ben_client.send(message(&scene.login, "M2")).await;
    assert_eq!(alice.until(is("message")).await.text("id").unwrap(), "M2");
    scene.running.stop().await;
}

#[tokio::test]
async fn hostile_bytes_at_every_stage_end_that_connection_and_no_other() {
    let scene = Scene::set().await;
    let mut alice = scene.alice(Way::Tcp).await;
    let before_login: [&[u8]; 6] = [
        b"GET / HTTP/1.1\r\n\r\n",
        b"ED\0\x01\xFF\xFF\xFF",
        b"WA\x06\x03\xFF\xFF\xFF",
        b"WA\x06\x03\0\0\0",
        b"WA\x06\x03\0\0\x04\xFF\xFF\xFF\xFF",
        b"WA\x06\x03\0\0\x04\x12\x02\x0A\0",
    ];
    for bytes in before_login {
        let mut socket = tokio::net::TcpStream::connect(scene.running.tcp_addr).await.unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut socket, bytes).await.unwrap();
        let mut answer = Vec::new();
        let closed = tokio::time::timeout(support::TIMEOUT, socket.read_to_end(&mut answer)).await;
        // A reset is a close as well: the server has not read all that was sent.
        assert!(closed.is_ok() && answer.is_empty(), "{bytes:?}");
    }
    let noise = StaticKey::generate(&mut rng());
    for plain in [&b""[..], b"\x02rubbish", b"\0\xF8\xFF", b"\0\xFF\xFF\xFF"] {
        let (mut client, first) = login_phone(&scene.running, Way::Tcp, &noise, BEN).await;
        assert_eq!(first.tag, "success");
        client.send_sealed(plain.to_vec()).await;
        client.until(is("stream:error")).await;
        assert!(client.receive().await.is_none());
    }
    let (mut client, _) = login_phone(&scene.running, Way::Tcp, &noise, BEN).await;
    client.send_raw(vec![0, 0, 20, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0]).await;
    while client.receive().await.is_some() {}
    assert_eq!(alice.ask(iq("p", "get", "w:p")).await.text("type").unwrap(), "result");
    scene.running.stop().await;
}

#[tokio::test]
async fn faults_strike_where_they_are_aimed() {
    let scene = Scene::set().await;
    let noise = StaticKey::generate(&mut rng());
    let (mut ben_client, _) = login_phone(&scene.running, Way::Tcp, &noise, BEN).await;
    let mut alice = scene.alice(Way::Tcp).await;
    alice.until(end_of_mailbox).await;
    post(&scene.running, "/control/faults", json!({"drop": 1, "stanza": "ack"})).await;
    alice.send(message(&ben(), "A1")).await;
    ben_client.until(is("message")).await;
    alice.send(message(&ben(), "A1")).await;
    assert_eq!(alice.until(is("ack")).await.text("id").unwrap(), "A1", "the first ack was lost, the second is not");
    post(&scene.running, "/control/faults", json!({"clear": true, "duplicate": 1, "stanza": "message"})).await;
    ben_client.send(message(&scene.login, "M1")).await;
    for _ in 0..2 {
        assert_eq!(alice.until(is("message")).await.text("id").unwrap(), "M1");
    }
    post(&scene.running, "/control/faults", json!({"disconnect": 503})).await;
    assert_eq!(alice.until(is("stream:error")).await.text("code").unwrap(), "503");
    assert!(alice.receive().await.is_none());
    let (status, _) = post(&scene.running, "/control/faults", json!({"no_such_fault": 1})).await;
    assert_eq!(status, 422);
    scene.running.stop().await;
}

#[tokio::test]
async fn a_client_that_does_not_log_in_in_time_is_disconnected() {
    let data = tempfile::tempdir().unwrap();
    let mut settings = support::config(data.path(), "http://127.0.0.1:9");
    settings.handshake_timeout = std::time::Duration::from_millis(100);
    settings.ping_interval = std::time::Duration::from_millis(200);
    let running = Gatekeeper::start(settings).await.unwrap();

    let mut mute = tokio::net::TcpStream::connect(running.tcp_addr).await.unwrap();
    let closed = tokio::time::timeout(support::TIMEOUT, mute.read_to_end(&mut Vec::new())).await;
    assert!(closed.expect("a connection that never says anything is closed").is_ok());

    let noise = StaticKey::generate(&mut rng());
    let (mut quiet, first) = login_phone(&running, Way::Tcp, &noise, BEN).await;
    assert_eq!(first.tag, "success");
    let ping = quiet.until(is("iq")).await;
    assert_eq!(ping.text("xmlns").unwrap(), "urn:xmpp:ping");
    while quiet.receive().await.is_some() {}
    running.stop().await;
}

#[tokio::test]
async fn the_number_of_connections_is_limited() {
    let data = tempfile::tempdir().unwrap();
    let mut settings = support::config(data.path(), "http://127.0.0.1:9");
    settings.max_connections = 1;
    let running = Gatekeeper::start(settings).await.unwrap();
    let noise = StaticKey::generate(&mut rng());
    let (mut ben_client, _) = login_phone(&running, Way::Tcp, &noise, BEN).await;
    let mut late = tokio::net::TcpStream::connect(running.tcp_addr).await.unwrap();
    let closed = tokio::time::timeout(support::TIMEOUT, late.read_to_end(&mut Vec::new())).await;
    assert!(closed.expect("who finds no place is turned away").is_ok());
    assert_eq!(ben_client.ask(iq("p", "get", "w:p")).await.text("type").unwrap(), "result");
    running.stop().await;
}
