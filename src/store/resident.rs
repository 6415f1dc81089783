//! Rows of a table that is held whole: a look-up never misses. What this module does not know: sealing and transactions.

use super::row::Row;
use super::row_cache::{DirtyRow, RowCache};
use crate::sorted_set::SortedSet;

/// All rows of one table.
#[derive(Debug)]
pub struct Resident<R> {
    cache: RowCache<R>,
    /// Keys of rows that are in the store and do not open.
    damaged: SortedSet<Vec<u8>>,
}

impl<R> Default for Resident<R> {
    fn default() -> Self {
        Self { cache: RowCache::default(), damaged: SortedSet::default() }
    }
}

impl<R: Row> Resident<R> {
    /// Inserts a row that was read.
    pub(super) fn loaded(&mut self, key: Vec<u8>, row: Option<R>) {
        self.cache.loaded(key, row);
    }

    /// The store has a row under this key that does not open. It is not in memory, but not absent either.
    pub(super) fn mark_damaged(&mut self, key: &[u8]) {
        self.damaged.insert(key.to_vec());
    }

    /// Keys of the rows that do not open, in order.
    pub fn damaged(&self) -> impl Iterator<Item = &[u8]> {
        self.damaged.iter().map(Vec::as_slice)
    }

    /// Whether the key is free: the store has no row under it, not even one that does not open.
    pub fn is_absent(&self, key: &[u8]) -> bool {
        self.get(key).is_none() && !self.damaged.contains(key)
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.cache.rows.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.cache.rows.is_empty()
    }

    /// The row, if there is one.
    pub fn get(&self, key: &[u8]) -> Option<&R> {
        self.cache.get(key)
    }

    /// The row for changing it; counts as changed.
    pub fn change(&mut self, key: &[u8]) -> Option<&mut R> {
        if self.cache.get(key).is_some() {
            self.cache.mark(key);
        }
        self.cache.get_mut(key)
    }

    /// The row, put there if it is absent; counts as changed.
    pub fn change_or_insert(&mut self, key: &[u8], absent: impl FnOnce() -> R) -> &mut R {
        self.cache.mark(key);
        self.cache.rows.get_or_default(key.to_vec()).get_or_insert_with(|| Box::new(absent()))
    }

    /// The row, put there as `R::default()` if it is absent; counts as changed.
    pub fn change_or_default(&mut self, key: &[u8]) -> &mut R
    where
        R: Default,
    {
        self.cache.mark(key);
        self.get_or_default(key)
    }

    /// The row; a default one in memory only if it is absent.
    pub fn get_or_default(&mut self, key: &[u8]) -> &mut R
    where
        R: Default,
    {
        self.cache.rows.get_or_default(key.to_vec()).get_or_insert_default()
    }

    /// Inserts or replaces.
    pub fn put(&mut self, key: Vec<u8>, row: R) {
        self.damaged.remove(&key);
        self.cache.put(key, row);
    }

    /// Removes.
    pub fn delete(&mut self, key: &[u8]) {
        self.damaged.remove(key);
        self.cache.mark(key);
        self.cache.rows.remove(key);
    }

    /// Every row, in key order.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &R)> {
        self.cache.iter()
    }

    /// Something changed since the last call of [`take_dirty`](Self::take_dirty).
    pub(super) fn is_dirty(&self) -> bool {
        self.cache.is_dirty()
    }

    /// The rows that changed, each once.
    pub(super) fn take_dirty(&mut self) -> Vec<DirtyRow> {
        self.cache.take_dirty()
    }

    /// The rows of the last [`take_dirty`](Self::take_dirty) are durable.
    pub(super) fn written(&mut self) {
        self.cache.written();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::word::Word;

    #[test]
    fn a_row_that_is_not_there_is_absent() {
        let mut rows = Resident::<Word>::default();
        assert_eq!(rows.get(b"a"), None);
        assert!(rows.change(b"a").is_none() && !rows.is_dirty());
        rows.put(b"a".to_vec(), Word("ours".into()));
        rows.loaded(b"a".to_vec(), Some(Word("stale".into())));
        assert_eq!(rows.get(b"a"), Some(&Word("ours".into())));
    }

    #[test]
    fn a_row_that_is_deleted_leaves_nothing_behind() {
        let mut rows = Resident::<Word>::default();
        for number in 0..100_u8 {
            rows.put(vec![number], Word(String::new()));
            rows.take_dirty();
            rows.delete(&[number]);
            assert_eq!(rows.take_dirty(), [(vec![number], None)]);
        }
        assert!(rows.is_empty());
    }

    #[test]
    fn a_damaged_row_is_neither_there_nor_absent_until_another_takes_its_place() {
        let mut rows = Resident::<Word>::default();
        rows.mark_damaged(b"a");
        assert_eq!(rows.get(b"a"), None);
        assert!(!rows.is_absent(b"a") && rows.is_absent(b"b"));
        assert!(rows.damaged().eq([b"a"]));
        rows.put(b"a".to_vec(), Word("rebuilt".into()));
        assert!(!rows.is_absent(b"a") && rows.damaged().next().is_none());
        rows.delete(b"a");
        assert!(rows.is_absent(b"a"));
    }
}
