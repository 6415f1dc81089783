//! `/api/sign-in/oidc`: the way to the OpenID provider and back.
//!
//! Both are navigations of the whole page, so every answer is a redirect: back to the client, with one word in the address
//! when it did not work. What this module does not know: what the provider says.

use super::{
    ApiError, App,
    account::{NO_STORE, begin_session, limited},
    caller::Network,
    passkey::{AttemptCookies, begin_attempt, clear_attempt},
};
use crate::{
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

/// What the provider sends a browser back with.
#[derive(Deserialize)]
pub(super) struct CallbackQuery {
    code: Option<String>,
    state: Option<String>,
    error: Option<String>,
}

/// `GET /api/sign-in/oidc`: to the provider.
pub(super) async fn begin(State(app): State<Arc<App>>, network: Network) -> Result<Response, ApiError> {
    let open_id = app.accounts.open_id().ok_or(ApiError::NotFound)?;
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

/// `GET /api/sign-in/oidc/return`: from the provider, signed in.
///
/// The session's cookie is `Strict`, so the browser, which another site has sent here, leaves it out when it follows the
/// redirect to the page. The page is the same for everyone; what it then asks for comes from our own site, with the cookie.
pub(super) async fn finish(
    State(app): State<Arc<App>>,
    network: Network,
    begun: AttemptCookies,
    brought: Result<Query<CallbackQuery>, QueryRejection>,
) -> Result<Response, ApiError> {
    app.accounts.open_id().ok_or(ApiError::NotFound)?;
    let signed_in = match signed_in(&app, network, begun, brought).await {
        Ok(session) => (session.headers().clone(), home(None)).into_response(),
        Err(api_error) => home(Some(api_error)),
    };
    Ok(clear_attempt(&app, AuthKind::OpenId, signed_in))
}

async fn signed_in(
    app: &App,
    network: Network,
    begun: AttemptCookies,
    brought: Result<Query<CallbackQuery>, QueryRejection>,
) -> Result<Response, ApiError> {
    let open_id = app.accounts.open_id().ok_or(ApiError::NotFound)?;
    limited(app.limits.address.take(network, Instant::now()))?;
    let Query(CallbackQuery { code, state, error }) = brought.map_err(|_| ApiError::FormInvalid)?;
    let kept = begun.take(app, AuthKind::OpenId).await?;
    if error.is_some() {
        return Err(ApiError::Declined);
    }
    let (Some(code), Some(state)) = (code, state) else { return Err(ApiError::FormInvalid) };
    let person = open_id.finish(code, &state, &kept).await?;
    let proposed = Identifier::new(&person.identifier).ok_or(ApiError::IdentifierInvalid)?;
    let identifier = app.store.account_of_subject(&person.subject, &proposed, clock::unix_seconds()).await?;
    let identifier = Identifier::new(&identifier).ok_or(ApiError::Internal)?;
    begin_session(app, &identifier).await
}

/// To the client, which has a sentence for the word.
fn home(api_error: Option<ApiError>) -> Response {
    match api_error {
        Some(api_error) => to(&format!("/?sign_in={}", api_error.code())),
        None => to("/"),
    }
}

fn to(location: &str) -> Response {
    let location = [(header::LOCATION, location)];
    (StatusCode::SEE_OTHER, [(header::CACHE_CONTROL, NO_STORE)], location).into_response()
}
