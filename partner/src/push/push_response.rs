//! What a push service's answer means, and how long to wait before the next attempt.
//!
//! What this module does not know: what was sent.

use reqwest::StatusCode;
use std::time::SystemTime;

/// First and longest wait before the next attempt, in milliseconds.
const FIRST_WAIT: i64 = 2_000;
const LONGEST_WAIT: i64 = 3_600_000;
/// Longest wait that a push service can ask for, in milliseconds.
const LONGEST_ASKED: i64 = 86_400_000;

/// What an answer means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PushResponse {
    Delivered,
    /// The subscription is over.
    Gone,
    /// It was made for another of our keys; under the last of them: never.
    WrongKey,
    /// Later, and not before this many milliseconds.
    RetryAfter(i64),
    /// Never.
    Rejected,
}

pub(super) fn classify(status: StatusCode, asked: i64) -> PushResponse {
    match status.as_u16() {
        200..=299 => PushResponse::Delivered,
        404 | 410 => PushResponse::Gone,
        // Apple's service says 400 to a key that is not the subscription's, the others 401 or 403.
        400 | 401 | 403 => PushResponse::WrongKey,
        408 | 429 | 500..=599 => PushResponse::RetryAfter(asked),
        _ => PushResponse::Rejected,
    }
}

/// Milliseconds of a `Retry-After`: seconds or a date.
pub(super) fn retry_after(value: &str) -> Option<i64> {
    let milliseconds = match value.trim().parse::<u32>() {
        Ok(seconds) => i64::from(seconds) * 1_000,
        Err(_) => {
            let until = httpdate::parse_http_date(value).ok()?.duration_since(SystemTime::now()).unwrap_or_default();
            i64::try_from(until.as_millis()).unwrap_or(LONGEST_ASKED)
        }
    };
    Some(milliseconds.min(LONGEST_ASKED))
}

/// Full jitter: anything up to twice the wait before, so that what failed together does not come again together. `chance` is
/// uniform over all its values.
pub(super) fn backoff(attempts: i64, chance: u32) -> i64 {
    let doublings = u32::try_from(attempts.clamp(1, 20) - 1).unwrap_or(0);
    let most = FIRST_WAIT.saturating_mul(1 << doublings).min(LONGEST_WAIT);
    most * i64::from(chance) / i64::from(u32::MAX)
}

pub(super) fn jitter() -> u32 {
    // Without randomness the longest wait is right, too.
    getrandom::u32().unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn every_answer_has_a_meaning() {
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
    fn waits_double_up_to_an_hour_and_scatter_from_nothing() {
        let most: Vec<_> = (1..=14).map(|attempts| backoff(attempts, u32::MAX)).collect();
        assert_eq!(most[..4], [2_000, 4_000, 8_000, 16_000]);
        assert_eq!(most[13], LONGEST_WAIT);
        assert!(most.iter().sum::<i64>() < 4 * LONGEST_WAIT + LONGEST_WAIT / 2);
        assert_eq!(backoff(5, 0), 0);
        assert!((backoff(5, u32::MAX / 2) - 16_000).abs() < 10);
        assert_eq!(backoff(i64::MAX, u32::MAX), LONGEST_WAIT);
        assert_eq!(backoff(i64::MIN, u32::MAX), FIRST_WAIT);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_and_has_an_end() {
        assert_eq!(retry_after("120"), Some(120_000));
        assert_eq!(retry_after("4294967295"), Some(LONGEST_ASKED));
        assert_eq!(retry_after("soon"), None);
        assert_eq!(retry_after("-1"), None);
        let soon = retry_after(&httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(100))).unwrap();
        assert!((98_000..=100_000).contains(&soon), "{soon}");
        assert_eq!(retry_after(&httpdate::fmt_http_date(SystemTime::UNIX_EPOCH)), Some(0));
    }
}
