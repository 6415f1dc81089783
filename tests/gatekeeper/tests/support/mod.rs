//! What the sandbox's tests share: a sandbox on free ports, a Partner with keys, and a client that is not the
//! sandbox's.
//!
//! The client speaks through `causeway_proto`'s handshake, which the sandbox does not use: two implementations that
//! must agree on every byte.
#![allow(dead_code, reason = "each test binary uses its own part")]

pub(crate) mod client;
pub(crate) mod partner;

use causeway_gatekeeper::{Config, Gatekeeper, Integrator, Running};
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;

/// Time-out of each wait of a test; far longer than any step takes on one machine.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(20);

/// Between two looks at what has no long poll.
const POLL: Duration = Duration::from_millis(10);

/// Settings for tests: free ports, this folder, no echo. `RUST_LOG` shows the sandbox's log.
pub(crate) fn config(data: &Path, partner: &str) -> Config {
    let filter = tracing_subscriber::EnvFilter::from_default_env();
    // Another test of this process may have set it up already.
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_test_writer().try_init();
    let free = ([127, 0, 0, 1], 0).into();
    Config {
        listen: free,
        tcp_listen: free,
        push_listen: free,
        data: data.to_owned(),
        integrators: vec![Integrator { id: 1, url: partner.to_owned(), audience: "whatsapp".to_owned() }],
        echo: None,
        mailbox_grace: Duration::from_millis(50),
        push_interval: Duration::from_millis(200),
        ..Config::default()
    }
}

pub(crate) async fn start(data: &Path, partner: &str) -> Running {
    Gatekeeper::start(config(data, partner)).await.expect("the sandbox starts")
}

pub(crate) async fn post(running: &Running, path: &str, body: Value) -> (u16, Value) {
    let url = format!("http://{}{path}", running.http_addr);
    let answer = reqwest::Client::new().post(url).json(&body).send().await.expect("an answer");
    let status = answer.status().as_u16();
    (status, answer.json().await.unwrap_or(Value::Null))
}

pub(crate) async fn get(running: &Running, path: &str) -> Value {
    let url = format!("http://{}{path}", running.http_addr);
    reqwest::get(url).await.expect("an answer").json().await.expect("JSON")
}

pub(crate) async fn make_phone(running: &Running, number: &str) {
    let (status, _) = post(running, "/control/phones", json!({ "number": number })).await;
    assert!(status == 201 || status == 200, "{status}");
}

/// Waits until an entry of this phone meets a condition, by long polls alone.
pub(crate) async fn until(running: &Running, number: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    let search = async {
        let mut since = 0;
        loop {
            let path = format!("/control/phones/{number}/messages?since={since}&wait_ms=10000");
            let answer = get(running, &path).await;
            let entries = answer["messages"].as_array().expect("a list");
            if let Some(entry) = entries.iter().find(|entry| wanted(entry)) {
                return entry.clone();
            }
            since = answer["version"].as_u64().expect("a version");
        }
    };
    match tokio::time::timeout(TIMEOUT, search).await {
        Ok(entry) => entry,
        Err(_) => panic!("never seen; there is {}", get(running, &format!("/control/phones/{number}/messages")).await),
    }
}

/// Waits until a user, as the control API shows it, meets a condition.
pub(crate) async fn until_user(running: &Running, jid: &str, wanted: impl Fn(&Value) -> bool) {
    let search = async {
        loop {
            let users = get(running, "/control/users").await;
            if users.as_array().expect("a list").iter().any(|user| user["jid"] == jid && wanted(user)) {
                return;
            }
            tokio::time::sleep(POLL).await;
        }
    };
    tokio::time::timeout(TIMEOUT, search).await.unwrap_or_else(|_| panic!("{jid} never got there"));
}
