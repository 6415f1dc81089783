//! `POST /wpush/{token}`: a server has a message for a browser (RFC 8030 §5).
//!
//! Accepted only from the server that the subscription was made for, with correct headers. Must not know whether the
//! browser is connected.

use crate::push_service::message::{Posted, Urgency};
use crate::push_service::subscriptions::Target;
use crate::push_service::vapid;
use crate::sandbox::Sandbox;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

/// Largest message taken, in bytes (RFC 8030 §7.2 asks for no less).
pub(super) const MAX_BODY: usize = 4096;
/// Longest time that a message may wait: 60 days, as Mozilla's service has it. Longer ones are shortened.
const MAX_TTL: u64 = 60 * 86_400;
/// Characters of a topic (RFC 8030 §5.4).
const MAX_TOPIC: usize = 32;

/// Why a message is not taken.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("there is no such subscription")]
    Unknown,
    #[error("the subscription has ended")]
    Ended,
    #[error("{0}")]
    Header(&'static str),
    #[error("at most {MAX_BODY} bytes")]
    TooLarge,
    #[error(transparent)]
    Vapid(#[from] vapid::VapidError),
    #[error("too many messages wait for this browser")]
    Full,
    #[error("ordered over the control API")]
    Ordered(u16),
}

impl Refusal {
    fn status(&self) -> u16 {
        match self {
            Self::Unknown => 404,
            Self::Ended => 410,
            Self::Header(_) => 400,
            Self::TooLarge => 413,
            Self::Vapid(error) => error.status(),
            Self::Full => 503,
            Self::Ordered(status) => *status,
        }
    }
}

/// Keeps a message for its browser, durable or not as TTL and memory allow: 201 with its address.
pub(super) async fn post(
    State(sandbox): State<Arc<Sandbox>>,
    Path(token): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let ordered = sandbox.push_service.registry().ordered();
    let taken = match ordered {
        Some(ordered) => Err(Refusal::Ordered(ordered.status)),
        None => take(&sandbox, &token, &headers, body),
    };
    match taken {
        Ok((version, ttl)) => {
            let location = format!("{}/m/{version}", sandbox.push_service.origin());
            let headers = [(header::LOCATION, location), (HeaderName::from_static("ttl"), ttl.to_string())];
            (StatusCode::CREATED, headers).into_response()
        }
        Err(refusal) => {
            let (status, reason) = (refusal.status(), refusal.to_string());
            tracing::info!(status, reason, "a push message was not taken");
            let answer = (StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), reason.clone());
            sandbox.push_service.registry().reject(status, reason, sandbox.clock.now_ms());
            match ordered.and_then(|ordered| ordered.retry_after) {
                Some(seconds) => ([(header::RETRY_AFTER, seconds.to_string())], answer).into_response(),
                None => answer.into_response(),
            }
        }
    }
}

fn take(
    sandbox: &Sandbox,
    token: &str,
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<(String, u64), Refusal> {
    let service = &sandbox.push_service;
    let found = service.registry().find(token);
    let (agent, channel, key) = match found {
        Target::Channel { agent, channel, key } => (agent, channel, key),
        Target::Ended => return Err(Refusal::Ended),
        Target::Unknown => return Err(Refusal::Unknown),
    };
    // Servers use the machine's clock.
    let now = sandbox.clock.machine_secs();
    vapid::check(text(headers, header::AUTHORIZATION)?, key.as_deref(), &service.origin(), now)?;
    let posted = posted(headers, body)?;
    let ttl = posted.ttl;
    let kept = service.registry().keep(&agent, &channel, posted, sandbox.clock.now_ms());
    Ok((kept.ok_or(Refusal::Full)?, ttl))
}

/// What the headers ask for.
fn posted(headers: &HeaderMap, body: Result<Bytes, BytesRejection>) -> Result<Posted, Refusal> {
    let body = body.map_err(|_| Refusal::TooLarge)?;
    let ttl = text(headers, HeaderName::from_static("ttl"))?.and_then(|ttl| ttl.parse::<u64>().ok());
    let ttl = ttl.ok_or(Refusal::Header("TTL must be a number of seconds (RFC 8030 §5.2)"))?.min(MAX_TTL);
    if !body.is_empty() && text(headers, header::CONTENT_ENCODING)? != Some("aes128gcm") {
        return Err(Refusal::Header("Content-Encoding must be aes128gcm (RFC 8291 §4)"));
    }
    let urgency = match text(headers, HeaderName::from_static("urgency"))? {
        Some(name) => Urgency::named(name).ok_or(Refusal::Header("Urgency must be very-low, low, normal or high"))?,
        None => Urgency::default(),
    };
    let topic = text(headers, HeaderName::from_static("topic"))?;
    let alphabet = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if topic.is_some_and(|topic| topic.is_empty() || topic.len() > MAX_TOPIC || !topic.chars().all(alphabet)) {
        return Err(Refusal::Header("Topic must be 1 to 32 characters of base64url (RFC 8030 §5.4)"));
    }
    Ok(Posted { ttl, topic: topic.map(str::to_owned), urgency, body: body.to_vec() })
}

/// A header that may be there once.
fn text(headers: &HeaderMap, name: HeaderName) -> Result<Option<&str>, Refusal> {
    let mut values = headers.get_all(&name).iter();
    let first = values.next().map(|value| value.to_str()).transpose();
    match (first, values.next()) {
        (Ok(first), None) => Ok(first),
        _ => Err(Refusal::Header("a header came twice or is no text")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(list: &[(&'static str, &'static str)]) -> HeaderMap {
        list.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect()
    }

    fn status(list: &[(&'static str, &'static str)]) -> Option<u16> {
        posted(&headers(list), Ok(Bytes::from_static(b"sealed"))).err().map(|refusal| refusal.status())
    }

    #[test]
    fn headers_say_what_they_must() {
        let (ttl, encoding) = (("ttl", "60"), ("content-encoding", "aes128gcm"));
        assert_eq!(status(&[ttl, encoding]), None);
        assert_eq!(status(&[ttl, encoding, ("urgency", "high"), ("topic", "wake-1_A")]), None);
        for bad in [
            &[encoding][..],
            &[("ttl", "-1"), encoding],
            &[("ttl", "1d"), encoding],
            &[ttl],
            &[ttl, ("content-encoding", "aesgcm")],
            &[ttl, encoding, ("urgency", "now")],
            &[ttl, encoding, ("topic", "two words")],
            &[ttl, encoding, ("topic", "")],
            &[ttl, encoding, ("topic", "123456789012345678901234567890123")],
        ] {
            assert_eq!(status(bad), Some(400), "{bad:?}");
        }
    }

    #[test]
    fn long_waits_are_shortened_and_a_message_may_be_empty() {
        let posted = posted(&headers(&[("ttl", "99999999999")]), Ok(Bytes::new())).unwrap();
        assert_eq!((posted.ttl, posted.urgency), (MAX_TTL, Urgency::Normal));
    }
}
