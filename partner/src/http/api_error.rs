//! Every error response: a status, and an error code that the client translates for the person.
//!
//! What this module does not know: the translations.

use crate::{
    identity::TokenError,
    keys::KeyError,
    sign_in::{Busy, NewAccountError},
    store::StoreError,
};
use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use std::time::Duration;

/// Why a request failed. The body of the response is the error code only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ApiError {
    FormInvalid,
    CallInvalid,
    BearerInvalid,
    BadCredentials,
    NotSignedIn,
    CrossSite,
    NotFound,
    MethodNotAllowed,
    ChallengeOver,
    Declined,
    PasskeyTaken,
    TooManyPasskeys,
    PasskeyInvalid,
    ProviderFailed,
    IdentifierTaken,
    OtherDevice,
    TooLarge,
    DeviceInvalid,
    IdentifierInvalid,
    SubscriptionInvalid,
    PasswordTooShort,
    PasswordTooLong,
    RateLimited { wait: Duration },
    UpgradeRequired,
    OffsetConflict,
    VersionUnsupported,
    QuotaExceeded,
    TypeUnsupported,
    RangeInvalid,
    TooManyUploads,
    BadGateway,
    Internal,
    Busy,
    NoKeys { wait: Duration },
    TooSlow,
}

impl ApiError {
    fn parts(self) -> (StatusCode, &'static str) {
        match self {
            Self::FormInvalid => (StatusCode::BAD_REQUEST, "form_invalid"),
            Self::CallInvalid => (StatusCode::BAD_REQUEST, "call_invalid"),
            Self::BearerInvalid => (StatusCode::UNAUTHORIZED, "bearer_invalid"),
            Self::BadCredentials => (StatusCode::UNAUTHORIZED, "bad_credentials"),
            Self::NotSignedIn => (StatusCode::UNAUTHORIZED, "not_signed_in"),
            Self::CrossSite => (StatusCode::FORBIDDEN, "cross_site"),
            Self::NotFound => (StatusCode::NOT_FOUND, "not_found"),
            Self::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"),
            Self::ChallengeOver => (StatusCode::BAD_REQUEST, "challenge_over"),
            Self::Declined => (StatusCode::UNAUTHORIZED, "declined"),
            Self::PasskeyTaken => (StatusCode::CONFLICT, "passkey_taken"),
            Self::TooManyPasskeys => (StatusCode::CONFLICT, "too_many_passkeys"),
            Self::PasskeyInvalid => (StatusCode::UNPROCESSABLE_ENTITY, "passkey_invalid"),
            Self::ProviderFailed => (StatusCode::BAD_GATEWAY, "provider_failed"),
            Self::IdentifierTaken => (StatusCode::CONFLICT, "identifier_taken"),
            Self::OtherDevice => (StatusCode::CONFLICT, "other_device"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
            Self::DeviceInvalid => (StatusCode::UNPROCESSABLE_ENTITY, "device_invalid"),
            Self::IdentifierInvalid => (StatusCode::UNPROCESSABLE_ENTITY, "identifier_invalid"),
            Self::SubscriptionInvalid => (StatusCode::UNPROCESSABLE_ENTITY, "subscription_invalid"),
            Self::PasswordTooShort => (StatusCode::UNPROCESSABLE_ENTITY, "password_too_short"),
            Self::PasswordTooLong => (StatusCode::UNPROCESSABLE_ENTITY, "password_too_long"),
            Self::RateLimited { .. } => (StatusCode::TOO_MANY_REQUESTS, "rate_limited"),
            Self::OffsetConflict => (StatusCode::CONFLICT, "offset_conflict"),
            Self::VersionUnsupported => (StatusCode::PRECONDITION_FAILED, "version_unsupported"),
            Self::QuotaExceeded => (StatusCode::PAYLOAD_TOO_LARGE, "quota_exceeded"),
            Self::TypeUnsupported => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "type_unsupported"),
            Self::RangeInvalid => (StatusCode::RANGE_NOT_SATISFIABLE, "range_invalid"),
            Self::TooManyUploads => (StatusCode::TOO_MANY_REQUESTS, "too_many_uploads"),
            Self::UpgradeRequired => (StatusCode::UPGRADE_REQUIRED, "upgrade_required"),
            Self::BadGateway => (StatusCode::BAD_GATEWAY, "bad_gateway"),
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
            Self::Busy => (StatusCode::SERVICE_UNAVAILABLE, "busy"),
            Self::NoKeys { .. } => (StatusCode::SERVICE_UNAVAILABLE, "no_keys"),
            Self::TooSlow => (StatusCode::SERVICE_UNAVAILABLE, "too_slow"),
        }
    }
}

impl ApiError {
    /// The error code, for responses that carry it elsewhere than in the body.
    pub(super) fn code(self) -> &'static str {
        self.parts().1
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = self.parts().into_response();
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self == Self::BearerInvalid {
            let challenge = HeaderValue::from_static(r#"Bearer error="invalid_token""#);
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        if let Self::RateLimited { wait } | Self::NoKeys { wait } = self {
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

impl From<Busy> for ApiError {
    fn from(Busy: Busy) -> Self {
        Self::Busy
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the database failed");
        Self::Internal
    }
}

impl From<NewAccountError> for ApiError {
    fn from(error: NewAccountError) -> Self {
        match error {
            NewAccountError::Taken => Self::IdentifierTaken,
            NewAccountError::Store(error) => error.into(),
        }
    }
}

impl From<TokenError> for ApiError {
    fn from(error: TokenError) -> Self {
        tracing::error!(%error, "no token could be issued");
        Self::Internal
    }
}

impl From<KeyError> for ApiError {
    fn from(error: KeyError) -> Self {
        tracing::error!(%error, "a key cannot be used");
        Self::Internal
    }
}

impl From<getrandom::Error> for ApiError {
    fn from(error: getrandom::Error) -> Self {
        tracing::error!(%error, "the operating system has no randomness");
        Self::Internal
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_rounded_up() {
        let response = ApiError::RateLimited { wait: Duration::from_millis(1_001) }.into_response();
        assert_eq!(response.headers()[header::RETRY_AFTER], "2");
    }
}
