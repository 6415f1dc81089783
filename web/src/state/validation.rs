//! What a person may type: names, passwords, numbers, messages. The engine and the servers check again; this is for an
//! answer before the button is pressed.

use causeway::visible;
use causeway_proto::jid::Jid;

/// Longest name, in characters.
pub const NAME_LIMIT: usize = 40;
/// The largest message where the engine has not named its own limit yet, in bytes.
const TEXT_LIMIT: u32 = 65_536;

/// What is wrong with a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameProblem {
    /// Nothing is typed.
    Empty,
    /// More characters than [`NAME_LIMIT`].
    TooLong,
    /// An invisible character.
    Invisible,
}

/// Checks a name as typed; spaces around it don't count.
pub fn name(typed: &str) -> Result<&str, NameProblem> {
    let name = typed.trim();
    if name.is_empty() {
        Err(NameProblem::Empty)
    } else if name.chars().count() > NAME_LIMIT {
        Err(NameProblem::TooLong)
    } else if name.chars().any(char::is_control) {
        Err(NameProblem::Invisible)
    } else {
        Ok(name)
    }
}

/// Whether the engine takes this for a phone number with its country code.
pub fn is_phone(typed: &str) -> bool {
    Jid::from_phone(typed).is_ok()
}

/// How much of a message's remaining_length is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RemainingLength {
    /// Far from the limit.
    Ample,
    /// This many bytes are left.
    Left(u32),
    /// This many bytes too many.
    Over(u32),
}

/// Measures a message against the engine's limit in bytes (0: not known yet).
pub fn remaining_length(text: &str, limit: u32) -> RemainingLength {
    let limit = if limit == 0 { TEXT_LIMIT } else { limit };
    // The engine sends it without the blank space at its ends.
    let used = u32::try_from(visible::trimmed(text).len()).unwrap_or(u32::MAX);
    match limit.checked_sub(used) {
        None => RemainingLength::Over(used - limit),
        Some(left) if left <= limit / 10 => RemainingLength::Left(left),
        Some(_) => RemainingLength::Ample,
    }
}

/// Writes a key or code in groups, so that two people can read it to each other.
pub fn in_groups(code: &str, size: usize) -> Vec<String> {
    let chars: Vec<char> = code.chars().collect();
    chars.chunks(size.max(1)).map(|group| group.iter().collect()).collect()
}

/// A key in hexadecimal, in groups of four.
pub fn fingerprint(key: &str) -> String {
    in_groups(key, 4).join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_counted_in_characters() {
        assert_eq!(name(" alice "), Ok("alice"));
        assert_eq!(name(&"é".repeat(40)), Ok("é".repeat(40).as_str()));
        assert_eq!(name(&"é".repeat(41)), Err(NameProblem::TooLong));
        assert_eq!(name("  "), Err(NameProblem::Empty));
        assert_eq!(name("a\u{7}b"), Err(NameProblem::Invisible));
    }

    #[test]
    fn numbers_as_people_type_them() {
        for good in [
            "+49 151 123-456",
            "0049 (151) 123.456",
            "12345",
            "\u{202A}+49 151 123456\u{202C}",
            "tel:+49-151-123456",
            "＋４９ １５１ １２３４５６",
            "٠٠٤٩ ١٥١ ١٢٣٤٥٦",
        ] {
            assert!(is_phone(good), "{good}");
        }
        for bad in ["", "1234", "call me", "+49 151 1234567890123", "49151123x", "(0151) 123.456"] {
            assert!(!is_phone(bad), "{bad}");
        }
    }

    #[test]
    fn room_is_counted_in_bytes() {
        assert_eq!(remaining_length("abc", 100), RemainingLength::Ample);
        assert_eq!(remaining_length(&"é".repeat(46), 100), RemainingLength::Left(8));
        assert_eq!(remaining_length(&"é".repeat(50), 100), RemainingLength::Left(0));
        assert_eq!(remaining_length(&"é".repeat(51), 100), RemainingLength::Over(2));
        assert_eq!(remaining_length(&"\n".repeat(200), 100), RemainingLength::Ample);
    }

    #[test]
    fn codes_in_groups() {
        assert_eq!(in_groups("1234567", 5), ["12345", "67"]);
        assert!(in_groups("", 5).is_empty());
    }
}
