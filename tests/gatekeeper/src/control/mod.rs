//! The control API: how tests and the phone page drive phones and faults. JSON in, JSON out, this machine only.
//!
//! `GET /control/root` and `/control/users`; `POST /control/faults`; phones under `/control/phones`; push
//! calls and the push service. Not part of
//! WhatsApp's side: a convenience of the sandbox.

mod phones;
mod push;
mod push_service;
mod refusal;

use crate::config::version;
use crate::faults::Request as Fault;
use crate::hex;
use crate::hub::Order;
use crate::message_log::Record;
use crate::sandbox::Sandbox;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use causeway_proto::jid::{Jid, Server};
use refusal::Refusal;
use serde_json::{Value, json};
use std::sync::Arc;

pub(crate) fn router() -> Router<Arc<Sandbox>> {
    Router::new()
        .route("/users", get(users))
        .route("/heard", get(messages))
        .route("/faults", post(faults))
        .nest("/phones", phones::router())
        .nest("/push-service", push_service::router())
        .merge(push::router())
        .layer(middleware::from_fn(same_origin))
}

/// Refuses requests of pages from other origins.
async fn same_origin(request: Request, next: Next) -> Response {
    if foreign(request.headers()) {
        return Refusal(StatusCode::FORBIDDEN, "another origin may not use the control API".to_owned()).into_response();
    }
    next.run(request).await
}

fn foreign(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let host = |origin: &str| origin.split_once("://").map(|(_, host)| host.to_owned());
    text(header::ORIGIN).is_some_and(|origin| host(origin).as_deref() != text(header::HOST))
}

/// All users, with what tests assert on.
async fn users(State(sandbox): State<Arc<Sandbox>>) -> Json<Value> {
    let world = sandbox.world();
    let users = world.accounts().map(|(who, account)| {
        json!({
            "jid": who.to_string(),
            "identifier": account.identifier,
            "name": account.name,
            "online": sandbox.hub.online(who),
            "connection": sandbox.hub.serial(who),
            "prekeys": world.prekey_count(who),
            "identity": world.keys(who).map(|keys| hex::encode(&keys.identity)),
            "waiting": world.mailbox(who).count(),
            "last_seen": account.last_seen,
        })
    });
    Json(users.collect())
}

/// Every encrypted message of Partners' users, as it was received.
async fn messages(State(sandbox): State<Arc<Sandbox>>) -> Json<Vec<Record>> {
    Json(sandbox.message_log.all())
}

/// Sets faults; see [`Fault`] for the fields.
async fn faults(State(sandbox): State<Arc<Sandbox>>, Json(fault): Json<Fault>) -> Result<StatusCode, Refusal> {
    let bad = |message: String| Refusal(StatusCode::UNPROCESSABLE_ENTITY, message);
    let least = fault.min_version.as_deref().map(|text| {
        version(text).ok_or_else(|| bad(format!("min_version is {text:?}; expected a version such as 2.3000.0")))
    });
    let least = least.transpose()?;
    sandbox.faults.set(&fault).map_err(|error| bad(error.to_string()))?;
    if fault.clear {
        sandbox.set_min_version(sandbox.config.min_version);
    }
    if let Some(least) = least {
        sandbox.set_min_version(least);
    }
    if let Some(ms) = fault.clock_ms {
        sandbox.clock.jump(ms);
        sandbox.world().expire(sandbox.clock.now_secs()).map_err(|error| bad(error.to_string()))?;
    }
    let target = fault.target.and_then(|text| text.parse().ok());
    let hit = |who: &Jid| target.as_ref().map_or(who.server == Server::Interop, |target| who.to_bare() == *target);
    for who in sandbox.hub.users().iter().filter(|who| hit(who)) {
        if fault.stall {
            sandbox.hub.send_order(who, Order::Stall);
        }
        if let Some(code) = fault.disconnect {
            sandbox.hub.send_order(who, Order::Disconnect(code));
        }
    }
    Ok(StatusCode::NO_CONTENT)
}
