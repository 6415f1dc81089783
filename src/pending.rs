//! Requests without a response: a handful of entries, found by linear search.
//!
//! A map would be compiled once more for each kind of entry; for a handful of entries a list is smaller and no slower.

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

#[cfg(test)]
mod tests {
    use super::*;

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
