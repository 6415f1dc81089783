//! The slots of relayed connections: a bounded number in total, one for each account.
//!
//! A new connection of an account evicts the one before it and begins only after that one has ended. What this module
//! does not know: what a connection does. Each instance counts its own connections.

use crate::{account_id::AccountId, sign_in::SessionId};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

/// Why a connection loses its slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EvictReason {
    /// The account has opened another connection.
    Replaced,
    /// The account signed out or was deleted.
    SignedOut,
    /// The server is shutting down.
    Stopping,
}

/// All slots are taken, or the server is shutting down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AtCapacity;

/// All slots of this instance.
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
    accounts: HashMap<AccountId, Entry>,
}

struct Entry {
    number: u64,
    session: SessionId,
    evict: Option<oneshot::Sender<EvictReason>>,
    gone: Option<oneshot::Receiver<()>>,
}

/// The slot of one connection; freed on drop.
pub(super) struct ConnectionSlot {
    slots: ConnectionSlots,
    account: AccountId,
    number: u64,
    evict: Option<oneshot::Receiver<EvictReason>>,
    predecessor: Option<oneshot::Receiver<()>>,
    running: Option<oneshot::Sender<()>>,
    _permit: OwnedSemaphorePermit,
}

impl ConnectionSlots {
    pub(super) fn new(permits: u32) -> Self {
        Self {
            permits: Arc::new(Semaphore::new(usize::try_from(permits).unwrap_or(usize::MAX))),
            total: permits,
            occupancy: Arc::default(),
        }
    }

    /// Takes a slot for `account` and evicts the account's previous connection.
    pub(super) fn take(&self, account: &AccountId, session: &SessionId) -> Result<ConnectionSlot, AtCapacity> {
        let permit = self.permits.clone().try_acquire_owned().map_err(|_| AtCapacity)?;
        let (evict, evicted) = oneshot::channel();
        let (running, gone) = oneshot::channel();
        let mut occupancy = self.lock();
        if occupancy.stopping {
            return Err(AtCapacity);
        }
        let number = occupancy.next;
        occupancy.next += 1;
        let entry = Entry { number, session: session.clone(), evict: Some(evict), gone: Some(gone) };
        let predecessor = occupancy.accounts.insert(account.clone(), entry).and_then(|mut entry| {
            entry.evict(EvictReason::Replaced);
            entry.gone
        });
        let (slots, account) = (self.clone(), account.clone());
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

    /// Evicts the connection of an account; with a session, only a connection that signed in with that session.
    pub(super) fn evict(&self, account: &AccountId, session: Option<&SessionId>) {
        if let Some(entry) = self.lock().accounts.get_mut(account)
            && session.is_none_or(|session| *session == entry.session)
        {
            entry.evict(EvictReason::SignedOut);
        }
    }

    /// Evicts every connection, refuses new ones, and waits until all slots are free.
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
            // Fails if the connection is already ending by itself.
            let _ = evict.send(why);
        }
    }
}

impl ConnectionSlot {
    /// Waits until the account's previous connection has ended. It has been evicted, and its end is bounded by
    /// timeouts.
    pub(super) async fn predecessor_gone(&mut self) {
        if let Some(predecessor) = self.predecessor.take() {
            // Always an error: the sender is dropped without sending.
            let _ = predecessor.await;
        }
    }

    /// Resolves when the connection is evicted.
    pub(super) fn evicted(&mut self) -> impl Future<Output = EvictReason> + use<> {
        let evict = self.evict.take();
        async move {
            match evict {
                Some(evict) => evict.await.unwrap_or(EvictReason::Stopping),
                None => std::future::pending().await,
            }
        }
    }

    /// Lets the account's next connection begin; nothing of this one is left upstream. The permit stays taken until the
    /// slot is dropped, so that a shutdown waits for the close frame to the client.
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
    use crate::sign_in::SessionToken;
    use futures::FutureExt;

    fn account(name: &str) -> AccountId {
        AccountId::new(name)
    }

    fn session() -> SessionId {
        SessionToken::random().unwrap().id()
    }

    #[tokio::test]
    async fn the_second_connection_of_an_account_waits_for_the_end_of_the_first() {
        let slots = ConnectionSlots::new(3);
        let mut first = slots.take(&account("alice"), &session()).unwrap();
        let mut second = slots.take(&account("alice"), &session()).unwrap();
        assert_eq!(first.evicted().now_or_never(), Some(EvictReason::Replaced));
        let mut third = slots.take(&account("alice"), &session()).unwrap();
        assert_eq!(second.evicted().now_or_never(), Some(EvictReason::Replaced));
        let mut second_may_begin = Box::pin(second.predecessor_gone());
        assert!(second_may_begin.as_mut().now_or_never().is_none());
        first.release();
        second_may_begin.await;
        let mut third_may_begin = Box::pin(third.predecessor_gone());
        assert!(third_may_begin.as_mut().now_or_never().is_none());
        drop(second);
        third_may_begin.await;
        assert!(third.evicted().now_or_never().is_none());
    }

    #[tokio::test]
    async fn the_number_of_slots_is_bounded_and_freed_slots_are_reused() {
        let slots = ConnectionSlots::new(1);
        let only = slots.take(&account("alice"), &session()).unwrap();
        assert!(slots.take(&account("bob"), &session()).is_err());
        drop(only);
        let mut bob = slots.take(&account("bob"), &session()).unwrap();
        let evict = bob.evicted();
        let closing = tokio::spawn({
            let slots = slots.clone();
            async move { slots.close().await }
        });
        assert_eq!(evict.await, EvictReason::Stopping);
        assert!(!closing.is_finished());
        drop(bob);
        closing.await.unwrap();
        assert!(slots.take(&account("bob"), &session()).is_err());
    }

    #[test]
    fn signing_out_evicts_the_connection_of_that_session() {
        let slots = ConnectionSlots::new(2);
        let alices = session();
        let mut alice = slots.take(&account("alice"), &alices).unwrap();
        let mut evict = Box::pin(alice.evicted());
        slots.evict(&account("alice"), Some(&session()));
        slots.evict(&account("bob"), None);
        assert!(evict.as_mut().now_or_never().is_none());
        slots.evict(&account("alice"), Some(&alices));
        assert_eq!(evict.now_or_never(), Some(EvictReason::SignedOut));
    }
}
