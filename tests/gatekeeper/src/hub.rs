//! Who is connected, and how to reach them. One connection a user: a later one replaces the earlier.

use causeway_proto::jid::Jid;
use causeway_proto::node::Node;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, mpsc};

/// Orders that may wait for one connection; further live stanzas are lost, as they may be.
const PENDING: usize = 64;

/// What a connection may be told by others.
pub(crate) enum Order {
    /// Send this now; nobody keeps it.
    Live(Node),
    /// End with this `<stream:error>` code; 0 closes without a word.
    Disconnect(u32),
    /// Fall silent for good, without closing.
    Stall,
}

struct Link {
    serial: u64,
    wake: Arc<Notify>,
    orders: mpsc::Sender<Order>,
}

/// A connection's end of its link. When `orders` ends, another connection has taken its place.
pub(crate) struct Seat {
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

    /// Takes the user's one seat; whoever had it sees its orders end.
    pub(crate) fn join(&self, who: &Jid) -> Seat {
        let (sender, orders) = mpsc::channel(PENDING);
        let wake = Arc::new(Notify::new());
        let mut links = self.links();
        links.0 += 1;
        let serial = links.0;
        links.1.insert(who.clone(), Link { serial, wake: Arc::clone(&wake), orders: sender });
        Seat { serial, wake, orders }
    }

    /// Gives the seat back, unless another has it by now.
    pub(crate) fn leave(&self, who: &Jid, serial: u64) {
        let mut links = self.links();
        if links.1.get(who).is_some_and(|link| link.serial == serial) {
            links.1.remove(who);
        }
    }

    /// There is new mail.
    pub(crate) fn wake(&self, who: &Jid) {
        if let Some(link) = self.links().1.get(who) {
            link.wake.notify_one();
        }
    }

    /// Tells a connection something; `false` when there is none or it is too far behind.
    pub(crate) fn tell(&self, who: &Jid, order: Order) -> bool {
        self.links().1.get(who).is_some_and(|link| link.orders.try_send(order).is_ok())
    }

    pub(crate) fn online(&self, who: &Jid) -> bool {
        self.links().1.contains_key(who)
    }

    /// The number of the user's connection, if there is one; a later one has a higher number.
    pub(crate) fn serial(&self, who: &Jid) -> Option<u64> {
        self.links().1.get(who).map(|link| link.serial)
    }

    /// Everyone who is connected.
    pub(crate) fn everyone(&self) -> Vec<Jid> {
        self.links().1.keys().cloned().collect()
    }
}
