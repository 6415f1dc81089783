//! The checked options of the media host.
//!
//! What this module does not know: how they are written in the configuration.

use crate::secret::Secret;
use std::{path::PathBuf, time::Duration};

/// Limits and location of the stored files.
#[derive(Debug, Clone)]
pub(crate) struct MediaSettings {
    pub(crate) location: MediaLocation,
    /// Accepted media types, in lower case.
    pub(crate) types: Vec<String>,
    /// Maximum size of one file.
    pub(crate) file_bytes: u64,
    /// Maximum size of all files of one account.
    pub(crate) quota_bytes: u64,
    /// Maximum number of pending uploads of one account.
    pub(crate) uploads: u32,
    /// Time in which an upload must be completed.
    pub(crate) upload_lifetime: Duration,
    /// Time for which a complete file is stored.
    pub(crate) retention: Duration,
}

/// Where the pieces are stored.
#[derive(Debug, Clone)]
pub(crate) enum MediaLocation {
    Folder(PathBuf),
    S3(S3),
}

/// An S3-compatible store.
#[derive(Debug, Clone)]
pub(crate) struct S3 {
    pub(crate) bucket: String,
    pub(crate) folder: String,
    pub(crate) endpoint: Option<String>,
    pub(crate) region: String,
    pub(crate) access_key_id: String,
    pub(crate) secret_access_key: Secret,
}
