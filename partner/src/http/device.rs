//! `GET /api/account`, `/api/device`, `/api/token`: the account's current device, and identity tokens for it.
//!
//! What this module does not know: how devices are stored and tokens are signed.

use super::{
    account::{NO_STORE, SignedIn, limited},
    api_error::ApiError,
};
use crate::{
    app::App,
    clock,
    identity::Claims,
    sign_in::{AccountDevice, DeviceId},
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
pub(super) struct DeviceForm {
    device: String,
}

type DeviceFormResult = Result<Form<DeviceForm>, FormRejection>;

/// `GET /api/account`: the signed-in account and its current device. Clients request this at start-up before anyone has
/// signed in; the response is 204 then, because browsers log each error response to the console.
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
    let current = app.devices.current(&session.account).await?;
    let (device, since) = fields(current.as_ref());
    Ok(form(&[("identifier", session.account.as_str()), ("device", device), ("since", &since)]))
}

/// `POST /api/device`: makes this device the account's current one; only the current device gets tokens.
pub(super) async fn claim(
    State(app): State<Arc<App>>,
    session: SignedIn,
    request: DeviceFormResult,
) -> Result<Response, ApiError> {
    limited(app.limits.token.take(&session.account, Instant::now()))?;
    let device = device(request)?;
    let now = clock::unix_milliseconds();
    let replaced = app.devices.claim(&session.account, &device, now).await?;
    let (previous, since) = fields(replaced.as_ref());
    Ok(form(&[("previous", previous), ("since", &since)]))
}

/// `POST /api/token`: an identity token for the signed-in account, if the device is the current one or there is none
/// yet.
pub(super) async fn token(
    State(app): State<Arc<App>>,
    session: SignedIn,
    request: DeviceFormResult,
) -> Result<Response, ApiError> {
    limited(app.limits.token.take(&session.account, Instant::now()))?;
    let device = device(request)?;
    if !app.devices.claim_if_none(&session.account, &device, clock::unix_milliseconds()).await? {
        return Err(ApiError::OtherDevice);
    }
    let now = clock::unix_seconds();
    let claims = Claims {
        issuer: &app.settings.issuer,
        audience: &app.settings.audience,
        subject: &session.account,
        issued_at: now,
        lifetime: app.settings.token_lifetime,
    };
    let token = claims.sign(&app.keys.signer(now)?.key)?;
    let kind = HeaderValue::from_static("application/jwt");
    Ok(([(header::CACHE_CONTROL, NO_STORE), (header::CONTENT_TYPE, kind)], token).into_response())
}

/// A device in a form: its id, and since when, in Unix milliseconds; without a device, an empty field and 0.
fn fields(device: Option<&AccountDevice>) -> (&str, String) {
    let since = device.map_or(0, |device| device.since.get());
    (device.map_or("", |device| device.device.as_str()), since.to_string())
}

fn device(request: DeviceFormResult) -> Result<DeviceId, ApiError> {
    let Form(DeviceForm { device }) = request?;
    DeviceId::try_from(device).map_err(|_| ApiError::DeviceInvalid)
}

pub(super) fn form(fields: &[(&str, &str)]) -> Response {
    let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
    let form = Serializer::new(String::new()).extend_pairs(fields).finish();
    ([(header::CACHE_CONTROL, NO_STORE), (header::CONTENT_TYPE, kind)], form).into_response()
}
