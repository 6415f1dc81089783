//! `/api/push`: subscriptions and test notifications.
//!
//! What this module does not know: how and when pushes are sent.

use super::{
    account::{NO_STORE, SignedIn, limited},
    api_error::ApiError,
    device::form,
};
use crate::{
    app::App,
    clock,
    push::{Endpoint, Subscription},
};
use axum::{
    extract::{Form, State, rejection::FormRejection},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use std::{sync::Arc, time::Instant};

/// A subscription as browsers supply it.
#[derive(Deserialize)]
pub(super) struct SubscribeForm {
    endpoint: String,
    p256dh: String,
    auth: String,
    /// An endpoint that this one replaces.
    previous: Option<String>,
}

/// Identifies a subscription.
#[derive(Deserialize)]
pub(super) struct EndpointForm {
    endpoint: String,
}

type FormResult<T> = Result<Form<T>, FormRejection>;

/// `GET /api/push`: the VAPID key for new subscriptions.
pub(super) async fn key(State(app): State<Arc<App>>) -> Result<Response, ApiError> {
    let signer = app.push.keys.signer(clock::unix_seconds())?;
    Ok(form(&[("key", signer.key.public())]))
}

/// `POST /api/push`: subscribes this browser for the signed-in account only.
pub(super) async fn subscribe(
    State(app): State<Arc<App>>,
    session: SignedIn,
    parsed: FormResult<SubscribeForm>,
) -> Result<Response, ApiError> {
    limited(app.limits.push.take(&session.account, Instant::now()))?;
    let Form(SubscribeForm { endpoint, p256dh, auth, previous }) = parsed?;
    let endpoint = Endpoint::parse(&endpoint).ok_or(ApiError::SubscriptionInvalid)?;
    let subscription = Subscription::read(&endpoint, &p256dh, &auth, &app.push.services);
    let subscription = subscription.ok_or(ApiError::SubscriptionInvalid)?;
    let signer = app.push.keys.signer(clock::unix_seconds())?;
    // A text that is no endpoint names no subscription.
    let previous = previous.as_deref().and_then(Endpoint::parse);
    let (kid, now) = (crate::keys::Key::kid(&signer.key), clock::unix_milliseconds());
    app.push.subscriptions.save(&session.account, &subscription, previous.as_ref(), kid, now).await?;
    Ok(no_content())
}

/// `POST /api/push/end`: unsubscribes this browser.
pub(super) async fn end(
    State(app): State<Arc<App>>,
    session: SignedIn,
    parsed: FormResult<EndpointForm>,
) -> Result<Response, ApiError> {
    let Form(EndpointForm { endpoint }) = parsed?;
    if let Some(endpoint) = Endpoint::parse(&endpoint) {
        app.push.subscriptions.delete(&session.account, &endpoint).await?;
    }
    Ok(no_content())
}

/// `POST /api/push/test`: queues a test push.
pub(super) async fn test(
    State(app): State<Arc<App>>,
    session: SignedIn,
    parsed: FormResult<EndpointForm>,
) -> Result<Response, ApiError> {
    limited(app.limits.push.take(&session.account, Instant::now()))?;
    let Form(EndpointForm { endpoint }) = parsed?;
    let endpoint = Endpoint::parse(&endpoint).ok_or(ApiError::NotFound)?;
    if !app.push.queue.enqueue_test(&session.account, &endpoint, clock::unix_milliseconds()).await? {
        return Err(ApiError::NotFound);
    }
    app.push.delivery.notify();
    Ok(no_content())
}

fn no_content() -> Response {
    (StatusCode::NO_CONTENT, [(header::CACHE_CONTROL, NO_STORE)]).into_response()
}
