//! The store in memory behind simulated latency.
//!
//! Operations take effect in the order of their requests, as in IndexedDB: a read requested during a transaction sees
//! its result. The engine is told later.

use crate::event_queue::Instance;
use crate::mirror::Mirror;
use causeway::io::{LoadId, TransactionId};
use causeway::store::changes::{Changes, Query};
use causeway::store::memory::{MemoryPlace, MemoryStore};
use causeway_proto::secret::Secret;

/// A transaction that is not durable yet.
pub(crate) struct Writing {
    pub(crate) instance: Instance,
    pub(crate) id: TransactionId,
    pub(crate) changes: Changes,
}

/// The store, and the transaction and reads under way.
pub(crate) struct Disk {
    place: MemoryPlace,
    pub(crate) store: MemoryStore,
    pub(crate) mirror: Mirror,
    pub(crate) writing: Option<Writing>,
    /// Reads that were requested during the transaction.
    pub(crate) waiting: Vec<(LoadId, Vec<Query>)>,
}

/// The key that seals every row.
pub(crate) fn data_key() -> Secret<32> {
    Secret::new([7; 32])
}

impl Disk {
    pub(crate) fn new() -> Self {
        let place = MemoryPlace::default();
        Self { store: place.open_now(), place, mirror: Mirror::new(&data_key()), writing: None, waiting: Vec::new() }
    }

    /// Opens the store for a new engine; the one that had it open is superseded.
    pub(crate) fn open(&mut self) {
        self.store = self.place.open_now();
        self.writing = None;
        self.waiting.clear();
    }

    /// Makes changes durable.
    ///
    /// # Errors
    /// A violated invariant of the stored rows.
    pub(crate) fn keep(&mut self, changes: &Changes) -> Result<(), String> {
        self.store.commit_now(changes).map_err(|error| error.to_string())?;
        self.mirror.apply(changes)
    }
}
