//! `POST /push`: WhatsApp's notification that a message waits for a user of this Partner
//! (docs/spec/enlistment.md §3.2.2).
//!
//! What this module does not know: how WhatsApp is authenticated ([`crate::push`]).

use super::api_error::ApiError;
use crate::{
    app::App,
    clock,
    push::{BearerError, EnqueueOutcome},
    sign_in::Identifier,
};
use axum::{
    body::Bytes,
    extract::{State, rejection::BytesRejection},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use std::sync::Arc;

/// Maximum body: an identifier has at most 160 bytes.
pub(super) const MAX_BODY_BYTES: usize = 4 * 1_024;

#[derive(Deserialize)]
struct WakeRequest {
    to: String,
}

/// Responds 200 when the push is stored durably, so that WhatsApp need not retry.
pub(super) async fn receive(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, ApiError> {
    let token = bearer(&headers).ok_or(ApiError::BearerInvalid)?;
    let replay_guard = app.push.verifier.verify(token, clock::unix_seconds()).await.map_err(|error| match error {
        BearerError::Invalid(why) => {
            tracing::warn!(why, "a call to /push was refused");
            ApiError::BearerInvalid
        }
        BearerError::NoKeys { wait } => ApiError::NoKeys { wait },
    })?;
    let body = body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => ApiError::TooLarge,
        _ => ApiError::CallInvalid,
    })?;
    // The content type is ignored: the header in the public example is not well-formed.
    let WakeRequest { to } = serde_json::from_slice(&body).map_err(|_| ApiError::CallInvalid)?;
    let identifier =
        Identifier::new(&to).filter(|identifier| identifier.account().as_str() == to).ok_or(ApiError::NotFound)?;
    match app.push.queue.enqueue_wake(identifier.account(), replay_guard.as_ref(), clock::unix_milliseconds()).await? {
        EnqueueOutcome::Queued => {
            app.push.delivery.notify();
            Ok(([(header::CACHE_CONTROL, "no-store")], "").into_response())
        }
        EnqueueOutcome::Unknown => Err(ApiError::NotFound),
        EnqueueOutcome::Replayed => {
            tracing::warn!(why = "used before", "a call to /push was refused");
            Err(ApiError::BearerInvalid)
        }
    }
}

/// The bearer token, if there is exactly one `Authorization` header.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_one_authorization_header_is_accepted() {
        let headers = |values: &[&str]| {
            let pairs = values.iter().map(|value| (header::AUTHORIZATION, value.parse().unwrap()));
            pairs.collect::<HeaderMap>()
        };
        assert_eq!(bearer(&headers(&["Bearer a.b.c"])), Some("a.b.c"));
        assert_eq!(bearer(&headers(&["bearer  a.b.c"])), Some("a.b.c"));
        for bad in [&[][..], &["a.b.c"], &["Basic a.b.c"], &["Bearer"], &["Bearer a.b.c", "Bearer a.b.c"]] {
            assert_eq!(bearer(&headers(bad)), None, "{bad:?}");
        }
    }
}
