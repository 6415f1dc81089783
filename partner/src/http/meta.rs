//! Public information: the partner profile, the public keys, health and metrics.
//!
//! What this module does not know: who asks.

use super::api_error::ApiError;
use crate::{
    app::App,
    clock,
    identity::JWKS_MAX_AGE,
    metrics::{CONTENT_TYPE, Metrics},
};
use axum::{
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use std::sync::{Arc, atomic::Ordering};
use url::form_urlencoded;

/// `GET /api/profile`: what a client needs to reach WhatsApp, as a form. The root key is the trust anchor of the
/// client's chat channel: its authenticity rests on this server's TLS.
pub(super) async fn profile(State(app): State<Arc<App>>) -> impl IntoResponse {
    let settings = &app.settings;
    let root_key: String = settings.root_key.iter().map(|byte| format!("{byte:02x}")).collect();
    let form = form_urlencoded::Serializer::new(String::new())
        .append_pair("integrator", &settings.integrator.to_string())
        .append_pair("enlist_url", settings.enlist_url.as_str())
        .append_pair("chat_url", settings.chat_url.as_str())
        .append_pair("root_key", &root_key)
        .append_pair("root_serial", &settings.root_serial.to_string())
        .append_pair("version", &settings.version)
        .append_pair("partner_name", &settings.partner_name)
        .append_pair("sign_in", if app.account_source.open_id().is_some() { "oidc" } else { "built-in" })
        .append_pair("passkeys", if app.account_source.passkeys().is_some() { "true" } else { "false" })
        .finish();
    // A changed root key must reach clients at their next start.
    let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, HeaderValue::from_static("no-store"))], form)
}

/// `GET /.well-known/oauth/openid/jwks` (docs/spec/enlistment.md §1.3).
pub(super) async fn jwks(State(app): State<Arc<App>>) -> impl IntoResponse {
    let kind = HeaderValue::from_static("application/json");
    let cache = format!("public, max-age={}", JWKS_MAX_AGE.as_secs());
    let cache = HeaderValue::try_from(cache).unwrap_or(HeaderValue::from_static("no-cache"));
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, cache)], app.keys.jwks(clock::unix_seconds()))
}

/// `GET /health`: 200 while the process runs.
pub(super) async fn health() -> impl IntoResponse {
    ([(header::CACHE_CONTROL, "no-store")], "ok")
}

/// `GET /ready`: 200 while the server should receive requests: the database responds and no shutdown has begun. Keys
/// were loaded at the start.
pub(super) async fn ready(State(app): State<Arc<App>>) -> Result<impl IntoResponse, ApiError> {
    if app.draining.load(Ordering::Relaxed) {
        return Err(ApiError::Busy);
    }
    app.database.ping().await?;
    Ok(([(header::CACHE_CONTROL, "no-store")], "ok"))
}

/// `GET /metrics`, on a separate listener.
pub(super) async fn metrics(State(metrics): State<Metrics>) -> Response {
    match metrics.text() {
        Ok(text) => ([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response(),
        Err(_) => ApiError::Internal.into_response(),
    }
}
