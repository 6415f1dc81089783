//! `/api/sign-in/oidc`: the redirect to the OpenID provider and back.
//!
//! Both are navigations of the whole page, so every response is a redirect; a failure is an error code in the URL of
//! the client. What this module does not know: the provider's protocol.

use super::{
    account::{NO_STORE, begin_session, limited},
    api_error::ApiError,
    auth_attempt::{AttemptCookies, begin_attempt, clear_attempt},
    caller::Network,
};
use crate::{
    app::App,
    clock,
    sign_in::{AuthKind, Identifier, OpenIdError},
};
use axum::{
    extract::{Query, State, rejection::QueryRejection},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use std::{sync::Arc, time::Instant};

impl From<OpenIdError> for ApiError {
    fn from(error: OpenIdError) -> Self {
        tracing::warn!(%error, "a sign-in at the OpenID provider failed");
        match error {
            OpenIdError::Provider(_) => Self::ProviderFailed,
            OpenIdError::Refused(_) => Self::BadCredentials,
            OpenIdError::NoIdentifier(_) => Self::IdentifierInvalid,
        }
    }
}

/// The query of the redirect from the provider.
#[derive(Deserialize)]
pub(super) struct CallbackQuery {
    code: Option<String>,
    state: Option<String>,
    error: Option<String>,
}

/// `GET /api/sign-in/oidc`: redirects to the provider.
pub(super) async fn begin(State(app): State<Arc<App>>, network: Network) -> Result<Response, ApiError> {
    let open_id = app.account_source.open_id().ok_or(ApiError::NotFound)?;
    let begun = async {
        limited(app.limits.address.take(network, Instant::now()))?;
        let begun = open_id.begin().await?;
        let cookie = begin_attempt(&app, AuthKind::OpenId, &begun.state).await?;
        Ok::<_, ApiError>((begun.url, cookie))
    };
    Ok(match begun.await {
        Ok((url, cookie)) => ([(header::SET_COOKIE, cookie)], to(url.as_str())).into_response(),
        Err(api_error) => home(Some(api_error)),
    })
}

/// `GET /api/sign-in/oidc/return`: finishes the sign-in.
///
/// The session cookie is `Strict`, so the browser does not send it when it follows this cross-site redirect to the
/// page. The page is the same for everyone; its own requests are same-site and carry the cookie.
pub(super) async fn finish(
    State(app): State<Arc<App>>,
    network: Network,
    cookies: AttemptCookies,
    query: Result<Query<CallbackQuery>, QueryRejection>,
) -> Result<Response, ApiError> {
    app.account_source.open_id().ok_or(ApiError::NotFound)?;
    let signed_in = match signed_in(&app, network, cookies, query).await {
        Ok(session) => (session.headers().clone(), home(None)).into_response(),
        Err(api_error) => home(Some(api_error)),
    };
    Ok(clear_attempt(&app, AuthKind::OpenId, signed_in))
}

async fn signed_in(
    app: &App,
    network: Network,
    cookies: AttemptCookies,
    query: Result<Query<CallbackQuery>, QueryRejection>,
) -> Result<Response, ApiError> {
    let open_id = app.account_source.open_id().ok_or(ApiError::NotFound)?;
    limited(app.limits.address.take(network, Instant::now()))?;
    let Query(CallbackQuery { code, state, error }) = query.map_err(|_| ApiError::FormInvalid)?;
    let kept = cookies.take(app, AuthKind::OpenId).await?;
    if error.is_some() {
        return Err(ApiError::Declined);
    }
    let (Some(code), Some(state)) = (code, state) else { return Err(ApiError::FormInvalid) };
    let person = open_id.finish(code, &state, &kept).await?;
    let proposed = Identifier::new(&person.name).ok_or(ApiError::IdentifierInvalid)?;
    let account = app.accounts.find_or_create_by_subject(&person.subject, &proposed, clock::unix_seconds()).await?;
    begin_session(app, &account).await
}

/// Redirects to the client, with the error code in the query.
fn home(error: Option<ApiError>) -> Response {
    match error {
        Some(error) => to(&format!("/?sign_in={}", error.code())),
        None => to("/"),
    }
}

fn to(location: &str) -> Response {
    let location = [(header::LOCATION, location)];
    (StatusCode::SEE_OTHER, [(header::CACHE_CONTROL, NO_STORE)], location).into_response()
}
