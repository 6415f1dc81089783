//! Phone numbers as people write them.
//!
//! What this module does not know: which country codes exist, and whether a number is in use.

use super::{Jid, JidError};

/// Digits of the longest number (ITU-T E.164).
const LONGEST: usize = 15;

/// The scheme of links to phone numbers (RFC 3966 §3).
const SCHEME: &str = "tel:";

impl Jid {
    /// The address of a phone number as people write and copy it: `+49 151 123-456`, `0049 (151) 123456`,
    /// `tel:+49-151-123456`, in the decimal digits of any script.
    ///
    /// # Errors
    /// When it has characters that no phone number has, not 5 to 15 digits, or no country code.
    pub fn from_phone(text: &str) -> Result<Self, JidError> {
        let mut digits = String::with_capacity(LONGEST);
        let mut got = 0_usize;
        let mut international = false;
        let mut rest = without_scheme(text).chars();
        while let Some(found) = rest.next() {
            match Sign::of(found) {
                // "+49 (0) 151": the zero is dialled within the country only.
                Sign::Open if international && begins_with_zero_and_close(rest.clone()) => drop(rest.nth(1)),
                Sign::Digit(digit) => {
                    got += 1;
                    if got <= LONGEST + 2 {
                        digits.push(digit);
                    }
                }
                Sign::Plus if got == 0 && !international => international = true,
                Sign::Open | Sign::Close | Sign::Separator => {}
                Sign::Plus | Sign::Other => return Err(JidError::PhoneCharacter { found }),
            }
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

/// What a character of a written phone number is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sign {
    /// A decimal digit, as the ASCII digit of the same value.
    Digit(char),
    Plus,
    Open,
    Close,
    /// Stands between digits, or is one of the invisible marks that come along when a number is copied.
    Separator,
    Other,
}

impl Sign {
    fn of(char: char) -> Self {
        match char {
            '0'..='9' => Self::Digit(char),
            '+' | '\u{207A}' | '\u{FE62}' | '\u{FF0B}' => Self::Plus,
            '(' | '\u{FF08}' => Self::Open,
            ')' | '\u{FF09}' => Self::Close,
            '-' | '.' | '/' | '\u{B7}' | '\u{30FB}' | '\u{FF0D}'..='\u{FF0F}' => Self::Separator,
            // Dashes, and the minus sign.
            '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{FE58}' | '\u{FE63}' => Self::Separator,
            // Soft hyphen, direction marks, joiners, byte order mark, variation selectors.
            '\u{AD}' | '\u{61C}' | '\u{FEFF}' | '\u{FE0E}' | '\u{FE0F}' => Self::Separator,
            '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' => Self::Separator,
            _ if char.is_whitespace() => Self::Separator,
            _ => ascii_digit(char).map_or(Self::Other, Self::Digit),
        }
    }
}

fn without_scheme(text: &str) -> &str {
    let text = text.trim_start_matches(|char| Sign::of(char) == Sign::Separator);
    match text.get(..SCHEME.len()) {
        Some(scheme) if scheme.eq_ignore_ascii_case(SCHEME) => text.get(SCHEME.len()..).unwrap_or_default(),
        _ => text,
    }
}

fn begins_with_zero_and_close(mut rest: core::str::Chars<'_>) -> bool {
    let mut next = || rest.next().map(Sign::of);
    next() == Some(Sign::Digit('0')) && next() == Some(Sign::Close)
}

/// The zeros of the decimal digits of the Basic Multilingual Plane (Unicode 17), ascending; the other
/// nine digits follow each.
const ZEROS: [u16; 36] = [
    0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66, 0x0CE6, 0x0D66, 0x0DE6, 0x0E50,
    0x0ED0, 0x0F20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90, 0x1B50, 0x1BB0, 0x1C40, 0x1C50,
    0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0xFF10,
];

/// The same of the plane after it, less 0x10000.
const SUPPLEMENTARY_ZEROS: [u16; 40] = [
    0x04A0, 0x0D30, 0x0D40, 0x1066, 0x10F0, 0x1136, 0x11D0, 0x12F0, 0x1450, 0x14D0, 0x1650, 0x16C0, 0x16D0, 0x16DA,
    0x1730, 0x18E0, 0x1950, 0x1BF0, 0x1C50, 0x1D50, 0x1DA0, 0x1DE0, 0x1F50, 0x6130, 0x6A60, 0x6AC0, 0x6B50, 0x6D70,
    0xCCF0, 0xD7CE, 0xD7D8, 0xD7E2, 0xD7EC, 0xD7F6, 0xE140, 0xE2F0, 0xE4F0, 0xE5F1, 0xE950, 0xFBF0,
];

/// The ASCII digit of the value of a decimal digit of any other script.
fn ascii_digit(char: char) -> Option<char> {
    let point = u32::from(char);
    let zeros = match point {
        0..=0xFFFF => ZEROS.as_slice(),
        0x1_0000..=0x1_FFFF => &SUPPLEMENTARY_ZEROS,
        _ => return None,
    };
    let point = u16::try_from(point & 0xFFFF).ok()?;
    let zero = zeros.get(zeros.partition_point(|zero| *zero <= point).checked_sub(1)?)?;
    char::from_digit(u32::from(point - zero), 10)
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
            "\u{202A}+49 151 123456\u{202C}",
            "\u{2066}\u{200E}+49 151 123456\u{200E}\u{2069}\n",
            "\u{61C}+49\u{AD}151\u{3000}123\u{2212}456",
            "tel:+49-151-123456",
            " TEL:0049151123456",
            "\u{FEFF}Tel: +49 151 123456",
            "＋４９（１５１）１２３－４５６",
            "＋４９（０）１５１．１２３／４５６",
            "٠٠٤٩ ١٥١ ١٢٣٤٥٦",
            "+۴۹ ۱۵۱ ۱۲۳۴۵۶",
            "+४९ १५१ १२३४५६",
            "+\u{1D7D2}\u{1D7D7} 151 123456",
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
            ("+49＋151123456", JidError::PhoneCharacter { found: '＋' }),
            ("tel:tel:+49151123456", JidError::PhoneCharacter { found: 't' }),
            ("tel", JidError::PhoneCharacter { found: 't' }),
            ("+49 151 123456;ext=7", JidError::PhoneCharacter { found: ';' }),
            ("+49 151 ¹²³⁴⁵⁶", JidError::PhoneCharacter { found: '¹' }),
            ("+49 151 ①②③④⑤⑥", JidError::PhoneCharacter { found: '①' }),
            ("alice@example.org", JidError::PhoneCharacter { found: 'a' }),
        ] {
            assert_eq!(Jid::from_phone(text), Err(error), "{text}");
        }
        let longest = format!("00{}", "1".repeat(15));
        assert_eq!(Jid::from_phone(&longest), Ok(Jid::user("1".repeat(15))));
        assert_eq!(Jid::from_phone(&"9".repeat(100_000)), Err(JidError::PhoneLength { got: 100_000 }));
    }
    #[test]
    fn decimal_digits_of_every_script() {
        for zero in
            ZEROS.iter().map(|zero| u32::from(*zero)).chain(SUPPLEMENTARY_ZEROS.map(|zero| 0x1_0000 + u32::from(zero)))
        {
            for value in 0..10 {
                let digit = char::from_u32(zero + value).unwrap();
                assert!(digit.is_numeric(), "{digit:?}");
                assert_eq!(ascii_digit(digit), char::from_digit(value, 10), "{digit:?}");
            }
        }
        // Numeric, but without a decimal value; and what lies between and around.
        for other in ['½', 'Ⅷ', '〇', '㊿', 'a', '\u{65F}', '\u{66A}', '\u{10FFFF}', '\u{1FBFA}'] {
            assert_eq!(ascii_digit(other), None, "{other:?}");
        }
    }
}
