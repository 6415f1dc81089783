//! Who is connected through the relay: so many at once, one of each account, all of them until the server stops.
//!
//! What this module does not know: what a connection is. Several instances each count for themselves.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

/// Why a connection must end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EvictReason {
    /// The account has another one.
    Replaced,
    /// The account signed out, or is no more.
    SignedOut,
    /// The server stops.
    Stopping,
}

/// No connection is possible now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AtCapacity;

/// Everyone who is connected.
#[derive(Clone)]
pub(super) struct ConnectionSlots {
    permits: Arc<Semaphore>,
    total: u32,
    occupancy: Arc<Mutex<Occupancy>>,
}

#[derive(Default)]
struct Occupancy {
    next: u64,
    stopping: bool,
    accounts: HashMap<String, Entry>,
}

struct Entry {
    number: u64,
    session: String,
    evict: Option<oneshot::Sender<EvictReason>>,
    gone: Option<oneshot::Receiver<()>>,
}

/// One connection's permit.
pub(super) struct ConnectionSlot {
    slots: ConnectionSlots,
    account: String,
    number: u64,
    evict: Option<oneshot::Receiver<EvictReason>>,
    predecessor: Option<oneshot::Receiver<()>>,
    running: Option<oneshot::Sender<()>>,
    _permit: OwnedSemaphorePermit,
}

impl ConnectionSlots {
    pub(super) fn new(permits: u32) -> Self {
        Self { permits: Arc::new(Semaphore::new(permits as usize)), total: permits, occupancy: Arc::default() }
    }

    /// A permit for `account`, whose connection until now is evicted to evict. `session` is what it signed in with.
    pub(super) fn take(&self, account: &str, session: &str) -> Result<ConnectionSlot, AtCapacity> {
        let permit = self.permits.clone().try_acquire_owned().map_err(|_| AtCapacity)?;
        let (evict, evicted) = oneshot::channel();
        let (running, gone) = oneshot::channel();
        let mut occupancy = self.lock();
        if occupancy.stopping {
            return Err(AtCapacity);
        }
        let number = occupancy.next;
        occupancy.next += 1;
        let entry = Entry { number, session: session.to_owned(), evict: Some(evict), gone: Some(gone) };
        let predecessor = occupancy.accounts.insert(account.to_owned(), entry).and_then(|mut entry| {
            entry.evict(EvictReason::Replaced);
            entry.gone
        });
        let (slots, account) = (self.clone(), account.to_owned());
        Ok(ConnectionSlot {
            slots,
            account,
            number,
            evict: Some(evicted),
            predecessor,
            running: Some(running),
            _permit: permit,
        })
    }

    /// Ends an account's connection; with a session, only if it signed in with that one.
    pub(super) fn evict(&self, account: &str, session: Option<&str>) {
        if let Some(entry) = self.lock().accounts.get_mut(account)
            && session.is_none_or(|session| session == entry.session)
        {
            entry.evict(EvictReason::SignedOut);
        }
    }

    /// Ends every connection, lets no other begin, and waits until all are gone.
    pub(super) async fn close(&self) {
        {
            let mut occupancy = self.lock();
            occupancy.stopping = true;
            occupancy.accounts.values_mut().for_each(|entry| entry.evict(EvictReason::Stopping));
        }
        // Fails only if the semaphore is closed, which it never is.
        let _ = self.permits.acquire_many(self.total).await;
    }

    fn lock(&self) -> MutexGuard<'_, Occupancy> {
        self.occupancy.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    fn evict(&mut self, why: EvictReason) {
        if let Some(evict) = self.evict.take() {
            // The connection may be ending by itself.
            let _ = evict.send(why);
        }
    }
}

impl ConnectionSlot {
    /// Waits until the account's connection before this one is gone. It was evicted to evict, and leaving is bounded.
    pub(super) async fn predecessor_gone(&mut self) {
        if let Some(predecessor) = self.predecessor.take() {
            // Ends with an error: the other end is dropped, never used.
            let _ = predecessor.await;
        }
    }

    /// Resolves when the connection must end.
    pub(super) fn evicted(&mut self) -> impl Future<Output = EvictReason> + use<> {
        let evict = self.evict.take();
        async move {
            match evict {
                Some(evict) => evict.await.unwrap_or(EvictReason::Stopping),
                None => std::future::pending().await,
            }
        }
    }

    /// Says that nothing of the connection is left upstream: the account's next one may begin. The permit is occupancy until
    /// the slot is dropped, so that the server waits for the last words to the client.
    pub(super) fn release(&mut self) {
        drop(self.running.take());
        let mut occupancy = self.slots.lock();
        if occupancy.accounts.get(&self.account).is_some_and(|entry| entry.number == self.number) {
            occupancy.accounts.remove(&self.account);
        }
    }
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        self.release();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    #[tokio::test]
    async fn the_second_connection_of_an_account_waits_for_the_end_of_the_first() {
        let slots = ConnectionSlots::new(3);
        let mut first = slots.take("alice", "s1").unwrap();
        let mut second = slots.take("alice", "s2").unwrap();
        assert_eq!(first.evicted().now_or_never(), Some(EvictReason::Replaced));
        let mut third = slots.take("alice", "s3").unwrap();
        assert_eq!(second.evicted().now_or_never(), Some(EvictReason::Replaced));
        let mut second_turn = Box::pin(second.predecessor_gone());
        assert!(second_turn.as_mut().now_or_never().is_none());
        first.release();
        second_turn.await;
        let mut third_turn = Box::pin(third.predecessor_gone());
        assert!(third_turn.as_mut().now_or_never().is_none());
        drop(second);
        third_turn.await;
        assert!(third.evicted().now_or_never().is_none());
    }

    #[tokio::test]
    async fn places_are_counted_and_come_back() {
        let slots = ConnectionSlots::new(1);
        let only = slots.take("alice", "s").unwrap();
        assert!(slots.take("bob", "s").is_err());
        drop(only);
        let mut bob = slots.take("bob", "s").unwrap();
        let evict = bob.evicted();
        let closing = tokio::spawn({
            let slots = slots.clone();
            async move { slots.close().await }
        });
        assert_eq!(evict.await, EvictReason::Stopping);
        assert!(!closing.is_finished());
        drop(bob);
        closing.await.unwrap();
        assert!(slots.take("bob", "s").is_err());
    }

    #[test]
    fn signing_out_ends_what_was_signed_in_with_it() {
        let slots = ConnectionSlots::new(2);
        let mut alice = slots.take("alice", "s1").unwrap();
        let mut evict = Box::pin(alice.evicted());
        slots.evict("alice", Some("s2"));
        slots.evict("bob", None);
        assert!(evict.as_mut().now_or_never().is_none());
        slots.evict("alice", Some("s1"));
        assert_eq!(evict.now_or_never(), Some(EvictReason::SignedOut));
    }
}
