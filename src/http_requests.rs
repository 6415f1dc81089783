//! HTTP requests of ours: sent, answered or timed out. Any module asks, and the answer comes back to it by its purpose.
//!
//! The driver has a time-out of its own, which is shorter: this one holds whatever the driver does.
//!
//! What this module does not know: what is asked, and what the answers mean.

use crate::enlist::ApiRequest;
use crate::id::Counted;
use crate::io::RequestId;
use crate::pending::Timed;
use crate::time::UnixMillis;

/// Response time-out, of a request with everything that it takes to send it, in milliseconds.
const RESPONSE_TIMEOUT: u64 = 45_000;
/// Number of requests in flight from which on no command of a page adds one. The engine's own are a handful.
const MAX_OF_PAGES: usize = 64;

/// HTTP requests in flight, by id.
#[derive(Debug, Default)]
pub(crate) struct HttpRequests {
    in_flight: Timed<RequestId, ApiRequest, RESPONSE_TIMEOUT>,
    last: RequestId,
}

impl HttpRequests {
    /// Adds a request that is sent now under the id that is returned.
    pub(crate) fn insert(&mut self, request: ApiRequest, now: UnixMillis) -> RequestId {
        self.last = self.last.next();
        self.in_flight.insert(self.last, request, now);
        self.last
    }

    /// Whether a command of a page must not add another one.
    pub(crate) fn is_full(&self) -> bool {
        self.in_flight.len() >= MAX_OF_PAGES
    }

    /// Removes and returns the request that was answered; `None` if it has timed out, or never was.
    pub(crate) fn answered(&mut self, id: RequestId) -> Option<ApiRequest> {
        self.in_flight.remove(&id)
    }

    /// Removes and returns the requests that timed out.
    pub(crate) fn overdue(&mut self, now: UnixMillis) -> Vec<ApiRequest> {
        self.in_flight.overdue(now)
    }

    /// When the first request times out.
    pub(crate) fn wake_at(&self) -> Option<UnixMillis> {
        self.in_flight.wake_at()
    }

    /// Nobody waits for an answer any more. Ids are not used again.
    pub(crate) fn clear(&mut self) {
        self.in_flight.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_not_used_again() {
        let mut requests = HttpRequests::default();
        let first = requests.insert(ApiRequest::Deployment, UnixMillis(0));
        requests.clear();
        assert!(requests.answered(first).is_none());
        assert_ne!(requests.insert(ApiRequest::Deployment, UnixMillis(0)), first);
    }

    #[test]
    fn the_number_that_pages_add_is_bounded() {
        let mut requests = HttpRequests::default();
        let ids: Vec<_> = (0..MAX_OF_PAGES).map(|_| requests.insert(ApiRequest::Deployment, UnixMillis(0))).collect();
        assert!(requests.is_full());
        assert!(requests.answered(ids[7]).is_some());
        assert!(!requests.is_full());
    }
}
