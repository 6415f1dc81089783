//! `/api/account` and `/api/session`: from an identifier and a password to a session, and its end.
//!
//! What this module does not know: how passwords are hashed and sessions stored. The use of a session is in
//! [`super::device`].

use super::{api_error::ApiError, caller::Network};
use crate::{
    account_id::AccountId,
    app::App,
    clock,
    sign_in::{Identifier, PasswordError, SessionId, SessionToken},
};
use axum::{
    extract::{Form, FromRequestParts, State, rejection::FormRejection},
    http::{HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use std::{sync::Arc, time::Instant};
use zeroize::Zeroizing;

pub(super) const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// The form of both sign-up and sign-in. Not `Debug`: it holds a password.
#[derive(Deserialize)]
pub(super) struct Credentials {
    identifier: String,
    password: String,
}

type CredentialsForm = Result<Form<Credentials>, FormRejection>;

impl From<FormRejection> for ApiError {
    fn from(rejection: FormRejection) -> Self {
        match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Self::TooLarge,
            _ => Self::FormInvalid,
        }
    }
}

/// The account and session of a request, from its cookie.
pub(super) struct SignedIn {
    pub(super) account: AccountId,
    pub(super) id: SessionId,
}

impl FromRequestParts<Arc<App>> for SignedIn {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        let token = cookie(parts, app).ok_or(ApiError::NotSignedIn)?;
        let id = token.id();
        let account = app.sessions.owner(&id, clock::unix_seconds()).await?.ok_or(ApiError::NotSignedIn)?;
        Ok(Self { account, id })
    }
}

/// The session token of a request, which may have expired.
pub(super) struct Cookie(Option<SessionToken>);

impl FromRequestParts<Arc<App>> for Cookie {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        Ok(Self(cookie(parts, app)))
    }
}

/// HTTP/2 clients may send one `Cookie` header for each cookie.
fn cookie(parts: &Parts, app: &App) -> Option<SessionToken> {
    let headers = parts.headers.get_all(header::COOKIE).iter();
    headers.rev().find_map(|value| SessionToken::from_cookies(value.to_str().ok()?, app.settings.secure))
}

/// `POST /api/account`: creates an account and a session.
pub(super) async fn create(
    State(app): State<Arc<App>>,
    network: Network,
    form: CredentialsForm,
) -> Result<Response, ApiError> {
    let passwords = app.account_source.passwords().ok_or(ApiError::NotFound)?;
    let Form(Credentials { identifier, password }) = form?;
    let password = Zeroizing::new(password);
    limited(app.limits.address.take(network, Instant::now()))?;
    let identifier = Identifier::new(&identifier).ok_or(ApiError::IdentifierInvalid)?;
    passwords.check(&password).map_err(|error| match error {
        PasswordError::TooShort => ApiError::PasswordTooShort,
        PasswordError::TooLong => ApiError::PasswordTooLong,
    })?;
    // Checked before the costly hash; the insertion below is what decides.
    if app.accounts.is_taken(&identifier).await? {
        return Err(ApiError::IdentifierTaken);
    }
    let hash = passwords.hash(password).await?;
    app.accounts.create(&identifier, &hash, clock::unix_seconds()).await?;
    begin_session(&app, identifier.account()).await
}

/// `POST /api/session`: signs in to an existing account.
pub(super) async fn sign_in(
    State(app): State<Arc<App>>,
    network: Network,
    form: CredentialsForm,
) -> Result<Response, ApiError> {
    let passwords = app.account_source.passwords().ok_or(ApiError::NotFound)?;
    let Form(Credentials { identifier, password }) = form?;
    let password = Zeroizing::new(password);
    limited(app.limits.address.take(network, Instant::now()))?;
    let identifier = Identifier::new(&identifier).ok_or(ApiError::BadCredentials)?;
    limited(app.limits.account.take(identifier.account().folded(), Instant::now()))?;
    let kept = app.accounts.password_hash(identifier.account()).await?;
    if !passwords.verify(password, kept).await? {
        return Err(ApiError::BadCredentials);
    }
    begin_session(&app, identifier.account()).await
}

/// `DELETE /api/session`: deletes the session and evicts its relayed connection.
pub(super) async fn sign_out(State(app): State<Arc<App>>, Cookie(token): Cookie) -> Result<Response, ApiError> {
    if let Some(token) = token {
        let id = token.id();
        let account = app.sessions.owner(&id, clock::unix_seconds()).await?;
        app.sessions.delete(&id).await?;
        if let (Some(relay), Some(account)) = (&app.relay, account) {
            relay.evict(&account, Some(&id));
        }
    }
    Ok(with_cookie(&SessionToken::clear_cookie(app.settings.secure)))
}

/// `DELETE /api/account`: deletes the account and everything that belongs to it.
pub(super) async fn delete(State(app): State<Arc<App>>, session: SignedIn) -> Result<Response, ApiError> {
    app.accounts.delete(&session.account).await?;
    if let Some(relay) = &app.relay {
        relay.evict(&session.account, None);
    }
    Ok(with_cookie(&SessionToken::clear_cookie(app.settings.secure)))
}

/// `GET /api/session`: the identifier of the signed-in account.
pub(super) async fn current_session(session: SignedIn) -> impl IntoResponse {
    ([(header::CACHE_CONTROL, NO_STORE)], session.account.as_str().to_owned())
}

/// Creates a session for a person who has been authenticated.
pub(super) async fn begin_session(app: &App, account: &AccountId) -> Result<Response, ApiError> {
    let token = SessionToken::random()?;
    let lifetime = app.settings.session_lifetime;
    let now = clock::unix_seconds();
    let expires = now.after(lifetime);
    app.sessions.create(&token.id(), account, now, expires).await?;
    Ok(with_cookie(&token.cookie(lifetime, app.settings.secure)))
}

fn with_cookie(cookie: &str) -> Response {
    (StatusCode::NO_CONTENT, [(header::CACHE_CONTROL, "no-store"), (header::SET_COOKIE, cookie)]).into_response()
}

pub(super) fn limited(taken: Result<(), std::time::Duration>) -> Result<(), ApiError> {
    taken.map_err(|wait| ApiError::RateLimited { wait })
}
