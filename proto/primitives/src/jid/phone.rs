//! Phone numbers as people write them.
//!
//! What this module does not know: which country codes exist, and whether a number is in use.

use super::{Jid, JidError};

impl Jid {
    /// The address of a phone number as people write it: `+49 151 123-456`, `0049 (151) 123456`.
    ///
    /// # Errors
    /// When it has characters that no phone number has, not 5 to 15 digits, or no country code.
    pub fn from_phone(text: &str) -> Result<Self, JidError> {
        const LONGEST: usize = 15;
        let mut digits = String::with_capacity(LONGEST);
        let mut got = 0_usize;
        let mut international = false;
        let mut rest = text;
        while let Some(found) = rest.chars().next() {
            // "+49 (0) 151": the zero is dialled within the country only.
            if let Some(after) = rest.strip_prefix("(0)").filter(|_| international) {
                rest = after;
                continue;
            }
            match found {
                '0'..='9' => {
                    got += 1;
                    if got <= LONGEST + 2 {
                        digits.push(found);
                    }
                }
                '+' if got == 0 && !international => international = true,
                // Separators, with the spaces, dashes and invisible marks that come along when copying from elsewhere.
                ' ' | '-' | '.' | '/' | '(' | ')' | '\t' | '\u{A0}' | '\u{2000}'..='\u{2015}' => {}
                '\u{202A}'..='\u{202F}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}' => {}
                _ => return Err(JidError::PhoneCharacter { found }),
            }
            rest = rest.get(found.len_utf8()..).unwrap_or_default();
        }
        if !international && digits.starts_with("00") {
            digits.drain(..2);
            got -= 2;
        }
        if digits.starts_with('0') {
            return Err(JidError::PhoneWithoutCountry);
        }
        if !(5..=LONGEST).contains(&got) {
            return Err(JidError::PhoneLength { got });
        }
        Ok(Self::user(digits))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phone_numbers_as_people_write_them() {
        for text in [
            "+49 151 123-456",
            "0049 151 123456",
            "49151123456",
            "  +49 (151) 12.34/56  ",
            "+49 (0) 151 123456",
            "\u{202A}+49\u{A0}151\u{2011}123456\u{202C}",
        ] {
            assert_eq!(Jid::from_phone(text), Ok(Jid::user("49151123456")), "{text}");
        }
        for (text, error) in [
            ("", JidError::PhoneLength { got: 0 }),
            ("+1234", JidError::PhoneLength { got: 4 }),
            ("+1234567890123456", JidError::PhoneLength { got: 16 }),
            ("00 1234 5678 9012 3456", JidError::PhoneLength { got: 16 }),
            ("0151 123456", JidError::PhoneWithoutCountry),
            ("+0151 123456", JidError::PhoneWithoutCountry),
            ("(0) 151 123456", JidError::PhoneWithoutCountry),
            ("+49 151 CALLME", JidError::PhoneCharacter { found: 'C' }),
            ("49+151123456", JidError::PhoneCharacter { found: '+' }),
            ("alice@example.org", JidError::PhoneCharacter { found: 'a' }),
        ] {
            assert_eq!(Jid::from_phone(text), Err(error), "{text}");
        }
        let longest = format!("00{}", "1".repeat(15));
        assert_eq!(Jid::from_phone(&longest), Ok(Jid::user("1".repeat(15))));
        assert_eq!(Jid::from_phone(&"9".repeat(100_000)), Err(JidError::PhoneLength { got: 100_000 }));
    }
}
