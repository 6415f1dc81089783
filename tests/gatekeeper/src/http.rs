//! Everything under the HTTP address: enlistment, the WebSocket, the keys of push calls, the control API and the phone
//! page.

use crate::sandbox::Sandbox;
use crate::{chat, control, enlist, hex, stream};
use axum::extract::{DefaultBodyLimit, State, WebSocketUpgrade};
use axum::http::header;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use std::sync::Arc;

/// Largest HTTP body taken anywhere.
const MAX_BODY: usize = 64 * 1024;
/// Room beside one frame in a WebSocket message.
const MESSAGE_SLACK: usize = 64 * 1024;

pub(crate) fn router(sandbox: Arc<Sandbox>) -> Router {
    Router::new()
        .route("/health", get(|| async { "ok" }))
        .route("/3p/interop_reg", post(enlist::enlist).options(enlist::preflight))
        .route("/ws/chat", get(chat_socket))
        .route("/phone", get(|| async { Html(include_str!("../page/phone.html")) }))
        .route("/phone.js", get(|| async { asset("text/javascript", include_str!("../page/phone.js")) }))
        .route("/phone.css", get(|| async { asset("text/css", include_str!("../page/phone.css")) }))
        .route("/.well-known/jwks", get(jwks))
        .route("/control/root", get(root))
        .nest("/control", control::router())
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(sandbox)
}

/// The public key that clients must be configured with, as hex: for `make run`.
async fn root(State(sandbox): State<Arc<Sandbox>>) -> String {
    hex::encode(&sandbox.authority.root_key())
}

/// The public keys of push calls (docs/spec/enlistment.md §3.2.2).
async fn jwks(State(sandbox): State<Arc<Sandbox>>) -> Json<serde_json::Value> {
    Json(sandbox.pushes.jwks())
}

async fn chat_socket(State(sandbox): State<Arc<Sandbox>>, upgrade: WebSocketUpgrade) -> Response {
    let limit = sandbox.config.max_frame_bytes;
    upgrade
        .max_message_size(limit + MESSAGE_SLACK)
        .max_frame_size(limit + MESSAGE_SLACK)
        .on_upgrade(move |socket| async move { chat::serve(sandbox, stream::websocket(socket)).await })
}

fn asset(kind: &'static str, text: &'static str) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, format!("{kind}; charset=utf-8"))], text)
}
