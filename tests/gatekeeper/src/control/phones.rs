//! `/control/phones`: making phones, having them write and read, and waiting for what they see.

use super::refusal::Refusal;
use crate::phone::{Phone, PhoneError, Phones};
use crate::phone_client;
use crate::sandbox::Sandbox;
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use causeway_proto::jid::Jid;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// Longest wait of one request.
const MAX_WAIT_MS: u64 = 60_000;
/// Bytes of one text. WhatsApp's own applications send less; others need not.
const MAX_TEXT: usize = 512 * 1024;
/// Other ways to write a number.
const MAX_ALSO: usize = 8;
/// Texts of one request.
const MAX_TEXTS: usize = 1_000;

pub(super) fn router() -> Router<Arc<Sandbox>> {
    Router::new()
        .route("/", get(list).post(create))
        .route("/{number}", get(show))
        .route("/{number}/messages", get(messages))
        .route("/{number}/send", post(send).layer(DefaultBodyLimit::max(2 * MAX_TEXT)))
        .route("/{number}/send_all", post(send_all))
        .route("/{number}/read", post(read))
        .route("/{number}/reinstall", post(reinstall))
        .route("/{number}/online", post(online))
        .route("/{number}/offline", post(offline))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Create {
    number: String,
    name: Option<String>,
    /// Other numbers that people write this one as: its keys are handed out for them, under its own number.
    #[serde(default)]
    also: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Send {
    /// JID, phone number or a Partner user's identifier.
    to: String,
    text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SendAll {
    /// As in [`Send`].
    to: String,
    texts: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Read {
    /// Whose messages; everybody's by default.
    from: Option<String>,
}

/// `since` is the `version` of an earlier answer; the call returns as soon as there is something newer, or after
/// `wait_ms` with what there is.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Since {
    #[serde(default)]
    since: u64,
    #[serde(default)]
    wait_ms: u64,
}

fn found(sandbox: &Sandbox, number: &str) -> Result<Arc<Phone>, Refusal> {
    let missing =
        || Refusal(StatusCode::NOT_FOUND, format!("there is no phone {number}; POST /control/phones makes one"));
    let jid = Jid::from_phone(number).map_err(|_| missing())?;
    sandbox.phones.get(&jid.user).ok_or_else(missing)
}

fn failed(error: PhoneError) -> Refusal {
    Refusal(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
}

/// The user that a test names: a JID, a phone number or a Partner user's identifier.
pub(super) fn addressee(sandbox: &Sandbox, to: &str) -> Result<Jid, Refusal> {
    let known = sandbox.world().find(to);
    let named = known.or_else(|| to.parse().ok()).or_else(|| Jid::from_phone(to).ok());
    let named = named.ok_or_else(|| Refusal(StatusCode::NOT_FOUND, format!("nobody is known as {to:?}")))?;
    Ok(named.to_bare())
}

async fn list(State(sandbox): State<Arc<Sandbox>>) -> Json<Value> {
    Json(sandbox.phones.all().iter().map(|phone| phone.summary()).collect())
}

async fn create(
    State(sandbox): State<Arc<Sandbox>>,
    Json(Create { number, name, also }): Json<Create>,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    let parsed = |number: &String| {
        let refused = |error| format!("{number:?} is no phone number: {error}");
        Jid::from_phone(number).map_err(|error| Refusal(StatusCode::UNPROCESSABLE_ENTITY, refused(error)))
    };
    let jid = parsed(&number)?;
    if let Some(phone) = sandbox.phones.get(&jid.user) {
        return Ok((StatusCode::OK, Json(phone.summary())));
    }
    if sandbox.phones.all().len() >= Phones::MAX {
        return Err(Refusal(StatusCode::CONFLICT, format!("there are {} phones already", Phones::MAX)));
    }
    if also.len() > MAX_ALSO {
        let message = format!("a number is written in {MAX_ALSO} other ways at most, not {}", also.len());
        return Err(Refusal(StatusCode::UNPROCESSABLE_ENTITY, message));
    }
    let also = also.iter().map(parsed).collect::<Result<Vec<Jid>, _>>()?;
    if let Some(taken) = also
        .iter()
        .find(|other| **other == jid)
        .or_else(|| also.iter().chain([&jid]).find(|other| is_taken(&sandbox, other)))
    {
        return Err(Refusal(StatusCode::CONFLICT, format!("+{} reaches a phone already", taken.user)));
    }
    let also = also.into_iter().map(|other| other.user).collect();
    let phone = phone_client::create(&sandbox, &jid.user, name, also, false).map_err(failed)?;
    Ok((StatusCode::CREATED, Json(phone.summary())))
}

/// Whether a number reaches a phone, under its own number or another one.
fn is_taken(sandbox: &Sandbox, jid: &Jid) -> bool {
    sandbox.phones.get(&jid.user).is_some() || sandbox.phones.reached(jid) != *jid
}

async fn show(State(sandbox): State<Arc<Sandbox>>, Path(number): Path<String>) -> Result<Json<Value>, Refusal> {
    Ok(Json(found(&sandbox, &number)?.summary()))
}

async fn messages(
    State(sandbox): State<Arc<Sandbox>>,
    Path(number): Path<String>,
    Query(Since { since, wait_ms }): Query<Since>,
) -> Result<Json<Value>, Refusal> {
    let phone = found(&sandbox, &number)?;
    let wait = Duration::from_millis(wait_ms.min(MAX_WAIT_MS));
    let mut stopping = sandbox.stopping();
    tokio::select! {
        // After the time-out the answer has what there is.
        _ = tokio::time::timeout(wait, phone.newer_than(since)) => {}
        () = stopping.wait() => {}
    }
    Ok(Json(phone.newer_messages(since)))
}

async fn send(
    State(sandbox): State<Arc<Sandbox>>,
    Path(number): Path<String>,
    Json(Send { to, text }): Json<Send>,
) -> Result<Json<Value>, Refusal> {
    let phone = found(&sandbox, &number)?;
    if text.is_empty() || text.len() > MAX_TEXT {
        let message = format!("a text has 1 to {MAX_TEXT} bytes, this one {}", text.len());
        return Err(Refusal(StatusCode::UNPROCESSABLE_ENTITY, message));
    }
    let to = addressee(&sandbox, &to)?;
    let ids = phone.write(&to, vec![text], sandbox.clock.now_secs()).map_err(failed)?;
    Ok(Json(json!({ "id": ids.first() })))
}

/// Many texts in one request, to fill a mailbox.
async fn send_all(
    State(sandbox): State<Arc<Sandbox>>,
    Path(number): Path<String>,
    Json(SendAll { to, texts }): Json<SendAll>,
) -> Result<Json<Value>, Refusal> {
    let phone = found(&sandbox, &number)?;
    if texts.is_empty() || texts.len() > MAX_TEXTS || texts.iter().any(|text| text.is_empty() || text.len() > MAX_TEXT)
    {
        let message = format!("1 to {MAX_TEXTS} texts of 1 to {MAX_TEXT} bytes each");
        return Err(Refusal(StatusCode::UNPROCESSABLE_ENTITY, message));
    }
    let to = addressee(&sandbox, &to)?;
    let ids = phone.write(&to, texts, sandbox.clock.now_secs()).map_err(failed)?;
    Ok(Json(json!({ "ids": ids })))
}

async fn read(
    State(sandbox): State<Arc<Sandbox>>,
    Path(number): Path<String>,
    Json(Read { from }): Json<Read>,
) -> Result<StatusCode, Refusal> {
    let phone = found(&sandbox, &number)?;
    let unknown = |text: &str| Refusal(StatusCode::NOT_FOUND, format!("nobody is known as {text:?}"));
    let from = from.map(|text| sandbox.world().find(&text).ok_or_else(|| unknown(&text))).transpose()?;
    phone.read(from.as_ref(), sandbox.clock.now_secs()).map_err(failed)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn reinstall(State(sandbox): State<Arc<Sandbox>>, Path(number): Path<String>) -> Result<StatusCode, Refusal> {
    let phone = found(&sandbox, &number)?;
    let released = sandbox.world().release(phone.jid());
    released.map_err(|error| Refusal(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
    phone.reinstall(sandbox.clock.now_secs()).map_err(failed)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn online(State(sandbox): State<Arc<Sandbox>>, Path(number): Path<String>) -> Result<StatusCode, Refusal> {
    found(&sandbox, &number)?.switch(true).map_err(failed)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Returns once the connection is gone, so that what is sent next waits in the mailbox.
async fn offline(State(sandbox): State<Arc<Sandbox>>, Path(number): Path<String>) -> Result<StatusCode, Refusal> {
    let phone = found(&sandbox, &number)?;
    phone.switch(false).map_err(failed)?;
    phone.disconnected().await;
    Ok(StatusCode::NO_CONTENT)
}
