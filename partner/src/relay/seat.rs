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
pub(crate) enum Leave {
    /// The account has another one.
    Replaced,
    /// The account signed out, or is no more.
    SignedOut,
    /// The server stops.
    Stopping,
}

/// No connection is possible now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Full;

/// Everyone who is connected.
#[derive(Clone)]
pub(super) struct Seats {
    places: Arc<Semaphore>,
    total: u32,
    taken: Arc<Mutex<Taken>>,
}

#[derive(Default)]
struct Taken {
    next: u64,
    stopping: bool,
    accounts: HashMap<String, Entry>,
}

struct Entry {
    number: u64,
    session: String,
    leave: Option<oneshot::Sender<Leave>>,
    gone: Option<oneshot::Receiver<()>>,
}

/// One connection's place.
pub(super) struct Seat {
    seats: Seats,
    account: String,
    number: u64,
    leave: Option<oneshot::Receiver<Leave>>,
    predecessor: Option<oneshot::Receiver<()>>,
    here: Option<oneshot::Sender<()>>,
    _place: OwnedSemaphorePermit,
}

impl Seats {
    pub(super) fn new(places: u32) -> Self {
        Self { places: Arc::new(Semaphore::new(places as usize)), total: places, taken: Arc::default() }
    }

    /// A place for `account`, whose connection until now is told to leave. `session` is what it signed in with.
    pub(super) fn take(&self, account: &str, session: &str) -> Result<Seat, Full> {
        let place = self.places.clone().try_acquire_owned().map_err(|_| Full)?;
        let (leave, told) = oneshot::channel();
        let (here, gone) = oneshot::channel();
        let mut taken = self.lock();
        if taken.stopping {
            return Err(Full);
        }
        let number = taken.next;
        taken.next += 1;
        let entry = Entry { number, session: session.to_owned(), leave: Some(leave), gone: Some(gone) };
        let predecessor = taken.accounts.insert(account.to_owned(), entry).and_then(|mut entry| {
            entry.tell(Leave::Replaced);
            entry.gone
        });
        let (seats, account) = (self.clone(), account.to_owned());
        Ok(Seat { seats, account, number, leave: Some(told), predecessor, here: Some(here), _place: place })
    }

    /// Ends an account's connection; with a session, only if it signed in with that one.
    pub(super) fn dismiss(&self, account: &str, session: Option<&str>) {
        if let Some(entry) = self.lock().accounts.get_mut(account)
            && session.is_none_or(|session| session == entry.session)
        {
            entry.tell(Leave::SignedOut);
        }
    }

    /// Ends every connection, lets no other begin, and waits until all are gone.
    pub(super) async fn close(&self) {
        {
            let mut taken = self.lock();
            taken.stopping = true;
            taken.accounts.values_mut().for_each(|entry| entry.tell(Leave::Stopping));
        }
        // Fails only if the semaphore is closed, which it never is.
        let _ = self.places.acquire_many(self.total).await;
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    fn tell(&mut self, why: Leave) {
        if let Some(leave) = self.leave.take() {
            // The connection may be ending by itself.
            let _ = leave.send(why);
        }
    }
}

impl Seat {
    /// Waits until the account's connection before this one is gone. It was told to leave, and leaving is bounded.
    pub(super) async fn alone(&mut self) {
        if let Some(predecessor) = self.predecessor.take() {
            // Ends with an error: the other end is dropped, never used.
            let _ = predecessor.await;
        }
    }

    /// Resolves when the connection must end.
    pub(super) fn told_to_leave(&mut self) -> impl Future<Output = Leave> + use<> {
        let leave = self.leave.take();
        async move {
            match leave {
                Some(leave) => leave.await.unwrap_or(Leave::Stopping),
                None => std::future::pending().await,
            }
        }
    }

    /// Says that nothing of the connection is left upstream: the account's next one may begin. The place is taken until
    /// the seat is dropped, so that the server waits for the last words to the client.
    pub(super) fn vacate(&mut self) {
        drop(self.here.take());
        let mut taken = self.seats.lock();
        if taken.accounts.get(&self.account).is_some_and(|entry| entry.number == self.number) {
            taken.accounts.remove(&self.account);
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.vacate();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    #[tokio::test]
    async fn the_second_connection_of_an_account_waits_for_the_end_of_the_first() {
        let seats = Seats::new(3);
        let mut first = seats.take("alice", "s1").unwrap();
        let mut second = seats.take("alice", "s2").unwrap();
        assert_eq!(first.told_to_leave().now_or_never(), Some(Leave::Replaced));
        let mut third = seats.take("alice", "s3").unwrap();
        assert_eq!(second.told_to_leave().now_or_never(), Some(Leave::Replaced));
        let mut second_alone = Box::pin(second.alone());
        assert!(second_alone.as_mut().now_or_never().is_none());
        first.vacate();
        second_alone.await;
        let mut third_alone = Box::pin(third.alone());
        assert!(third_alone.as_mut().now_or_never().is_none());
        drop(second);
        third_alone.await;
        assert!(third.told_to_leave().now_or_never().is_none());
    }

    #[tokio::test]
    async fn places_are_counted_and_come_back() {
        let seats = Seats::new(1);
        let only = seats.take("alice", "s").unwrap();
        assert!(seats.take("bob", "s").is_err());
        drop(only);
        let mut bob = seats.take("bob", "s").unwrap();
        let leave = bob.told_to_leave();
        let closing = tokio::spawn({
            let seats = seats.clone();
            async move { seats.close().await }
        });
        assert_eq!(leave.await, Leave::Stopping);
        assert!(!closing.is_finished());
        drop(bob);
        closing.await.unwrap();
        assert!(seats.take("bob", "s").is_err());
    }

    #[test]
    fn signing_out_ends_what_was_signed_in_with_it() {
        let seats = Seats::new(2);
        let mut alice = seats.take("alice", "s1").unwrap();
        let mut leave = Box::pin(alice.told_to_leave());
        seats.dismiss("alice", Some("s2"));
        seats.dismiss("bob", None);
        assert!(leave.as_mut().now_or_never().is_none());
        seats.dismiss("alice", Some("s1"));
        assert_eq!(leave.now_or_never(), Some(Leave::SignedOut));
    }
}
