//! The checked options of the media host.
//!
//! What this module does not know: how they are written in the configuration.

use crate::secret::Secret;
use std::{path::PathBuf, time::Duration};
use url::Url;

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

/// What an S3-compatible store calls the key of [`S3::secret_access_key`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AccessKeyId(String);

impl AccessKeyId {
    /// Takes the text of the configuration.
    pub(crate) fn new(text: String) -> Self {
        Self(text)
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// An S3-compatible store.
#[derive(Debug, Clone)]
pub(crate) struct S3 {
    pub(crate) bucket: String,
    /// Prefix of the objects' names.
    pub(crate) folder: Option<String>,
    /// A store other than Amazon's.
    pub(crate) endpoint: Option<Url>,
    pub(crate) region: String,
    pub(crate) access_key_id: AccessKeyId,
    pub(crate) secret_access_key: Secret,
}
