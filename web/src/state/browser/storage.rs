//! Settings that are remembered, and the quota of this origin.

use crate::state::scope::Answer;
use crate::state::storage_quota::StorageQuota;

/// Settings that are remembered, and the quota of this origin.
pub trait Storage {
    /// A small setting that was remembered, if it can be read.
    fn recall(&self, key: &str) -> Option<String>;
    /// Remembers a small setting, as far as the browser allows; nothing depends on it.
    fn remember(&self, key: &str, value: &str);
    /// Estimates storage quota and usage.
    fn estimate_storage(&self, answer: Answer<StorageQuota>);
    /// Asks the browser not to evict our data; the answer is whether it promised. It may prompt the person, so call
    /// this right after a click on something that explains it.
    fn request_persistence(&self, answer: Answer<bool>);
    /// The browser evicts the data of sites that were not visited for a week.
    fn evicts_after_a_week(&self) -> bool;
}
