//! The HTTP interface: routes, and what all responses have in common.
//!
//! What this module does not know: sockets ([`crate::serve`]), and how passwords, sessions and tokens work.

mod account;
mod api_error;
mod auth_attempt;
mod caller;
mod client;
mod device;
mod headers;
mod media;
mod meta;
mod open_id;
mod passkey;
mod push;
mod push_webhook;
mod range;
mod relay;

use crate::{
    app::App,
    config::{ENLIST_PATH, RELAY_PATH},
    media::StorageReference,
    metrics::Metrics,
    sign_in::RETURN_PATH,
};
use api_error::ApiError;
use axum::{
    Router,
    extract::{DefaultBodyLimit, MatchedPath, Request, State},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{any, delete, get, head, post},
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::time;

/// Maximum request body: several times the size of a percent-encoded identifier and password.
const MAX_BODY_BYTES: usize = 16 * 1_024;

/// All routes with their layers.
pub(crate) fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/api/account", get(device::account).post(account::create).delete(account::delete))
        .route("/api/session", post(account::sign_in).get(account::current_session).delete(account::sign_out))
        .route("/api/passkey", get(passkey::list))
        .route("/api/passkey/{id}", delete(passkey::end))
        .route("/api/passkey/register/start", post(passkey::register_start))
        .route("/api/passkey/register/finish", post(passkey::register_finish))
        .route("/api/passkey/sign-in/start", post(passkey::sign_in_start))
        .route("/api/passkey/sign-in/finish", post(passkey::sign_in_finish))
        .route("/api/sign-in/oidc", get(open_id::begin))
        .route(RETURN_PATH, get(open_id::finish))
        .route("/api/device", post(device::claim))
        .route("/api/token", post(device::token))
        .route("/api/push", get(push::key).post(push::subscribe))
        .route("/api/push/end", post(push::end))
        .route("/api/push/test", post(push::test))
        .route("/push", post(push_webhook::receive).layer(DefaultBodyLimit::max(push_webhook::MAX_BODY_BYTES)))
        .route("/api/profile", get(meta::profile))
        .route("/.well-known/oauth/openid/jwks", get(meta::jwks))
        .route("/health", get(meta::health))
        .route("/ready", get(meta::ready))
        .route(RELAY_PATH, any(relay::relay))
        .route(ENLIST_PATH, post(relay::enlist))
        .route("/api/media", post(media::begin))
        .fallback(files)
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(middleware::from_fn_with_state(app.clone(), deadline))
        // Uploads have no total time limit: the media handlers limit the time for each frame.
        .route("/api/media/{upload}", head(media::offset).patch(media::write).delete(media::end))
        .method_not_allowed_fallback(|| async { ApiError::MethodNotAllowed })
        .layer(middleware::from_fn_with_state(app.clone(), caller::refuse_other_sites))
        .layer(middleware::from_fn_with_state(app.clone(), observe))
        .with_state(app)
}

/// The router of the metrics listener.
pub(crate) fn metrics_router(metrics: Metrics) -> Router {
    Router::new().route("/metrics", get(meta::metrics)).fallback(|| async { ApiError::NotFound }).with_state(metrics)
}

/// Requests without a route: media by reference, otherwise the client's files.
async fn files(State(app): State<Arc<App>>, request: Request) -> Response {
    let (request, _) = request.into_parts();
    match StorageReference::from_path(request.uri.path()) {
        Some(reference) => media::download(&app, &reference, &request).await,
        None => client::serve(&app, &request),
    }
}

async fn deadline(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let seconds = Duration::from_secs(app.settings.limits.request_seconds);
    time::timeout(seconds, next.run(request)).await.unwrap_or_else(|_| ApiError::TooSlow.into_response())
}

/// Adds the security headers, counts the request, and logs one line that contains the route but no personal data.
async fn observe(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let mut response = next.run(request).await;
    headers::secure(&app.settings, response.headers_mut());
    let route = route.as_ref().map_or("client", MatchedPath::as_str);
    app.metrics.answered(route, &method, response.status().as_u16(), began.elapsed());
    let milliseconds = began.elapsed().as_secs_f64() * 1e3;
    tracing::info!(%method, route, status = response.status().as_u16(), milliseconds, "answered");
    response
}
