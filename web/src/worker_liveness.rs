//! A worker's sign of life: a lock of its own, held from its first moment to its last.
//!
//! A worker that dies without an exception (the browser ended it, or ran out of memory) tells nobody. But the browser frees
//! its locks, so the page that waits for this one knows at once.
//!
//! What this module does not know: what the worker does, and whether a worker that lives does anything at all.

use crate::port::lock::{self, LockError};
use crate::port::rng;
use crate::port::worker::OwnEnd;
use futures::channel::mpsc::{self, UnboundedReceiver};

/// A name for a new worker, and for the lock that it dies with.
pub fn new_name() -> String {
    // Without randomness no engine starts either; then nobody waits for this lock.
    format!("causeway-worker-{:016x}", rng::tag().unwrap_or_default())
}

/// In the worker: takes the lock, tells the page, and keeps it.
pub async fn hold_lock() {
    let Some(own) = OwnEnd::here() else { return };
    if let Ok(_held) = lock::acquire(&own.name()).await {
        own.begun();
        core::future::pending::<()>().await;
    }
}

/// In the worker: what the page requests, from now on. `None` in anything but a page's worker.
pub fn takeover_requests() -> Option<UnboundedReceiver<()>> {
    let (sender, requests) = mpsc::unbounded();
    OwnEnd::here()?.on_takeover_request(move || {
        // Fails only when nobody waits any more.
        let _ = sender.unbounded_send(());
    });
    Some(requests)
}

/// In the page, once the worker has begun: completes when it is dead.
///
/// # Errors
/// [`LockError`]: this browser cannot tell.
pub async fn wait_for_death(name: &str) -> Result<(), LockError> {
    lock::acquire(name).await.map(drop)
}
