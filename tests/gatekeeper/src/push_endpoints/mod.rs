//! The push service's HTTP interface: where browsers connect and servers post.
//!
//! Must not know subscriptions and messages beyond the calls of `push_service`.

mod browser;
mod post;

use crate::sandbox::Sandbox;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing;
use post::MAX_BODY;
use std::sync::Arc;

pub(crate) fn router(sandbox: Arc<Sandbox>) -> Router {
    Router::new()
        .route("/", routing::get(browser::connect))
        .route("/health", routing::get(|| async { "ok" }))
        .route("/wpush/{token}", routing::post(post::post))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(sandbox)
}
