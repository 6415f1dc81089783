//! The issues that show backup errors to the user.

use crate::backup::contents::ContentsError;
use crate::backup::format::FormatError;
use crate::backup::kdf::KdfError;
use crate::compute::ComputeFailure;
use crate::view::Issue;

impl From<FormatError> for Issue {
    fn from(error: FormatError) -> Self {
        match error {
            FormatError::NotABackup => Self::BackupNotOne,
            FormatError::UnknownVersion { .. } => Self::BackupTooNew,
            FormatError::Truncated { .. } | FormatError::Damaged { .. } => Self::BackupDamaged,
            FormatError::TooLarge => Self::BackupTooLarge,
            FormatError::WrongPassphrase => Self::BackupLocked,
        }
    }
}

impl From<ComputeFailure> for Issue {
    fn from(failure: ComputeFailure) -> Self {
        match failure {
            ComputeFailure::NotLoaded => Self::CodeNotLoaded,
            ComputeFailure::Kdf(KdfError::Cost(_)) => Self::BackupDamaged,
            ComputeFailure::Kdf(KdfError::Memory { .. }) => Self::BackupTooLarge,
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
