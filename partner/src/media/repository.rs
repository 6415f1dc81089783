//! Which files there are, whose they are, which pieces make them, and until when.
//!
//! What this module does not know: the bytes, and the time (an argument).

use super::{MediaSettings, PIECE_BYTES, Reference, WriteError};
use crate::store::{Database, StoreError};
use sqlx::AnyConnection;

/// PieceStore beyond those that a file of this size needs: one for each time that a connection broke off.
const SPARE_PIECES: u64 = 256;

/// An upload, or the file that it has become.
#[derive(Debug, Clone)]
pub(crate) struct Upload {
    pub(crate) id: Reference,
    pub(crate) reference: Reference,
    /// Bytes that the file will have.
    pub(crate) size: u64,
    /// Bytes that are here, durable.
    pub(crate) received: u64,
    /// Unix seconds.
    pub(crate) expires: i64,
}

/// A whole file.
#[derive(Debug)]
pub(crate) struct StoredFile {
    pub(crate) kind: String,
    pub(crate) size: u64,
    /// In the file's order.
    pub(super) pieces: Vec<Piece>,
}

/// A part of a file.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) object: String,
    pub(super) begin: u64,
    pub(super) length: u64,
}

/// What an account has in the storage.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct StorageUsage {
    pub(crate) identifier: String,
    /// Whole files that may be fetched.
    pub(crate) files: u64,
    /// Uploads under way.
    pub(crate) uploads: u64,
    /// Bytes that are here of both.
    pub(crate) bytes: u64,
    /// Files and uploads that nobody can reach any more, until they are swept up.
    pub(crate) expired: u64,
}

/// Why an upload was not begun.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NewUploadError {
    #[error("the account has as much as it may")]
    Quota,
    #[error("the account has too many uploads under way")]
    TooMany,
    #[error("the account was deleted a moment ago")]
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

impl From<sqlx::Error> for WriteError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Sizes are bounded by the configuration, far below this.
fn signed(size: u64) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

impl Database {
    /// Keeps a new upload if the account has room for it.
    pub(super) async fn begin_upload(
        &self,
        identifier: &str,
        kind: &str,
        upload: &Upload,
        settings: &MediaSettings,
        now: i64,
    ) -> Result<(), NewUploadError> {
        let mut transaction = self.begin().await?;
        if !Self::lock_account(&mut transaction, identifier).await? {
            return Err(NewUploadError::NoAccount);
        }
        // Two plain sums: what PostgreSQL makes of a sum of BIGINT is no BIGINT.
        let held: i64 = sqlx::query_scalar(
            "SELECT CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM media WHERE identifier = $1 AND expires > $2",
        )
        .bind(identifier)
        .bind(now)
        .fetch_one(&mut *transaction)
        .await?;
        let under_way: i64 =
            sqlx::query_scalar("SELECT COUNT(*) FROM media WHERE identifier = $1 AND expires > $2 AND received < size")
                .bind(identifier)
                .bind(now)
                .fetch_one(&mut *transaction)
                .await?;
        if signed(upload.size).saturating_add(held) > signed(settings.quota_bytes) {
            return Err(NewUploadError::Quota);
        }
        if under_way >= settings.uploads.into() {
            return Err(NewUploadError::TooMany);
        }
        sqlx::query(
            "INSERT INTO media (reference, upload, identifier, kind, size, received, expires)
             VALUES ($1, $2, $3, $4, $5, 0, $6)",
        )
        .bind(upload.reference.as_str())
        .bind(upload.id.as_str())
        .bind(identifier)
        .bind(kind)
        .bind(signed(upload.size))
        .bind(upload.expires)
        .execute(&mut *transaction)
        .await?;
        Ok(transaction.commit().await?)
    }

    /// An account's own upload that has not expired.
    pub(super) async fn upload(
        &self,
        identifier: &str,
        id: &Reference,
        now: i64,
    ) -> Result<Option<Upload>, StoreError> {
        let row: Option<(String, i64, i64, i64)> = sqlx::query_as(
            "SELECT reference, size, received, expires FROM media
             WHERE upload = $1 AND identifier = $2 AND expires > $3",
        )
        .bind(id.as_str())
        .bind(identifier)
        .bind(now)
        .fetch_optional(self.pool())
        .await?;
        Ok(row.and_then(|(reference, size, received, expires)| {
            let (size, received) = (size.unsigned_abs(), received.unsigned_abs());
            Some(Upload { id: id.clone(), reference: Reference::parse(&reference)?, size, received, expires })
        }))
    }

    /// Adds a piece, if the upload still ends where the caller believes.
    pub(super) async fn add_piece(
        &self,
        upload: &Upload,
        object: &str,
        length: u64,
        expires: i64,
    ) -> Result<(), WriteError> {
        let mut transaction = self.begin().await?;
        // Whoever changes this row first has the end of the file to itself.
        let moved = sqlx::query(
            "UPDATE media SET received = received + $2, expires = $3
             WHERE reference = $1 AND received = $4 AND received + $2 <= size AND expires = $5",
        )
        .bind(upload.reference.as_str())
        .bind(signed(length))
        .bind(expires)
        .bind(signed(upload.received))
        .bind(upload.expires)
        .execute(&mut *transaction)
        .await?;
        if moved.rows_affected() != 1 {
            return Err(WriteError::OffsetMismatch);
        }
        let pieces: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM media_pieces WHERE reference = $1")
            .bind(upload.reference.as_str())
            .fetch_one(&mut *transaction)
            .await?;
        if pieces.unsigned_abs() >= upload.size / PIECE_BYTES as u64 + SPARE_PIECES {
            return Err(WriteError::TooManyPieces);
        }
        sqlx::query("INSERT INTO media_pieces (reference, begins, length, object) VALUES ($1, $2, $3, $4)")
            .bind(upload.reference.as_str())
            .bind(signed(upload.received))
            .bind(signed(length))
            .bind(object)
            .execute(&mut *transaction)
            .await?;
        Ok(transaction.commit().await?)
    }

    /// A whole file of an account that exists, with its pieces.
    pub(super) async fn find_media(&self, reference: &Reference, now: i64) -> Result<Option<StoredFile>, StoreError> {
        let row: Option<(String, i64)> = sqlx::query_as(
            "SELECT kind, size FROM media WHERE reference = $1 AND expires > $2 AND received = size
             AND identifier IN (SELECT identifier FROM accounts)",
        )
        .bind(reference.as_str())
        .bind(now)
        .fetch_optional(self.pool())
        .await?;
        let Some((kind, size)) = row else { return Ok(None) };
        let pieces: Vec<(String, i64, i64)> =
            sqlx::query_as("SELECT object, begins, length FROM media_pieces WHERE reference = $1 ORDER BY begins")
                .bind(reference.as_str())
                .fetch_all(self.pool())
                .await?;
        let pieces = pieces.into_iter().map(|(object, begin, length)| Piece {
            object,
            begin: begin.unsigned_abs(),
            length: length.unsigned_abs(),
        });
        Ok(Some(StoredFile { kind, size: size.unsigned_abs(), pieces: pieces.collect() }))
    }

    /// From now on nobody can fetch a file or go on with an upload.
    pub(super) async fn expire(&self, reference: &Reference) -> Result<(), StoreError> {
        sqlx::query("UPDATE media SET expires = 0 WHERE reference = $1")
            .bind(reference.as_str())
            .execute(self.pool())
            .await?;
        Ok(())
    }

    /// The same for everything that an account has: for the transaction that deletes the account. The bytes are swept up.
    pub(crate) async fn expire_media_of(connection: &mut AnyConnection, identifier: &str) -> Result<(), StoreError> {
        sqlx::query("UPDATE media SET expires = 0 WHERE identifier = $1").bind(identifier).execute(connection).await?;
        Ok(())
    }

    /// What accounts have, in the order of their identifiers, after one; those that are deleted, too, until they are
    /// swept up.
    pub(crate) async fn media_usage(&self, now: i64, after: &str, most: i64) -> Result<Vec<StorageUsage>, StoreError> {
        // Plain numbers: what PostgreSQL makes of a sum of BIGINT is no BIGINT.
        let rows: Vec<(String, i64, i64, i64, i64)> = sqlx::query_as(
            "SELECT identifier,
                    CAST(SUM(CASE WHEN expires > $1 AND received = size THEN 1 ELSE 0 END) AS BIGINT),
                    CAST(SUM(CASE WHEN expires > $1 AND received < size THEN 1 ELSE 0 END) AS BIGINT),
                    CAST(SUM(CASE WHEN expires > $1 THEN received ELSE 0 END) AS BIGINT),
                    CAST(SUM(CASE WHEN expires > $1 THEN 0 ELSE 1 END) AS BIGINT)
             FROM media WHERE identifier > $2 GROUP BY identifier ORDER BY identifier LIMIT $3",
        )
        .bind(now)
        .bind(after)
        .bind(most)
        .fetch_all(self.pool())
        .await?;
        let usage = |(identifier, files, uploads, bytes, expired): (String, i64, i64, i64, i64)| StorageUsage {
            identifier,
            files: files.unsigned_abs(),
            uploads: uploads.unsigned_abs(),
            bytes: bytes.unsigned_abs(),
            expired: expired.unsigned_abs(),
        };
        Ok(rows.into_iter().map(usage).collect())
    }

    /// Some of what has expired, or belongs to nobody any more.
    pub(super) async fn expired_media(&self, now: i64, most: i64) -> Result<Vec<Reference>, StoreError> {
        let rows: Vec<String> = sqlx::query_scalar(
            "SELECT reference FROM media WHERE expires <= $1
             OR identifier NOT IN (SELECT identifier FROM accounts) LIMIT $2",
        )
        .bind(now)
        .bind(most)
        .fetch_all(self.pool())
        .await?;
        Ok(rows.iter().filter_map(|text| Reference::parse(text)).collect())
    }

    /// Forgets a file whose bytes are gone.
    pub(super) async fn forget_media(&self, reference: &Reference) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM media WHERE reference = $1").bind(reference.as_str()).execute(self.pool()).await?;
        Ok(())
    }
}
