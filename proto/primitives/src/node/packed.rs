//! Packed strings: two characters a byte, for numbers and upper-case hex (docs/spec/wire.md §3.3).
//!
//! What this module does not know: the tag and the header byte around the packed bytes.

/// Longest text that has a packed form: the header byte counts at most 127 bytes, and encoders stop at as many
/// characters.
pub(super) const LONGEST: usize = 127;

/// The sixteen characters that a half byte can stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Alphabet {
    /// Digits, `-` and `.`; 15 is padding and the rest means nothing.
    Nibble,
    /// Digits and `A` to `F`.
    Hex,
}

/// Marks a byte that is no character of an alphabet, and a half byte that is no character.
const NONE: u8 = 0xFF;

static NIBBLE_CODES: [u8; 256] = codes(*NIBBLE);
static HEX_CODES: [u8; 256] = codes(*HEX);
static NIBBLE_PAIRS: [[u8; 2]; 256] = pairs(*NIBBLE);
static HEX_PAIRS: [[u8; 2]; 256] = pairs(*HEX);

const NIBBLE: &[u8; 16] = b"0123456789-.\xFF\xFF\xFF\xFF";
const HEX: &[u8; 16] = b"0123456789ABCDEF";

/// The alphabet that has all characters of a text; none for empty or long text.
pub(super) fn alphabet(text: &[u8]) -> Option<Alphabet> {
    if text.is_empty() || text.len() > LONGEST {
        return None;
    }
    let (mut nibble, mut hex) = (0, 0);
    for byte in text {
        nibble |= code(&NIBBLE_CODES, *byte);
        hex |= code(&HEX_CODES, *byte);
    }
    match (nibble == NONE, hex == NONE) {
        (false, _) => Some(Alphabet::Nibble),
        (true, false) => Some(Alphabet::Hex),
        (true, true) => None,
    }
}

/// Appends the header byte and the packed bytes of a text whose [`alphabet`] this is.
pub(super) fn pack(alphabet: Alphabet, text: &[u8], out: &mut Vec<u8>) {
    let codes = match alphabet {
        Alphabet::Nibble => &NIBBLE_CODES,
        Alphabet::Hex => &HEX_CODES,
    };
    let (pairs, odd) = text.as_chunks::<2>();
    // At most 127 pairs and a half: the count fits into the low byte.
    let [header, ..] = ((odd.len() << 7) + pairs.len() + odd.len()).to_le_bytes();
    out.push(header);
    out.extend(pairs.iter().map(|[high, low]| code(codes, *high) << 4 | code(codes, *low)));
    out.extend(odd.iter().map(|last| code(codes, *last) << 4 | 0x0F));
}

/// The text of packed bytes, without the last half byte if `odd`; U+FFFD for a half byte that is no character.
pub(super) fn unpack(alphabet: Alphabet, bytes: &[u8], odd: bool) -> String {
    let table = match alphabet {
        Alphabet::Nibble => &NIBBLE_PAIRS,
        Alphabet::Hex => &HEX_PAIRS,
    };
    let mut text = Vec::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.extend_from_slice(&table.get(usize::from(*byte)).copied().unwrap_or([NONE; 2]));
    }
    if odd {
        text.pop();
    }
    // Every character is ASCII, and the mark for none is not: the check of the text is the check of the halves.
    String::from_utf8(text).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

fn code(codes: &[u8; 256], byte: u8) -> u8 {
    codes.get(usize::from(byte)).copied().unwrap_or(NONE)
}

#[expect(clippy::indexing_slicing, reason = "runs in the compiler, where an index out of bounds is a build error")]
#[expect(clippy::as_conversions, reason = "`From` is not const; a code is below 16")]
const fn codes(alphabet: [u8; 16]) -> [u8; 256] {
    let mut codes = [NONE; 256];
    let mut code = 0;
    while code < alphabet.len() {
        if alphabet[code] != NONE {
            codes[alphabet[code] as usize] = code as u8;
        }
        code += 1;
    }
    codes
}

#[expect(clippy::indexing_slicing, reason = "runs in the compiler, where an index out of bounds is a build error")]
const fn pairs(alphabet: [u8; 16]) -> [[u8; 2]; 256] {
    let mut pairs = [[NONE; 2]; 256];
    let mut byte = 0;
    while byte < pairs.len() {
        pairs[byte] = [alphabet[byte >> 4], alphabet[byte & 15]];
        byte += 1;
    }
    pairs
}
