//! How many requests one push service gets at replay_guard: one that hangs must leave room for the others.
//!
//! What this module does not know: what is sent, and what becomes of who gets no turn.

use super::subscription::address;
use std::{collections::HashMap, sync::Arc};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The services that have requests under way, by scheme, host and port.
#[derive(Debug)]
pub(super) struct PerServiceLimiter {
    each: usize,
    services: HashMap<String, Arc<Semaphore>>,
}

impl PerServiceLimiter {
    /// At most `each` at once for each service.
    pub(super) fn new(each: usize) -> Self {
        Self { each, services: HashMap::new() }
    }

    /// A turn at the service of this endpoint, until it is dropped; `None` if the service has enough to do.
    pub(super) fn acquire(&mut self, endpoint: &str) -> Option<OwnedSemaphorePermit> {
        // Whoever subscribes names the service: those with nothing under way are forgotten.
        let each = self.each;
        self.services.retain(|_, limiter| limiter.available_permits() < each);
        let service = address(endpoint).map(|url| url.origin().ascii_serialization()).unwrap_or_default();
        let limiter = self.services.entry(service).or_insert_with(|| Arc::new(Semaphore::new(each)));
        limiter.clone().try_acquire_owned().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_service_has_its_own_and_gets_them_back() {
        let mut limiter = PerServiceLimiter::new(2);
        let first = limiter.acquire("https://a.example/1");
        let second = limiter.acquire("https://a.example/2");
        assert!(first.is_some() && second.is_some() && limiter.acquire("https://a.example/3").is_none());
        assert!(
            limiter.acquire("https://a.example:8443/3").is_some() && limiter.acquire("https://b.example/1").is_some()
        );
        drop(first);
        assert!(limiter.acquire("https://a.example/3").is_some());
        drop(second);
        assert!(limiter.acquire("https://c.example/1").is_some());
        assert_eq!(limiter.services.len(), 1, "idle ones are forgotten");
    }
}
