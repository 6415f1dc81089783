//! Supervises the page's engine worker: one that dies is terminated and replaced.
//!
//! A worker whose WebAssembly has trapped still exists and still holds the lock if it led, so no other tab could take
//! over. Terminating it frees the lock. A worker that the browser ended silently is detected by its liveness lock.
//!
//! When no engine answers the liveness probe, the worker is asked to take over. If there is still no answer then, it
//! may be the stuck one itself, and is replaced.
//!
//! What this module does not know: why a worker died. Durable state is enough for the next engine to continue.

use crate::port::worker::{EngineWorker, WorkerEvent};
use crate::port::{clock, spawn};
use crate::worker_liveness;
use causeway::io::{Millis, UnixMillis};
use core::pin::pin;
use futures::channel::mpsc::{self, UnboundedReceiver};
use futures::future::{Either, select};
use futures::stream::StreamExt;

/// Pause before the first replacement; doubled for each further one.
const FIRST_PAUSE: Millis = Millis(250);
/// Number of deaths in a row after which the page gives up.
const MAX_RESTARTS: u32 = 5;
/// A worker that has not started by then, over the slowest connection, was ended by the browser.
const START_TIMEOUT: Millis = Millis(60_000);
/// A probe that times out again within this time after a takeover means that the takeover did not help.
const TAKEOVER_IN_VAIN: Millis = Millis(15_000);
/// A worker that ran for at least this long is not counted as a failed start.
const STABLE_AFTER: Millis = Millis(60_000);

/// Keeps a worker running beside the page. Calls `on_give_up` once, after too many deaths in a row. `timeouts` has an
/// item for each liveness probe that no engine answered.
pub fn keep_running(mut timeouts: UnboundedReceiver<()>, on_give_up: impl FnOnce() + 'static) {
    spawn(async move {
        let mut deaths = Deaths::default();
        loop {
            let started = clock::now();
            let name = worker_liveness::new_name();
            let (say, mut events) = mpsc::unbounded();
            let worker = EngineWorker::start(&name, move |event| {
                // Fails only when the receiver is gone.
                let _ = say.unbounded_send(event);
            });
            let Ok(worker) = worker else { break };
            let died = pin!(died(&name, &mut events));
            select(died, pin!(takeover_in_vain(&worker, &mut timeouts))).await;
            drop(worker);
            match deaths.after(clock::now().since(started)) {
                Some(pause) => clock::sleep(pause).await,
                None => break,
            }
        }
        on_give_up();
    });
}

/// Requests a takeover at every probe that timed out. Completes when that did not help.
async fn takeover_in_vain(worker: &EngineWorker, timeouts: &mut UnboundedReceiver<()>) {
    let mut requested: Option<UnixMillis> = None;
    while timeouts.next().await.is_some() {
        let now = clock::now();
        if requested.is_some_and(|requested| now.since(requested) < TAKEOVER_IN_VAIN) {
            return;
        }
        requested = Some(now);
        worker.request_takeover();
    }
    core::future::pending().await
}

/// Completes when the worker has failed, has ended silently, or never starts.
async fn died(name: &str, events: &mut UnboundedReceiver<WorkerEvent>) {
    let first = select(events.next(), clock::sleep(START_TIMEOUT)).await;
    if let Either::Left((Some(WorkerEvent::Begun), _)) = first {
        let end = pin!(async {
            if worker_liveness::wait_for_death(name).await.is_err() {
                core::future::pending::<()>().await;
            }
        });
        select(end, events.next()).await;
    }
}

/// Counts deaths in a row.
#[derive(Debug, Default)]
struct Deaths(u32);

impl Deaths {
    /// A worker has died after running for this long. Returns the pause before the next one; `None` to give up.
    fn after(&mut self, life: Millis) -> Option<Millis> {
        if life >= STABLE_AFTER {
            self.0 = 0;
        }
        self.0 += 1;
        (self.0 < MAX_RESTARTS).then(|| Millis(FIRST_PAUSE.0 << (self.0 - 1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_until_hope_is_gone() {
        let mut deaths = Deaths::default();
        let pauses: Vec<_> = core::iter::from_fn(|| deaths.after(Millis(10))).collect();
        assert_eq!(pauses, [250, 500, 1000, 2000].map(Millis));
    }

    #[test]
    fn a_long_life_brings_hope_back() {
        let mut deaths = Deaths::default();
        for _ in 0..100 {
            assert_eq!(deaths.after(STABLE_AFTER), Some(FIRST_PAUSE));
        }
    }
}
