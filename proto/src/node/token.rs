//! Finds the number of a word and the word of a number in the token dictionary (wire.md §4).
//!
//! The index is an open-addressing table that the compiler fills: nothing to set up when the program starts, no
//! allocation, one hash over at most sixteen bytes and hardly ever more than one comparison. What it does not know:
//! where words may stand.

use super::tag;
use super::token_table::{DOUBLE, SINGLE};

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
        if entry & !PLACE_MASK == fingerprint && WORDS.get(usize::from(place)).is_some_and(|word| *word == text) {
            let [high, low] = place.to_be_bytes();
            return Some(match place.checked_sub(SINGLE.len() as u16) {
                None => Token::Single(low),
                Some(double) => {
                    let [dictionary, index] = double.to_be_bytes();
                    debug_assert!(dictionary <= 3 && high <= 4);
                    Token::Double(tag::DICTIONARY_0 + dictionary, index)
                }
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

/// Both ends and the length: no two words agree in all of them often enough to matter, and the middle is not read.
const fn hash(text: &[u8]) -> u32 {
    let mixed = if let (Some(first), Some(last)) = (text.first_chunk::<8>(), text.last_chunk::<8>()) {
        u64::from_le_bytes(*first) ^ u64::from_le_bytes(*last).rotate_left(29)
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
    ((spread ^ spread >> 29) >> 24) as u32
}

const fn slot(hash: u32) -> usize {
    hash as usize % SLOTS
}

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
