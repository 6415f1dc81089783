//! Bounds the concurrent requests to one push service, so that a service that hangs leaves capacity for the others.
//!
//! What this module does not know: what is sent, and what happens to requests over the limit.

use super::endpoint::Endpoint;
use std::{collections::HashMap, sync::Arc};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Push services with pending requests, by scheme, host and port.
#[derive(Debug)]
pub(super) struct PerServiceLimiter {
    each: usize,
    services: HashMap<Option<String>, Arc<Semaphore>>,
}

impl PerServiceLimiter {
    /// Allows `each` concurrent requests for each service.
    pub(super) fn new(each: usize) -> Self {
        Self { each, services: HashMap::new() }
    }

    /// A permit for the service of this endpoint, held until it is dropped; `None` if the service has reached its
    /// limit.
    pub(super) fn acquire(&mut self, endpoint: &Endpoint) -> Option<OwnedSemaphorePermit> {
        // Subscribers choose the services: entries without pending requests are removed to bound the map.
        let each = self.each;
        self.services.retain(|_, limiter| limiter.available_permits() < each);
        let limiter = self.services.entry(endpoint.origin()).or_insert_with(|| Arc::new(Semaphore::new(each)));
        limiter.clone().try_acquire_owned().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(url: &str) -> Endpoint {
        Endpoint::parse(url).unwrap()
    }

    #[test]
    fn each_service_has_its_own_limit_and_permits_are_returned() {
        let mut limiter = PerServiceLimiter::new(2);
        let first = limiter.acquire(&endpoint("https://a.example/1"));
        let second = limiter.acquire(&endpoint("https://a.example/2"));
        assert!(first.is_some() && second.is_some() && limiter.acquire(&endpoint("https://a.example/3")).is_none());
        assert!(
            limiter.acquire(&endpoint("https://a.example:8443/3")).is_some()
                && limiter.acquire(&endpoint("https://b.example/1")).is_some()
        );
        drop(first);
        assert!(limiter.acquire(&endpoint("https://a.example/3")).is_some());
        drop(second);
        assert!(limiter.acquire(&endpoint("https://c.example/1")).is_some());
        assert_eq!(limiter.services.len(), 1, "entries of idle services are removed");
    }
}
