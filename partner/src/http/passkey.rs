//! `/api/passkey/…`: challenges for a browser's authenticator, and what its answers are worth.
//!
//! JSON here, because the browser's own functions read and write it. What this module does not know: what proves what.

use super::{
    ApiError, App,
    account::{NO_STORE, SignedIn, begin_session, limited},
    caller::Network,
};
use crate::{
    clock,
    sign_in::{AuthAttempt, AuthKind, Challenge, Identifier, NewPasskeyError, PasskeyError},
};
use axum::{
    Json,
    extract::{FromRequestParts, Path, State, rejection::JsonRejection},
    http::{StatusCode, header, request::Parts},
    response::{AppendHeaders, IntoResponse, Response},
};
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

/// The cookies that say which attempt a browser finishes.
pub(super) struct AttemptCookies(Vec<String>);

impl FromRequestParts<Arc<App>> for AttemptCookies {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, Self::Rejection> {
        let headers = parts.headers.get_all(header::COOKIE).iter();
        Ok(Self(headers.filter_map(|value| value.to_str().ok().map(str::to_owned)).collect()))
    }
}

impl AttemptCookies {
    /// What was kept for this browser, once.
    pub(super) async fn take(self, app: &App, kind: AuthKind) -> Result<String, ApiError> {
        let secure = app.settings.secure;
        let attempt = self.0.iter().rev().find_map(|header| AuthAttempt::from_cookies(header, kind, secure));
        let attempt = attempt.ok_or(ApiError::ChallengeOver)?;
        app.store.take_attempt(&attempt, clock::unix_seconds()).await?.ok_or(ApiError::ChallengeOver)
    }
}

/// Keeps what was begun; the cookie that lets this browser finish it.
pub(super) async fn begin_attempt(app: &App, kind: AuthKind, state: &str) -> Result<String, ApiError> {
    let attempt = AuthAttempt::random(kind)?;
    if !app.store.begin_attempt(&attempt, state, clock::unix_seconds()).await? {
        return Err(ApiError::Busy);
    }
    Ok(attempt.cookie(app.settings.secure))
}

/// `POST /api/passkey/register/start`: options for `navigator.credentials.create`.
pub(super) async fn register_start(State(app): State<Arc<App>>, session: SignedIn) -> Result<Response, ApiError> {
    let passkeys = app.accounts.passkeys().ok_or(ApiError::NotFound)?;
    limited(app.limits.token.take(&session.identifier, Instant::now()))?;
    let handle = app.store.passkey_handle(&session.identifier).await?.ok_or(ApiError::NotSignedIn)?;
    let known = app.store.passkeys(&session.identifier).await?;
    let known: Vec<String> = known.into_iter().map(|passkey| passkey.id).collect();
    let Challenge { options, state } =
        passkeys.begin_new(handle, &session.identifier, &known).map_err(|error| refused(&error, ApiError::Internal))?;
    let cookie = begin_attempt(&app, AuthKind::NewPasskey, &state).await?;
    Ok(([(header::CACHE_CONTROL, NO_STORE)], [(header::SET_COOKIE, cookie)], Json(options)).into_response())
}

/// `POST /api/passkey/register/finish`: the account's from now on.
pub(super) async fn register_finish(
    State(app): State<Arc<App>>,
    session: SignedIn,
    begun: AttemptCookies,
    answer: Result<Json<RegisterPublicKeyCredential>, JsonRejection>,
) -> Result<Response, ApiError> {
    let passkeys = app.accounts.passkeys().ok_or(ApiError::NotFound)?;
    let Json(answer) = answer?;
    let state = begun.take(&app, AuthKind::NewPasskey).await?;
    // The challenge names the account that asked for it: whoever signed in meanwhile as another gets no key to it.
    let handle = app.store.passkey_handle(&session.identifier).await?.ok_or(ApiError::NotSignedIn)?;
    let kept =
        passkeys.finish_new(&answer, &state, handle).map_err(|error| refused(&error, ApiError::PasskeyInvalid))?;
    app.store.add_passkey(&session.identifier, &kept, clock::unix_seconds()).await?;
    Ok(clear_attempt(&app, AuthKind::NewPasskey, StatusCode::NO_CONTENT.into_response()))
}

/// `POST /api/passkey/sign-in/start`: options for `navigator.credentials.get`.
pub(super) async fn sign_in_start(State(app): State<Arc<App>>, network: Network) -> Result<Response, ApiError> {
    let passkeys = app.accounts.passkeys().ok_or(ApiError::NotFound)?;
    limited(app.limits.address.take(network, Instant::now()))?;
    let Challenge { options, state } = passkeys.begin_sign_in().map_err(|error| refused(&error, ApiError::Internal))?;
    let cookie = begin_attempt(&app, AuthKind::Passkey, &state).await?;
    Ok(([(header::CACHE_CONTROL, NO_STORE)], [(header::SET_COOKIE, cookie)], Json(options)).into_response())
}

/// `POST /api/passkey/sign-in/finish`: signed in, as whoever the passkey is of.
pub(super) async fn sign_in_finish(
    State(app): State<Arc<App>>,
    network: Network,
    begun: AttemptCookies,
    answer: Result<Json<PublicKeyCredential>, JsonRejection>,
) -> Result<Response, ApiError> {
    let passkeys = app.accounts.passkeys().ok_or(ApiError::NotFound)?;
    limited(app.limits.address.take(network, Instant::now()))?;
    let Json(answer) = answer?;
    let state = begun.take(&app, AuthKind::Passkey).await?;
    let bad = |error: PasskeyError| refused(&error, ApiError::BadCredentials);
    let (handle, id) = passkeys.claimed(&answer).map_err(bad)?;
    let owner = app.store.passkey_owner(&id).await?.filter(|owner| owner.handle == handle.to_string());
    let owner = owner.ok_or(ApiError::BadCredentials)?;
    let identifier = Identifier::new(&owner.identifier).ok_or(ApiError::Internal)?;
    limited(app.limits.account.take(identifier.folded(), Instant::now()))?;
    let kept = passkeys.finish_sign_in(&answer, &state, &owner.kept).map_err(bad)?;
    // Noted before anyone is signed in: of two answers with one count the second is a copy's.
    if !app.store.use_passkey(&kept, clock::unix_seconds()).await? {
        return Err(ApiError::BadCredentials);
    }
    Ok(clear_attempt(&app, AuthKind::Passkey, begin_session(&app, &identifier).await?))
}

/// `GET /api/passkey`: the account's passkeys.
pub(super) async fn list(State(app): State<Arc<App>>, session: SignedIn) -> Result<Response, ApiError> {
    app.accounts.passkeys().ok_or(ApiError::NotFound)?;
    let passkeys = app.store.passkeys(&session.identifier).await?;
    Ok(([(header::CACHE_CONTROL, NO_STORE)], Json(passkeys)).into_response())
}

/// `DELETE /api/passkey/{id}`: whoever has the passkey is not let in any more.
pub(super) async fn end(
    State(app): State<Arc<App>>,
    session: SignedIn,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    app.accounts.passkeys().ok_or(ApiError::NotFound)?;
    app.store.end_passkey(&session.identifier, &id).await?;
    Ok((StatusCode::NO_CONTENT, [(header::CACHE_CONTROL, NO_STORE)]).into_response())
}

fn refused(error: &PasskeyError, api_error: ApiError) -> ApiError {
    tracing::info!(%error, "a passkey attempt failed");
    api_error
}

/// The same answer, after which the browser forgets the attempt.
pub(super) fn clear_attempt(app: &App, kind: AuthKind, response: Response) -> Response {
    let cookie = AuthAttempt::forget(kind, app.settings.secure);
    (AppendHeaders([(header::SET_COOKIE, cookie)]), response).into_response()
}
