//! A store in memory, for tests: the reference implementation of the store contract.
//!
//! What this module does not know: durability. It lives as long as its [`MemoryPlace`].

use super::changes::{Change, Changes, Query, Rows, Table};
use super::contract::{Place, Store};
use super::failure::StoreFailure;
use causeway_proto::width;
use core::ops::Bound;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

type RowsByKey = BTreeMap<Vec<u8>, Vec<u8>>;

/// Where stores can be opened: what a browser's disk is to IndexedDB. Clones are the same place.
#[derive(Clone, Default)]
pub struct MemoryPlace(Arc<Mutex<Kept>>);

#[derive(Default)]
struct Kept {
    generation: u64,
    tables: BTreeMap<Table, RowsByKey>,
}

/// The store of one generation.
pub struct MemoryStore {
    place: MemoryPlace,
    generation: u64,
}

impl MemoryPlace {
    /// Opens the store and raises its generation: stores opened before are superseded.
    pub fn open_now(&self) -> MemoryStore {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.generation += 1;
        MemoryStore { place: self.clone(), generation: kept.generation }
    }
}

impl MemoryStore {
    /// Makes the changes, all or none, in their order.
    ///
    /// # Errors
    /// [`StoreFailure::Superseded`].
    pub fn commit_now(&self, changes: &[Change]) -> Result<(), StoreFailure> {
        self.with(|tables| {
            for change in changes {
                match change {
                    Change::Put(table, key, value) => {
                        tables.entry(*table).or_default().insert(key.clone(), value.clone());
                    }
                    Change::Delete(table, key) => {
                        tables.entry(*table).or_default().remove(key);
                    }
                    Change::Clear(table) => {
                        tables.remove(table);
                    }
                }
            }
        })
    }

    /// Reads rows.
    ///
    /// # Errors
    /// [`StoreFailure::Superseded`].
    pub fn load_now(&self, queries: &[Query]) -> Result<Rows, StoreFailure> {
        self.with(|tables| queries.iter().map(|query| read(tables, query)).collect())
    }

    fn with<T>(&self, work: impl FnOnce(&mut BTreeMap<Table, RowsByKey>) -> T) -> Result<T, StoreFailure> {
        let mut kept = self.place.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.generation != self.generation {
            return Err(StoreFailure::Superseded);
        }
        Ok(work(&mut kept.tables))
    }
}

fn read(tables: &BTreeMap<Table, RowsByKey>, query: &Query) -> Vec<(Vec<u8>, Vec<u8>)> {
    let row = |(key, value): (&Vec<u8>, &Vec<u8>)| (key.clone(), value.clone());
    match query {
        Query::Get(table, key) => {
            tables.get(table).and_then(|rows| rows.get_key_value(key)).map(row).into_iter().collect()
        }
        // A `BTreeMap` panics on a range that ends before it begins.
        Query::Range { from, to: Some(to), .. } if from >= to => Vec::new(),
        Query::Range { table, from, to, reverse, limit } => {
            let end = to.as_ref().map_or(Bound::Unbounded, |to| Bound::Excluded(to.clone()));
            let range =
                tables.get(table).into_iter().flat_map(|rows| rows.range((Bound::Included(from.clone()), end.clone())));
            let limit = width::to_usize(*limit);
            if *reverse { range.rev().take(limit).map(row).collect() } else { range.take(limit).map(row).collect() }
        }
    }
}

impl Place for MemoryPlace {
    type Store = MemoryStore;

    async fn open(&self) -> MemoryStore {
        self.open_now()
    }
}

impl Store for MemoryStore {
    async fn commit(&self, changes: Changes) -> Result<(), StoreFailure> {
        self.commit_now(&changes)
    }

    async fn load(&self, queries: Vec<Query>) -> Result<Rows, StoreFailure> {
        self.load_now(&queries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::contract;
    use core::future::Future;
    use core::pin::pin;
    use core::task::{Context, Poll, Waker};

    #[test]
    fn memory_keeps_the_contract() {
        // Nothing here ever waits, so one poll is all that it takes.
        let run = pin!(contract::whole(|_| MemoryPlace::default()));
        assert_eq!(run.poll(&mut Context::from_waker(Waker::noop())), Poll::Ready(()));
    }
}
