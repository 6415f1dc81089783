//! The bytes of files, as objects in a local folder or an S3-compatible store.
//!
//! What this module does not know: which objects belong to a file, and to whom.

use super::{error::MediaStoreError, reference::StorageReference, settings::MediaLocation};
use axum::body::Bytes;
use futures::{StreamExt, TryStreamExt, stream::BoxStream};
use object_store::{
    GetOptions, GetRange, ObjectStore, ObjectStoreExt, PutPayload, RetryConfig, aws::AmazonS3Builder,
    local::LocalFileSystem, path::Path as ObjectPath, prefix::PrefixStore,
};
use std::{
    fmt, fs, io,
    ops::Range,
    os::unix::fs::DirBuilderExt,
    sync::{Arc, OnceLock},
    time::Duration,
};

/// Size at which the buffer of an upload is written: the maximum that one upload holds in memory.
pub(crate) const PIECE_BYTES: usize = 2 << 20;
/// Retries of requests to an object store, and their total time limit.
const RETRIES: usize = 3;
const TIMEOUT: Duration = Duration::from_secs(20);

/// The unique name of one piece, as the database stores it. `Debug` does not show it: it contains the reference.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct ObjectName(String);

impl ObjectName {
    /// Takes a text from a row as it is.
    pub(super) fn stored(text: String) -> Self {
        Self(text)
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    fn path(&self) -> ObjectPath {
        ObjectPath::from(self.as_str())
    }
}

impl fmt::Debug for ObjectName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ObjectName(…)")
    }
}

/// Reads and writes pieces.
#[derive(Clone)]
pub(super) struct PieceStore {
    location: Arc<MediaLocation>,
    opened: Arc<OnceLock<Arc<dyn ObjectStore>>>,
}

impl PieceStore {
    /// The folder is created with the first piece, because instances whose media are elsewhere need none.
    pub(super) fn open(location: MediaLocation) -> Result<Self, MediaStoreError> {
        let later = matches!(&location, MediaLocation::Folder(path) if !path.exists());
        let pieces = Self { location: Arc::new(location), opened: Arc::default() };
        if !later {
            pieces.store()?;
        }
        Ok(pieces)
    }

    fn store(&self) -> Result<&dyn ObjectStore, MediaStoreError> {
        if let Some(store) = self.opened.get() {
            return Ok(&**store);
        }
        let store = connect(&self.location)?;
        // If two tasks race, one of the opened stores is discarded.
        Ok(&**self.opened.get_or_init(|| store))
    }

    /// Writes one piece, whole and durable; returns the object's name.
    pub(super) async fn put(
        &self,
        reference: &StorageReference,
        bytes: Vec<Bytes>,
    ) -> Result<ObjectName, MediaStoreError> {
        let mut name = [0; 8];
        getrandom::fill(&mut name).map_err(|error| object_store::Error::Generic {
            store: "media",
            source: Box::new(io::Error::other(error)),
        })?;
        let object = ObjectName(format!("{}/{:016x}", reference.as_str(), u64::from_be_bytes(name)));
        self.store()?.put(&object.path(), PutPayload::from_iter(bytes)).await?;
        Ok(object)
    }

    /// Streams a range of one piece.
    pub(super) async fn read(
        &self,
        object: &ObjectName,
        range: Range<u64>,
    ) -> Result<BoxStream<'static, Result<Bytes, MediaStoreError>>, MediaStoreError> {
        let options = GetOptions { range: Some(GetRange::Bounded(range)), ..GetOptions::default() };
        let got = self.store()?.get_opts(&object.path(), options).await?;
        Ok(got.into_stream().map_err(MediaStoreError::from).boxed())
    }

    /// Deletes one piece; on failure it is deleted with its file.
    pub(super) async fn delete(&self, object: &ObjectName) {
        let deleted = async { Ok::<_, MediaStoreError>(self.store()?.delete(&object.path()).await?) };
        if let Err(error) = deleted.await {
            tracing::warn!(%error, "a piece of media could not be deleted");
        }
    }

    /// Deletes every piece of a file, including those without a record in the database.
    pub(super) async fn delete_all(&self, reference: &StorageReference) -> Result<(), MediaStoreError> {
        let mut objects = self.store()?.list(Some(&ObjectPath::from(reference.as_str())));
        while let Some(object) = objects.next().await {
            match self.store()?.delete(&object?.location).await {
                // Another instance may sweep at the same time.
                Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

fn connect(location: &MediaLocation) -> Result<Arc<dyn ObjectStore>, MediaStoreError> {
    Ok(match location {
        MediaLocation::Folder(path) => {
            let at = |source| MediaStoreError::Folder { path: path.clone(), source };
            fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(at)?;
            let folder = LocalFileSystem::new_with_prefix(path)?;
            Arc::new(folder.with_fsync(true).with_automatic_cleanup(true))
        }
        MediaLocation::S3(s3) => {
            let mut builder = AmazonS3Builder::new()
                .with_bucket_name(&s3.bucket)
                .with_region(&s3.region)
                .with_access_key_id(s3.access_key_id.as_str())
                .with_secret_access_key(s3.secret_access_key.as_str())
                .with_retry(RetryConfig { max_retries: RETRIES, retry_timeout: TIMEOUT, ..RetryConfig::default() });
            if let Some(endpoint) = &s3.endpoint {
                // The configuration allows http for this machine only.
                builder = builder.with_endpoint(endpoint.as_str().trim_end_matches('/')).with_allow_http(true);
            }
            let store = builder.build()?;
            match &s3.folder {
                None => Arc::new(store),
                Some(folder) => Arc::new(PrefixStore::new(store, folder.as_str())),
            }
        }
    })
}
