//! Commands and updates for backups. A page has the encrypted bytes and the passphrase that was typed into it, never a
//! key. What this module does not know: the format of the bytes.

use prost::Message;
use zeroize::Zeroize;

/// Make a backup, or hand over.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub struct Export {
    /// Passphrase that the file is encrypted with.
    #[prost(string, tag = "1")]
    pub passphrase: String,
    /// Hand over: this browser stops permanently before the file leaves it.
    #[prost(bool, tag = "2")]
    pub hand_over: bool,
}

impl core::fmt::Debug for Export {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Self { passphrase: _, hand_over } = self;
        write!(f, "Export {{ hand_over: {hand_over} }}")
    }
}

impl Drop for Export {
    fn drop(&mut self) {
        self.passphrase.zeroize();
    }
}

/// A piece of a backup file. The next one is sent after the [`Done`](super::Done) of this one.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub struct Restore {
    /// Passphrase of the file. Only with the first piece.
    #[prost(string, tag = "1")]
    pub passphrase: String,
    /// The bytes.
    #[prost(bytes = "vec", tag = "2")]
    pub piece: Vec<u8>,
    /// Offset in the file.
    #[prost(uint64, tag = "3")]
    pub at: u64,
    /// Bytes of the whole file.
    #[prost(uint64, tag = "4")]
    pub total: u64,
    /// Tag of the command that gave the first piece; 0 in that command itself.
    #[prost(uint64, tag = "5")]
    pub first: u64,
    /// The user has agreed to replace the account in this browser. Only with the first piece.
    #[prost(bool, tag = "6")]
    pub replace: bool,
}

impl core::fmt::Debug for Restore {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Self { passphrase: _, piece, at, total, first: _, replace } = self;
        write!(f, "Restore {{ {} bytes at {at} of {total}, replace: {replace} }}", piece.len())
    }
}

impl Drop for Restore {
    fn drop(&mut self) {
        self.passphrase.zeroize();
    }
}

/// Continue in this browser after a hand-over.
#[derive(Clone, PartialEq, Message)]
pub struct ContinueHere {}

/// A piece of a backup file.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub struct BackupPiece {
    /// Tag of the [`Export`] command.
    #[prost(uint64, tag = "1")]
    pub tag: u64,
    /// Offset in the file. 0 restarts the file: discard the pieces before.
    #[prost(uint64, tag = "2")]
    pub at: u64,
    /// The bytes, encrypted.
    #[prost(bytes = "vec", tag = "3")]
    pub bytes: Vec<u8>,
    /// The file ends here.
    #[prost(bool, tag = "4")]
    pub last: bool,
    /// Progress in thousandths.
    #[prost(uint32, tag = "5")]
    pub progress: u32,
    /// Rows that are damaged in this browser, and therefore not in the file.
    #[prost(uint64, tag = "6")]
    pub left_out: u64,
}

impl core::fmt::Debug for BackupPiece {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Self { tag: _, at, bytes, last, progress, left_out } = self;
        write!(
            f,
            "BackupPiece {{ {} bytes at {at}, last: {last}, progress: {progress}, left out: {left_out} }}",
            bytes.len()
        )
    }
}

/// State of backups and hand-overs.
#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub struct BackupView {
    /// When the last one was made, unix milliseconds; 0 never.
    #[prost(uint64, tag = "1")]
    pub made_at: u64,
    /// When the account was handed over to another browser, unix milliseconds; 0 if it was not.
    #[prost(uint64, tag = "2")]
    pub moved_at: u64,
}
