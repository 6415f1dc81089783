//! A library that shares no code with this project (Baileys, from npm) plays a phone: it logs in at the sandbox by
//! number and exchanges text with this project's wire code and with the sandbox's own phones. `make test-independent`
//! runs it.
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
use causeway_proto::content::{self, Content};
use causeway_proto::jid::Jid;
use causeway_proto::node::Node;
use causeway_proto::signal::{Envelope, SessionRecord, padding};
use causeway_proto::stanza::prekeys;
use serde_json::Value;
use std::path::Path;
use std::process::Stdio;
use support::client::{Client, User, Way, rng};
use support::partner::Partner;
use support::{TIMEOUT, config, get, start, until_user};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

const NUMBER: &str = "14155550199";

/// The script with these arguments, talking to this sandbox.
fn library(running: &Running, arguments: &[&str]) -> Child {
    let root: String = running.root_key.iter().map(|byte| format!("{byte:02x}")).collect();
    let url = format!("ws://{}/ws/chat", running.http_addr);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../independent/exchange.mjs");
    Command::new("node")
        .arg(script)
        .args(["--ws", &url, "--root", &root, "--number", NUMBER])
        .args(arguments)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("node 20 or later is installed")
}

/// Everything the script said, after it ended well.
async fn outcome(mut child: Child) -> Vec<Value> {
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let reading = async {
        let mut events = Vec::new();
        while let Some(line) = lines.next_line().await.unwrap() {
            events.push(serde_json::from_str::<Value>(&line).unwrap());
        }
        (events, child.wait().await.unwrap())
    };
    let (events, status) = tokio::time::timeout(2 * TIMEOUT, reading).await.expect("the script ends");
    assert!(status.success(), "{events:?}");
    events
}

fn heard<'a>(events: &'a [Value], event: &str) -> &'a Value {
    events.iter().find(|line| line["event"] == event).unwrap_or_else(|| panic!("no {event} in {events:?}"))
}

/// Opens a message and says that it arrived.
async fn open(client: &mut Client, user: &User, record: &mut SessionRecord, message: &Node) -> String {
    let (enc, from) = (message.child("enc").unwrap(), message.jid("from").unwrap().unwrap());
    let envelope = Envelope::parse(enc.text("type").unwrap().parse().unwrap(), enc.bytes().unwrap()).unwrap();
    let mut plain = record.decrypt(&user.local(), &envelope, user, &mut rng()).unwrap().plaintext.to_vec();
    padding::unpad(&mut plain).unwrap();
    let id = message.text("id").unwrap().into_owned();
    client.send(Node::new("receipt").with("id", id).with("to", from)).await;
    match content::parse(&plain).unwrap() {
        Content::Text { body } => body,
        other => panic!("{other:?}"),
    }
}

async fn write(client: &mut Client, user: &User, record: &mut SessionRecord, to: &Jid, id: &'static str, text: &str) {
    let mut plain = content::text(text);
    padding::pad(&mut plain, &mut rng());
    let envelope = record.encrypt(&user.local(), &plain).unwrap();
    let enc = Node::new("enc").with("v", "2").with("type", envelope.kind().as_str()).with_bytes(envelope.as_bytes());
    client.send(Node::new("message").with("to", to).with("type", "text").with("id", id).with_node(enc)).await;
}

async fn alice(running: &Running, partner: &Partner) -> (User, Jid, Client) {
    let alice = User::new("alice");
    let login = alice.enlist(running, partner).await;
    let (mut client, first) = alice.login(running, Way::WebSocket, &login, &partner.token("alice")).await;
    assert_eq!(first.tag, "success");
    client.ask(alice.upload("u", 20)).await;
    (alice, login, client)
}

#[tokio::test]
async fn the_library_writes_first_and_understands_the_answer() {
    let data = tempfile::tempdir().unwrap();
    let partner = Partner::start().await;
    let running = start(data.path(), &partner.url).await;
    let (alice, login, mut client) = alice(&running, &partner).await;
    let to = login.to_string();
    let script = library(&running, &["--to", &to, "--text", "Grüße from afar 🌍", "--expect", "1"]);
    let mut record = SessionRecord::default();
    let message = client.until(|node| node.tag == "message").await;
    assert_eq!(open(&mut client, &alice, &mut record, &message).await, "Grüße from afar 🌍");
    write(&mut client, &alice, &mut record, &Jid::user(NUMBER), "A1", "Welcome").await;
    let events = outcome(script).await;
    assert_eq!(heard(&events, "delivered")["by"], to);
    assert_eq!(
        (&heard(&events, "received")["text"], &heard(&events, "received")["from"]),
        (&"Welcome".into(), &to.into())
    );
    running.stop().await;
}

#[tokio::test]
async fn the_library_understands_who_writes_first_and_its_answer_is_understood() {
    let data = tempfile::tempdir().unwrap();
    let partner = Partner::start().await;
    let running = start(data.path(), &partner.url).await;
    let (alice, _, mut client) = alice(&running, &partner).await;
    let script = library(&running, &["--expect", "2", "--reply", "You wrote: "]);
    let phone = Jid::user(NUMBER);
    until_user(&running, &phone.to_string(), |user| user["prekeys"] == 812).await;
    let answer = client.ask(prekeys::fetch_request("k", std::slice::from_ref(&phone), false)).await;
    let bundle = prekeys::parse_fetch_result(&answer).unwrap().remove(0).1.unwrap();
    let mut record = SessionRecord::default();
    record.initiate(&alice.local(), &bundle, &mut rng()).unwrap();
    for (id, text) in [("A1", "one"), ("A2", "two")] {
        write(&mut client, &alice, &mut record, &phone, id, text).await;
        let message = client.until(|node| node.tag == "message").await;
        assert_eq!(open(&mut client, &alice, &mut record, &message).await, format!("You wrote: {text}"));
    }
    assert_eq!(heard(&outcome(script).await, "done")["received"], 2);
    running.stop().await;
}

#[tokio::test]
async fn the_library_and_the_echo_phone_understand_one_another() {
    let data = tempfile::tempdir().unwrap();
    let mut settings = config(data.path(), "http://127.0.0.1:9");
    settings.echo = Some("14155550100".to_owned());
    let running = Gatekeeper::start(settings).await.unwrap();
    until_user(&running, "14155550100@s.whatsapp.net", |user| user["prekeys"] == 100).await;
    let arguments = ["--to", "14155550100@s.whatsapp.net", "--text", "anybody there?", "--expect", "1"];
    let events = outcome(library(&running, &arguments)).await;
    assert_eq!(heard(&events, "received")["text"], "You said: anybody there?");
    assert!(get(&running, "/control/phones/14155550100/messages").await["messages"][0]["text"] == "anybody there?");
    running.stop().await;
}
