//! The file: a header with the cost of deriving the key, then a stream of sealed chunks.
//!
//! ```text
//!   "CAUSEWAY"  8 bytes            chunk 0 ‖ tag      65,536 + 16 bytes
//!   version     1 byte, 1          chunk 1 ‖ tag
//!   memory      4 bytes, KiB       …
//!   passes      1 byte             last chunk ‖ tag   0 to 65,536 bytes, + 16
//!   lanes       1 byte
//!   salt        16 bytes           nonce of a chunk: prefix ‖ its number (4 bytes) ‖ 1 if it is the last, else 0
//!   prefix      7 bytes            associated data of each chunk: the whole header
//!   check       32 bytes
//! ```
//!
//! Numbers are big endian. AES-256-GCM; this is the STREAM construction of Hoang, Reyhanitabar, Rogaway and Vizár: a
//! chunk that was truncated, left out, moved, or appended does not open. No plaintext is returned before its tag has
//! been verified; plaintext of a file that fails later must not be used.
//!
//! What this module does not know: what the plaintext means.

use super::kdf::{Argon2Cost, Derivation, Keys, SALT};
use causeway_proto::gcm::Gcm;
use causeway_proto::secret::Secret;
use causeway_proto::width;
use rand_core::CryptoRng;
use zeroize::Zeroizing;

/// First bytes of every backup.
pub const MAGIC: [u8; 8] = *b"CAUSEWAY";
/// The version that this build writes and reads.
pub const VERSION: u8 = 1;
/// Bytes of the header.
pub const HEADER: usize = MAGIC.len() + 1 + 4 + 1 + 1 + SALT + PREFIX + CHECK;
/// Plaintext bytes of a chunk.
pub const CHUNK: usize = 64 * 1024;
/// Largest file, in bytes. A restore is one transaction, which is held in memory as a whole: a browser's worker can
/// hold this several times. It fits about half a million messages.
pub const MAX_FILE_BYTES: u64 = 256 * 1024 * 1024;

const PREFIX: usize = 7;
const CHECK: usize = 32;
const TAG: usize = 16;
const SEALED_CHUNK: usize = CHUNK + TAG;

/// Why a backup cannot be written or read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// It does not start with [`MAGIC`].
    #[error("this is not a backup: it does not begin with CAUSEWAY")]
    NotABackup,
    /// Written by a later build.
    #[error("expected a backup of version {VERSION}, got {got}")]
    UnknownVersion {
        /// The version byte.
        got: u8,
    },
    /// It ends within the header.
    #[error("a backup has at least {expected} bytes, got {got}")]
    Truncated {
        /// Least number of bytes.
        expected: usize,
        /// Bytes of the file.
        got: usize,
    },
    /// The passphrase is not the one that the header was made with. A damaged header looks the same.
    #[error("wrong passphrase, or the file is damaged")]
    WrongPassphrase,
    /// A chunk was altered, moved or left out, or the file was cut off or continued.
    #[error("chunk {chunk} was altered, moved or cut off")]
    Damaged {
        /// The chunk's number, from 0.
        chunk: u32,
    },
    /// Larger than [`MAX_FILE_BYTES`].
    #[error("a backup has at most {MAX_FILE_BYTES} bytes")]
    TooLarge,
}

/// The header as written.
struct Header {
    cost: Argon2Cost,
    salt: [u8; SALT],
    prefix: [u8; PREFIX],
    check: Secret<CHECK>,
}

impl Header {
    fn to_bytes(&self) -> [u8; HEADER] {
        let Self { cost: Argon2Cost { memory, passes, lanes }, salt, prefix, check } = self;
        let memory = memory.to_be_bytes();
        let parts: [&[u8]; 8] = [&MAGIC, &[VERSION], &memory, &[*passes], &[*lanes], salt, prefix, check.expose()];
        let mut bytes = [0; HEADER];
        for (byte, value) in bytes.iter_mut().zip(parts.into_iter().flatten()) {
            *byte = *value;
        }
        bytes
    }

    fn from_bytes(bytes: &[u8; HEADER]) -> Result<Self, FormatError> {
        fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], FormatError> {
            let truncated = FormatError::Truncated { expected: HEADER, got: HEADER - rest.len() };
            let (part, behind) = rest.split_first_chunk::<N>().ok_or(truncated)?;
            *rest = behind;
            Ok(*part)
        }
        let mut rest = bytes.as_slice();
        if take(&mut rest)? != MAGIC {
            return Err(FormatError::NotABackup);
        }
        let [got] = take(&mut rest)?;
        if got != VERSION {
            return Err(FormatError::UnknownVersion { got });
        }
        let memory = u32::from_be_bytes(take(&mut rest)?);
        let [passes, lanes] = take(&mut rest)?;
        let cost = Argon2Cost { memory, passes, lanes };
        Ok(Self { cost, salt: take(&mut rest)?, prefix: take(&mut rest)?, check: Secret::new(take(&mut rest)?) })
    }
}

/// The cipher at the position of its next chunk.
struct Stream {
    cipher: Gcm,
    header: [u8; HEADER],
    prefix: [u8; PREFIX],
    next: u32,
}

impl Stream {
    fn new(key: &Secret<32>, header: [u8; HEADER], prefix: [u8; PREFIX]) -> Self {
        Self { cipher: Gcm::new(key.expose()), header, prefix, next: 0 }
    }

    /// The nonce of the next chunk. Unique: chunk numbers never repeat under one key.
    fn nonce(&mut self, last: bool) -> Result<[u8; 12], FormatError> {
        let [a, b, c, d, e, f, g] = self.prefix;
        let [h, i, j, k] = self.next.to_be_bytes();
        self.next = self.next.checked_add(1).ok_or(FormatError::TooLarge)?;
        Ok([a, b, c, d, e, f, g, h, i, j, k, u8::from(last)])
    }

    /// Seals a chunk onto the end of `out`, its tag behind it.
    fn seal(&mut self, plain: &[u8], last: bool, out: &mut Vec<u8>) -> Result<(), FormatError> {
        let nonce = self.nonce(last)?;
        let from = out.len();
        out.extend_from_slice(plain);
        let (_, body) = out.split_at_mut(from);
        let tag = self.cipher.seal(&nonce, &self.header, body);
        out.extend_from_slice(&tag.map_err(|_| FormatError::TooLarge)?);
        Ok(())
    }

    /// Opens a chunk onto the end of `out`, which is unchanged after an error.
    fn open(&mut self, sealed: &[u8], last: bool, out: &mut Zeroizing<Vec<u8>>) -> Result<(), FormatError> {
        let chunk = self.next;
        let nonce = self.nonce(last)?;
        let (body, tag) = sealed.split_last_chunk::<TAG>().ok_or(FormatError::Damaged { chunk })?;
        let from = out.len();
        out.extend_from_slice(body);
        let (_, plain) = out.split_at_mut(from);
        let opened = self.cipher.open(&nonce, &self.header, plain, tag);
        opened.map_err(|_| {
            out.truncate(from);
            FormatError::Damaged { chunk }
        })
    }
}

/// A file whose key is not derived yet.
#[derive(Debug)]
pub struct UnkeyedFile {
    cost: Argon2Cost,
    salt: [u8; SALT],
    prefix: [u8; PREFIX],
}

impl UnkeyedFile {
    /// A file under a fresh salt.
    pub fn draw(cost: Argon2Cost, rng: &mut dyn CryptoRng) -> Self {
        let (mut salt, mut prefix) = ([0; SALT], [0; PREFIX]);
        rng.fill_bytes(&mut salt);
        rng.fill_bytes(&mut prefix);
        Self { cost, salt, prefix }
    }

    /// What its keys are derived from.
    pub fn derivation(&self, passphrase: &str) -> Derivation {
        derivation(passphrase, self.salt, self.cost)
    }

    /// Begins the file.
    pub fn begin(self, keys: Keys) -> Writer {
        let Self { cost, salt, prefix } = self;
        let header = Header { cost, salt, prefix, check: keys.check }.to_bytes();
        Writer {
            stream: Stream::new(&keys.chunks, header, prefix),
            plain: Zeroizing::new(Vec::with_capacity(CHUNK)),
            sealed: header.to_vec(),
            written: 0,
        }
    }
}

fn derivation(passphrase: &str, salt: [u8; SALT], cost: Argon2Cost) -> Derivation {
    Derivation { passphrase: Zeroizing::new(passphrase.to_owned()), salt, cost }
}

/// Writes a file.
pub struct Writer {
    stream: Stream,
    /// At most one chunk; never grows.
    plain: Zeroizing<Vec<u8>>,
    sealed: Vec<u8>,
    written: u64,
}

impl Writer {
    /// Appends plaintext.
    ///
    /// # Errors
    /// [`FormatError::TooLarge`].
    pub fn write(&mut self, mut plain: &[u8]) -> Result<(), FormatError> {
        self.written = self.written.saturating_add(width::to_u64(plain.len()));
        let chunks = self.written.div_ceil(width::to_u64(CHUNK)).max(1);
        if width::to_u64(HEADER) + self.written + chunks * width::to_u64(TAG) > MAX_FILE_BYTES {
            return Err(FormatError::TooLarge);
        }
        while !plain.is_empty() {
            // A full chunk is sealed only when there is more: the last one is sealed otherwise.
            if self.plain.len() == CHUNK {
                self.stream.seal(&self.plain, false, &mut self.sealed)?;
                self.plain.clear();
            }
            let (now, later) = plain.split_at(plain.len().min(CHUNK - self.plain.len()));
            self.plain.extend_from_slice(now);
            plain = later;
        }
        Ok(())
    }

    /// Takes the bytes of the file that are complete since the last call.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.sealed)
    }

    /// Seals the last chunk and returns the rest of the file.
    ///
    /// # Errors
    /// [`FormatError::TooLarge`].
    pub fn finish(mut self) -> Result<Vec<u8>, FormatError> {
        self.stream.seal(&self.plain, true, &mut self.sealed)?;
        Ok(self.sealed)
    }
}

/// A file whose header was read, and whose key is not derived yet.
pub struct LockedFile {
    bytes: [u8; HEADER],
    header: Header,
}

impl LockedFile {
    /// Parses the header at the start of a file. Returns the rest of `file`, too.
    ///
    /// # Errors
    /// [`FormatError`].
    pub fn read(file: &[u8]) -> Result<(Self, &[u8]), FormatError> {
        let truncated = FormatError::Truncated { expected: HEADER, got: file.len() };
        let begins_well = file.iter().zip(&MAGIC).all(|(got, expected)| got == expected);
        let (bytes, rest) =
            file.split_first_chunk().ok_or(if begins_well { truncated } else { FormatError::NotABackup })?;
        Ok((Self { bytes: *bytes, header: Header::from_bytes(bytes)? }, rest))
    }

    /// What its keys are derived from.
    pub fn derivation(&self, passphrase: &str) -> Derivation {
        derivation(passphrase, self.header.salt, self.header.cost)
    }

    /// Opens it.
    ///
    /// # Errors
    /// [`FormatError::WrongPassphrase`].
    pub fn open(self, keys: &Keys) -> Result<Reader, FormatError> {
        if keys.check != self.header.check {
            return Err(FormatError::WrongPassphrase);
        }
        let stream = Stream::new(&keys.chunks, self.bytes, self.header.prefix);
        Ok(Reader { stream, waiting: Vec::new(), read: width::to_u64(HEADER) })
    }
}

/// Reads a file, in pieces of any size.
pub struct Reader {
    stream: Stream,
    waiting: Vec<u8>,
    read: u64,
}

impl Reader {
    /// Takes the next piece of the file. Complete chunks are opened onto the end of `plain`.
    ///
    /// # Errors
    /// [`FormatError::Damaged`], [`FormatError::TooLarge`].
    pub fn feed(&mut self, piece: &[u8], plain: &mut Zeroizing<Vec<u8>>) -> Result<(), FormatError> {
        self.read = self.read.saturating_add(width::to_u64(piece.len()));
        if self.read > MAX_FILE_BYTES {
            return Err(FormatError::TooLarge);
        }
        self.waiting.extend_from_slice(piece);
        // A chunk with bytes after it is not the last. Complete ones are taken together, so no byte moves twice.
        let whole = self.waiting.len().saturating_sub(1) / SEALED_CHUNK;
        let later = self.waiting.split_off(whole * SEALED_CHUNK);
        for chunk in std::mem::replace(&mut self.waiting, later).chunks(SEALED_CHUNK) {
            self.stream.open(chunk, false, plain)?;
        }
        Ok(())
    }

    /// The file has ended: opens its last chunk onto the end of `plain`.
    ///
    /// # Errors
    /// [`FormatError::Damaged`].
    pub fn finish(mut self, plain: &mut Zeroizing<Vec<u8>>) -> Result<(), FormatError> {
        self.stream.open(&self.waiting, true, plain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backup::kdf::derive;
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::SeedableRng;

    const LIGHT: Argon2Cost = Argon2Cost { memory: 8, passes: 1, lanes: 1 };

    fn writer() -> Writer {
        let file = UnkeyedFile::draw(LIGHT, &mut ChaCha8Rng::seed_from_u64(1));
        let keys = derive(&file.derivation("passphrase")).unwrap();
        file.begin(keys)
    }

    #[test]
    fn a_file_has_a_largest_size_both_ways() {
        let mut full = writer();
        // 4,095 chunks, of which each has a tag, and a header: that much less than the file may have.
        full.written = MAX_FILE_BYTES - width::to_u64(HEADER) - 4095 * width::to_u64(TAG) - 5;
        assert_eq!(full.write(b"12345"), Ok(()));
        assert_eq!(full.write(b"6"), Err(FormatError::TooLarge));

        let file = writer().finish().unwrap();
        let (locked, rest) = LockedFile::read(&file).unwrap();
        let keys = derive(&locked.derivation("passphrase")).unwrap();
        let mut reader = locked.open(&keys).unwrap();
        let mut plain = Zeroizing::new(Vec::new());
        reader.read = MAX_FILE_BYTES - width::to_u64(rest.len());
        assert_eq!(reader.feed(rest, &mut plain), Ok(()));
        assert_eq!(reader.feed(b"x", &mut plain), Err(FormatError::TooLarge));
    }
}
