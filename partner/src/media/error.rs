//! What can go wrong with uploads and stored files.

use crate::store::StoreError;
use std::{io, path::PathBuf};

/// The media folder or object store cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MediaStoreError {
    /// The media folder cannot be created.
    #[error("the media folder {}: {source}. Change `data_dir` or its owner", path.display())]
    Folder {
        /// The configured path.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The object store refused or failed.
    #[error("the media store: {0}")]
    Objects(#[from] object_store::Error),
}

/// Why an upload was not created.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NewUploadError {
    #[error("the account has used up its quota")]
    Quota,
    #[error("the account has too many pending uploads")]
    TooMany,
    #[error("the account has been deleted")]
    NoAccount,
    #[error("the operating system has no randomness: {0}")]
    Random(#[from] getrandom::Error),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for NewUploadError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Why bytes were not stored.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WriteError {
    /// Another request has appended to the upload, or it has expired.
    #[error("the upload no longer ends at the expected offset")]
    OffsetMismatch,
    /// The file has too many small pieces to be read efficiently.
    #[error("too many pieces")]
    TooManyPieces,
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Objects(#[from] MediaStoreError),
}

impl From<sqlx::Error> for WriteError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Why files were not deleted. The next sweep tries them again.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The media folder or object store failed.
    #[error(transparent)]
    Objects(#[from] MediaStoreError),
}

impl From<SweepError> for WriteError {
    fn from(error: SweepError) -> Self {
        match error {
            SweepError::Store(error) => error.into(),
            SweepError::Objects(error) => error.into(),
        }
    }
}
