//! `/api/passkey/…`: passkey registration, sign-in and management.
//!
//! The bodies are JSON because the browser's WebAuthn functions read and write it. What this module does not know: how
//! responses are verified.

use super::{
    account::{NO_STORE, SignedIn, begin_session, limited},
    api_error::ApiError,
    auth_attempt::{AttemptCookies, begin_attempt, clear_attempt},
    caller::Network,
};
use crate::{
    app::App,
    clock,
    sign_in::{AuthKind, Challenge, NewPasskeyError, PasskeyError, PasskeyId, PasskeySummary},
    time::UnixSeconds,
};
use axum::{
    Json,
    extract::{Path, State, rejection::JsonRejection},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use std::{sync::Arc, time::Instant};
use webauthn_rs::prelude::{PublicKeyCredential, RegisterPublicKeyCredential};

impl From<JsonRejection> for ApiError {
    fn from(rejection: JsonRejection) -> Self {
        match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Self::TooLarge,
            _ => Self::FormInvalid,
        }
    }
}

impl From<NewPasskeyError> for ApiError {
    fn from(error: NewPasskeyError) -> Self {
        match error {
            NewPasskeyError::TooMany => Self::TooManyPasskeys,
            NewPasskeyError::Taken => Self::PasskeyTaken,
            NewPasskeyError::Store(error) => error.into(),
        }
    }
}

/// `POST /api/passkey/register/start`: options for `navigator.credentials.create`.
pub(super) async fn register_start(State(app): State<Arc<App>>, session: SignedIn) -> Result<Response, ApiError> {
    let passkeys = app.account_source.passkeys().ok_or(ApiError::NotFound)?;
    limited(app.limits.token.take(&session.account, Instant::now()))?;
    let handle = app.passkeys.handle(&session.account).await?.ok_or(ApiError::NotSignedIn)?;
    let known = app.passkeys.list(&session.account).await?;
    let known: Vec<PasskeyId> = known.into_iter().map(|passkey| passkey.id).collect();
    let Challenge { options, state } =
        passkeys.begin_new(handle, &session.account, &known).map_err(|error| refused(&error, ApiError::Internal))?;
    let cookie = begin_attempt(&app, AuthKind::NewPasskey, &state).await?;
    Ok(([(header::CACHE_CONTROL, NO_STORE)], [(header::SET_COOKIE, cookie)], Json(options)).into_response())
}

/// `POST /api/passkey/register/finish`: stores the passkey for the account.
pub(super) async fn register_finish(
    State(app): State<Arc<App>>,
    session: SignedIn,
    cookies: AttemptCookies,
    answer: Result<Json<RegisterPublicKeyCredential>, JsonRejection>,
) -> Result<Response, ApiError> {
    let passkeys = app.account_source.passkeys().ok_or(ApiError::NotFound)?;
    let Json(answer) = answer?;
    let state = cookies.take(&app, AuthKind::NewPasskey).await?;
    // The challenge is bound to the account that requested it; after a change of accounts it is refused.
    let handle = app.passkeys.handle(&session.account).await?.ok_or(ApiError::NotSignedIn)?;
    let kept =
        passkeys.finish_new(&answer, &state, handle).map_err(|error| refused(&error, ApiError::PasskeyInvalid))?;
    app.passkeys.add(&session.account, &kept, clock::unix_seconds()).await?;
    Ok(clear_attempt(&app, AuthKind::NewPasskey, StatusCode::NO_CONTENT.into_response()))
}

/// `POST /api/passkey/sign-in/start`: options for `navigator.credentials.get`.
pub(super) async fn sign_in_start(State(app): State<Arc<App>>, network: Network) -> Result<Response, ApiError> {
    let passkeys = app.account_source.passkeys().ok_or(ApiError::NotFound)?;
    limited(app.limits.address.take(network, Instant::now()))?;
    let Challenge { options, state } = passkeys.begin_sign_in().map_err(|error| refused(&error, ApiError::Internal))?;
    let cookie = begin_attempt(&app, AuthKind::Passkey, &state).await?;
    Ok(([(header::CACHE_CONTROL, NO_STORE)], [(header::SET_COOKIE, cookie)], Json(options)).into_response())
}

/// `POST /api/passkey/sign-in/finish`: signs in to the account of the passkey.
pub(super) async fn sign_in_finish(
    State(app): State<Arc<App>>,
    network: Network,
    cookies: AttemptCookies,
    answer: Result<Json<PublicKeyCredential>, JsonRejection>,
) -> Result<Response, ApiError> {
    let passkeys = app.account_source.passkeys().ok_or(ApiError::NotFound)?;
    limited(app.limits.address.take(network, Instant::now()))?;
    let Json(answer) = answer?;
    let state = cookies.take(&app, AuthKind::Passkey).await?;
    let bad = |error: PasskeyError| refused(&error, ApiError::BadCredentials);
    let (handle, id) = passkeys.claimed(&answer).map_err(bad)?;
    let owner = app.passkeys.owner(&id).await?.filter(|owner| owner.handle == Some(handle));
    let owner = owner.ok_or(ApiError::BadCredentials)?;
    limited(app.limits.account.take(owner.account.folded(), Instant::now()))?;
    let kept = passkeys.finish_sign_in(&answer, &state, &owner.kept).map_err(bad)?;
    // Recorded before the session begins: of two responses with the same counter the second comes from a cloned
    // authenticator.
    if !app.passkeys.record_use(&kept, clock::unix_seconds()).await? {
        return Err(ApiError::BadCredentials);
    }
    Ok(clear_attempt(&app, AuthKind::Passkey, begin_session(&app, &owner.account).await?))
}

/// A passkey in a response; times are Unix seconds.
#[derive(Serialize)]
struct PasskeyEntry {
    id: String,
    created: i64,
    /// 0 before the first sign-in.
    used: i64,
}

impl From<PasskeySummary> for PasskeyEntry {
    fn from(PasskeySummary { id, created, used }: PasskeySummary) -> Self {
        Self { id: id.as_str().to_owned(), created: created.get(), used: used.map_or(0, UnixSeconds::get) }
    }
}

/// `GET /api/passkey`: the account's passkeys.
pub(super) async fn list(State(app): State<Arc<App>>, session: SignedIn) -> Result<Response, ApiError> {
    app.account_source.passkeys().ok_or(ApiError::NotFound)?;
    let passkeys: Vec<_> = app.passkeys.list(&session.account).await?.into_iter().map(PasskeyEntry::from).collect();
    Ok(([(header::CACHE_CONTROL, NO_STORE)], Json(passkeys)).into_response())
}

/// `DELETE /api/passkey/{id}`: the passkey can no longer sign in.
pub(super) async fn end(
    State(app): State<Arc<App>>,
    session: SignedIn,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    app.account_source.passkeys().ok_or(ApiError::NotFound)?;
    app.passkeys.delete(&session.account, &PasskeyId::new(id)).await?;
    Ok((StatusCode::NO_CONTENT, [(header::CACHE_CONTROL, NO_STORE)]).into_response())
}

fn refused(error: &PasskeyError, api_error: ApiError) -> ApiError {
    tracing::info!(%error, "a passkey attempt failed");
    api_error
}
