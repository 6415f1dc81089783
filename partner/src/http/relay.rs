//! `GET /relay` and `POST /relay/enlist`: access to the chat relay.
//!
//! What this module does not know: how bytes are relayed ([`crate::relay`]).

use super::{
    account::{NO_STORE, SignedIn, limited},
    api_error::ApiError,
    caller::Remote,
};
use crate::{
    app::App,
    relay::{ClientAddress, accept, forwarded},
};
use axum::{
    body::{Body, Bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};
use std::{sync::Arc, time::Instant};

/// `GET /relay` (over HTTP/2: `CONNECT`): a WebSocket to the chat server, for this server's own page and a signed-in
/// account. The slot is taken before the response, so that an accepted connection is not refused later.
pub(super) async fn relay(
    State(app): State<Arc<App>>,
    Remote(caller): Remote,
    session: SignedIn,
    mut request: Request<Body>,
) -> Result<Response, ApiError> {
    let relay = app.relay.as_ref().ok_or(ApiError::NotFound)?;
    // Pages of other sites may open WebSockets here with this site's cookies; every browser sends the origin.
    let origin = request.headers().get(header::ORIGIN);
    if origin.is_none_or(|origin| *origin != app.settings.public_origin.as_str()) {
        return Err(ApiError::CrossSite);
    }
    limited(app.limits.relay.take(&session.account, Instant::now()))?;
    let (response, upgrade) = accept(&mut request).map_err(|_| ApiError::UpgradeRequired)?;
    let admission = relay.admit(&session.account, &session.id).map_err(|_| ApiError::Busy)?;
    tokio::spawn(admission.serve(upgrade, caller));
    Ok(response)
}

/// `POST /relay/enlist`: relays an enlistment to WhatsApp and its response.
pub(super) async fn enlist(
    State(app): State<Arc<App>>,
    Remote(caller): Remote,
    session: SignedIn,
    headers: HeaderMap,
    form: Bytes,
) -> Result<Response, ApiError> {
    let enlistment = app.enlistment.as_ref().ok_or(ApiError::NotFound)?;
    limited(app.limits.relay.take(&session.account, Instant::now()))?;
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if kind.split(';').next().map(str::trim) != Some("application/x-www-form-urlencoded") {
        return Err(ApiError::FormInvalid);
    }
    let forwards = app.settings.relay.as_ref().is_none_or(|relay| relay.client_address != ClientAddress::None);
    let address = forwards.then(|| forwarded(caller).ok()).flatten();
    let (status, answer) = enlistment.enlist(form, address).await.map_err(|error| {
        tracing::warn!(%error, "an enlistment cannot be relayed");
        ApiError::BadGateway
    })?;
    // The response's own type is ignored: it is for the client's script, never a page.
    let kind = HeaderValue::from_static("application/json");
    Ok((status, [(header::CACHE_CONTROL, NO_STORE), (header::CONTENT_TYPE, kind)], answer).into_response())
}
