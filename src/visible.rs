//! What of a text can be seen: its ends without blank space, and whether anything is left.
//!
//! What this module does not know: fonts, and how a text is laid out.

/// Whether a text shows nothing: it is empty, or has only spaces, controls and characters that are not drawn.
pub fn is_blank(text: &str) -> bool {
    text.chars().all(|char| is_space(char) || is_ignorable(char))
}

/// The text without blank space and line breaks at its ends; empty if it shows nothing.
pub fn trimmed(text: &str) -> &str {
    if is_blank(text) {
        return "";
    }
    // A joiner or a variation selector at an end is part of the character beside it.
    text.trim_matches(is_space)
}

/// Takes room without a mark: white space, controls, and characters that are drawn as a blank.
fn is_space(char: char) -> bool {
    char.is_whitespace()
        || char.is_control()
        || matches!(char, '\u{200B}' | '\u{2060}' | '\u{2800}' | '\u{3164}' | '\u{FEFF}' | '\u{FFA0}')
}

/// Is not drawn by itself: Unicode's Default_Ignorable_Code_Point (17.0), and annotations.
fn is_ignorable(char: char) -> bool {
    matches!(char, '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}'..='\u{1160}' | '\u{17B4}'..='\u{17B5}')
        || matches!(char, '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}')
        || matches!(char, '\u{2060}'..='\u{206F}' | '\u{FE00}'..='\u{FE0F}' | '\u{FFF0}'..='\u{FFFB}')
        || matches!(char, '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D159}' | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_trimmed_and_what_lies_between_is_kept() {
        for (text, left) in [
            ("\n\n  hi \n\n", "hi"),
            ("\u{3000}a\n\n  b\u{2028}", "a\n\n  b"),
            ("hi\n\u{200B}\n\u{FEFF}", "hi"),
            ("\u{2800}\u{3164}hi\0\u{85}", "hi"),
            // These change how the last character is drawn, or close what opens inside.
            ("\u{2764}\u{FE0F} ", "\u{2764}\u{FE0F}"),
            ("\u{202B}hi\u{202C}", "\u{202B}hi\u{202C}"),
            ("\u{1F3F4}\u{E0067}\u{E007F}\n", "\u{1F3F4}\u{E0067}\u{E007F}"),
        ] {
            assert_eq!(trimmed(text), left, "{text:?}");
        }
    }

    #[test]
    fn what_shows_nothing_is_blank() {
        for text in [
            "",
            " \n\t ",
            "\u{200B}",
            "\u{200D}\u{FE0F}",
            "\u{AD}\u{34F}\u{61C}",
            "\u{3164}",
            "\u{115F}\u{1160}\u{FFA0}",
            "\u{2800}\u{2800}",
            "\u{17B4}\u{180E}",
            "\u{202E}\u{2066} \u{2069}\u{202C}",
            "\u{2060}\u{2063}\u{FEFF}",
            "\u{FFF9}\u{FFFB}",
            "\u{1D173}\u{1D159}\u{1BCA0}",
            "\u{E0020}\u{E01EF}",
            "\0\u{7F}\u{9F}",
        ] {
            assert!(is_blank(text), "{text:?}");
            assert_eq!(trimmed(text), "", "{text:?}");
        }
        for text in ["a", "\u{200B}.", "\u{301}", "\u{1F600}", "\u{FFFD}", "\u{E000}", "\u{2764}\u{FE0F}"] {
            assert!(!is_blank(text), "{text:?}");
            assert!(!trimmed(text).is_empty(), "{text:?}");
        }
    }
}
