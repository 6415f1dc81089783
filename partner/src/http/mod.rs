//! The HTTP surface: which path answers what, and what every answer has in common.
//!
//! What this module does not know: sockets ([`crate::serve`]) and how a password, a session or a token works.

mod account;
mod api_error;
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

pub(crate) use api_error::ApiError;
pub use client::ClientError;
pub(crate) use client::ClientFiles;

use crate::{
    config::{ENLIST_PATH, RELAY_PATH, Settings},
    identity::TokenKeys,
    media::{Media, Reference},
    metrics::Metrics,
    push::{Delivery, Services, VapidKeys, Verifier},
    rate::{Allowance, RateLimit},
    relay::{Enlistment, Relay},
    sign_in::{Accounts, RETURN_PATH},
    store::Database,
};
use axum::{
    Router,
    extract::{DefaultBodyLimit, MatchedPath, Request, State},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{any, delete, get, head, post},
};
use std::{
    sync::{Arc, atomic::AtomicBool},
    time::{Duration, Instant},
};
use tokio::time;

/// Largest request body: an identifier and a password, percent-encoded, fit several times.
const MAX_BODY_BYTES: usize = 16 * 1_024;

/// What the handlers share.
pub(crate) struct App {
    pub(crate) settings: Settings,
    pub(crate) store: Database,
    pub(crate) accounts: Accounts,
    pub(crate) keys: Arc<TokenKeys>,
    pub(crate) push: Push,
    pub(crate) client: Option<ClientFiles>,
    pub(crate) limits: Limits,
    pub(crate) metrics: Metrics,
    pub(crate) relay: Option<Relay>,
    pub(crate) enlistment: Option<Enlistment>,
    pub(crate) media: Media,
    /// Whether the server is about to stop.
    pub(crate) draining: AtomicBool,
}

/// What wakes browsers.
pub(crate) struct Push {
    pub(crate) keys: Arc<VapidKeys>,
    pub(crate) services: Services,
    pub(crate) verifier: Verifier,
    pub(crate) delivery: Arc<Delivery>,
}

/// The rate limits, one for each thing that costs or that can be guessed at.
pub(crate) struct Limits {
    address: RateLimit,
    account: RateLimit,
    token: RateLimit,
    relay: RateLimit,
    upload: RateLimit,
    push: RateLimit,
}

impl Limits {
    pub(crate) fn new(settings: &Settings) -> Self {
        let limit =
            |burst, seconds: u32| RateLimit::new(Allowance { burst, refill: Duration::from_secs(seconds.into()) });
        let limits = &settings.limits;
        Self {
            address: limit(limits.address_burst, limits.address_refill_seconds),
            account: limit(limits.account_burst, limits.account_refill_seconds),
            token: limit(limits.token_burst, limits.token_refill_seconds),
            // Each connection needs a token first.
            relay: limit(limits.token_burst, limits.token_refill_seconds),
            upload: limit(limits.token_burst, limits.token_refill_seconds),
            push: limit(limits.push_burst, limits.push_refill_seconds),
        }
    }
}

/// All paths, with what every answer has in common around them.
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
        // A file takes as long as it takes: the media host bounds each piece instead.
        .route("/api/media/{upload}", head(media::offset).patch(media::write).delete(media::end))
        .method_not_allowed_fallback(|| async { ApiError::MethodNotAllowed })
        .layer(middleware::from_fn_with_state(app.clone(), caller::refuse_other_sites))
        .layer(middleware::from_fn_with_state(app.clone(), observe))
        .with_state(app)
}

/// Only `GET /metrics`, for whoever reads them.
pub(crate) fn metrics_router(metrics: Metrics) -> Router {
    Router::new().route("/metrics", get(meta::metrics)).fallback(|| async { ApiError::NotFound }).with_state(metrics)
}

/// Everything that no route names: media by their references, else the client's files.
async fn files(State(app): State<Arc<App>>, request: Request) -> Response {
    let (request, _) = request.into_parts();
    match Reference::from_path(request.uri.path()) {
        Some(reference) => media::download(&app, &reference, &request).await,
        None => client::serve(&app, &request),
    }
}

async fn deadline(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let seconds = Duration::from_secs(app.settings.limits.request_seconds);
    time::timeout(seconds, next.run(request)).await.unwrap_or_else(|_| ApiError::TooSlow.into_response())
}

/// Around every request: the security headers of its answer, and one line in the log, which names the
/// route but nobody.
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
