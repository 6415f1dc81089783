//! The plaintext of a backup: one manifest, then rows as they are before sealing, then an end that counts them.
//!
//! Each entry is a protobuf message behind its length. What this module does not know: how the bytes are sealed, and
//! what the rows mean.

use crate::protobuf::{Message as _, message, one_of};
use zeroize::{Zeroize, Zeroizing};

/// The format that this build writes, and the newest that it reads.
pub const FORMAT: u32 = 1;
/// Largest entry. A session record at every one of its bounds has 15.6 MB.
pub const MAX_ENTRY_BYTES: usize = 16 * 1024 * 1024;
/// Bytes of the length before an entry.
const MAX_LENGTH_BYTES: usize = 5;

/// Purpose of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub enum Kind {
    /// The browser that made it continues, so the ratchets in the file may be outdated.
    Backup = 0,
    /// The browser that made it has stopped.
    HandOver = 1,
}

/// The first entry: what the file is.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Manifest {
    /// [`FORMAT`] of the build that wrote it.
    pub format: u32,
    /// Version of that build.
    pub client_version: String,
    /// When it was made, unix milliseconds.
    pub created: u64,
    /// A [`Kind`].
    pub kind: i32,
    /// The account's identifier.
    pub identifier: String,
    /// The device that made it.
    pub device: String,
}

message!(Manifest { 1 => format, 2 => client_version, 3 => created, 4 => kind: Kind, 5 => identifier, 6 => device });

/// A row of the store.
#[derive(Clone, PartialEq, Default)]
pub struct Row {
    /// The table's number.
    pub table: u32,
    /// Its key.
    pub key: Vec<u8>,
    /// The row, opened. Never printed: it may hold keys.
    pub row: Vec<u8>,
}

message!(Row { 1 => table, 2 => key, 3 => row });

impl core::fmt::Debug for Row {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Self { table, key: _, row } = self;
        write!(f, "Row {{ table: {table}, {} bytes }}", row.len())
    }
}

impl Drop for Row {
    fn drop(&mut self) {
        self.row.zeroize();
    }
}

/// The last entry. The counts are here and not in the manifest, because the writer streams and knows them last.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct End {
    /// Rows in the file.
    pub rows: u64,
    /// Rows that were damaged in the browser that made the file, and are not in it.
    pub left_out: u64,
}

message!(End { 1 => rows, 2 => left_out });

/// One entry.
#[derive(Debug, Clone, PartialEq)]
pub enum Entry {
    /// The first.
    Manifest(Manifest),
    /// All between.
    Row(Row),
    /// The last.
    End(End),
}

one_of!(Entry { 1 => Manifest, 2 => Row, 3 => End });

#[derive(Clone, PartialEq, Default)]
struct Framed {
    entry: Option<Entry>,
}

message!(Framed { ..entry });

/// Authentic plaintext that is not a backup for this build.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ContentsError {
    /// An entry that is longer than any.
    #[error("an entry has at most {MAX_ENTRY_BYTES} bytes, got {got}")]
    TooLarge {
        /// The announced length, in bytes.
        got: u64,
    },
    /// Bytes that are no entry, or one of a kind that this build does not know.
    #[error("expected {expected}, got something else")]
    Unexpected {
        /// The expected entry.
        expected: &'static str,
    },
    /// Written by a later build.
    #[error("expected a backup of format {FORMAT} at most, got {got}")]
    UnknownFormat {
        /// The manifest's format.
        got: u32,
    },
    /// Rows are missing, or too many.
    #[error("the end of the backup counts {expected} rows, got {got}")]
    WrongCount {
        /// Rows that the end counts.
        expected: u64,
        /// Rows in the file.
        got: u64,
    },
}

/// Serializes an entry, prefixed with its length.
pub fn pack(entry: Entry) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(Framed { entry: Some(entry) }.encode_delimited())
}

/// Parses entries from a stream of plaintext and checks their order.
#[derive(Default)]
pub struct Unpacker {
    plain: Zeroizing<Vec<u8>>,
    stage: Stage,
    rows: u64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Manifest,
    Rows,
    Ended,
}

impl Unpacker {
    /// The buffer that more plaintext is appended to.
    pub fn plain(&mut self) -> &mut Zeroizing<Vec<u8>> {
        &mut self.plain
    }

    /// Calls `each` with every complete entry, in order.
    ///
    /// # Errors
    /// [`ContentsError`], and any error of `each`.
    pub fn drain<E: From<ContentsError>>(&mut self, mut each: impl FnMut(Entry) -> Result<(), E>) -> Result<(), E> {
        let plain = std::mem::take(&mut self.plain);
        let mut rest = plain.as_slice();
        while let Some((bytes, behind)) = split(rest)? {
            each(self.take(bytes)?)?;
            rest = behind;
        }
        self.plain = Zeroizing::new(rest.to_vec());
        Ok(())
    }

    /// Checks that the plaintext is complete.
    ///
    /// # Errors
    /// [`ContentsError::Unexpected`] if it stopped before the end.
    pub fn finish(self) -> Result<(), ContentsError> {
        match (self.stage, self.plain.is_empty()) {
            (Stage::Ended, true) => Ok(()),
            _ => Err(ContentsError::Unexpected { expected: "an end, and nothing behind it" }),
        }
    }

    fn take(&mut self, bytes: &[u8]) -> Result<Entry, ContentsError> {
        let unexpected = ContentsError::Unexpected {
            expected: match self.stage {
                Stage::Manifest => "a manifest",
                Stage::Rows => "a row, or the end",
                Stage::Ended => "nothing behind the end",
            },
        };
        let entry = Framed::decode(bytes).map_err(|_| unexpected)?.entry.ok_or(unexpected)?;
        match (self.stage, &entry) {
            (Stage::Manifest, Entry::Manifest(manifest)) if manifest.format > FORMAT => {
                return Err(ContentsError::UnknownFormat { got: manifest.format });
            }
            (Stage::Manifest, Entry::Manifest(_)) => self.stage = Stage::Rows,
            (Stage::Rows, Entry::Row(_)) => self.rows += 1,
            (Stage::Rows, Entry::End(end)) if end.rows != self.rows => {
                return Err(ContentsError::WrongCount { expected: end.rows, got: self.rows });
            }
            (Stage::Rows, Entry::End(_)) => self.stage = Stage::Ended,
            _ => return Err(unexpected),
        }
        Ok(entry)
    }
}

/// An entry's bytes, and the bytes after them.
type Split<'a> = (&'a [u8], &'a [u8]);

/// Splits off the first entry, if it is complete.
fn split(bytes: &[u8]) -> Result<Option<Split<'_>>, ContentsError> {
    let length = bytes.get(..MAX_LENGTH_BYTES.min(bytes.len())).unwrap_or_default();
    let Some(at) = length.iter().position(|byte| byte & 0x80 == 0) else {
        let endless = ContentsError::TooLarge { got: u64::MAX };
        return if length.len() < MAX_LENGTH_BYTES { Ok(None) } else { Err(endless) };
    };
    let got = length.iter().take(at + 1).rev().fold(0_u64, |value, byte| value << 7 | u64::from(byte & 0x7f));
    let size =
        usize::try_from(got).ok().filter(|&size| size <= MAX_ENTRY_BYTES).ok_or(ContentsError::TooLarge { got })?;
    let (_, rest) = bytes.split_at(at + 1);
    Ok(rest.split_at_checked(size))
}
