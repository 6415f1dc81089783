//! The name a person chooses: what others on WhatsApp will see and what the identity token vouches for.
//!
//! What this module does not know: which identifiers are taken.

/// Longest identifier in characters (seed 001 §1.2.2).
const MAX_CHARS: usize = 40;

/// A user-visible identifier: 1 to 40 characters, trimmed, none of which hides or reorders the others.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Identifier(String);

impl Identifier {
    /// Trims and checks what a person typed; `None` if it cannot be an identifier.
    pub(crate) fn new(typed: &str) -> Option<Self> {
        let trimmed = typed.trim();
        // At most four bytes a character: looks at no more of a huge field than this.
        let fits = trimmed.len() <= 4 * MAX_CHARS && (1..=MAX_CHARS).contains(&trimmed.chars().count());
        (fits && !trimmed.chars().any(deceives)).then(|| Self(trimmed.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The form that must be unique: two identifiers that differ in case only look like one person.
    pub(crate) fn folded(&self) -> String {
        self.0.to_lowercase()
    }
}

/// Characters that are invisible or change how their neighbours read: controls, line separators, marks that reorder
/// bidirectional text, zero-width spaces. Joiners (U+200C, U+200D) stay: scripts and emoji need them.
fn deceives(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{00AD}' | '\u{061C}' | '\u{180E}' | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_to_forty_characters_count_not_bytes() {
        let longest = "𝒶".repeat(40);
        assert_eq!(Identifier::new(&longest).map(|identifier| identifier.0.len()), Some(160));
        assert!(Identifier::new(&"a".repeat(41)).is_none());
        assert!(Identifier::new(&"a".repeat(1 << 20)).is_none());
        assert!(Identifier::new("").is_none());
        assert!(Identifier::new(" \t\n").is_none());
    }

    #[test]
    fn the_edges_are_trimmed_and_the_rest_is_kept() {
        assert_eq!(Identifier::new("  Zoë 👩‍👧 ").map(|identifier| identifier.0), Some("Zoë 👩‍👧".to_owned()));
    }

    #[test]
    fn characters_that_deceive_are_refused() {
        for text in ["a\0b", "a\nb", "a\u{7f}b", "a\u{202E}b", "a\u{2066}b", "a\u{200B}b", "a\u{FEFF}b", "a\u{2028}b"] {
            assert!(Identifier::new(text).is_none(), "{text:?}");
        }
    }

    #[test]
    fn case_does_not_make_another_person() {
        assert_eq!(Identifier::new("ALICE").unwrap().folded(), Identifier::new("alice").unwrap().folded());
    }
}
