//! Which passphrases are accepted for a backup, and an estimate of their strength.
//!
//! An attacker with the file can guess offline without a limit. Argon2id makes each guess expensive; only the
//! passphrase determines how many are needed. The estimate has three coarse steps, because no list of common passwords
//! is downloaded for it. What this module does not know: the texts that pages show.

/// Fewest characters of a passphrase, unless it has [`FEWEST_WORDS`].
pub const FEWEST_CHARACTERS: usize = 12;
/// Fewest words of a passphrase that is shorter than [`FEWEST_CHARACTERS`].
pub const FEWEST_WORDS: usize = 4;
/// Fewest different characters: `aaaaaaaaaaaa` is none.
pub const FEWEST_DIFFERENT: usize = 5;

/// Estimated strength of a passphrase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strength {
    /// Too short, or of too few different characters: it is refused.
    Refused,
    /// Resists a quick attack only.
    Fair,
    /// Resists a determined attack.
    Good,
    /// Beyond any known attack.
    Strong,
}

/// Different characters are counted up to this number: more make no difference.
const MOST_DIFFERENT: usize = 12;

/// Estimates the strength of a passphrase.
pub fn strength(passphrase: &str) -> Strength {
    let characters = passphrase.chars().count();
    let mut different = Vec::new();
    for character in passphrase.chars() {
        if different.len() < MOST_DIFFERENT && !different.contains(&character) {
            different.push(character);
        }
    }
    let words = passphrase.split_whitespace().filter(|word| word.chars().count() >= 2).count();
    match (characters, words, different.len()) {
        (_, _, ..FEWEST_DIFFERENT) => Strength::Refused,
        (..FEWEST_CHARACTERS, ..FEWEST_WORDS, _) => Strength::Refused,
        (_, 6.., 10..) | (20.., _, MOST_DIFFERENT..) => Strength::Strong,
        (_, 4.., _) | (16.., _, _) => Strength::Good,
        _ => Strength::Fair,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twelve_characters_or_four_words_are_accepted() {
        for (passphrase, expected) in [
            ("", Strength::Refused),
            ("eleven char", Strength::Refused),
            ("twelve chars", Strength::Fair),
            ("ox in my car", Strength::Good),
            ("ox in my", Strength::Refused),
            ("a b c d e f", Strength::Refused),
            ("we go to ny", Strength::Good),
            ("aaaaaaaaaaaaaaaaaaaaaaaa", Strength::Refused),
            ("aaaa aaaa aaaa aaaa", Strength::Refused),
            ("correct horse battery staple", Strength::Strong),
            ("ŝlosu la pordon bone hodiaŭ vespere", Strength::Strong),
            ("密码密码密码密码密码密码", Strength::Refused),
        ] {
            assert_eq!(strength(passphrase), expected, "{passphrase}");
        }
    }
}
