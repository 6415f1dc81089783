//! Uploads and files in the database: owners, pieces and expiry.
//!
//! What this module does not know: the bytes, and the time (an argument).

use super::{
    error::{NewUploadError, WriteError},
    pieces::{ObjectName, PIECE_BYTES},
    reference::{StorageReference, UploadId},
    settings::MediaSettings,
};
use crate::{
    account_id::AccountId,
    store::{Database, StoreError, lock_account},
    time::UnixSeconds,
};
use sqlx::AnyConnection;

/// Pieces allowed beyond the minimum for a file's size: one for each interrupted request.
const SPARE_PIECES: u64 = 256;

/// An upload, or the complete file that it became.
#[derive(Debug, Clone)]
pub(crate) struct Upload {
    pub(crate) id: UploadId,
    pub(crate) reference: StorageReference,
    /// Announced size of the file.
    pub(crate) size: u64,
    /// Number of bytes that are stored durably.
    pub(crate) received: u64,
    pub(crate) expires: UnixSeconds,
}

/// A complete file.
#[derive(Debug)]
pub(crate) struct StoredFile {
    pub(crate) kind: String,
    pub(crate) size: u64,
    /// Ordered by position.
    pub(super) pieces: Vec<Piece>,
}

/// A contiguous part of a file.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) object: ObjectName,
    pub(super) begin: u64,
    pub(super) length: u64,
}

/// The storage that an account uses.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct StorageUsage {
    pub(crate) account: AccountId,
    /// Complete files that can be fetched.
    pub(crate) files: u64,
    /// Incomplete uploads.
    pub(crate) uploads: u64,
    /// Stored bytes of both.
    pub(crate) bytes: u64,
    /// Expired files and uploads that wait to be swept.
    pub(crate) expired: u64,
}

/// Converts a size for the database; sizes are bounded by the configuration, far below `i64::MAX`.
fn signed(size: u64) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

/// Queries on the tables `media` and `media_pieces`.
#[derive(Clone)]
pub(crate) struct UploadRepository {
    database: Database,
}

impl UploadRepository {
    pub(crate) fn new(database: Database) -> Self {
        Self { database }
    }

    /// Stores a new upload if the account's quota allows it.
    pub(super) async fn insert(
        &self,
        account: &AccountId,
        kind: &str,
        upload: &Upload,
        settings: &MediaSettings,
        now: UnixSeconds,
    ) -> Result<(), NewUploadError> {
        let mut transaction = self.database.begin().await?;
        if !lock_account(&mut transaction, account).await? {
            return Err(NewUploadError::NoAccount);
        }
        // The cast is needed because PostgreSQL's sum of BIGINT is NUMERIC.
        let held: i64 = sqlx::query_scalar(
            "SELECT CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM media WHERE identifier = $1 AND expires > $2",
        )
        .bind(account.as_str())
        .bind(now.get())
        .fetch_one(&mut *transaction)
        .await?;
        let under_way: i64 =
            sqlx::query_scalar("SELECT COUNT(*) FROM media WHERE identifier = $1 AND expires > $2 AND received < size")
                .bind(account.as_str())
                .bind(now.get())
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
        .bind(account.as_str())
        .bind(kind)
        .bind(signed(upload.size))
        .bind(upload.expires.get())
        .execute(&mut *transaction)
        .await?;
        Ok(transaction.commit().await?)
    }

    /// An upload of this account that has not expired.
    pub(super) async fn find(
        &self,
        account: &AccountId,
        id: &UploadId,
        now: UnixSeconds,
    ) -> Result<Option<Upload>, StoreError> {
        let row: Option<(String, i64, i64, i64)> = sqlx::query_as(
            "SELECT reference, size, received, expires FROM media
             WHERE upload = $1 AND identifier = $2 AND expires > $3",
        )
        .bind(id.as_str())
        .bind(account.as_str())
        .bind(now.get())
        .fetch_optional(self.database.pool())
        .await?;
        Ok(row.and_then(|(reference, size, received, expires)| {
            let (size, received) = (size.unsigned_abs(), received.unsigned_abs());
            let expires = UnixSeconds::new(expires);
            Some(Upload { id: id.clone(), reference: StorageReference::parse(&reference)?, size, received, expires })
        }))
    }

    /// Records a piece; fails with [`WriteError::OffsetMismatch`] if the upload no longer ends at `upload.received`.
    pub(super) async fn add_piece(
        &self,
        upload: &Upload,
        object: &ObjectName,
        length: u64,
        expires: UnixSeconds,
    ) -> Result<(), WriteError> {
        let mut transaction = self.database.begin().await?;
        // The update locks the row: of two concurrent writers only one matches the offset.
        let moved = sqlx::query(
            "UPDATE media SET received = received + $2, expires = $3
             WHERE reference = $1 AND received = $4 AND received + $2 <= size AND expires = $5",
        )
        .bind(upload.reference.as_str())
        .bind(signed(length))
        .bind(expires.get())
        .bind(signed(upload.received))
        .bind(upload.expires.get())
        .execute(&mut *transaction)
        .await?;
        if moved.rows_affected() != 1 {
            return Err(WriteError::OffsetMismatch);
        }
        let pieces: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM media_pieces WHERE reference = $1")
            .bind(upload.reference.as_str())
            .fetch_one(&mut *transaction)
            .await?;
        if pieces.unsigned_abs() >= upload.size / u64::try_from(PIECE_BYTES).unwrap_or(u64::MAX) + SPARE_PIECES {
            return Err(WriteError::TooManyPieces);
        }
        sqlx::query("INSERT INTO media_pieces (reference, begins, length, object) VALUES ($1, $2, $3, $4)")
            .bind(upload.reference.as_str())
            .bind(signed(upload.received))
            .bind(signed(length))
            .bind(object.as_str())
            .execute(&mut *transaction)
            .await?;
        Ok(transaction.commit().await?)
    }

    /// A complete file of an existing account, with its pieces.
    pub(super) async fn find_file(
        &self,
        reference: &StorageReference,
        now: UnixSeconds,
    ) -> Result<Option<StoredFile>, StoreError> {
        let row: Option<(String, i64)> = sqlx::query_as(
            "SELECT kind, size FROM media WHERE reference = $1 AND expires > $2 AND received = size
             AND identifier IN (SELECT identifier FROM accounts)",
        )
        .bind(reference.as_str())
        .bind(now.get())
        .fetch_optional(self.database.pool())
        .await?;
        let Some((kind, size)) = row else { return Ok(None) };
        let pieces: Vec<(String, i64, i64)> =
            sqlx::query_as("SELECT object, begins, length FROM media_pieces WHERE reference = $1 ORDER BY begins")
                .bind(reference.as_str())
                .fetch_all(self.database.pool())
                .await?;
        let pieces = pieces.into_iter().map(|(object, begin, length)| Piece {
            object: ObjectName::stored(object),
            begin: begin.unsigned_abs(),
            length: length.unsigned_abs(),
        });
        Ok(Some(StoredFile { kind, size: size.unsigned_abs(), pieces: pieces.collect() }))
    }

    /// Expires a file or upload: it can no longer be fetched or continued.
    pub(super) async fn expire(&self, reference: &StorageReference) -> Result<(), StoreError> {
        sqlx::query("UPDATE media SET expires = 0 WHERE reference = $1")
            .bind(reference.as_str())
            .execute(self.database.pool())
            .await?;
        Ok(())
    }

    /// The usage of up to `most` accounts after `after`, ordered by identifier; deleted accounts are included until
    /// they are swept.
    pub(crate) async fn usage(
        &self,
        now: UnixSeconds,
        after: Option<&AccountId>,
        most: i64,
    ) -> Result<Vec<StorageUsage>, StoreError> {
        // The casts are needed because PostgreSQL's sum of BIGINT is NUMERIC.
        let rows: Vec<(String, i64, i64, i64, i64)> = sqlx::query_as(
            "SELECT identifier,
                    CAST(SUM(CASE WHEN expires > $1 AND received = size THEN 1 ELSE 0 END) AS BIGINT),
                    CAST(SUM(CASE WHEN expires > $1 AND received < size THEN 1 ELSE 0 END) AS BIGINT),
                    CAST(SUM(CASE WHEN expires > $1 THEN received ELSE 0 END) AS BIGINT),
                    CAST(SUM(CASE WHEN expires > $1 THEN 0 ELSE 1 END) AS BIGINT)
             FROM media WHERE identifier > $2 GROUP BY identifier ORDER BY identifier LIMIT $3",
        )
        .bind(now.get())
        // No identifier is empty: the empty one comes before all.
        .bind(after.map_or("", AccountId::as_str))
        .bind(most)
        .fetch_all(self.database.pool())
        .await?;
        let usage = |(identifier, files, uploads, bytes, expired): (String, i64, i64, i64, i64)| StorageUsage {
            account: AccountId::new(identifier),
            files: files.unsigned_abs(),
            uploads: uploads.unsigned_abs(),
            bytes: bytes.unsigned_abs(),
            expired: expired.unsigned_abs(),
        };
        Ok(rows.into_iter().map(usage).collect())
    }

    /// Up to `most` files and uploads that have expired or whose account was deleted.
    pub(super) async fn expired(&self, now: UnixSeconds, most: i64) -> Result<Vec<StorageReference>, StoreError> {
        let rows: Vec<String> = sqlx::query_scalar(
            "SELECT reference FROM media WHERE expires <= $1
             OR identifier NOT IN (SELECT identifier FROM accounts) LIMIT $2",
        )
        .bind(now.get())
        .bind(most)
        .fetch_all(self.database.pool())
        .await?;
        Ok(rows.iter().filter_map(|text| StorageReference::parse(text)).collect())
    }

    /// Deletes the record of a file whose bytes are deleted.
    pub(super) async fn delete(&self, reference: &StorageReference) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM media WHERE reference = $1")
            .bind(reference.as_str())
            .execute(self.database.pool())
            .await?;
        Ok(())
    }
}

/// Expires all uploads and files of an account, within the transaction that deletes the account: a later owner of the
/// identifier must not find them. A sweep deletes the bytes.
pub(crate) async fn expire_uploads_of(connection: &mut AnyConnection, account: &AccountId) -> Result<(), StoreError> {
    sqlx::query("UPDATE media SET expires = 0 WHERE identifier = $1")
        .bind(account.as_str())
        .execute(connection)
        .await?;
    Ok(())
}
