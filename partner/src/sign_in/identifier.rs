//! The name that a person chooses: what others on WhatsApp see and what identity tokens certify.
//!
//! What this module does not know: which identifiers are taken.

use crate::account_id::AccountId;

/// Maximum length in characters (docs/spec/enlistment.md §1.2.2).
const MAX_CHARS: usize = 40;

/// A user-visible identifier: 1 to 40 characters, trimmed, without characters that hide or reorder others.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Identifier(AccountId);

impl Identifier {
    /// Trims and validates user input; `None` if it is not a valid identifier.
    pub(crate) fn new(typed: &str) -> Option<Self> {
        let trimmed = typed.trim();
        // A character has at most four bytes: longer input is rejected without counting its characters.
        let fits = trimmed.len() <= 4 * MAX_CHARS && (1..=MAX_CHARS).contains(&trimmed.chars().count());
        (fits && !trimmed.chars().any(is_deceptive)).then(|| Self(AccountId::new(trimmed)))
    }

    /// The account that has this identifier, if one has it.
    pub(crate) fn account(&self) -> &AccountId {
        &self.0
    }
}

/// Characters that are invisible or change how their neighbours are displayed: controls, line separators, bidirectional
/// marks, zero-width spaces. Joiners (U+200C, U+200D) are allowed: scripts and emoji need them.
fn is_deceptive(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{00AD}' | '\u{061C}' | '\u{180E}' | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_is_counted_in_characters() {
        let longest = "𝒶".repeat(40);
        assert_eq!(Identifier::new(&longest).map(|identifier| identifier.0.as_str().len()), Some(160));
        assert!(Identifier::new(&"a".repeat(41)).is_none());
        assert!(Identifier::new(&"a".repeat(1 << 20)).is_none());
        assert!(Identifier::new("").is_none());
        assert!(Identifier::new(" \t\n").is_none());
    }

    #[test]
    fn white_space_at_the_ends_is_trimmed() {
        assert_eq!(Identifier::new("  Zoë 👩‍👧 ").map(|identifier| identifier.0), Some(AccountId::new("Zoë 👩‍👧")));
    }

    #[test]
    fn deceptive_characters_are_refused() {
        for text in ["a\0b", "a\nb", "a\u{7f}b", "a\u{202E}b", "a\u{2066}b", "a\u{200B}b", "a\u{FEFF}b", "a\u{2028}b"] {
            assert!(Identifier::new(text).is_none(), "{text:?}");
        }
    }
}
