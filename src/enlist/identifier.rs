//! The user-visible identifier: what docs/spec/enlistment.md §1.2.2 allows.

use crate::view::Issue;

/// Most characters of an identifier.
pub const MAX_CHARACTERS: usize = 40;

/// The identifier as it is kept: without white space around it.
///
/// # Errors
/// [`Issue::IdentifierInvalid`] unless it has 1 to 40 characters, none of them a control character or one that changes
/// the direction of text around it.
pub fn check(typed: &str) -> Result<&str, Issue> {
    let identifier = typed.trim();
    let length = identifier.chars().take(MAX_CHARACTERS + 1).count();
    let misleading = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    match (1..=MAX_CHARACTERS).contains(&length) && !identifier.contains(misleading) {
        true => Ok(identifier),
        false => Err(Issue::IdentifierInvalid),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_to_forty_characters_of_any_script() {
        let forty = "ü".repeat(40);
        for good in ["a", " alice ", "16505551234", "мария", forty.as_str()] {
            assert_eq!(check(good), Ok(good.trim()));
        }
        let forty_one = "ü".repeat(41);
        for bad in ["", "   ", forty_one.as_str(), "a\0b", "a\u{202e}b", "a\nb"] {
            assert_eq!(check(bad), Err(Issue::IdentifierInvalid), "{bad:?}");
        }
    }
}
