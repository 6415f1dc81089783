//! `GET /relay` and `POST /relay/enlist`: who may use the chat relay.
//!
//! What this module does not know: how bytes pass ([`crate::relay`]).

use super::{
    ApiError, App,
    account::{NO_STORE, SignedIn, limited},
    caller::Remote,
};
use crate::relay::{ClientAddress, accept, forwarded};
use axum::{
    body::{Body, Bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};
use std::{sync::Arc, time::Instant};

/// `GET /relay` (over HTTP/2, `CONNECT`): a WebSocket to the chat server, for our own page and someone who is signed in.
/// The place comes before the answer: whoever is let in is not turned away again.
pub(super) async fn relay(
    State(app): State<Arc<App>>,
    Remote(caller): Remote,
    session: SignedIn,
    mut request: Request<Body>,
) -> Result<Response, ApiError> {
    let relay = app.relay.as_ref().ok_or(ApiError::NotFound)?;
    // A page of another site may open WebSockets to us, and the browser adds the cookie. Every browser says from where.
    let origin = request.headers().get(header::ORIGIN);
    if origin.is_none_or(|origin| *origin != app.settings.public_origin.as_str()) {
        return Err(ApiError::CrossSite);
    }
    limited(app.limits.relay.take(&session.identifier, Instant::now()))?;
    let (response, upgrade) = accept(&mut request).map_err(|_| ApiError::UpgradeRequired)?;
    let admission = relay.admit(&session.identifier, &session.token_hash).map_err(|_| ApiError::Busy)?;
    tokio::spawn(admission.serve(upgrade, caller));
    Ok(response)
}

/// `POST /relay/enlist`: hands an enlistment on to WhatsApp, and its answer back.
pub(super) async fn enlist(
    State(app): State<Arc<App>>,
    Remote(caller): Remote,
    session: SignedIn,
    headers: HeaderMap,
    form: Bytes,
) -> Result<Response, ApiError> {
    let enlistment = app.enlistment.as_ref().ok_or(ApiError::NotFound)?;
    limited(app.limits.relay.take(&session.identifier, Instant::now()))?;
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if kind.split(';').next().map(str::trim) != Some("application/x-www-form-urlencoded") {
        return Err(ApiError::FormInvalid);
    }
    let told = app.settings.relay.as_ref().is_none_or(|relay| relay.client_address != ClientAddress::None);
    let address = told.then(|| forwarded(caller).ok()).flatten();
    let (status, answer) = enlistment.enlist(form, address).await.map_err(|error| {
        tracing::warn!(%error, "enlistment cannot be handed on");
        ApiError::BadGateway
    })?;
    // Whatever it says it is: for the client's script, never a page.
    let kind = HeaderValue::from_static("application/json");
    Ok((status, [(header::CACHE_CONTROL, NO_STORE), (header::CONTENT_TYPE, kind)], answer).into_response())
}
