//! Liveness of a worker: it holds a lock of its own from start to end.
//!
//! A worker that ends without an exception (the browser ended it, or it ran out of memory) sends nothing. But the
//! browser frees its locks, so the page that waits for this lock is notified at once.
//!
//! What this module does not know: what the worker does, and whether a live worker makes progress.

use crate::port::lock::{self, LockError};
use crate::port::rng;
use crate::port::worker::OwnEnd;
use futures::channel::mpsc::{self, UnboundedReceiver};

/// A name for a new worker and for its lock.
pub fn new_name() -> String {
    // Without randomness no engine starts either; the lock is not waited for then.
    format!("causeway-worker-{:016x}", rng::tag().unwrap_or_default())
}

/// In the worker: acquires the lock, notifies the page, and holds the lock until the worker ends.
pub async fn hold_lock() {
    let Some(own) = OwnEnd::here() else { return };
    if let Ok(_held) = lock::acquire(&own.name()).await {
        own.begun();
        core::future::pending::<()>().await;
    }
}

/// In the worker: the page's requests to take over, from now on. `None` in anything but a page's dedicated worker.
pub fn takeover_requests() -> Option<UnboundedReceiver<()>> {
    let (sender, requests) = mpsc::unbounded();
    OwnEnd::here()?.on_takeover_request(move || {
        // Fails only when the receiver is gone.
        let _ = sender.unbounded_send(());
    });
    Some(requests)
}

/// In the page, once the worker has begun: completes when it is dead.
///
/// # Errors
/// [`LockError`]: this browser has no locks, or refused this one.
pub async fn wait_for_death(name: &str) -> Result<(), LockError> {
    lock::acquire(name).await.map(drop)
}
