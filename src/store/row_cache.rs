//! Rows of one table in memory, and which of them changed since the last commit. What a look-up finds is for
//! [`Resident`](super::resident::Resident) and [`Paged`](super::paged::Paged) to say.
//!
//! What this module does not know: whether all rows of the table are in memory, sealing, and transactions.

use super::row::Row;
use crate::sorted_map::SortedMap;
use crate::sorted_set::SortedSet;
use zeroize::Zeroizing;

/// An encoded row.
type RowBytes = Zeroizing<Vec<u8>>;

/// A changed row as key and bytes; `None` for a removed one.
pub(super) type DirtyRow = (Vec<u8>, Option<RowBytes>);

/// The rows of one table that are in memory.
#[derive(Debug)]
pub(super) struct RowCache<R> {
    /// `None` for a key without a row. Boxed, so that the map's code is the same for every kind of row and the linker keeps
    /// it once.
    pub(super) rows: SortedMap<Vec<u8>, Option<Box<R>>>,
    dirty: SortedSet<Vec<u8>>,
    /// In the transaction in progress: until it is durable, the store still returns the previous version.
    writing: SortedSet<Vec<u8>>,
}

impl<R> Default for RowCache<R> {
    fn default() -> Self {
        Self { rows: SortedMap::default(), dirty: SortedSet::default(), writing: SortedSet::default() }
    }
}

impl<R: Row> RowCache<R> {
    /// Inserts what was read, unless a version at least as new is in memory.
    pub(super) fn loaded(&mut self, key: Vec<u8>, row: Option<R>) {
        if !self.rows.contains_key(&key) {
            self.rows.insert(key, row.map(Box::new));
        }
    }

    /// The row, if it is in memory.
    pub(super) fn get(&self, key: &[u8]) -> Option<&R> {
        self.rows.get(key).and_then(Option::as_deref)
    }

    /// The row, if it is in memory. A change counts once it is [marked](Self::mark).
    pub(super) fn get_mut(&mut self, key: &[u8]) -> Option<&mut R> {
        self.rows.get_mut(key).and_then(Option::as_deref_mut)
    }

    /// The row was changed.
    pub(super) fn mark(&mut self, key: &[u8]) {
        self.dirty.insert(key.to_vec());
    }

    /// Inserts or replaces.
    pub(super) fn put(&mut self, key: Vec<u8>, row: R) {
        self.dirty.insert(key.clone());
        self.rows.insert(key, Some(Box::new(row)));
    }

    /// Every row in memory, in key order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&[u8], &R)> {
        self.rows.iter().filter_map(|(key, row)| row.as_deref().map(|row| (key.as_slice(), row)))
    }

    /// Something changed since the last call of [`take_dirty`](Self::take_dirty).
    pub(super) fn is_dirty(&self) -> bool {
        !self.dirty.is_empty()
    }

    /// The rows that changed, each once. They count as being written until [`written`](Self::written).
    pub(super) fn take_dirty(&mut self) -> Vec<DirtyRow> {
        self.writing = std::mem::take(&mut self.dirty);
        dirty_rows(&self.writing, &|key| self.get(key).map(Row::to_bytes))
    }

    /// The rows of the last [`take_dirty`](Self::take_dirty) are durable.
    pub(super) fn written(&mut self) {
        self.writing.clear();
    }

    /// Keeps only the rows that are changed or being written.
    pub(super) fn keep_unwritten(&mut self) {
        let Self { rows, dirty, writing } = self;
        rows.retain(|key, _| dirty.contains(key) || writing.contains(key));
    }
}

/// One function for every kind of row.
fn dirty_rows(keys: &SortedSet<Vec<u8>>, bytes: &dyn Fn(&[u8]) -> Option<RowBytes>) -> Vec<DirtyRow> {
    keys.iter().map(|key| (key.clone(), bytes(key))).collect()
}
