//! The store of the simulator: the store in memory, behind a disk that takes its time.
//!
//! What was asked first takes effect first, as IndexedDB has it: a read that was asked for while a transaction is under way
//! sees what that left. When the engine hears of it is another matter.

use crate::agenda::Life;
use crate::mirror::Mirror;
use causeway::io::{LoadId, TransactionId};
use causeway::store::changes::{Changes, Query};
use causeway::store::memory::{MemoryPlace, MemoryStore};
use causeway_proto::secret::Secret;

/// A transaction that is not durable yet.
pub(crate) struct Writing {
    pub(crate) life: Life,
    pub(crate) id: TransactionId,
    pub(crate) changes: Changes,
}

/// The disk.
pub(crate) struct Disk {
    place: MemoryPlace,
    pub(crate) store: MemoryStore,
    pub(crate) mirror: Mirror,
    pub(crate) writing: Option<Writing>,
    /// Reads that wait for it.
    pub(crate) waiting: Vec<(LoadId, Vec<Query>)>,
}

/// Seals every row.
pub(crate) fn data_key() -> Secret<32> {
    Secret::new([7; 32])
}

impl Disk {
    pub(crate) fn new() -> Self {
        let place = MemoryPlace::default();
        Self { store: place.open_now(), place, mirror: Mirror::new(&data_key()), writing: None, waiting: Vec::new() }
    }

    /// A new engine opens the store: whoever had it open before is superseded.
    pub(crate) fn open(&mut self) {
        self.store = self.place.open_now();
        self.writing = None;
        self.waiting.clear();
    }

    /// Makes changes durable.
    ///
    /// # Errors
    /// What is not as it must be.
    pub(crate) fn keep(&mut self, changes: &Changes) -> Result<(), String> {
        self.store.commit_now(changes).map_err(|error| error.to_string())?;
        self.mirror.apply(changes)
    }
}
