//! The options of the media host, and their checks.
//!
//! What this module does not know: whether the store answers.

use super::{Secret, settings::Checker};
use crate::media::{MediaLocation, MediaSettings, S3};
use serde::Deserialize;
use std::{path::Path, time::Duration};

const MIB: u64 = 1 << 20;

/// The media host: what clients send to WhatsApp users and WhatsApp fetches.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MediaConfig {
    /// `s3://bucket/folder`; the folder `media` in the data folder without one.
    pub store_url: Option<String>,
    /// The address of an S3-compatible store other than Amazon's.
    pub endpoint: Option<String>,
    /// The store's region.
    pub region: String,
    /// The name of the key for the store.
    pub access_key_id: Option<String>,
    /// The key for the store.
    pub secret_access_key: Option<Secret>,
    /// Media types that are accepted, with commas between them.
    pub types: String,
    /// Largest file, in MiB.
    pub file_mib: u64,
    /// What one account may have in all, in MiB.
    pub quota_mib: u64,
    /// Uploads that one account may have under way.
    pub uploads: u32,
    /// Hours until an upload must be complete.
    pub upload_hours: u64,
    /// Days that media are kept.
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

/// The media host's options after all checks.
pub(super) fn check(checker: &mut Checker, config: &MediaConfig, data_dir: &Path) -> Option<MediaSettings> {
    // 16 GiB: what an S3 upload of our pieces can hold many times over.
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
        upload: Duration::from_secs(config.upload_hours.saturating_mul(3_600)),
        kept: Duration::from_secs(config.days.saturating_mul(24 * 3_600)),
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
        Some(endpoint) => Some(checker.remote("media.endpoint", endpoint, "https", "http")?.to_string()),
    };
    Some(S3 {
        bucket: url.host_str()?.to_owned(),
        folder: url.path().trim_matches('/').to_owned(),
        endpoint,
        region: config.region.clone(),
        access_key_id: access_key_id.clone(),
        secret_access_key: secret_access_key.clone(),
    })
}

fn is_media_type(text: &str) -> bool {
    let token = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte))
    };
    text.len() <= 127 && text.split_once('/').is_some_and(|(kind, subtype)| token(kind) && token(subtype))
}
