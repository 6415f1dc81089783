//! `/control/push-service`: what tests see of the push service, and its faults.

use super::refusal::Refusal;
use crate::push_service::registry::Ordered;
use crate::sandbox::Sandbox;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

pub(super) fn router() -> Router<Arc<Sandbox>> {
    Router::new()
        .route("/", get(show))
        .route("/drop", post(forget))
        .route("/disconnect", post(disconnect))
        .route("/hold", post(hold))
        .route("/answer", post(answer))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Whom {
    /// A browser's id; every browser by default.
    uaid: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Hold {
    held: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    status: u16,
    #[serde(default = "once")]
    count: u32,
    retry_after: Option<u32>,
}

fn once() -> u32 {
    1
}

/// Subscriptions, messages with what became of them, and posts that were not taken.
async fn show(State(sandbox): State<Arc<Sandbox>>) -> Json<Value> {
    let service = &sandbox.push_service;
    let registry = service.registry();
    let mut subscriptions = Vec::new();
    for (agent, channels, connected) in registry.agents() {
        for (id, channel) in channels {
            subscriptions.push(json!({
                "uaid": agent,
                "channel": id,
                "endpoint": service.endpoint(&channel.token),
                "key": channel.key,
                "connected": connected,
            }));
        }
    }
    Json(json!({
        "origin": service.origin(),
        "subscriptions": subscriptions,
        "deliveries": registry.deliveries().collect::<Vec<_>>(),
        "rejections": registry.rejections().collect::<Vec<_>>(),
    }))
}

/// Drops browsers' ids and subscriptions: each gets a new id when it connects again.
async fn forget(State(sandbox): State<Arc<Sandbox>>, Json(Whom { uaid }): Json<Whom>) -> Result<Json<Value>, Refusal> {
    let dropped = sandbox.push_service.registry().drop_agents(uaid.as_deref(), sandbox.clock.now_ms());
    let dropped = dropped.map_err(|error| Refusal(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
    Ok(Json(json!({ "dropped": dropped })))
}

/// Ends connections; browsers come back by themselves after a while.
async fn disconnect(State(sandbox): State<Arc<Sandbox>>, Json(Whom { uaid }): Json<Whom>) -> StatusCode {
    sandbox.push_service.registry().disconnect(uaid.as_deref());
    StatusCode::NO_CONTENT
}

/// Has messages wait although browsers are connected.
async fn hold(State(sandbox): State<Arc<Sandbox>>, Json(Hold { held }): Json<Hold>) -> StatusCode {
    sandbox.push_service.registry().hold(held);
    StatusCode::NO_CONTENT
}

/// Answers the next posts with this status.
async fn answer(
    State(sandbox): State<Arc<Sandbox>>,
    Json(Answer { status, count, retry_after }): Json<Answer>,
) -> Result<StatusCode, Refusal> {
    if !(300..=599).contains(&status) {
        let message = format!("status is {status}; expected 300 to 599");
        return Err(Refusal(StatusCode::UNPROCESSABLE_ENTITY, message));
    }
    sandbox.push_service.registry().order(Ordered { status, count, retry_after });
    Ok(StatusCode::NO_CONTENT)
}
