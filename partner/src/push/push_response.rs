//! Classifies the responses of push services, and computes the time until the next attempt.
//!
//! What this module does not know: what was sent.

use reqwest::StatusCode;
use std::time::SystemTime;

/// First and longest backoff, in milliseconds.
const FIRST_BACKOFF: i64 = 2_000;
const MAX_BACKOFF: i64 = 3_600_000;
/// Upper bound for `Retry-After`, in milliseconds.
const MAX_RETRY_AFTER: i64 = 86_400_000;

/// The meaning of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PushResponse {
    Delivered,
    /// The subscription no longer exists.
    Gone,
    /// The subscription was made for another VAPID key; if it was the last key to try, a rejection.
    WrongKey,
    /// Retry, no earlier than after this many milliseconds.
    RetryAfter(i64),
    /// The push will never be accepted.
    Rejected,
}

pub(super) fn classify(status: StatusCode, asked: i64) -> PushResponse {
    match status.as_u16() {
        200..=299 => PushResponse::Delivered,
        404 | 410 => PushResponse::Gone,
        // Apple's service answers 400 to a wrong VAPID key, the others 401 or 403.
        400 | 401 | 403 => PushResponse::WrongKey,
        408 | 429 | 500..=599 => PushResponse::RetryAfter(asked),
        _ => PushResponse::Rejected,
    }
}

/// Milliseconds of a `Retry-After` header, given in seconds or as a date.
pub(super) fn retry_after(value: &str) -> Option<i64> {
    let milliseconds = match value.trim().parse::<u32>() {
        Ok(seconds) => i64::from(seconds) * 1_000,
        Err(_) => {
            let until = httpdate::parse_http_date(value).ok()?.duration_since(SystemTime::now()).unwrap_or_default();
            i64::try_from(until.as_millis()).unwrap_or(MAX_RETRY_AFTER)
        }
    };
    Some(milliseconds.min(MAX_RETRY_AFTER))
}

/// Exponential backoff with full jitter in milliseconds, so that pushes that failed together are not retried together.
/// `chance` is uniformly distributed over `u32`.
pub(super) fn backoff(attempts: i64, chance: u32) -> i64 {
    let doublings = u32::try_from(attempts.clamp(1, 20) - 1).unwrap_or(0);
    let most = FIRST_BACKOFF.saturating_mul(1 << doublings).min(MAX_BACKOFF);
    most * i64::from(chance) / i64::from(u32::MAX)
}

pub(super) fn jitter() -> u32 {
    // Without randomness the longest backoff is a correct choice, too.
    getrandom::u32().unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

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
            (429, PushResponse::RetryAfter(7)),
            (500, PushResponse::RetryAfter(7)),
            (503, PushResponse::RetryAfter(7)),
            (400, PushResponse::WrongKey),
            (413, PushResponse::Rejected),
            (301, PushResponse::Rejected),
            (307, PushResponse::Rejected),
        ] {
            assert_eq!(classify(StatusCode::from_u16(status).unwrap(), 7), expected, "{status}");
        }
    }

    #[test]
    fn the_backoff_doubles_up_to_an_hour_with_full_jitter() {
        let most: Vec<_> = (1..=14).map(|attempts| backoff(attempts, u32::MAX)).collect();
        assert_eq!(most[..4], [2_000, 4_000, 8_000, 16_000]);
        assert_eq!(most[13], MAX_BACKOFF);
        assert!(most.iter().sum::<i64>() < 4 * MAX_BACKOFF + MAX_BACKOFF / 2);
        assert_eq!(backoff(5, 0), 0);
        assert!((backoff(5, u32::MAX / 2) - 16_000).abs() < 10);
        assert_eq!(backoff(i64::MAX, u32::MAX), MAX_BACKOFF);
        assert_eq!(backoff(i64::MIN, u32::MAX), FIRST_BACKOFF);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_and_is_bounded() {
        assert_eq!(retry_after("120"), Some(120_000));
        assert_eq!(retry_after("4294967295"), Some(MAX_RETRY_AFTER));
        assert_eq!(retry_after("soon"), None);
        assert_eq!(retry_after("-1"), None);
        let soon = retry_after(&httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(100))).unwrap();
        assert!((98_000..=100_000).contains(&soon), "{soon}");
        assert_eq!(retry_after(&httpdate::fmt_http_date(SystemTime::UNIX_EPOCH)), Some(0));
    }
}
