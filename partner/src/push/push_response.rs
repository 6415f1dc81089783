//! Classifies the responses of push services, and computes the time until the next attempt.
//!
//! What this module does not know: what was sent.

use crate::time::UnixMillis;
use reqwest::StatusCode;
use std::time::{Duration, UNIX_EPOCH};

/// First and longest backoff.
const FIRST_BACKOFF: Duration = Duration::from_secs(2);
const MAX_BACKOFF: Duration = Duration::from_secs(3_600);
/// Upper bound for `Retry-After`.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(86_400);

/// The meaning of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PushResponse {
    Delivered,
    /// The subscription no longer exists.
    Gone,
    /// The subscription was made for another VAPID key; if it was the last key to try, a rejection.
    WrongKey,
    /// Retry, no earlier than after this time.
    RetryAfter(Duration),
    /// The push will never be accepted.
    Rejected,
}

/// `asked` is the time that the response asks to wait, if it does.
pub(super) fn classify(status: StatusCode, asked: Option<Duration>) -> PushResponse {
    match status.as_u16() {
        200..=299 => PushResponse::Delivered,
        404 | 410 => PushResponse::Gone,
        // Apple's service answers 400 to a wrong VAPID key, the others 401 or 403.
        400 | 401 | 403 => PushResponse::WrongKey,
        408 | 429 | 500..=599 => PushResponse::RetryAfter(asked.unwrap_or_default()),
        _ => PushResponse::Rejected,
    }
}

/// The wait that a `Retry-After` header asks for, in seconds or until a date.
pub(super) fn retry_after(value: &str, now: UnixMillis) -> Option<Duration> {
    let wait = match value.trim().parse::<u32>() {
        Ok(seconds) => Duration::from_secs(seconds.into()),
        Err(_) => {
            let date = httpdate::parse_http_date(value).ok()?.duration_since(UNIX_EPOCH).unwrap_or_default();
            UnixMillis::new(0).after(date).since(now).unwrap_or_default()
        }
    };
    Some(wait.min(MAX_RETRY_AFTER))
}

/// Exponential backoff with full jitter, so that pushes that failed together are not retried together.
/// `chance` is uniformly distributed over `u32`.
pub(super) fn backoff(attempts: i64, chance: u32) -> Duration {
    let doublings = u32::try_from(attempts.clamp(1, 20) - 1).unwrap_or(0);
    let most = FIRST_BACKOFF.saturating_mul(1 << doublings).min(MAX_BACKOFF);
    let milliseconds = most.as_millis() * u128::from(chance) / u128::from(u32::MAX);
    Duration::from_millis(u64::try_from(milliseconds).unwrap_or(u64::MAX))
}

pub(super) fn jitter() -> u32 {
    // Without randomness the longest backoff is a correct choice, too.
    getrandom::u32().unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAIT: Duration = Duration::from_secs(7);

    #[test]
    fn every_status_is_classified() {
        for (status, expected) in [
            (200, PushResponse::Delivered),
            (201, PushResponse::Delivered),
            (202, PushResponse::Delivered),
            (404, PushResponse::Gone),
            (410, PushResponse::Gone),
            (401, PushResponse::WrongKey),
            (403, PushResponse::WrongKey),
            (429, PushResponse::RetryAfter(WAIT)),
            (500, PushResponse::RetryAfter(WAIT)),
            (503, PushResponse::RetryAfter(WAIT)),
            (400, PushResponse::WrongKey),
            (413, PushResponse::Rejected),
            (301, PushResponse::Rejected),
            (307, PushResponse::Rejected),
        ] {
            assert_eq!(classify(StatusCode::from_u16(status).unwrap(), Some(WAIT)), expected, "{status}");
        }
    }

    #[test]
    fn the_backoff_doubles_up_to_an_hour_with_full_jitter() {
        let most: Vec<_> = (1..=14).map(|attempts| backoff(attempts, u32::MAX)).collect();
        assert_eq!(most[..4], [2, 4, 8, 16].map(Duration::from_secs));
        assert_eq!(most[13], MAX_BACKOFF);
        assert!(most.iter().sum::<Duration>() < 4 * MAX_BACKOFF + MAX_BACKOFF / 2);
        assert_eq!(backoff(5, 0), Duration::ZERO);
        assert!(backoff(5, u32::MAX / 2).abs_diff(Duration::from_secs(16)) < Duration::from_millis(10));
        assert_eq!(backoff(i64::MAX, u32::MAX), MAX_BACKOFF);
        assert_eq!(backoff(i64::MIN, u32::MAX), FIRST_BACKOFF);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_and_is_bounded() {
        let now = UnixMillis::new(1_700_000_000_500);
        let wait = |value: &str| retry_after(value, now);
        let date = |seconds| httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(seconds));
        assert_eq!(wait("120"), Some(Duration::from_secs(120)));
        assert_eq!(wait("4294967295"), Some(MAX_RETRY_AFTER));
        assert_eq!(wait("soon"), None);
        assert_eq!(wait("-1"), None);
        assert_eq!(wait(&date(1_700_000_100)), Some(Duration::from_millis(99_500)));
        assert_eq!(wait(&date(1_800_000_000)), Some(MAX_RETRY_AFTER));
        assert_eq!(wait(&date(0)), Some(Duration::ZERO));
    }
}
