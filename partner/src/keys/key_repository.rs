//! Sealed private keys in the database.
//!
//! What this module does not know: what is sealed in them.

use super::{error::KeyError, limit::MAX_KEYS};
use crate::store::{Database, StoreError};

/// One row of `signing_keys`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KeyRow {
    pub(super) kid: String,
    /// Unix seconds.
    pub(super) created: i64,
    /// Time from which the key signs, Unix seconds.
    pub(super) active: i64,
    pub(super) sealed: String,
}

/// Queries on the table `signing_keys`.
#[derive(Clone)]
pub(crate) struct KeyRepository {
    database: Database,
}

impl KeyRepository {
    pub(crate) fn new(database: Database) -> Self {
        Self { database }
    }

    /// The keys of a purpose, in the order in which they become active.
    pub(super) async fn list(&self, purpose: &str) -> Result<Vec<KeyRow>, StoreError> {
        let rows: Vec<(String, i64, i64, String)> = sqlx::query_as(
            "SELECT kid, created, active, sealed FROM signing_keys WHERE purpose = $1 ORDER BY active, created, kid",
        )
        .bind(purpose)
        .fetch_all(self.database.pool())
        .await?;
        Ok(rows.into_iter().map(|(kid, created, active, sealed)| KeyRow { kid, created, active, sealed }).collect())
    }

    /// Adds keys, unless one of the purpose becomes active after `unless_after`. Of concurrent calls with the same
    /// condition one adds its keys. Returns whether they were added.
    pub(super) async fn add(&self, purpose: &str, rows: &[KeyRow], unless_after: i64) -> Result<bool, KeyError> {
        let mut transaction = self.database.begin().await?;
        // A row that always exists serves as the lock: the update blocks other instances until the transaction ends.
        sqlx::query("UPDATE schema_version SET version = version")
            .execute(&mut *transaction)
            .await
            .map_err(StoreError::from)?;
        let (kept, newer): (i64, i64) = sqlx::query_as(
            "SELECT COUNT(*), COUNT(CASE WHEN active > $2 THEN 1 END) FROM signing_keys WHERE purpose = $1",
        )
        .bind(purpose)
        .bind(unless_after)
        .fetch_one(&mut *transaction)
        .await
        .map_err(StoreError::from)?;
        if newer > 0 {
            return Ok(false);
        }
        if usize::try_from(kept).unwrap_or(usize::MAX).saturating_add(rows.len()) > MAX_KEYS {
            return Err(KeyError::TooMany);
        }
        for row in rows {
            sqlx::query("INSERT INTO signing_keys (kid, purpose, created, active, sealed) VALUES ($1, $2, $3, $4, $5)")
                .bind(&row.kid)
                .bind(purpose)
                .bind(row.created)
                .bind(row.active)
                .bind(&row.sealed)
                .execute(&mut *transaction)
                .await
                .map_err(StoreError::from)?;
        }
        transaction.commit().await.map_err(StoreError::from)?;
        Ok(true)
    }

    pub(super) async fn remove(&self, kid: &str) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM signing_keys WHERE kid = $1").bind(kid).execute(self.database.pool()).await?;
        Ok(())
    }
}
