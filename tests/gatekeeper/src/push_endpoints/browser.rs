//! One browser's connection: autopush's WebSocket protocol, as Firefox speaks it.
//!
//! Hello, register and unregister, notifications and their acknowledgements, pings. JSON in text messages. Must not
//! know which server posts messages.

use crate::push_service::message::{State as DeliveryState, Waiting};
use crate::push_service::registry::ConnectionSlot;
use crate::push_service::vapid::is_point;
use crate::sandbox::Sandbox;
use axum::extract::ws::{Message, WebSocket};
use axum::extract::{State, WebSocketUpgrade};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD as BASE64URL};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// What Firefox asks for and must see again.
const PROTOCOL: &str = "push-notification";
/// Largest message of a browser.
const MAX_MESSAGE: usize = 64 * 1024;
/// From the connection to its hello.
const HELLO_TIMEOUT: Duration = Duration::from_secs(20);
/// For one message to a browser.
const WRITE_TIMEOUT: Duration = Duration::from_secs(20);
/// Characters of a browser's own ids.
const MAX_ID: usize = 128;

/// A message of a browser. Other kinds are ignored: newer browsers send more.
#[derive(Debug, Deserialize)]
#[serde(tag = "messageType", rename_all = "snake_case")]
enum BrowserMessage {
    Hello {
        uaid: Option<String>,
    },
    Register {
        #[serde(rename = "channelID")]
        channel: String,
        key: Option<String>,
    },
    Unregister {
        #[serde(rename = "channelID")]
        channel: String,
    },
    Ack {
        #[serde(default)]
        updates: Vec<Update>,
    },
    Nack {
        version: String,
        code: Option<u64>,
    },
    Ping,
    #[serde(other)]
    Other,
}

#[derive(Debug, Deserialize)]
struct Update {
    version: String,
    code: Option<u64>,
}

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
enum End {
    #[error("the browser has gone")]
    Gone,
    #[error("the browser did not say hello")]
    NoHello,
    #[error("the browser does not read")]
    Slow,
    #[error("another connection, or a test, took its slot")]
    Unseated,
    #[error("the sandbox stops")]
    Stopping,
}

pub(super) async fn connect(State(sandbox): State<Arc<Sandbox>>, upgrade: WebSocketUpgrade) -> Response {
    let Some(permit) = sandbox.push_service.connection_permit() else {
        return (StatusCode::SERVICE_UNAVAILABLE, "too many browsers are connected").into_response();
    };
    let upgrade = upgrade.protocols([PROTOCOL]).max_message_size(MAX_MESSAGE).max_frame_size(MAX_MESSAGE);
    upgrade.on_upgrade(async move |mut socket| {
        let mut stopping = sandbox.stopping();
        let end = tokio::select! {
            Err(end) = serve(&sandbox, &mut socket) => end,
            () = stopping.wait() => End::Stopping,
        };
        tracing::debug!(%end, "a browser's connection to the push service ended");
        // The browser may be gone already.
        drop(tokio::time::timeout(WRITE_TIMEOUT, socket.send(Message::Close(None))).await);
        drop(permit);
    })
}

async fn serve(sandbox: &Sandbox, socket: &mut WebSocket) -> Result<std::convert::Infallible, End> {
    let hello = tokio::time::timeout(HELLO_TIMEOUT, receive(socket)).await.map_err(|_| End::NoHello)??;
    let Some(BrowserMessage::Hello { uaid }) = parse(&hello) else { return Err(End::NoHello) };
    let named = uaid.filter(|uaid| !uaid.is_empty());
    let (agent, slot) = sandbox.push_service.registry().join(named.as_deref());
    let hello = json!({"messageType": "hello", "uaid": agent, "status": 200, "use_webpush": true, "broadcasts": {}});
    let served = async {
        send(socket, &hello).await?;
        attend(sandbox, socket, &agent, &slot).await
    };
    let end = served.await;
    sandbox.push_service.registry().leave(&agent, slot.serial);
    end
}

async fn attend(
    sandbox: &Sandbox,
    socket: &mut WebSocket,
    agent: &str,
    slot: &ConnectionSlot,
) -> Result<std::convert::Infallible, End> {
    let service = &sandbox.push_service;
    loop {
        tokio::select! {
            text = receive(socket) => {
                let answer = parse(&text?).and_then(|message| answer(sandbox, agent, message));
                if let Some(answer) = answer {
                    send(socket, &answer).await?;
                }
            }
            () = slot.wake.notified() => {
                if !service.registry().holds_slot(agent, slot.serial) {
                    return Err(End::Unseated);
                }
                loop {
                    let next = service.registry().next(agent, slot.serial, sandbox.clock.now_ms());
                    let Some(message) = next else { break };
                    send(socket, &notification(&message)).await?;
                }
            }
        }
    }
}

/// Handles a browser's message. Returns the answer.
fn answer(sandbox: &Sandbox, agent: &str, message: BrowserMessage) -> Option<Value> {
    let (service, now) = (&sandbox.push_service, sandbox.clock.now_ms());
    match message {
        BrowserMessage::Register { channel, key } => {
            let registered = match register(sandbox, agent, &channel, key.as_deref()) {
                Ok(endpoint) => json!({"status": 200, "pushEndpoint": endpoint}),
                Err((status, error)) => json!({"status": status, "error": error}),
            };
            Some(merged(json!({"messageType": "register", "channelID": channel}), registered))
        }
        BrowserMessage::Unregister { channel } => {
            let status = match service.registry().unregister(agent, &channel, now) {
                Ok(()) => 200,
                Err(error) => {
                    tracing::error!(%error, "a subscription could not be ended");
                    500
                }
            };
            Some(json!({"messageType": "unregister", "channelID": channel, "status": status}))
        }
        BrowserMessage::Ack { updates } => {
            let mut registry = service.registry();
            for update in updates {
                registry.done(agent, &update.version, DeliveryState::Acknowledged, update.code, now);
            }
            None
        }
        BrowserMessage::Nack { version, code } => {
            service.registry().done(agent, &version, DeliveryState::Refused, code, now);
            None
        }
        BrowserMessage::Ping => Some(json!({})),
        // A second hello adds nothing to the first.
        BrowserMessage::Hello { .. } | BrowserMessage::Other => None,
    }
}

fn register(sandbox: &Sandbox, agent: &str, channel: &str, key: Option<&str>) -> Result<String, (u16, String)> {
    if channel.is_empty() || channel.len() > MAX_ID {
        return Err((400, format!("channelID has 1 to {MAX_ID} characters")));
    }
    // Browsers pad, or do not.
    let key = key.map(|key| BASE64URL.decode(key.trim_end_matches('=')).ok().filter(|point| is_point(point)));
    let key = match key {
        Some(None) => return Err((400, "key is no uncompressed P-256 point".to_owned())),
        Some(Some(point)) => Some(BASE64URL.encode(point)),
        None => None,
    };
    let token = sandbox.push_service.registry().register(agent, channel, key.as_deref());
    token.map(|token| sandbox.push_service.endpoint(&token)).map_err(|error| (500, error.to_string()))
}

fn merged(mut value: Value, more: Value) -> Value {
    if let (Some(into), Value::Object(more)) = (value.as_object_mut(), more) {
        into.extend(more);
    }
    value
}

fn notification(message: &Waiting) -> Value {
    let empty = json!({"messageType": "notification", "channelID": message.channel, "version": message.version});
    if message.body.is_empty() {
        return empty;
    }
    merged(empty, json!({"data": URL_SAFE.encode(&message.body), "headers": {"encoding": "aes128gcm"}}))
}

/// `{}` is the oldest form of a ping.
fn parse(text: &str) -> Option<BrowserMessage> {
    if text.trim() == "{}" {
        return Some(BrowserMessage::Ping);
    }
    match serde_json::from_str(text) {
        Ok(message) => Some(message),
        Err(error) => {
            tracing::info!(%error, "a browser said something that is no push message");
            None
        }
    }
}

/// The next text of the browser. Cancel-safe.
async fn receive(socket: &mut WebSocket) -> Result<String, End> {
    loop {
        match socket.recv().await {
            Some(Ok(Message::Text(text))) => return Ok(text.to_string()),
            Some(Ok(Message::Close(_)) | Err(_)) | None => return Err(End::Gone),
            Some(Ok(_)) => {}
        }
    }
}

async fn send(socket: &mut WebSocket, value: &Value) -> Result<(), End> {
    let sent = tokio::time::timeout(WRITE_TIMEOUT, socket.send(Message::text(value.to_string()))).await;
    sent.map_err(|_| End::Slow)?.map_err(|_| End::Gone)
}
