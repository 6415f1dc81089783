//! Rows of one table in memory: what was read, what changed since the last commit, what must be read first.
//!
//! A look-up of a row that is not in memory records the key and returns [`NotLoaded`]; the engine reads the row and
//! retries the task. What this module does not know: sealing and transactions.

use super::changes::Table;
use crate::sorted_map::SortedMap;
use crate::sorted_set::SortedSet;
use zeroize::Zeroizing;

/// A kind of row.
pub trait Row: Sized {
    /// Where rows of this kind are kept.
    const TABLE: Table;
    /// As bytes, before sealing.
    fn to_bytes(&self) -> Zeroizing<Vec<u8>>;
    /// From opened bytes.
    ///
    /// # Errors
    /// [`RowError`] for bytes that no build of ours wrote.
    fn from_bytes(bytes: &[u8]) -> Result<Self, RowError>;
}

/// A row that opened but does not decode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a row of table {} does not decode: {expected}", table.name())]
pub struct RowError {
    /// The table.
    pub table: Table,
    /// What was expected.
    pub expected: &'static str,
}

/// The row is not in memory; its key was recorded. Retry when the row is loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotLoaded;

/// An encoded row.
type RowBytes = Zeroizing<Vec<u8>>;

/// A changed row as key and bytes; `None` for a removed one.
pub type DirtyRow = (Vec<u8>, Option<RowBytes>);

/// The rows of one table that are in memory.
#[derive(Debug)]
pub struct RowCache<R> {
    /// Boxed, so that the map's code is the same for every kind of row and the linker keeps it once.
    rows: SortedMap<Vec<u8>, Option<Box<R>>>,
    complete: bool,
    dirty: SortedSet<Vec<u8>>,
    /// In the transaction in progress: until it is durable, the store still returns the previous version.
    writing: SortedSet<Vec<u8>>,
    wanted: SortedSet<Vec<u8>>,
    /// Keys of rows that are in the store and do not open.
    damaged: SortedSet<Vec<u8>>,
    /// Bytes of the rows that were read or written since the last eviction.
    bytes: usize,
}

impl<R: Row> Default for RowCache<R> {
    fn default() -> Self {
        Self {
            rows: SortedMap::default(),
            complete: false,
            dirty: SortedSet::default(),
            writing: SortedSet::default(),
            wanted: SortedSet::default(),
            damaged: SortedSet::default(),
            bytes: 0,
        }
    }
}

impl<R: Row> RowCache<R> {
    /// Marks the whole table as loaded: no look-up returns [`NotLoaded`].
    pub fn set_complete(&mut self) {
        self.complete = true;
    }

    /// The store has a row under this key that does not open. It is not in memory, but not absent either.
    pub fn mark_damaged(&mut self, key: &[u8]) {
        self.damaged.insert(key.to_vec());
    }

    /// Keys of the rows that do not open, in order.
    pub fn damaged(&self) -> impl Iterator<Item = &[u8]> {
        self.damaged.iter().map(Vec::as_slice)
    }

    /// Whether the key is free: the store has no row under it, not even one that does not open. For complete caches.
    pub fn is_absent(&self, key: &[u8]) -> bool {
        self.peek(key).is_none() && !self.damaged.contains(key)
    }

    /// Number of keys that are known.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether no key is known.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// A row of this many bytes was read.
    pub fn count_bytes(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_add(bytes);
    }

    /// Inserts a row that was read, unless a version at least as new is in memory.
    pub fn loaded(&mut self, key: Vec<u8>, row: Option<R>) {
        self.wanted.remove(&key);
        if !self.rows.contains_key(&key) {
            self.rows.insert(key, row.map(Box::new));
        }
    }

    /// The row, if there is one.
    ///
    /// # Errors
    /// [`NotLoaded`] when it is not in memory.
    pub fn get(&mut self, key: &[u8]) -> Result<Option<&R>, NotLoaded> {
        self.require(key)?;
        Ok(self.rows.get(key).and_then(Option::as_deref))
    }

    /// The row, if it is in memory.
    pub fn peek(&self, key: &[u8]) -> Option<&R> {
        self.rows.get(key).and_then(Option::as_deref)
    }

    /// The row for changing it; counts as changed.
    ///
    /// # Errors
    /// [`NotLoaded`] when it is not in memory.
    pub fn change(&mut self, key: &[u8]) -> Result<Option<&mut R>, NotLoaded> {
        self.require(key)?;
        let row = self.rows.get_mut(key).and_then(Option::as_deref_mut);
        if row.is_some() {
            self.dirty.insert(key.to_vec());
        }
        Ok(row)
    }

    /// The row, put there as `R::default()` if it is absent; counts as changed. For complete caches.
    pub fn change_or_default(&mut self, key: &[u8]) -> &mut R
    where
        R: Default,
    {
        self.dirty.insert(key.to_vec());
        self.rows.get_or_default(key.to_vec()).get_or_insert_default()
    }

    /// The row, put there if it is absent; counts as changed. For complete caches.
    pub fn change_or_insert(&mut self, key: &[u8], absent: impl FnOnce() -> R) -> &mut R {
        self.dirty.insert(key.to_vec());
        self.rows.get_or_default(key.to_vec()).get_or_insert_with(|| Box::new(absent()))
    }

    /// The row; a default one in memory only if it is absent. For complete caches.
    pub fn get_or_default(&mut self, key: &[u8]) -> &R
    where
        R: Default,
    {
        self.rows.get_or_default(key.to_vec()).get_or_insert_default()
    }

    /// The row for a change that is made known by [`mark`](Self::mark) only if it succeeds.
    ///
    /// # Errors
    /// [`NotLoaded`] when it is not in memory.
    pub fn try_change(&mut self, key: &[u8]) -> Result<Option<&mut R>, NotLoaded> {
        self.require(key)?;
        Ok(self.rows.get_mut(key).and_then(Option::as_deref_mut))
    }

    /// The row was changed.
    pub fn mark(&mut self, key: &[u8]) {
        self.dirty.insert(key.to_vec());
    }

    /// Records the key as wanted if its row is not in memory.
    pub fn want(&mut self, key: &[u8]) {
        let _noted = self.require(key);
    }

    fn require(&mut self, key: &[u8]) -> Result<(), NotLoaded> {
        if self.complete || self.rows.contains_key(key) {
            return Ok(());
        }
        self.wanted.insert(key.to_vec());
        Err(NotLoaded)
    }

    /// Inserts or replaces.
    pub fn put(&mut self, key: Vec<u8>, row: R) {
        self.dirty.insert(key.clone());
        self.damaged.remove(&key);
        self.rows.insert(key, Some(Box::new(row)));
    }

    /// Removes.
    pub fn delete(&mut self, key: &[u8]) {
        self.dirty.insert(key.to_vec());
        self.damaged.remove(key);
        self.rows.insert(key.to_vec(), None);
    }

    /// Every row in memory, in key order.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &R)> {
        self.rows.iter().filter_map(|(key, row)| row.as_deref().map(|row| (key.as_slice(), row)))
    }

    /// Something changed since the last call of [`take_dirty`](Self::take_dirty).
    pub fn is_dirty(&self) -> bool {
        !self.dirty.is_empty()
    }

    /// The rows that changed, each once. They count as being written until [`written`](Self::written).
    pub fn take_dirty(&mut self) -> Vec<DirtyRow> {
        self.writing = std::mem::take(&mut self.dirty);
        let rows = dirty_rows(&self.writing, &|key| self.peek(key).map(Row::to_bytes));
        self.count_bytes(rows.iter().filter_map(|(_, row)| row.as_ref()).map(|row| row.len()).sum());
        rows
    }

    /// The rows of the last [`take_dirty`](Self::take_dirty) are durable.
    pub fn written(&mut self) {
        self.writing.clear();
    }

    /// Keys that look-ups missed since the last call.
    pub fn take_wanted(&mut self) -> SortedSet<Vec<u8>> {
        std::mem::take(&mut self.wanted)
    }

    /// Evicts, when there are more than `keep` or they have more than `bytes`, the rows that are neither changed nor being written. Does nothing to
    /// complete caches. Call it only while no read is in progress: a row that was read before it was written must not
    /// come back after its eviction.
    pub fn trim(&mut self, keep: usize, bytes: usize) {
        if !self.complete && (self.rows.len() > keep || self.bytes > bytes) {
            let Self { rows, dirty, writing, .. } = self;
            rows.retain(|key, _| dirty.contains(key) || writing.contains(key));
            self.bytes = 0;
        }
    }
}

/// One function for every kind of row.
fn dirty_rows(keys: &SortedSet<Vec<u8>>, bytes: &dyn Fn(&[u8]) -> Option<RowBytes>) -> Vec<DirtyRow> {
    keys.iter().map(|key| (key.clone(), bytes(key))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq)]
    struct Word(String);
    impl Row for Word {
        const TABLE: Table = Table::Chat;
        fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
            Zeroizing::new(self.0.clone().into_bytes())
        }
        fn from_bytes(bytes: &[u8]) -> Result<Self, RowError> {
            let error = RowError { table: Self::TABLE, expected: "UTF-8" };
            Ok(Self(String::from_utf8(bytes.to_vec()).map_err(|_| error)?))
        }
    }

    #[test]
    fn a_miss_is_recorded_once_and_ends_when_the_row_is_loaded() {
        let mut cache = RowCache::<Word>::default();
        assert_eq!(cache.get(b"a"), Err(NotLoaded));
        assert_eq!(cache.get(b"a"), Err(NotLoaded));
        assert_eq!(cache.take_wanted().len(), 1);
        cache.loaded(b"a".to_vec(), None);
        assert_eq!(cache.get(b"a"), Ok(None));
    }

    #[test]
    fn a_loaded_row_never_replaces_a_newer_one() {
        let mut cache = RowCache::<Word>::default();
        cache.put(b"a".to_vec(), Word("ours".into()));
        cache.loaded(b"a".to_vec(), Some(Word("stale".into())));
        assert_eq!(cache.get(b"a"), Ok(Some(&Word("ours".into()))));
    }

    #[test]
    fn many_changes_of_one_row_are_one_write() {
        let mut cache = RowCache::<Word>::default();
        cache.put(b"a".to_vec(), Word("1".into()));
        cache.change(b"a").unwrap().unwrap().0 = "2".into();
        let dirty = cache.take_dirty();
        assert_eq!(dirty.len(), 1);
        assert_eq!(dirty[0].1.as_ref().unwrap().as_slice(), b"2");
        assert!(!cache.is_dirty());
    }

    #[test]
    fn trimming_keeps_what_is_not_written_yet() {
        let mut cache = RowCache::<Word>::default();
        cache.loaded(b"a".to_vec(), Some(Word("clean".into())));
        cache.put(b"b".to_vec(), Word("dirty".into()));
        cache.trim(1, usize::MAX);
        assert_eq!(cache.get(b"a"), Err(NotLoaded));
        assert_eq!(cache.get(b"b"), Ok(Some(&Word("dirty".into()))));
    }

    #[test]
    fn trimming_keeps_what_is_being_written_until_it_is_durable() {
        let mut cache = RowCache::<Word>::default();
        cache.put(b"a".to_vec(), Word("in progress".into()));
        cache.delete(b"gone");
        cache.take_dirty();
        cache.put(b"b".to_vec(), Word("next".into()));
        cache.trim(0, usize::MAX);
        assert_eq!(cache.get(b"a"), Ok(Some(&Word("in progress".into()))));
        assert_eq!(cache.get(b"gone"), Ok(None), "the store would still find it");
        cache.written();
        cache.trim(0, usize::MAX);
        assert_eq!(cache.get(b"a"), Err(NotLoaded));
        assert_eq!(cache.get(b"gone"), Err(NotLoaded));
        assert_eq!(cache.get(b"b"), Ok(Some(&Word("next".into()))));
    }

    #[test]
    fn a_row_that_changes_while_it_is_written_stays_until_that_change_is_durable() {
        let mut cache = RowCache::<Word>::default();
        cache.put(b"a".to_vec(), Word("1".into()));
        cache.take_dirty();
        cache.change(b"a").unwrap().unwrap().0 = "2".into();
        cache.written();
        cache.trim(0, usize::MAX);
        assert_eq!(cache.get(b"a"), Ok(Some(&Word("2".into()))));
    }

    #[test]
    fn few_large_rows_are_evicted_like_many() {
        let mut cache = RowCache::<Word>::default();
        cache.loaded(b"a".to_vec(), Some(Word("clean".into())));
        cache.count_bytes(1_000);
        cache.trim(512, 1_000);
        assert_eq!(cache.get(b"a"), Ok(Some(&Word("clean".into()))));
        cache.put(b"b".to_vec(), Word("written".into()));
        cache.take_dirty();
        cache.written();
        cache.trim(512, 1_000);
        assert_eq!(cache.get(b"a"), Err(NotLoaded));
        assert_eq!(cache.get(b"b"), Err(NotLoaded));
    }

    #[test]
    fn a_damaged_row_is_neither_there_nor_absent_until_another_takes_its_place() {
        let mut cache = RowCache::<Word>::default();
        cache.set_complete();
        cache.mark_damaged(b"a");
        assert_eq!(cache.get(b"a"), Ok(None));
        assert!(!cache.is_absent(b"a") && cache.is_absent(b"b"));
        assert!(cache.damaged().eq([b"a"]));
        cache.put(b"a".to_vec(), Word("rebuilt".into()));
        assert!(!cache.is_absent(b"a") && cache.damaged().next().is_none());
        cache.delete(b"a");
        assert!(cache.is_absent(b"a"));
    }
}
