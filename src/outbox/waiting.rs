//! Recipients whose turn is to come, by chat: those of one chat go one after the other.
//!
//! What this module does not know: rows, and what happens to a recipient in its turn.

use crate::id::Order;
use crate::model::{ChatId, PeerId};
use crate::sorted_map::SortedMap;
use crate::sorted_set::SortedSet;

/// The orders of the recipients that wait. No chat is there without one. Boxed, so that there is one copy of the map's code
/// for all that is kept by chat.
#[derive(Debug, Default)]
pub(super) struct Waiting(SortedMap<ChatId, Box<SortedSet<Order>>>);

impl Waiting {
    /// A recipient waits.
    pub(super) fn insert(&mut self, chat: ChatId, order: Order) {
        self.0.get_or_default(chat).insert(order);
    }

    /// A recipient does not wait any more, if it did.
    pub(super) fn remove(&mut self, chat: &ChatId, order: Order) {
        let Some(orders) = self.0.get_mut(chat) else { return };
        orders.remove(&order);
        if orders.is_empty() {
            self.0.remove(chat);
        }
    }

    /// Whether nobody waits.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first recipient of each chat for which `may_send` holds.
    pub(super) fn first_of_each(&self, may_send: impl Fn(&ChatId) -> bool) -> Vec<(Order, ChatId)> {
        let mut first = Vec::new();
        for (chat, orders) in self.0.iter() {
            if let Some(&order) = orders.iter().next()
                && may_send(chat)
            {
                first.push((order, chat.clone()));
            }
        }
        first
    }

    /// Everybody who waits.
    pub(super) fn iter(&self) -> impl Iterator<Item = Order> {
        self.0.values().flat_map(|orders| orders.iter().copied())
    }

    /// The recipients of a chat are another one's now.
    pub(super) fn rename(&mut self, from: &PeerId, to: &PeerId) {
        for &order in self.0.remove(from.chat()).unwrap_or_default().iter() {
            self.insert(to.chat().clone(), order);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_each_chat_has_its_turn() {
        let (a, b) = (ChatId::named("a"), ChatId::named("b"));
        let mut waiting = Waiting::default();
        for (chat, order) in [(&a, 3), (&b, 2), (&a, 1), (&b, 4)] {
            waiting.insert(chat.clone(), Order(order));
        }
        assert_eq!(waiting.first_of_each(|_| true), [(Order(1), a.clone()), (Order(2), b.clone())]);
        assert_eq!(waiting.first_of_each(|chat| *chat == b), [(Order(2), b.clone())]);
        waiting.remove(&b, Order(2));
        waiting.remove(&b, Order(9));
        assert_eq!(waiting.first_of_each(|_| true), [(Order(1), a.clone()), (Order(4), b.clone())]);
        waiting.rename(&a.peer(), &b.peer());
        assert_eq!(waiting.first_of_each(|_| true), [(Order(1), b.clone())]);
        assert!(waiting.iter().eq([Order(1), Order(3), Order(4)]));
        for order in [1, 3, 4] {
            assert!(!waiting.is_empty());
            waiting.remove(&b, Order(order));
        }
        assert!(waiting.is_empty());
    }
}
