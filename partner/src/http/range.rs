//! Range and conditional requests (RFC 9110 §13 and §14).
//!
//! What this module does not know: the file, except its length and its tag.

use axum::http::{HeaderMap, header};
use std::ops::Range;

/// The part of a file that a response contains.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    All,
    Part(Range<u64>),
    /// The range lies outside the file.
    Nothing,
}

/// Whether the caller has the current version.
pub(super) fn is_known(headers: &HeaderMap, etag: &str) -> bool {
    let lists = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|list| list.to_str().ok());
    lists.flat_map(|list| list.split(',')).map(str::trim).any(|tag| tag == "*" || tag.trim_start_matches("W/") == etag)
}

/// One byte range is served; for several ranges or other units the whole file is, as the RFC allows.
pub(super) fn wanted(headers: &HeaderMap, etag: &str, size: u64) -> Wanted {
    let text = headers.get(header::RANGE).and_then(|range| range.to_str().ok());
    let same = headers.get(header::IF_RANGE).is_none_or(|tag| tag == etag);
    let Some((first, last)) =
        text.filter(|_| same).and_then(|text| text.strip_prefix("bytes=")?.trim().split_once('-'))
    else {
        return Wanted::All;
    };
    let part = match (first.parse::<u64>(), last.parse::<u64>()) {
        (Ok(first), Ok(last)) if first <= last => first..last.saturating_add(1).min(size),
        (Ok(first), Err(_)) if last.is_empty() => first..size,
        (Err(_), Ok(count)) if first.is_empty() => size.saturating_sub(count)..size,
        _ => return Wanted::All,
    };
    if part.is_empty() { Wanted::Nothing } else { Wanted::Part(part) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(range: &str) -> Wanted {
        let mut headers = HeaderMap::new();
        headers.insert(header::RANGE, range.parse().unwrap());
        wanted(&headers, "\"tag\"", 100)
    }

    #[test]
    fn one_byte_range_is_served() {
        for (range, expected) in [
            ("bytes=0-0", Wanted::Part(0..1)),
            ("bytes=10-19", Wanted::Part(10..20)),
            ("bytes=90-", Wanted::Part(90..100)),
            ("bytes=90-1000", Wanted::Part(90..100)),
            ("bytes=-1", Wanted::Part(99..100)),
            ("bytes=-1000", Wanted::Part(0..100)),
            ("bytes=0-18446744073709551615", Wanted::Part(0..100)),
            ("bytes=100-", Wanted::Nothing),
            ("bytes=100-101", Wanted::Nothing),
            ("bytes=-0", Wanted::Nothing),
            ("bytes=5-4", Wanted::All),
            ("bytes=0-1,5-6", Wanted::All),
            ("bytes=-", Wanted::All),
            ("bytes=x-y", Wanted::All),
            ("lines=1-2", Wanted::All),
        ] {
            assert_eq!(ask(range), expected, "{range}");
        }
        assert_eq!(wanted(&HeaderMap::new(), "\"tag\"", 100), Wanted::All);
    }

    #[test]
    fn a_range_with_another_tag_is_ignored() {
        for (tag, expected) in [("\"tag\"", Wanted::Part(1..3)), ("\"other\"", Wanted::All), ("W/\"tag\"", Wanted::All)]
        {
            let mut headers = HeaderMap::new();
            headers.insert(header::RANGE, "bytes=1-2".parse().unwrap());
            headers.insert(header::IF_RANGE, tag.parse().unwrap());
            assert_eq!(wanted(&headers, "\"tag\"", 100), expected, "{tag}");
        }
    }

    #[test]
    fn a_known_tag_matches() {
        let mut headers = HeaderMap::new();
        assert!(!is_known(&headers, "\"tag\""));
        headers.insert(header::IF_NONE_MATCH, "\"a\", W/\"tag\"".parse().unwrap());
        assert!(is_known(&headers, "\"tag\"") && !is_known(&headers, "\"b\""));
    }
}
