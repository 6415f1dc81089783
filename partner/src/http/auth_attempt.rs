//! The cookie and the stored state of an authentication attempt.
//!
//! What this module does not know: what the attempt is for, and what its state contains.

use super::api_error::ApiError;
use crate::{
    app::App,
    clock,
    sign_in::{AuthAttempt, AuthKind},
};
use axum::{
    extract::FromRequestParts,
    http::{header, request::Parts},
    response::{AppendHeaders, IntoResponse, Response},
};
use std::sync::Arc;

/// The cookies of a request, in which an attempt is looked up.
pub(super) struct AttemptCookies(Vec<String>);

impl FromRequestParts<Arc<App>> for AttemptCookies {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, Self::Rejection> {
        let headers = parts.headers.get_all(header::COOKIE).iter();
        Ok(Self(headers.filter_map(|value| value.to_str().ok().map(str::to_owned)).collect()))
    }
}

impl AttemptCookies {
    /// Ends the attempt of this kind and returns its state.
    pub(super) async fn take(self, app: &App, kind: AuthKind) -> Result<String, ApiError> {
        let secure = app.settings.secure;
        let attempt = self.0.iter().rev().find_map(|header| AuthAttempt::from_cookies(header, kind, secure));
        let attempt = attempt.ok_or(ApiError::ChallengeOver)?;
        app.auth_attempts.take(&attempt, clock::unix_seconds()).await?.ok_or(ApiError::ChallengeOver)
    }
}

/// Stores the state of a new attempt; returns the `Set-Cookie` header that lets this browser finish it.
pub(super) async fn begin_attempt(app: &App, kind: AuthKind, state: &str) -> Result<String, ApiError> {
    let attempt = AuthAttempt::random(kind)?;
    if !app.auth_attempts.insert(&attempt, state, clock::unix_seconds()).await? {
        return Err(ApiError::Busy);
    }
    Ok(attempt.cookie(app.settings.secure))
}

/// Adds a header to the response that removes the cookie of the attempt.
pub(super) fn clear_attempt(app: &App, kind: AuthKind, response: Response) -> Response {
    let cookie = AuthAttempt::clear_cookie(kind, app.settings.secure);
    (AppendHeaders([(header::SET_COOKIE, cookie)]), response).into_response()
}
