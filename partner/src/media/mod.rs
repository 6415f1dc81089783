//! The media host (seed 001 §4.1.1): what clients send to WhatsApp users lies here, encrypted, until WhatsApp fetches it.
//!
//! A file is kept as pieces, each an object of its own that is written whole: an upload that breaks off, or a server that
//! stops, loses no more than the piece under way, any instance can go on with it, and nobody ever holds a whole file in
//! memory. The database knows which pieces make a file; an object that it does not know is nobody's. What this module
//! does not know: HTTP, and what is in the files.
//!
//! ```text
//! reference  names that cannot be guessed
//! records    which files there are, whose, until when
//! pieces     the bytes
//! ```

mod pieces;
mod reference;
mod repository;

pub use pieces::MediaStoreError;
pub(crate) use pieces::{MediaLocation, PIECE_BYTES, S3};
pub(crate) use reference::Reference;
pub(crate) use repository::{NewUploadError, StorageUsage, StoredFile, Upload};

use crate::{
    metrics::MediaMetrics,
    store::{Database, StoreError},
};
use axum::body::Bytes;
use futures::{Stream, StreamExt, TryStreamExt, stream};
use pieces::PieceStore;
use repository::Piece;
use std::{ops::Range, sync::Arc, time::Duration};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Uploads that receive bytes at once; each holds up to a piece in memory.
const MAX_CONCURRENT_WRITERS: usize = 64;
/// Files that one sweep deletes.
const SWEEP_BATCH: i64 = 200;
/// A piece smaller than this is worth keeping only at the end of a request that ended well.
pub(crate) const MIN_PARTIAL_PIECE_BYTES: usize = 64 * 1_024;

/// The checked options of the media host.
#[derive(Debug, Clone)]
pub(crate) struct MediaSettings {
    pub(crate) location: MediaLocation,
    /// Media types, in lower case.
    pub(crate) types: Vec<String>,
    pub(crate) file_bytes: u64,
    pub(crate) quota_bytes: u64,
    pub(crate) uploads: u32,
    /// How long an upload may take.
    pub(crate) upload: Duration,
    /// How long a complete file is kept.
    pub(crate) kept: Duration,
}

/// Why bytes were not kept.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WriteError {
    /// Another request has moved on.
    #[error("the upload is elsewhere by now")]
    OffsetMismatch,
    /// So many small pieces that the file would be slow to read.
    #[error("too many pieces")]
    TooManyPieces,
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Objects(#[from] MediaStoreError),
}

/// Why files were not deleted.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// The database's.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// That of the place where the bytes are.
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

/// The media host.
#[derive(Clone)]
pub(crate) struct Media {
    store: Database,
    pieces: PieceStore,
    settings: Arc<MediaSettings>,
    writers: Arc<Semaphore>,
    pub(crate) metrics: MediaMetrics,
}

impl Media {
    /// Opens the place where the pieces are; a folder is made.
    pub(crate) fn open(
        settings: MediaSettings,
        store: Database,
        metrics: MediaMetrics,
    ) -> Result<Self, MediaStoreError> {
        let pieces = PieceStore::open(settings.location.clone())?;
        let writers = Arc::new(Semaphore::new(MAX_CONCURRENT_WRITERS));
        Ok(Self { store, pieces, settings: Arc::new(settings), writers, metrics })
    }

    pub(crate) fn settings(&self) -> &MediaSettings {
        &self.settings
    }

    /// A turn to receive bytes: bounds the memory that all uploads take together.
    pub(crate) async fn writer_permit(&self) -> Option<OwnedSemaphorePermit> {
        // Fails only if the semaphore is closed, which it never is.
        self.writers.clone().acquire_owned().await.ok()
    }

    /// Begins an upload; its id is unguessable.
    pub(crate) async fn begin(
        &self,
        identifier: &str,
        kind: &str,
        size: u64,
        now: i64,
    ) -> Result<Reference, NewUploadError> {
        let (upload, reference) = (Reference::random()?, Reference::random()?);
        let row = Upload {
            id: upload.clone(),
            reference,
            size,
            received: 0,
            expires: now.saturating_add_unsigned(self.settings.upload.as_secs()),
        };
        self.store.begin_upload(identifier, kind, &row, &self.settings, now).await?;
        Ok(upload)
    }

    /// An account's own upload.
    pub(crate) async fn upload(&self, identifier: &str, id: &str, now: i64) -> Result<Option<Upload>, StoreError> {
        match Reference::parse(id) {
            Some(id) => self.store.upload(identifier, &id, now).await,
            None => Ok(None),
        }
    }

    /// Keeps one piece at the end of what was received: durable at the return. The upload then says so.
    pub(crate) async fn keep(&self, upload: &mut Upload, bytes: Vec<Bytes>, now: i64) -> Result<(), WriteError> {
        let length = bytes.iter().map(|bytes| bytes.len() as u64).sum();
        let object = self.pieces.put(&upload.reference, bytes).await?;
        let received = upload.received + length;
        // A file that is whole lives longer than an upload that is not.
        let expires = match received == upload.size {
            true => now.saturating_add_unsigned(self.settings.kept.as_secs()),
            false => upload.expires,
        };
        match self.store.add_piece(upload, &object, length, expires).await {
            Ok(()) => {}
            Err(error) => {
                // Nobody knows the object; if it stays, it goes with the file.
                self.pieces.delete(&object).await;
                return Err(error);
            }
        }
        upload.received = received;
        self.metrics.up_bytes.inc_by(length);
        Ok(())
    }

    /// Ends an upload or deletes a file, and its bytes.
    pub(crate) async fn end(&self, upload: &Upload) -> Result<(), WriteError> {
        self.store.expire(&upload.reference).await?;
        Ok(self.delete(&upload.reference).await?)
    }

    /// A whole file that may still be fetched.
    pub(crate) async fn find(&self, reference: &Reference, now: i64) -> Result<Option<StoredFile>, StoreError> {
        self.store.find_media(reference, now).await
    }

    /// The bytes of a range of a file, piece after piece.
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
                metrics.down_bytes.inc_by(bytes.len() as u64);
            })
    }

    /// Deletes what has expired, and what belongs to accounts that are no more. Answers how many files.
    pub(crate) async fn sweep(&self, now: i64) -> Result<u64, SweepError> {
        let mut swept = 0;
        loop {
            let expired = self.store.expired_media(now, SWEEP_BATCH).await?;
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

    /// First the bytes, then the row: what is cut short in between is begun again.
    async fn delete(&self, reference: &Reference) -> Result<(), SweepError> {
        self.pieces.delete_all(reference).await?;
        Ok(self.store.forget_media(reference).await?)
    }
}

#[cfg(test)]
mod tests;
