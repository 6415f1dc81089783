//! `GET /api/account`, `/api/device`, `/api/token`: which browser profile is the account's, and the identity token that
//! only this one gets.
//!
//! What this module does not know: what the client does with it, and how devices are kept and tokens are made.

use super::{
    ApiError, App,
    account::{NO_STORE, SignedIn, limited},
};
use crate::{
    clock,
    identity::Claims,
    sign_in::{CurrentDevice, DeviceId, ReplacedDevice},
};
use axum::{
    extract::{Form, State, rejection::FormRejection},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use std::{sync::Arc, time::Instant};
use url::form_urlencoded::Serializer;

/// The form of a claim and of a token request.
#[derive(Deserialize)]
pub(super) struct Which {
    device: String,
}

type WhichForm = Result<Form<Which>, FormRejection>;

/// `GET /api/account`: who is signed in, and which device is the account's. Every client asks this at its first start,
/// before anyone could have signed in, and a browser writes each refusal to its console: nobody is an answer, too.
pub(super) async fn account(
    State(app): State<Arc<App>>,
    session: Result<SignedIn, ApiError>,
) -> Result<Response, ApiError> {
    let session = match session {
        Err(ApiError::NotSignedIn) => {
            return Ok((StatusCode::NO_CONTENT, [(header::CACHE_CONTROL, NO_STORE)]).into_response());
        }
        session => session?,
    };
    let CurrentDevice { device, since } = app.store.current_device(&session.identifier).await?;
    let since = since.to_string();
    Ok(form(&[("identifier", &session.identifier), ("device", &device), ("since", &since)]))
}

/// `POST /api/device`: from now on this device is the account's, and no other gets tokens.
pub(super) async fn claim(
    State(app): State<Arc<App>>,
    session: SignedIn,
    which: WhichForm,
) -> Result<Response, ApiError> {
    limited(app.limits.token.take(&session.identifier, Instant::now()))?;
    let device = device(which)?;
    let now = clock::unix_milliseconds();
    let ReplacedDevice { previous, since } = app.store.claim_device(&session.identifier, &device, now).await?;
    Ok(form(&[("previous", &previous), ("since", &since.to_string())]))
}

/// `POST /api/token`: an identity token for who is signed in, if the device is the account's or none is yet.
pub(super) async fn token(
    State(app): State<Arc<App>>,
    session: SignedIn,
    which: WhichForm,
) -> Result<Response, ApiError> {
    limited(app.limits.token.take(&session.identifier, Instant::now()))?;
    let device = device(which)?;
    if !app.store.is_current_device(&session.identifier, &device, clock::unix_milliseconds()).await? {
        return Err(ApiError::OtherDevice);
    }
    let now = clock::unix_seconds();
    let claims = Claims {
        issuer: &app.settings.issuer,
        audience: &app.settings.audience,
        subject: &session.identifier,
        issued_at: now.unsigned_abs(),
        lifetime: app.settings.token_seconds,
    };
    let token = claims.sign(&app.keys.signer(now)?.key)?;
    let kind = HeaderValue::from_static("application/jwt");
    Ok(([(header::CACHE_CONTROL, NO_STORE), (header::CONTENT_TYPE, kind)], token).into_response())
}

fn device(which: WhichForm) -> Result<DeviceId, ApiError> {
    let Form(Which { device }) = which?;
    DeviceId::try_from(device).map_err(|_| ApiError::DeviceInvalid)
}

pub(super) fn form(fields: &[(&str, &str)]) -> Response {
    let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
    let form = Serializer::new(String::new()).extend_pairs(fields).finish();
    ([(header::CACHE_CONTROL, NO_STORE), (header::CONTENT_TYPE, kind)], form).into_response()
}
