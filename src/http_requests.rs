//! HTTP requests of ours: sent, answered or timed out. Any module asks, and the answer comes back to it by its purpose.
//!
//! The driver has a time-out of its own, which is shorter: this one holds whatever the driver does.
//!
//! What this module does not know: what is asked, and what the answers mean.

use crate::enlist::ApiRequest;
use crate::io::RequestId;
use crate::pending::Pending;
use crate::time::{Millis, UnixMillis};

/// Response time-out, of a request with everything that it takes to send it.
const RESPONSE_TIMEOUT: Millis = Millis(45_000);
/// Number of requests in flight from which on no command of a page adds one. The engine's own are a handful.
const MAX_OF_PAGES: usize = 64;

/// HTTP requests in flight, by id.
#[derive(Debug, Default)]
pub(crate) struct HttpRequests {
    in_flight: Pending<RequestId, (ApiRequest, UnixMillis)>,
    last: RequestId,
}

impl HttpRequests {
    /// Adds a request that is sent now under the id that is returned.
    pub(crate) fn insert(&mut self, request: ApiRequest, now: UnixMillis) -> RequestId {
        self.last = self.last.next();
        self.in_flight.insert(self.last, (request, now));
        self.last
    }

    /// Whether a command of a page must not add another one.
    pub(crate) fn is_full(&self) -> bool {
        self.in_flight.iter().count() >= MAX_OF_PAGES
    }

    /// Removes and returns the request that was answered; `None` if it has timed out, or never was.
    pub(crate) fn answered(&mut self, id: RequestId) -> Option<ApiRequest> {
        self.in_flight.remove(&id).map(|(_, (request, _))| request)
    }

    /// Removes and returns the requests that timed out. A clock that jumped back counts as a time-out.
    pub(crate) fn overdue(&mut self, now: UnixMillis) -> Vec<ApiRequest> {
        let late = |sent_at: UnixMillis| sent_at > now || sent_at.after(RESPONSE_TIMEOUT) <= now;
        self.in_flight.take(|(_, sent_at)| late(*sent_at)).into_iter().map(|(request, _)| request).collect()
    }

    /// When the first request times out.
    pub(crate) fn wake_at(&self) -> Option<UnixMillis> {
        self.in_flight.iter().map(|(_, sent_at)| sent_at.after(RESPONSE_TIMEOUT)).min()
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
    fn a_request_without_an_answer_times_out_once() {
        let mut requests = HttpRequests::default();
        let first = requests.insert(ApiRequest::Deployment, UnixMillis(0));
        let second = requests.insert(ApiRequest::Deployment, UnixMillis(9_000));
        assert_eq!(requests.wake_at(), Some(UnixMillis(RESPONSE_TIMEOUT.0)));
        assert!(requests.overdue(UnixMillis(RESPONSE_TIMEOUT.0 - 1)).is_empty());
        assert_eq!(requests.overdue(UnixMillis(RESPONSE_TIMEOUT.0)).len(), 1);
        assert!(requests.answered(first).is_none(), "too late");
        assert!(requests.answered(second).is_some());
        assert!(requests.answered(second).is_none());
        assert_eq!(requests.wake_at(), None);
        let third = requests.insert(ApiRequest::Deployment, UnixMillis(9_000));
        assert_eq!(requests.overdue(UnixMillis(8_999)).len(), 1, "sent at what is now the future");
        requests.clear();
        assert_ne!(requests.insert(ApiRequest::Deployment, UnixMillis(0)), third);
    }

    #[test]
    fn the_number_in_flight_is_bounded() {
        let mut requests = HttpRequests::default();
        let ids: Vec<_> = (0..MAX_OF_PAGES).map(|_| requests.insert(ApiRequest::Deployment, UnixMillis(0))).collect();
        assert!(requests.is_full());
        assert!(requests.answered(ids[7]).is_some());
        assert!(!requests.is_full());
    }
}
