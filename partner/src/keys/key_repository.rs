//! Sealed private keys in the database.
//!
//! What this module does not know: what is sealed in them.

use super::{error::KeyError, key_id::KeyId, limit::MAX_KEYS};
use crate::{
    store::{Database, StoreError},
    time::UnixSeconds,
};

/// One row of `signing_keys`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KeyRow {
    pub(super) kid: KeyId,
    /// `None` if it is unknown.
    pub(super) created: Option<UnixSeconds>,
    /// Time from which the key signs.
    pub(super) active: UnixSeconds,
    pub(super) sealed: String,
}

/// Which key of the purpose, if it exists, prevents adding others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unless {
    /// None does.
    Never,
    /// Every one does.
    Any,
    /// One that becomes active after this time.
    ActiveAfter(UnixSeconds),
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
        let row = |(kid, created, active, sealed): (String, i64, i64, String)| KeyRow {
            kid: KeyId::stored(kid),
            // Files of older servers whose names have no time were stored with 0.
            created: (created != 0).then(|| UnixSeconds::new(created)),
            active: UnixSeconds::new(active),
            sealed,
        };
        Ok(rows.into_iter().map(row).collect())
    }

    /// Adds keys, unless another key of the purpose prevents it. Of concurrent calls with the same condition one adds its
    /// keys. Returns whether they were added.
    pub(super) async fn add(&self, purpose: &str, rows: &[KeyRow], unless: Unless) -> Result<bool, KeyError> {
        let mut transaction = self.database.begin().await?;
        // A row that always exists serves as the lock: the update blocks other instances until the transaction ends.
        sqlx::query("UPDATE schema_version SET version = version")
            .execute(&mut *transaction)
            .await
            .map_err(StoreError::from)?;
        let (kept, newest): (i64, Option<i64>) =
            sqlx::query_as("SELECT COUNT(*), MAX(active) FROM signing_keys WHERE purpose = $1")
                .bind(purpose)
                .fetch_one(&mut *transaction)
                .await
                .map_err(StoreError::from)?;
        let prevents = |newest| match unless {
            Unless::Never => false,
            Unless::Any => true,
            Unless::ActiveAfter(time) => UnixSeconds::new(newest) > time,
        };
        if newest.is_some_and(prevents) {
            return Ok(false);
        }
        if usize::try_from(kept).unwrap_or(usize::MAX).saturating_add(rows.len()) > MAX_KEYS {
            return Err(KeyError::TooMany);
        }
        for row in rows {
            sqlx::query("INSERT INTO signing_keys (kid, purpose, created, active, sealed) VALUES ($1, $2, $3, $4, $5)")
                .bind(row.kid.as_str())
                .bind(purpose)
                .bind(row.created.map_or(0, UnixSeconds::get))
                .bind(row.active.get())
                .bind(&row.sealed)
                .execute(&mut *transaction)
                .await
                .map_err(StoreError::from)?;
        }
        transaction.commit().await.map_err(StoreError::from)?;
        Ok(true)
    }

    pub(super) async fn remove(&self, kid: &KeyId) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM signing_keys WHERE kid = $1").bind(kid.as_str()).execute(self.database.pool()).await?;
        Ok(())
    }
}
