//! The options of the media host, and their checks.
//!
//! What this module does not know: whether the object store responds.

use super::checker::Checker;
use crate::{
    media::{AccessKeyId, MediaLocation, MediaSettings, S3},
    secret::Secret,
};
use serde::Deserialize;
use std::{path::Path, time::Duration};

const MIB: u64 = 1 << 20;

/// The media host: files that clients send and WhatsApp fetches.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MediaConfig {
    /// `s3://bucket/folder`; by default the folder `media` in the data folder.
    pub store_url: Option<String>,
    /// URL of an S3-compatible store other than Amazon's.
    pub endpoint: Option<String>,
    /// Region of the store.
    pub region: String,
    /// Id of the access key.
    pub access_key_id: Option<String>,
    /// The access key.
    pub secret_access_key: Option<Secret>,
    /// Accepted media types, comma-separated.
    pub types: String,
    /// Maximum size of a file in MiB.
    pub file_mib: u64,
    /// Maximum size of an account's files in MiB.
    pub quota_mib: u64,
    /// Maximum number of pending uploads of an account.
    pub uploads: u32,
    /// Hours in which an upload must be completed.
    pub upload_hours: u64,
    /// Days for which files are stored.
    pub days: u64,
}

impl Default for MediaConfig {
    fn default() -> Self {
        Self {
            store_url: None,
            endpoint: None,
            region: "us-east-1".to_owned(),
            access_key_id: None,
            secret_access_key: None,
            types: "application/octet-stream".to_owned(),
            file_mib: 100,
            quota_mib: 1_024,
            uploads: 8,
            upload_hours: 24,
            days: 30,
        }
    }
}

/// Checks the options.
pub(super) fn check(checker: &mut Checker, config: &MediaConfig, data_dir: &Path) -> Option<MediaSettings> {
    // 16 GiB: far below the maximum number of pieces.
    checker.within("media.file_mib", config.file_mib, 1, 16_384);
    checker.within("media.quota_mib", config.quota_mib, config.file_mib, 1 << 30);
    checker.within("media.uploads", config.uploads.into(), 1, 1_000);
    checker.within("media.upload_hours", config.upload_hours, 1, 24 * 7);
    checker.within("media.days", config.days, 1, 400);
    let types: Vec<String> = config.types.split(',').map(|kind| kind.trim().to_ascii_lowercase()).collect();
    if types.iter().any(|kind| !is_media_type(kind)) {
        checker.problem("media.types", "must be media types such as application/octet-stream, with commas in between");
    }
    let location = match &config.store_url {
        None => MediaLocation::Folder(data_dir.join("media")),
        Some(url) => MediaLocation::S3(s3(checker, config, url)?),
    };
    Some(MediaSettings {
        location,
        types,
        file_bytes: config.file_mib.saturating_mul(MIB),
        quota_bytes: config.quota_mib.saturating_mul(MIB),
        uploads: config.uploads,
        upload_lifetime: Duration::from_secs(config.upload_hours.saturating_mul(3_600)),
        retention: Duration::from_secs(config.days.saturating_mul(24 * 3_600)),
    })
}

fn s3(checker: &mut Checker, config: &MediaConfig, text: &str) -> Option<S3> {
    let url = checker.address("media.store_url", text, "s3")?;
    if url.scheme() != "s3" || !url.username().is_empty() || url.query().is_some() || url.port().is_some() {
        checker.problem(
            "media.store_url",
            "must begin with s3:// and name a bucket and a folder, such as s3://bucket/media",
        );
        return None;
    }
    let (Some(access_key_id), Some(secret_access_key)) = (&config.access_key_id, &config.secret_access_key) else {
        checker.problem("media.access_key_id", "and media.secret_access_key are needed for an S3 store");
        return None;
    };
    let endpoint = match &config.endpoint {
        None => None,
        Some(endpoint) => Some(checker.remote("media.endpoint", endpoint, "https", "http")?),
    };
    Some(S3 {
        bucket: url.host_str()?.to_owned(),
        folder: Some(url.path().trim_matches('/')).filter(|folder| !folder.is_empty()).map(str::to_owned),
        endpoint,
        region: config.region.clone(),
        access_key_id: AccessKeyId::new(access_key_id.clone()),
        secret_access_key: secret_access_key.clone(),
    })
}

fn is_media_type(text: &str) -> bool {
    let token = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte))
    };
    text.len() <= 127 && text.split_once('/').is_some_and(|(kind, subtype)| token(kind) && token(subtype))
}
