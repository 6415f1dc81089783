//! `/control/pushes` and `/control/push`: push calls made so far, and calls on request.

use super::phones::addressee;
use super::refusal::Refusal;
use crate::sandbox::Sandbox;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use causeway_proto::jid::Server;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

pub(super) fn router() -> Router<Arc<Sandbox>> {
    Router::new().route("/pushes", get(pushes)).route("/push", post(push)).route("/push/rotate", post(rotate))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Push {
    /// JID or identifier of a Partner's user.
    to: String,
}

/// Users with push calls: counts and last outcome.
async fn pushes(State(sandbox): State<Arc<Sandbox>>) -> Json<Value> {
    let tallies = sandbox.pushes.tallies();
    let world = sandbox.world();
    let users = tallies.iter().map(|(who, tally)| {
        let mut entry = json!(tally);
        if let Some(fields) = entry.as_object_mut() {
            let identifier = world.account(who).and_then(|account| account.identifier.clone());
            fields.insert("jid".to_owned(), json!(who.to_string()));
            fields.insert("identifier".to_owned(), json!(identifier));
        }
        entry
    });
    Json(users.collect())
}

/// Schedules a push call for a Partner's user, with or without mail.
async fn push(State(sandbox): State<Arc<Sandbox>>, Json(Push { to }): Json<Push>) -> Result<StatusCode, Refusal> {
    let who = addressee(&sandbox, &to)?;
    let known = who.server == Server::Interop && sandbox.world().account(&who).is_some();
    if !known {
        return Err(Refusal(StatusCode::NOT_FOUND, format!("{to:?} is no Partner's user")));
    }
    sandbox.pushes.order(&who);
    Ok(StatusCode::ACCEPTED)
}

/// Makes a new signing key for push calls.
async fn rotate(State(sandbox): State<Arc<Sandbox>>) -> Result<Json<Value>, Refusal> {
    let kid = sandbox.pushes.rotate();
    let kid = kid.map_err(|error| Refusal(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
    Ok(Json(json!({ "kid": kid })))
}
