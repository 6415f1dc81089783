//! The media host (docs/spec/enlistment.md §4.1.1): stores encrypted files that clients send to WhatsApp users until
//! WhatsApp fetches them.
//!
//! A file is stored as pieces, each an object that is written as a whole: an interrupted upload or a stopped server
//! loses at most the current piece, any instance can continue the upload, and no instance holds a whole file in memory.
//! The database records which pieces belong to a file; objects without a record are garbage. What this module does not
//! know: HTTP, and what the files contain.
//!
//! ```text
//! reference          unguessable identifiers
//! upload_repository  files, owners, pieces and expiry in the database
//! pieces             the bytes in a folder or object store
//! settings, error    options and failures
//! ```

mod error;
mod pieces;
mod reference;
mod settings;
mod upload_repository;

pub use error::{MediaStoreError, SweepError};
pub(crate) use error::{NewUploadError, WriteError};
pub(crate) use pieces::PIECE_BYTES;
pub(crate) use reference::{StorageReference, UploadId};
pub(crate) use settings::{AccessKeyId, MediaLocation, MediaSettings, S3};
pub(crate) use upload_repository::{StorageUsage, StoredFile, Upload, UploadRepository, expire_uploads_of};

use crate::{
    account_id::AccountId,
    metrics::MediaMetrics,
    store::{Database, StoreError},
    time::UnixSeconds,
};
use axum::body::Bytes;
use futures::{Stream, StreamExt, TryStreamExt, stream};
use pieces::PieceStore;
use std::{ops::Range, sync::Arc};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use upload_repository::Piece;

/// Maximum number of uploads that receive bytes at the same time; each holds up to one piece in memory.
const MAX_CONCURRENT_WRITERS: usize = 64;
/// Maximum number of files that one batch of a sweep deletes.
const SWEEP_BATCH: i64 = 200;
/// Minimum size in bytes of a piece that is stored when a request breaks off.
pub(crate) const MIN_PARTIAL_PIECE_BYTES: usize = 64 * 1_024;

/// The media host.
#[derive(Clone)]
pub(crate) struct Media {
    uploads: UploadRepository,
    pieces: PieceStore,
    settings: Arc<MediaSettings>,
    writers: Arc<Semaphore>,
    pub(crate) metrics: MediaMetrics,
}

impl Media {
    /// Opens the location of the pieces.
    pub(crate) fn open(
        settings: MediaSettings,
        database: Database,
        metrics: MediaMetrics,
    ) -> Result<Self, MediaStoreError> {
        let pieces = PieceStore::open(settings.location.clone())?;
        let writers = Arc::new(Semaphore::new(MAX_CONCURRENT_WRITERS));
        let uploads = UploadRepository::new(database);
        Ok(Self { uploads, pieces, settings: Arc::new(settings), writers, metrics })
    }

    pub(crate) fn settings(&self) -> &MediaSettings {
        &self.settings
    }

    /// A permit to receive bytes; bounds the memory of all uploads together. Waits for a free one.
    pub(crate) async fn writer_permit(&self) -> Option<OwnedSemaphorePermit> {
        // Fails only if the semaphore is closed, which it never is.
        self.writers.clone().acquire_owned().await.ok()
    }

    /// Creates an upload and returns its id.
    pub(crate) async fn begin(
        &self,
        account: &AccountId,
        kind: &str,
        size: u64,
        now: UnixSeconds,
    ) -> Result<UploadId, NewUploadError> {
        let (upload, reference) = (UploadId::random()?, StorageReference::random()?);
        let row = Upload {
            id: upload.clone(),
            reference,
            size,
            received: 0,
            expires: now.after(self.settings.upload_lifetime),
        };
        self.uploads.insert(account, kind, &row, &self.settings, now).await?;
        Ok(upload)
    }

    /// An upload of this account that has not expired.
    pub(crate) async fn upload(
        &self,
        account: &AccountId,
        id: &UploadId,
        now: UnixSeconds,
    ) -> Result<Option<Upload>, StoreError> {
        self.uploads.find(account, id, now).await
    }

    /// Stores one piece at the end of the upload, durable on return, and updates `upload`.
    pub(crate) async fn append(
        &self,
        upload: &mut Upload,
        bytes: Vec<Bytes>,
        now: UnixSeconds,
    ) -> Result<(), WriteError> {
        let length = bytes.iter().map(size).sum();
        let object = self.pieces.put(&upload.reference, bytes).await?;
        let received = upload.received + length;
        // A complete file is stored longer than an incomplete upload.
        let expires = if received == upload.size { now.after(self.settings.retention) } else { upload.expires };
        match self.uploads.add_piece(upload, &object, length, expires).await {
            Ok(()) => {}
            Err(error) => {
                // The object has no record; if deleting it fails, it is deleted with the file.
                self.pieces.delete(&object).await;
                return Err(error);
            }
        }
        upload.received = received;
        self.metrics.up_bytes.inc_by(length);
        Ok(())
    }

    /// Cancels an upload or deletes a file, including its bytes.
    pub(crate) async fn delete_upload(&self, upload: &Upload) -> Result<(), WriteError> {
        self.uploads.expire(&upload.reference).await?;
        Ok(self.delete(&upload.reference).await?)
    }

    /// A complete file that has not expired.
    pub(crate) async fn find(
        &self,
        reference: &StorageReference,
        now: UnixSeconds,
    ) -> Result<Option<StoredFile>, StoreError> {
        self.uploads.find_file(reference, now).await
    }

    /// Streams the bytes of a range of a file.
    pub(crate) fn read(
        &self,
        found: StoredFile,
        range: Range<u64>,
    ) -> impl Stream<Item = Result<Bytes, MediaStoreError>> + use<> {
        let (pieces, metrics) = (self.pieces.clone(), self.metrics.clone());
        let wanted = found.pieces.into_iter().filter_map(move |Piece { object, begin, length }| {
            let from = range.start.max(begin);
            let to = range.end.min(begin + length);
            (from < to).then(|| (object, from - begin..to - begin))
        });
        stream::iter(wanted)
            .then(move |(object, range)| {
                let pieces = pieces.clone();
                async move { pieces.read(&object, range).await }
            })
            .try_flatten()
            .inspect_ok(move |bytes| {
                metrics.down_bytes.inc_by(size(bytes));
            })
    }

    /// Deletes what has expired and what belongs to deleted accounts. Returns the number of files.
    pub(crate) async fn sweep(&self, now: UnixSeconds) -> Result<u64, SweepError> {
        let mut swept = 0;
        loop {
            let expired = self.uploads.expired(now, SWEEP_BATCH).await?;
            if expired.is_empty() {
                return Ok(swept);
            }
            for reference in expired {
                self.delete(&reference).await?;
                swept += 1;
                self.metrics.deleted.inc();
            }
        }
    }

    /// Deletes the bytes before the row, so that an interrupted deletion is repeated by the next sweep.
    async fn delete(&self, reference: &StorageReference) -> Result<(), SweepError> {
        self.pieces.delete_all(reference).await?;
        Ok(self.uploads.delete(reference).await?)
    }
}

fn size(bytes: &Bytes) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
