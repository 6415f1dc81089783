//! Rows of a table that is read on demand. A look-up of a row that is not in memory records the key and returns
//! [`NotLoaded`]; the engine reads the row and retries the task.
//!
//! A look-up needs the table only for reading, a change needs a [`Found`] that a look-up has given: what has begun to
//! change rows misses none.
//!
//! What this module does not know: sealing and transactions.

use super::row::Row;
use super::row_cache::{DirtyRow, RowCache};
use crate::sorted_set::SortedSet;
use core::cell::RefCell;
use core::marker::PhantomData;

/// The row is not in memory; its key was recorded. Retry when the row is loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotLoaded;

/// The key of a row that is in memory, or known to be absent. It holds until the task that looked it up has ended: rows are
/// evicted between tasks.
#[derive(Debug)]
pub struct Found<R> {
    key: Vec<u8>,
    row: PhantomData<fn() -> R>,
}

/// The rows of one table that are in memory.
#[derive(Debug)]
pub struct Paged<R> {
    cache: RowCache<R>,
    /// Keys that look-ups missed. A look-up changes nothing else.
    wanted: RefCell<SortedSet<Vec<u8>>>,
    /// Bytes of the rows that were read or written since the last eviction.
    bytes: usize,
}

impl<R> Default for Paged<R> {
    fn default() -> Self {
        Self { cache: RowCache::default(), wanted: RefCell::default(), bytes: 0 }
    }
}

impl<R: Row> Paged<R> {
    /// Inserts a row of this many bytes that was read, unless a version at least as new is in memory.
    pub(crate) fn loaded(&mut self, key: Vec<u8>, row: Option<R>, bytes: usize) {
        self.bytes = self.bytes.saturating_add(bytes);
        self.wanted.get_mut().remove(&key);
        self.cache.loaded(key, row);
    }

    /// The row, if there is one.
    ///
    /// # Errors
    /// [`NotLoaded`] when it is not in memory.
    pub fn get(&self, key: &[u8]) -> Result<Option<&R>, NotLoaded> {
        self.require(key)?;
        Ok(self.cache.get(key))
    }

    /// The row's key, for changing it later.
    ///
    /// # Errors
    /// [`NotLoaded`] when it is not in memory.
    pub fn find(&self, key: Vec<u8>) -> Result<Found<R>, NotLoaded> {
        self.require(&key)?;
        Ok(Found { key, row: PhantomData })
    }

    /// The row that was found, if there is one.
    pub fn row(&self, found: &Found<R>) -> Option<&R> {
        self.cache.get(&found.key)
    }

    /// The row, if it is in memory.
    pub fn peek(&self, key: &[u8]) -> Option<&R> {
        self.cache.get(key)
    }

    /// Whether the row was deleted, or is known to be absent: what a read says of it is of before.
    pub fn is_absent(&self, key: &[u8]) -> bool {
        self.cache.rows.contains_key(key) && self.cache.get(key).is_none()
    }

    /// The row that was found, for changing it; counts as changed.
    pub fn change(&mut self, found: &Found<R>) -> Option<&mut R> {
        if self.cache.get(&found.key).is_some() {
            self.cache.mark(&found.key);
        }
        self.cache.get_mut(&found.key)
    }

    /// The row that was found, for a change that is made known by [`mark`](Self::mark) only if it succeeds.
    pub fn try_change(&mut self, found: &Found<R>) -> Option<&mut R> {
        self.cache.get_mut(&found.key)
    }

    /// The row that was found was changed.
    pub fn mark(&mut self, found: &Found<R>) {
        self.cache.mark(&found.key);
    }

    /// Inserts or replaces the row that was found, or found to be absent.
    pub fn set(&mut self, found: &Found<R>, row: R) {
        self.cache.put(found.key.clone(), row);
    }

    /// Removes the row that was found, and returns it.
    pub fn take(&mut self, found: &Found<R>) -> Option<R> {
        let row = self.cache.rows.get_mut(&found.key)?.take()?;
        self.cache.mark(&found.key);
        Some(*row)
    }

    /// Records the key as wanted if its row is not in memory.
    pub fn want(&self, key: &[u8]) {
        let _noted = self.require(key);
    }

    fn require(&self, key: &[u8]) -> Result<(), NotLoaded> {
        if self.cache.rows.contains_key(key) {
            return Ok(());
        }
        self.wanted.borrow_mut().insert(key.to_vec());
        Err(NotLoaded)
    }

    /// Inserts or replaces.
    pub fn put(&mut self, key: Vec<u8>, row: R) {
        self.cache.put(key, row);
    }

    /// Removes. The key stays known as one without a row, because the store still has the row until the next commit.
    pub fn delete(&mut self, key: &[u8]) {
        self.cache.mark(key);
        self.cache.rows.insert(key.to_vec(), None);
    }

    /// Something changed since the last call of [`take_dirty`](Self::take_dirty).
    pub(super) fn is_dirty(&self) -> bool {
        self.cache.is_dirty()
    }

    /// The rows that changed, each once. They count as being written until [`written`](Self::written).
    pub(super) fn take_dirty(&mut self) -> Vec<DirtyRow> {
        let rows = self.cache.take_dirty();
        let bytes: usize = rows.iter().filter_map(|(_, row)| row.as_ref()).map(|row| row.len()).sum();
        self.bytes = self.bytes.saturating_add(bytes);
        rows
    }

    /// The rows of the last [`take_dirty`](Self::take_dirty) are durable.
    pub(super) fn written(&mut self) {
        self.cache.written();
    }

    /// Keys that look-ups missed since the last call.
    pub(super) fn take_wanted(&mut self) -> SortedSet<Vec<u8>> {
        self.wanted.take()
    }

    /// Evicts, when there are more than `keep` or they have more than `bytes`, the rows that are neither changed nor being
    /// written. Call it only while no read is in progress: a row that was read before it was written must not come back
    /// after its eviction.
    pub(super) fn trim(&mut self, keep: usize, bytes: usize) {
        if self.cache.rows.len() > keep || self.bytes > bytes {
            self.cache.keep_unwritten();
            self.bytes = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::word::Word;

    #[test]
    fn a_miss_is_recorded_once_and_ends_when_the_row_is_loaded() {
        let mut rows = Paged::<Word>::default();
        assert_eq!(rows.get(b"a"), Err(NotLoaded));
        assert!(rows.find(b"a".to_vec()).is_err());
        assert_eq!(rows.take_wanted().len(), 1);
        rows.loaded(b"a".to_vec(), None, 0);
        assert_eq!(rows.get(b"a"), Ok(None));
    }

    #[test]
    fn what_was_found_is_changed_without_a_miss() {
        let mut rows = Paged::<Word>::default();
        rows.loaded(b"a".to_vec(), Some(Word("1".into())), 1);
        rows.loaded(b"absent".to_vec(), None, 0);
        let (found, absent) = (rows.find(b"a".to_vec()).unwrap(), rows.find(b"absent".to_vec()).unwrap());
        assert!(rows.change(&absent).is_none() && rows.take(&absent).is_none() && !rows.is_dirty());
        rows.try_change(&found).unwrap().0 = "2".into();
        assert!(!rows.is_dirty());
        rows.mark(&found);
        assert!(rows.is_dirty());
        assert_eq!(rows.take(&found), Some(Word("2".into())));
        assert_eq!(rows.row(&found), None);
        rows.set(&absent, Word("3".into()));
        let dirty: Vec<_> =
            rows.take_dirty().into_iter().map(|(key, row)| (key, row.map(|row| row.to_vec()))).collect();
        assert_eq!(dirty, [(b"a".to_vec(), None), (b"absent".to_vec(), Some(b"3".to_vec()))]);
    }

    #[test]
    fn a_loaded_row_never_replaces_a_newer_one() {
        let mut rows = Paged::<Word>::default();
        rows.put(b"a".to_vec(), Word("ours".into()));
        rows.loaded(b"a".to_vec(), Some(Word("stale".into())), 5);
        assert_eq!(rows.get(b"a"), Ok(Some(&Word("ours".into()))));
    }

    #[test]
    fn many_changes_of_one_row_are_one_write() {
        let mut rows = Paged::<Word>::default();
        rows.put(b"a".to_vec(), Word("1".into()));
        let found = rows.find(b"a".to_vec()).unwrap();
        rows.change(&found).unwrap().0 = "2".into();
        let dirty = rows.take_dirty();
        assert_eq!(dirty.len(), 1);
        assert_eq!(dirty[0].1.as_ref().unwrap().as_slice(), b"2");
        assert!(!rows.is_dirty());
    }

    #[test]
    fn trimming_keeps_what_is_not_written_yet() {
        let mut rows = Paged::<Word>::default();
        rows.loaded(b"a".to_vec(), Some(Word("clean".into())), 5);
        rows.put(b"b".to_vec(), Word("dirty".into()));
        rows.trim(1, usize::MAX);
        assert_eq!(rows.get(b"a"), Err(NotLoaded));
        assert_eq!(rows.get(b"b"), Ok(Some(&Word("dirty".into()))));
    }

    #[test]
    fn trimming_keeps_what_is_being_written_until_it_is_durable() {
        let mut rows = Paged::<Word>::default();
        rows.put(b"a".to_vec(), Word("in progress".into()));
        rows.delete(b"gone");
        rows.take_dirty();
        rows.put(b"b".to_vec(), Word("next".into()));
        rows.trim(0, usize::MAX);
        assert_eq!(rows.get(b"a"), Ok(Some(&Word("in progress".into()))));
        assert_eq!(rows.get(b"gone"), Ok(None), "the store would still find it");
        rows.written();
        rows.trim(0, usize::MAX);
        assert_eq!(rows.get(b"a"), Err(NotLoaded));
        assert_eq!(rows.get(b"gone"), Err(NotLoaded));
        assert_eq!(rows.get(b"b"), Ok(Some(&Word("next".into()))));
    }

    #[test]
    fn a_row_that_changes_while_it_is_written_stays_until_that_change_is_durable() {
        let mut rows = Paged::<Word>::default();
        rows.put(b"a".to_vec(), Word("1".into()));
        rows.take_dirty();
        let found = rows.find(b"a".to_vec()).unwrap();
        rows.change(&found).unwrap().0 = "2".into();
        rows.written();
        rows.trim(0, usize::MAX);
        assert_eq!(rows.get(b"a"), Ok(Some(&Word("2".into()))));
    }

    #[test]
    fn few_large_rows_are_evicted_like_many() {
        let mut rows = Paged::<Word>::default();
        rows.loaded(b"a".to_vec(), Some(Word("clean".into())), 1_000);
        rows.trim(512, 1_000);
        assert_eq!(rows.get(b"a"), Ok(Some(&Word("clean".into()))));
        rows.put(b"b".to_vec(), Word("written".into()));
        rows.take_dirty();
        rows.written();
        rows.trim(512, 1_000);
        assert_eq!(rows.get(b"a"), Err(NotLoaded));
        assert_eq!(rows.get(b"b"), Err(NotLoaded));
    }
}
