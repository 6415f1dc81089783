//! Backup files in progress: one that is made, and one that is read.
//!
//! What this module does not know: what is in a file, and how it is made or read.

use super::export::Export;
use super::restore::Restoring;
use crate::backup::kdf::{Argon2Cost, Keys};
use crate::compute::ComputeFailure;
use crate::id::CommandTag;

/// At most one file of each kind.
#[derive(Default)]
pub(super) struct Backups {
    /// Cost of deriving a key from a passphrase, for new files.
    pub(super) argon2_cost: Argon2Cost,
    /// The file that is being made.
    pub(super) export: Option<Export>,
    /// The file that is being read.
    pub(super) restoring: Option<Restoring>,
    /// Keys of a file that is to be read, for the command with this tag.
    pub(super) restore_keys: Option<(CommandTag, Result<Keys, ComputeFailure>)>,
}

impl Backups {
    /// The store is another one. A file that is being made goes on until its next page.
    pub(super) fn forget(&mut self) {
        (self.restoring, self.restore_keys) = (None, None);
    }

    /// Whether a file is being made: tasks wait.
    pub(super) fn is_exporting(&self) -> bool {
        self.export.is_some()
    }

    /// Whether rows are being read for a file: no transaction may start.
    pub(super) fn is_reading(&self) -> bool {
        self.export.as_ref().is_some_and(Export::is_reading)
    }
}
