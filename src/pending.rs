//! What was asked and not answered yet: a handful of entries, found by going through them.
//!
//! A map would bring its code along once more for each kind of entry; for a handful, a list is smaller and no slower.

/// Questions under way, by id.
#[derive(Debug)]
pub(crate) struct Pending<K, T>(Vec<(K, T)>);

impl<K, T> Default for Pending<K, T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<K: PartialEq, T> Pending<K, T> {
    /// Asked.
    pub(crate) fn insert(&mut self, id: K, question: T) {
        self.0.push((id, question));
    }

    /// Answered, or not ours.
    pub(crate) fn remove<Q: ?Sized + PartialEq>(&mut self, id: &Q) -> Option<(K, T)>
    where
        K: core::borrow::Borrow<Q>,
    {
        let at = self.0.iter().position(|(known, _)| known.borrow() == id)?;
        Some(self.0.swap_remove(at))
    }

    /// Something like this is under way.
    pub(crate) fn any(&self, like: impl Fn(&T) -> bool) -> bool {
        self.0.iter().any(|(_, question)| like(question))
    }

    /// Nothing is under way.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes out every question like this.
    pub(crate) fn take(&mut self, like: impl Fn(&T) -> bool) -> Vec<T> {
        self.0.extract_if(.., |(_, question)| like(question)).map(|(_, question)| question).collect()
    }

    /// Every question.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().map(|(_, question)| question)
    }

    /// Nobody waits any more.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_question_is_answered_once() {
        let mut pending = Pending::default();
        pending.insert("a".to_owned(), 1);
        pending.insert("b".to_owned(), 2);
        assert_eq!(pending.remove("c"), None);
        assert_eq!(pending.remove("a"), Some(("a".to_owned(), 1)));
        assert_eq!(pending.remove("a"), None);
        assert!(pending.any(|&question| question == 2) && !pending.is_empty());
    }
}
