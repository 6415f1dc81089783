//! The connected users, and a channel of orders to each connection. One connection per user: a later one replaces the
//! earlier. Must not know sockets and stanzas.

use causeway_proto::jid::Jid;
use causeway_proto::node::Node;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, mpsc};

/// Orders that may wait for one connection; further live stanzas are lost, as they may be.
const PENDING: usize = 64;

/// An order to a connection.
pub(crate) enum Order {
    /// Send this now; it is not kept in a mailbox.
    Live(Node),
    /// End with this `<stream:error>` code; 0 closes without a stanza.
    Disconnect(u32),
    /// Neither read nor write any more, without closing.
    Stall,
}

struct Link {
    serial: u64,
    wake: Arc<Notify>,
    orders: mpsc::Sender<Order>,
}

/// A connection's slot. When `orders` ends, another connection of the user has taken it.
pub(crate) struct ConnectionSlot {
    pub(crate) serial: u64,
    pub(crate) wake: Arc<Notify>,
    pub(crate) orders: mpsc::Receiver<Order>,
}

/// All connections, by full address.
#[derive(Default)]
pub(crate) struct Hub(Mutex<(u64, HashMap<Jid, Link>)>);

impl Hub {
    fn links(&self) -> MutexGuard<'_, (u64, HashMap<Jid, Link>)> {
        // Only whole insertions and removals happen under the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the user's slot. The orders of an earlier connection end.
    pub(crate) fn join(&self, who: &Jid) -> ConnectionSlot {
        let (sender, orders) = mpsc::channel(PENDING);
        let wake = Arc::new(Notify::new());
        let mut links = self.links();
        links.0 += 1;
        let serial = links.0;
        links.1.insert(who.clone(), Link { serial, wake: Arc::clone(&wake), orders: sender });
        ConnectionSlot { serial, wake, orders }
    }

    /// Releases the slot, unless another connection has it.
    pub(crate) fn leave(&self, who: &Jid, serial: u64) {
        let mut links = self.links();
        if links.1.get(who).is_some_and(|link| link.serial == serial) {
            links.1.remove(who);
        }
    }

    /// Notifies the user's connection of new mail.
    pub(crate) fn wake(&self, who: &Jid) {
        if let Some(link) = self.links().1.get(who) {
            link.wake.notify_one();
        }
    }

    /// Sends an order to a connection; `false` when there is none or its queue is full.
    pub(crate) fn send_order(&self, who: &Jid, order: Order) -> bool {
        self.links().1.get(who).is_some_and(|link| link.orders.try_send(order).is_ok())
    }

    pub(crate) fn online(&self, who: &Jid) -> bool {
        self.links().1.contains_key(who)
    }

    /// The number of the user's connection, if there is one; a later one has a higher number.
    pub(crate) fn serial(&self, who: &Jid) -> Option<u64> {
        self.links().1.get(who).map(|link| link.serial)
    }

    /// All connected users.
    pub(crate) fn users(&self) -> Vec<Jid> {
        self.links().1.keys().cloned().collect()
    }
}
