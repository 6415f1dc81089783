//! Commands and updates for backups. A page has the encrypted bytes and the passphrase that was typed into it, never a
//! key. What this module does not know: the format of the bytes.

use crate::protobuf::message;
use zeroize::Zeroize;

/// Make a backup, or hand over.
#[derive(Clone, PartialEq, Default)]
pub struct Export {
    /// Passphrase that the file is encrypted with.
    pub passphrase: String,
    /// Hand over: this browser stops permanently before the file leaves it.
    pub hand_over: bool,
}

message!(Export { 1 => passphrase, 2 => hand_over });

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
#[derive(Clone, PartialEq, Default)]
pub struct Restore {
    /// Passphrase of the file. Only with the first piece.
    pub passphrase: String,
    /// The bytes.
    pub piece: Vec<u8>,
    /// Offset in the file.
    pub at: u64,
    /// Bytes of the whole file.
    pub total: u64,
    /// Tag of the command that gave the first piece; 0 in that command itself.
    pub first: u64,
    /// The user has agreed to replace the account in this browser. Only with the first piece.
    pub replace: bool,
}

message!(Restore { 1 => passphrase, 2 => piece, 3 => at, 4 => total, 5 => first, 6 => replace });

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
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ContinueHere {}

message!(ContinueHere {});

/// A piece of a backup file.
#[derive(Clone, PartialEq, Default)]
pub struct BackupPiece {
    /// Tag of the [`Export`] command.
    pub tag: u64,
    /// Offset in the file. 0 restarts the file: discard the pieces before.
    pub at: u64,
    /// The bytes, encrypted.
    pub bytes: Vec<u8>,
    /// The file ends here.
    pub last: bool,
    /// Progress in thousandths.
    pub progress: u32,
    /// Rows that are damaged in this browser, and therefore not in the file.
    pub left_out: u64,
}

message!(BackupPiece { 1 => tag, 2 => at, 3 => bytes, 4 => last, 5 => progress, 6 => left_out });

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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BackupView {
    /// When the last one was made, unix milliseconds; 0 never.
    pub made_at: u64,
    /// When the account was handed over to another browser, unix milliseconds; 0 if it was not.
    pub moved_at: u64,
}

message!(BackupView { 1 => made_at, 2 => moved_at });
