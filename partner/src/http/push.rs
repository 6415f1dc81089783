//! `/api/push`: what a browser subscribes with, and a test notification.
//!
//! What this module does not know: how and when anything is sent.

use super::{
    ApiError, App,
    account::{NO_STORE, SignedIn, limited},
    device::form,
};
use crate::{clock, push::Subscription};
use axum::{
    extract::{Form, State, rejection::FormRejection},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use std::{sync::Arc, time::Instant};

/// A subscription as browsers give it.
#[derive(Deserialize)]
pub(super) struct Subscribe {
    endpoint: String,
    p256dh: String,
    auth: String,
    /// An endpoint that this one replaces.
    previous: Option<String>,
}

/// Which subscription.
#[derive(Deserialize)]
pub(super) struct Which {
    endpoint: String,
}

type Parsed<T> = Result<Form<T>, FormRejection>;

/// `GET /api/push`: the key that subscriptions must be made for.
pub(super) async fn key(State(app): State<Arc<App>>) -> Result<Response, ApiError> {
    let signer = app.push.keys.signer(clock::unix_seconds())?;
    Ok(form(&[("key", signer.key.public())]))
}

/// `POST /api/push`: from now on this browser is woken for who is signed in, and for nobody else.
pub(super) async fn subscribe(
    State(app): State<Arc<App>>,
    session: SignedIn,
    parsed: Parsed<Subscribe>,
) -> Result<Response, ApiError> {
    limited(app.limits.push.take(&session.identifier, Instant::now()))?;
    let Form(Subscribe { endpoint, p256dh, auth, previous }) = parsed?;
    let subscription = Subscription::read(&endpoint, &p256dh, &auth, &app.push.services);
    let subscription = subscription.ok_or(ApiError::SubscriptionInvalid)?;
    let signer = app.push.keys.signer(clock::unix_seconds())?;
    let (kid, now) = (crate::keys::Key::kid(&signer.key), clock::unix_milliseconds());
    app.store.subscribe(&session.identifier, &subscription, previous.as_deref(), kid, now).await?;
    Ok(nothing())
}

/// `POST /api/push/end`: this browser is no longer woken.
pub(super) async fn end(
    State(app): State<Arc<App>>,
    session: SignedIn,
    parsed: Parsed<Which>,
) -> Result<Response, ApiError> {
    let Form(Which { endpoint }) = parsed?;
    app.store.unsubscribe(&session.identifier, &endpoint).await?;
    Ok(nothing())
}

/// `POST /api/push/test`: a push to see whether it arrives.
pub(super) async fn test(
    State(app): State<Arc<App>>,
    session: SignedIn,
    parsed: Parsed<Which>,
) -> Result<Response, ApiError> {
    limited(app.limits.push.take(&session.identifier, Instant::now()))?;
    let Form(Which { endpoint }) = parsed?;
    if !app.store.enqueue_test(&session.identifier, &endpoint, clock::unix_milliseconds()).await? {
        return Err(ApiError::NotFound);
    }
    app.push.delivery.notify();
    Ok(nothing())
}

fn nothing() -> Response {
    (StatusCode::NO_CONTENT, [(header::CACHE_CONTROL, NO_STORE)]).into_response()
}
