//! Requests without a response, with a time-out or without: a handful of entries, found by linear search.
//!
//! A map would be compiled once more for each kind of entry; for a handful of entries a list is smaller and no slower.

use crate::id::Counted;
use crate::time::{Millis, UnixMillis};

/// Requests in flight, by id.
#[derive(Debug)]
pub(crate) struct Pending<K, T>(Vec<(K, T)>);

impl<K, T> Default for Pending<K, T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<K: PartialEq, T> Pending<K, T> {
    /// Adds a request.
    pub(crate) fn insert(&mut self, id: K, request: T) {
        self.0.push((id, request));
    }

    /// Removes the request with this id; `None` if there is none.
    pub(crate) fn remove<Q: ?Sized + PartialEq>(&mut self, id: &Q) -> Option<(K, T)>
    where
        K: core::borrow::Borrow<Q>,
    {
        let at = self.0.iter().position(|(known, _)| known.borrow() == id)?;
        Some(self.0.swap_remove(at))
    }

    /// The request with this id.
    pub(crate) fn get<Q: ?Sized + PartialEq>(&self, id: &Q) -> Option<&T>
    where
        K: core::borrow::Borrow<Q>,
    {
        self.0.iter().find(|(known, _)| known.borrow() == id).map(|(_, request)| request)
    }

    /// Whether a matching request is in flight.
    pub(crate) fn any(&self, like: impl Fn(&T) -> bool) -> bool {
        self.0.iter().any(|(_, request)| like(request))
    }

    /// Whether no request is in flight.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Removes and returns all matching requests.
    pub(crate) fn take(&mut self, like: impl Fn(&T) -> bool) -> Vec<T> {
        self.0.extract_if(.., |(_, request)| like(request)).map(|(_, request)| request).collect()
    }

    /// All requests.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().map(|(_, request)| request)
    }

    /// Drops all requests.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}

/// Requests in flight under ids that are counted and not used again.
#[derive(Debug)]
pub(crate) struct Numbered<K, T> {
    in_flight: Pending<K, T>,
    last: K,
}

impl<K: Default, T> Default for Numbered<K, T> {
    fn default() -> Self {
        Self { in_flight: Pending::default(), last: K::default() }
    }
}

impl<K: Counted, T> Numbered<K, T> {
    /// Adds a request under the id that is returned.
    pub(crate) fn insert(&mut self, request: T) -> K {
        self.last = self.last.next();
        self.in_flight.insert(self.last, request);
        self.last
    }

    /// Removes the request with this id; `None` if there is none.
    pub(crate) fn remove(&mut self, id: K) -> Option<T> {
        self.in_flight.remove(&id).map(|(_, request)| request)
    }

    /// Whether a matching request is in flight.
    pub(crate) fn any(&self, like: impl Fn(&T) -> bool) -> bool {
        self.in_flight.any(like)
    }

    /// Whether no request is in flight.
    pub(crate) fn is_empty(&self) -> bool {
        self.in_flight.is_empty()
    }

    /// Nobody waits for an answer any more.
    pub(crate) fn clear(&mut self) {
        self.in_flight.clear();
    }
}

/// Requests in flight that time out after this many milliseconds, by id.
#[derive(Debug)]
pub(crate) struct Timed<K, T, const TIMEOUT: u64>(Pending<K, (T, UnixMillis)>);

impl<K, T, const TIMEOUT: u64> Default for Timed<K, T, TIMEOUT> {
    fn default() -> Self {
        Self(Pending::default())
    }
}

impl<K: PartialEq, T, const TIMEOUT: u64> Timed<K, T, TIMEOUT> {
    /// Adds a request that is sent now.
    pub(crate) fn insert(&mut self, id: K, request: T, now: UnixMillis) {
        self.0.insert(id, (request, now));
    }

    /// The request with this id.
    pub(crate) fn get(&self, id: &K) -> Option<&T> {
        self.0.get(id).map(|(request, _)| request)
    }

    /// Removes the request with this id; `None` if it has timed out, or never was.
    pub(crate) fn remove(&mut self, id: &K) -> Option<T> {
        self.0.remove(id).map(|(_, (request, _))| request)
    }

    /// Removes and returns the requests that timed out. A clock that jumped back counts as a time-out.
    pub(crate) fn overdue(&mut self, now: UnixMillis) -> Vec<T> {
        let late = |sent_at: UnixMillis| sent_at > now || sent_at.after(Millis(TIMEOUT)) <= now;
        self.0.take(|(_, sent_at)| late(*sent_at)).into_iter().map(|(request, _)| request).collect()
    }

    /// When the first request times out.
    pub(crate) fn wake_at(&self) -> Option<UnixMillis> {
        self.0.iter().map(|(_, sent_at)| sent_at.after(Millis(TIMEOUT))).min()
    }

    /// Whether a matching request is in flight.
    pub(crate) fn any(&self, like: impl Fn(&T) -> bool) -> bool {
        self.0.any(|(request, _)| like(request))
    }

    /// Number of requests in flight.
    pub(crate) fn len(&self) -> usize {
        self.0.iter().count()
    }

    /// Drops all requests.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::LoadId;

    #[test]
    fn a_request_without_a_response_times_out_once() {
        let mut timed = Timed::<_, _, 1_000>::default();
        timed.insert("a", 1, UnixMillis(0));
        timed.insert("b", 2, UnixMillis(500));
        timed.insert("c", 3, UnixMillis(600));
        assert_eq!(timed.get(&"b"), Some(&2));
        assert_eq!((timed.remove(&"b"), timed.remove(&"b")), (Some(2), None));
        assert_eq!(timed.wake_at(), Some(UnixMillis(1_000)));
        assert_eq!(timed.overdue(UnixMillis(999)), []);
        assert_eq!(timed.overdue(UnixMillis(1_000)), [1]);
        assert_eq!((timed.remove(&"a"), timed.len()), (None, 1), "too late");
        assert_eq!(timed.overdue(UnixMillis(599)), [3], "sent at what is now the future");
        assert_eq!(timed.wake_at(), None);
    }

    #[test]
    fn a_number_is_not_used_again() {
        let mut numbered = Numbered::<LoadId, _>::default();
        let first = numbered.insert("a");
        numbered.clear();
        assert_eq!(numbered.remove(first), None);
        let second = numbered.insert("b");
        assert_ne!(second, first);
        assert_eq!((numbered.remove(second), numbered.is_empty()), (Some("b"), true));
    }

    #[test]
    fn each_request_is_removed_once() {
        let mut pending = Pending::default();
        pending.insert("a".to_owned(), 1);
        pending.insert("b".to_owned(), 2);
        assert_eq!(pending.remove("c"), None);
        assert_eq!(pending.remove("a"), Some(("a".to_owned(), 1)));
        assert_eq!(pending.remove("a"), None);
        assert!(pending.any(|&request| request == 2) && !pending.is_empty());
    }
}
