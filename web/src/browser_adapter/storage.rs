//! Settings that are remembered, and the quota of this origin.

use crate::state::scope::Answer;
use crate::state::storage_quota::StorageQuota;

use super::BrowserAdapter;
use crate::port::{self, storage, window};
use crate::state::browser::Storage;

impl Storage for BrowserAdapter {
    fn recall(&self, key: &str) -> Option<String> {
        window::recall(key)
    }

    fn remember(&self, key: &str, value: &str) {
        window::remember(key, value);
    }

    fn estimate_storage(&self, answer: Answer<StorageQuota>) {
        port::spawn(async move {
            let (estimate, persisted) = (storage::estimate().await, storage::persisted().await);
            answer.run(StorageQuota {
                used: estimate.map(|estimate| (estimate.used, estimate.quota)),
                messages: estimate.and_then(|estimate| estimate.database),
                persisted,
            });
        });
    }

    fn request_persistence(&self, answer: Answer<bool>) {
        // Called at once, not when the task first runs: browsers require a recent click.
        let asked = storage::persist();
        port::spawn(async move { answer.run(asked.await) });
    }

    fn evicts_after_a_week(&self) -> bool {
        storage::evicts_after_a_week()
    }
}
