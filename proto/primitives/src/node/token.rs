//! Finds the number of a word and the word of a number in the token dictionary (docs/spec/wire.md §4).
//!
//! The index is an open-addressing table that the compiler fills: nothing to set up when the program starts, no
//! allocation, one hash over at most sixteen bytes and hardly ever more than one comparison. What this module does not
//! know: where words may stand.

use super::tag;
use super::token_table::{DOUBLE, SINGLE};
use crate::width;

/// A word's place in the dictionary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    /// The tag that is the word.
    Single(u8),
    /// The tag of one of the four dictionaries, and the place in it.
    Double(u8, u8),
}

const COUNT: usize = SINGLE.len() + DOUBLE.len() * 256;
const LONGEST: usize = 48;

/// A third full, so that most probes end at once.
const SLOTS: usize = 4096;

/// A slot holds the word's place in [`WORDS`] in its low bits, and above them bits of the hash that spare nearly all
/// comparisons with words that are not the one. 0 is a vacant slot, as place 0 is no word.
const PLACE_BITS: u32 = 11;
const PLACE_MASK: u16 = (1 << PLACE_BITS) - 1;

/// Words of the single-byte table.
#[expect(clippy::as_conversions, reason = "`From` is not const; the table has 236 words")]
const SINGLES: u16 = SINGLE.len() as u16;

static WORDS: [&str; COUNT] = words();
static INDEX: [u16; SLOTS] = index();

/// The place of a word, if it is one.
pub(super) fn find(text: &str) -> Option<Token> {
    if text.len() > LONGEST {
        return None;
    }
    let hash = hash(text.as_bytes());
    let fingerprint = fingerprint(hash);
    let mut at = slot(hash);
    loop {
        let entry = *INDEX.get(at)?;
        if entry == 0 {
            return None;
        }
        let place = entry & PLACE_MASK;
        if entry & !PLACE_MASK == fingerprint && WORDS.get(usize::from(place)).is_some_and(|word| equal(word, text)) {
            return Some(match (place.checked_sub(SINGLES).map(u16::to_be_bytes), place.to_be_bytes()) {
                (None, [_, single]) => Token::Single(single),
                (Some([dictionary, index]), _) => Token::Double(tag::DICTIONARY_0 + dictionary, index),
            });
        }
        at = (at + 1) % SLOTS;
    }
}

/// The word that is this tag.
pub(super) fn single(tag: u8) -> Option<&'static str> {
    if tag == tag::LIST_EMPTY || tag > tag::LAST_SINGLE {
        return None;
    }
    WORDS.get(usize::from(tag)).copied()
}

/// The word at `index` of the dictionary with this tag.
pub(super) fn double(tag: u8, index: u8) -> Option<&'static str> {
    let dictionary = usize::from(tag.checked_sub(tag::DICTIONARY_0)?);
    WORDS.get(SINGLE.len() + dictionary * 256 + usize::from(index)).copied()
}

/// Equality of short texts by whole words of memory, as a call to compare a few bytes costs more than comparing them.
fn equal(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    match (a.split_first_chunk::<8>(), b.split_first_chunk::<8>()) {
        (Some((first_a, rest_a)), Some((first_b, rest_b))) => {
            first_a == first_b && a.last_chunk::<8>() == b.last_chunk::<8>() && (a.len() <= 16 || rest_a == rest_b)
        }
        _ => match (a.first_chunk::<4>(), b.first_chunk::<4>()) {
            (Some(first_a), Some(first_b)) => first_a == first_b && a.last_chunk::<4>() == b.last_chunk::<4>(),
            _ => match (a, b) {
                ([a], [b]) => a == b,
                ([a, c], [b, d]) => a == b && c == d,
                ([a, c, e], [b, d, f]) => a == b && c == d && e == f,
                _ => a.is_empty(),
            },
        },
    }
}

/// Both ends and the length: no two words agree in all of them often enough to matter, and the middle is not read.
#[expect(clippy::as_conversions, reason = "`From` is not const; all but the last widen, the last takes 32 bits of 64")]
const fn hash(text: &[u8]) -> u32 {
    let mixed = if let (Some(first), Some(last)) = (text.first_chunk::<8>(), text.last_chunk::<8>()) {
        u64::from_le_bytes(*first) ^ u64::from_le_bytes(*last).rotate_left(17)
    } else if let (Some(first), Some(last)) = (text.first_chunk::<4>(), text.last_chunk::<4>()) {
        (u32::from_le_bytes(*first) as u64) << 32 | u32::from_le_bytes(*last) as u64
    } else {
        match *text {
            [a] => a as u64,
            [a, b] => (a as u64) << 8 | b as u64,
            [a, b, c] => (a as u64) << 16 | (b as u64) << 8 | c as u64,
            _ => 0,
        }
    };
    let spread = (mixed ^ (text.len() as u64) << 56).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    ((spread ^ (spread >> 32)) >> 20) as u32
}

const fn slot(hash: u32) -> usize {
    width::to_usize(hash) % SLOTS
}

#[expect(clippy::as_conversions, reason = "`From` is not const; the upper half fits")]
const fn fingerprint(hash: u32) -> u16 {
    (hash >> 16) as u16 & !PLACE_MASK
}

#[expect(clippy::indexing_slicing, reason = "runs in the compiler, where an index out of bounds is a build error")]
const fn words() -> [&'static str; COUNT] {
    let mut words = [""; COUNT];
    let mut place = 0;
    while place < COUNT {
        words[place] = match place.checked_sub(SINGLE.len()) {
            None => SINGLE[place],
            Some(double) => DOUBLE[double / 256][double % 256],
        };
        place += 1;
    }
    words
}

#[expect(clippy::indexing_slicing, reason = "runs in the compiler, where an index out of bounds is a build error")]
#[expect(clippy::as_conversions, reason = "`From` is not const; COUNT is below 2^16")]
const fn index() -> [u16; SLOTS] {
    let words = words();
    let mut index = [0; SLOTS];
    let mut place = 1;
    while place < COUNT {
        assert!(!words[place].is_empty() && words[place].len() <= LONGEST);
        let hash = hash(words[place].as_bytes());
        let mut at = slot(hash);
        while index[at] != 0 {
            at = (at + 1) % SLOTS;
        }
        index[at] = place as u16 | fingerprint(hash);
        place += 1;
    }
    index
}

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::{Digest, Sha256};

    fn published() -> serde_json::Value {
        serde_json::from_str(include_str!("../../../../tests/vectors/tokens.json")).unwrap()
    }

    #[test]
    fn the_tables_are_the_published_ones() {
        let published = published();
        assert_eq!(published["dict_version"], 3);
        assert_eq!(published["single"], serde_json::json!(&SINGLE[..]));
        for (dictionary, words) in DOUBLE.iter().enumerate() {
            assert_eq!(published["double"][dictionary], serde_json::json!(&words[..]));
        }
    }

    #[test]
    fn the_tables_have_the_published_checksum() {
        let doubles = DOUBLE.iter().map(|words| words.join("\n")).collect::<Vec<_>>().join("\n\n");
        let digest = Sha256::digest(format!("{}\n\n{doubles}", SINGLE.join("\n")));
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "1c35d77c0d8e5b960ef922aee68ef47bbe59af70ad9c7f96b194e0d37d5f3060");
    }

    #[test]
    fn every_word_is_found_where_it_stands_and_read_back() {
        for (place, word) in (0_u8..).zip(SINGLE).skip(1) {
            assert_eq!(find(word), Some(Token::Single(place)), "{word}");
            assert_eq!(single(place), Some(word));
        }
        for (tag, words) in (tag::DICTIONARY_0..=tag::DICTIONARY_3).zip(DOUBLE) {
            for (index, word) in (0..=255).zip(words) {
                assert_eq!(find(word), Some(Token::Double(tag, index)), "{word}");
                assert_eq!(double(tag, index), Some(word));
            }
        }
    }

    #[test]
    fn what_is_no_word_is_not_found() {
        for word in WORDS.iter().skip(1) {
            for text in [format!("{word}~"), format!("~{word}"), word.to_uppercase(), word.replace('_', "~")] {
                assert_eq!(find(&text).is_some(), WORDS.contains(&&*text), "{text}");
            }
        }
        for text in ["", "~", "é", "3EB0C767D0A1", &"a".repeat(LONGEST), &"a".repeat(LONGEST + 1)] {
            assert_eq!(find(text), None, "{text}");
        }
    }

    #[test]
    fn tags_that_are_no_words() {
        for tag in [0, 236, 240, 245, 255] {
            assert_eq!(single(tag), None);
        }
        for tag in [0, 235, 240, 255] {
            assert_eq!(double(tag, 0), None);
        }
    }

    /// The price of a look-up: slots read, and words compared that are not the one.
    #[test]
    fn words_lie_close_to_where_they_are_looked_for() {
        let mut slots = 0;
        let mut longest = 0;
        let mut compared = 0;
        for word in WORDS.iter().skip(1) {
            let hash = hash(word.as_bytes());
            let mut at = slot(hash);
            let mut probes = 1;
            while WORDS[usize::from(INDEX[at] & PLACE_MASK)] != *word {
                compared += usize::from(INDEX[at] & !PLACE_MASK == fingerprint(hash));
                at = (at + 1) % SLOTS;
                probes += 1;
            }
            slots += probes;
            longest = longest.max(probes);
        }
        assert!(slots < COUNT * 5 / 4, "{slots} slots for {COUNT} words");
        assert!(longest <= 5, "{longest} slots for one word");
        assert!(compared <= 5, "{compared} comparisons in vain");
    }
}
