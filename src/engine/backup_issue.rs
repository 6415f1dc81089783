//! The issues that show backup errors to the user.

use crate::backup::contents::ContentsError;
use crate::backup::format::FormatError;
use crate::backup::kdf::KdfError;
use crate::view::Issue;

impl From<FormatError> for Issue {
    fn from(error: FormatError) -> Self {
        match error {
            FormatError::NotABackup => Self::BackupNotOne,
            FormatError::UnknownVersion { .. } => Self::BackupTooNew,
            FormatError::Truncated { .. } | FormatError::Damaged { .. } => Self::BackupDamaged,
            FormatError::Kdf(KdfError::Cost(_)) => Self::BackupDamaged,
            FormatError::Kdf(KdfError::Memory { .. }) | FormatError::TooLarge => Self::BackupTooLarge,
            FormatError::WrongPassphrase => Self::BackupLocked,
        }
    }
}

impl From<ContentsError> for Issue {
    fn from(error: ContentsError) -> Self {
        match error {
            ContentsError::UnknownFormat { .. } => Self::BackupTooNew,
            ContentsError::TooLarge { .. } | ContentsError::Unexpected { .. } | ContentsError::WrongCount { .. } => {
                Self::BackupDamaged
            }
        }
    }
}
