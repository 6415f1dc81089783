//! The keys of one purpose, cached by this instance.
//!
//! What this module does not know: the time (an argument), and when a key is no longer needed.

use super::{
    error::KeyError,
    key::Key,
    key_id::KeyId,
    key_repository::{KeyRepository, KeyRow, Unless},
    limit::MAX_KEYS,
    seal::Seal,
};
use crate::{store::Database, time::UnixSeconds};
use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};
use tokio::task;

/// A key and its times.
pub(crate) struct KeyEntry<K> {
    pub(crate) key: K,
    /// `None` if it is unknown.
    pub(crate) created: Option<UnixSeconds>,
    /// Time from which the key signs, until the next one does.
    pub(crate) active: UnixSeconds,
}

type Entries<K> = Arc<Vec<Arc<KeyEntry<K>>>>;

/// All keys of one purpose, in the order in which they become active.
pub(crate) struct KeyRing<K> {
    repository: KeyRepository,
    seal: Arc<Seal>,
    entries: RwLock<Entries<K>>,
}

impl<K: Key> KeyRing<K> {
    /// Loads the keys. If there are none, stores those that `first` returns, or else a new one.
    pub(crate) async fn open(
        database: Database,
        seal: Arc<Seal>,
        now: UnixSeconds,
        first: impl FnOnce() -> Result<Vec<KeyEntry<K>>, KeyError> + Send + 'static,
    ) -> Result<Self, KeyError> {
        let ring = Self { repository: KeyRepository::new(database), seal, entries: RwLock::default() };
        if ring.reload().await?.is_empty() {
            let mut made =
                task::spawn_blocking(first).await.map_err(|_| KeyError::Library("read the first keys"))??;
            if made.is_empty() {
                made.push(KeyEntry { key: make().await?, created: Some(now), active: now });
            }
            // If another instance was faster, its keys are used.
            ring.add(&made, Unless::Any).await?;
        }
        ring.entries().first().ok_or(KeyError::Gone)?;
        Ok(ring)
    }

    /// The cached keys.
    pub(crate) fn entries(&self) -> Entries<K> {
        self.entries.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The key that signs at `now`.
    pub(crate) fn signer(&self, now: UnixSeconds) -> Result<Arc<KeyEntry<K>>, KeyError> {
        let entries = self.entries();
        // Without a lead the newest key signs. If this instance's clock is behind the others', the first key is better
        // than none.
        let signs = |entry: &&Arc<KeyEntry<K>>| K::LEAD.is_zero() || entry.active <= now;
        let signer = entries.iter().rev().find(signs).or(entries.first());
        signer.cloned().ok_or(KeyError::Gone)
    }

    /// Reloads the keys from the database.
    pub(crate) async fn reload(&self) -> Result<Entries<K>, KeyError> {
        let rows = self.repository.list(K::PURPOSE).await?;
        let known = self.entries();
        let mut entries = Vec::with_capacity(rows.len());
        for row in rows.into_iter().take(MAX_KEYS) {
            let entry = match known.iter().find(|entry| *entry.key.kid() == row.kid) {
                Some(entry) => entry.clone(),
                None => Arc::new(self.unseal(row)?),
            };
            entries.push(entry);
        }
        let entries = Arc::new(entries);
        *self.entries.write().unwrap_or_else(PoisonError::into_inner) = entries.clone();
        Ok(entries)
    }

    /// Adds a key that signs after its lead. Returns its id.
    pub(crate) async fn rotate(&self, now: UnixSeconds) -> Result<KeyId, KeyError> {
        // Later than the newest, so that all instances agree on the order.
        let led = now.after(K::LEAD);
        let newest = self.reload().await?.last().map(|newest| newest.active);
        let active = newest.map_or(led, |newest| led.max(newest.after(Duration::from_secs(1))));
        let entry = KeyEntry { key: make::<K>().await?, created: Some(now), active };
        let kid = entry.key.kid().clone();
        self.add(&[entry], Unless::Never).await?;
        Ok(kid)
    }

    /// Like [`Self::rotate`], but only if the newest key has been signing for `interval`, less the lead.
    pub(crate) async fn rotate_after(&self, interval: Duration, now: UnixSeconds) -> Result<(), KeyError> {
        let due = now.after(K::LEAD).before(interval);
        if self.entries().last().is_none_or(|newest| newest.active > due) {
            return Ok(());
        }
        let entry = KeyEntry { key: make::<K>().await?, created: Some(now), active: now.after(K::LEAD) };
        self.add(&[entry], Unless::ActiveAfter(due)).await
    }

    /// Removes a key for all instances.
    pub(crate) async fn remove(&self, kid: &KeyId) -> Result<(), KeyError> {
        self.repository.remove(kid).await?;
        self.reload().await.map(drop)
    }

    async fn add(&self, entries: &[KeyEntry<K>], unless: Unless) -> Result<(), KeyError> {
        let rows: Vec<_> = entries.iter().map(|entry| self.row(entry)).collect::<Result<_, _>>()?;
        self.repository.add(K::PURPOSE, &rows, unless).await?;
        self.reload().await.map(drop)
    }

    fn row(&self, entry: &KeyEntry<K>) -> Result<KeyRow, KeyError> {
        let kid = entry.key.kid().clone();
        let sealed = self.seal.seal(&additional_data(K::PURPOSE, &kid), &entry.key.write()?)?;
        Ok(KeyRow { kid, created: entry.created, active: entry.active, sealed })
    }

    fn unseal(&self, row: KeyRow) -> Result<KeyEntry<K>, KeyError> {
        let der = self.seal.unseal(&additional_data(K::PURPOSE, &row.kid), &row.sealed);
        let key = der.and_then(|der| K::read(&der)).ok_or(KeyError::Sealed { kid: row.kid })?;
        Ok(KeyEntry { key, created: row.created, active: row.active })
    }
}

/// The additional data that a sealed key is bound to, so that no row can replace another.
fn additional_data(purpose: &str, kid: &KeyId) -> String {
    format!("{purpose} {kid}")
}

async fn make<K: Key>() -> Result<K, KeyError> {
    task::spawn_blocking(K::make).await.map_err(|_| KeyError::Library("make a signing key"))?
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        keys::SealingSecret,
        push::VapidKey,
        store::testing::{TestDatabase, on_both_engines},
    };
    use zeroize::Zeroizing;

    on_both_engines!(
        instances_that_start_concurrently_share_one_key,
        a_key_is_unsealed_under_its_secret_only,
        a_scheduled_rotation_is_done_once,
        keys_added_and_removed_by_another_instance_are_reloaded,
        the_number_of_keys_is_bounded
    );

    const DAY: Duration = Duration::from_secs(86_400);

    fn at(seconds: i64) -> UnixSeconds {
        UnixSeconds::new(seconds)
    }

    fn seal(byte: u8) -> Arc<Seal> {
        Arc::new(Seal::open(&SealingSecret::Given(Zeroizing::new([byte; 32]))).unwrap())
    }

    async fn ring(database: &Database) -> KeyRing<VapidKey> {
        KeyRing::open(database.clone(), seal(1), at(1_000), || Ok(Vec::new())).await.unwrap()
    }

    fn kids(ring: &KeyRing<VapidKey>) -> Vec<KeyId> {
        ring.entries().iter().map(|entry| entry.key.kid().clone()).collect()
    }

    async fn instances_that_start_concurrently_share_one_key(database: TestDatabase) {
        let database = database.open().await;
        let start = |database: Database| async move { kids(&ring(&database).await) };
        let starting: Vec<_> = (0..4).map(|_| tokio::spawn(start(database.clone()))).collect();
        let mut all = Vec::new();
        for started in starting {
            all.extend(started.await.unwrap());
        }
        assert_eq!(all.len(), 4);
        all.dedup();
        assert_eq!(all.len(), 1, "{all:?}");
    }

    async fn a_key_is_unsealed_under_its_secret_only(database: TestDatabase) {
        let database = database.open().await;
        let kid = kids(&ring(&database).await);
        assert_eq!(kids(&ring(&database).await), kid);
        let other = KeyRing::<VapidKey>::open(database, seal(2), at(1_000), || Ok(Vec::new())).await;
        assert!(matches!(other.err(), Some(KeyError::Sealed { kid: found }) if found == kid[0]));
    }

    async fn a_scheduled_rotation_is_done_once(database: TestDatabase) {
        let database = database.open().await;
        let rings = [ring(&database).await, ring(&database).await, ring(&database).await];
        let due = 1_000 + 86_400 - VapidKey::LEAD.as_secs().cast_signed();
        for ring in &rings {
            ring.rotate_after(DAY, at(due - 1)).await.unwrap();
            assert_eq!(ring.entries().len(), 1);
        }
        let (a, b, c) = tokio::join!(
            rings[0].rotate_after(DAY, at(due)),
            rings[1].rotate_after(DAY, at(due)),
            rings[2].rotate_after(DAY, at(due + 1))
        );
        for done in [a, b, c] {
            done.unwrap();
        }
        for ring in &rings {
            assert_eq!(ring.reload().await.unwrap().len(), 2);
        }
    }

    async fn keys_added_and_removed_by_another_instance_are_reloaded(database: TestDatabase) {
        let database = database.open().await;
        let (one, other) = (ring(&database).await, ring(&database).await);
        let first = kids(&one);
        let second = one.rotate(at(2_000)).await.unwrap();
        assert_eq!(kids(&other), first);
        other.reload().await.unwrap();
        assert_eq!(kids(&other), [first[0].clone(), second.clone()]);
        other.remove(&first[0]).await.unwrap();
        one.reload().await.unwrap();
        assert_eq!(kids(&one), [second]);
    }

    async fn the_number_of_keys_is_bounded(database: TestDatabase) {
        let database = database.open().await;
        let ring = ring(&database).await;
        for second in (1_001..).take(MAX_KEYS - 1) {
            ring.rotate(at(second)).await.unwrap();
        }
        assert!(matches!(ring.rotate(at(5_000)).await, Err(KeyError::TooMany)));
    }
}
