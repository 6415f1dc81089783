//! IndexedDB's events as futures, and its exceptions as four kinds of fault.
//!
//! What this module does not know: stores, rows, generations.

use core::cell::RefCell;
use futures::channel::oneshot;
use js_sys::Function;
use std::rc::Rc;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{DomException, Event, IdbDatabase, IdbOpenDbRequest, IdbTransaction, IdbVersionChangeEvent};

/// What can be done about an exception.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// No room.
    Quota,
    /// The database on disk is of a newer version than this build.
    TooNew,
    /// The transaction found another generation, and aborted itself.
    Superseded,
    /// Anything else. Mostly the connection: browsers close it behind our back. Worth another try on a new one.
    Broken,
}

impl Fault {
    fn of(exception: Option<&DomException>) -> Self {
        match exception.map(DomException::name).as_deref() {
            Some("QuotaExceededError") => Self::Quota,
            Some("VersionError") => Self::TooNew,
            _ => Self::Broken,
        }
    }
}

impl From<JsValue> for Fault {
    fn from(thrown: JsValue) -> Self {
        Self::of(thrown.dyn_ref())
    }
}

type Outcome = Result<(), Fault>;
type Sender = Rc<RefCell<Option<oneshot::Sender<Outcome>>>>;
type Listener = Closure<dyn FnMut(Event)>;

/// Sends the first outcome; later ones are dropped.
fn listener(sender: &Sender, outcome: impl Fn(&Event) -> Outcome + 'static) -> Listener {
    let sender = Rc::clone(sender);
    Closure::new(move |event: Event| {
        if let Some(sender) = sender.borrow_mut().take() {
            let _ = sender.send(outcome(&event));
        }
    })
}

fn callback(listener: &Listener) -> Option<&Function> {
    Some(listener.as_ref().unchecked_ref())
}

/// The end of a transaction. Listens from the moment it is made, so it must be made in the task that opens the transaction.
/// Dropped before the end, it takes the transaction back.
pub(super) struct Ending {
    transaction: IdbTransaction,
    ended: bool,
    outcome: oneshot::Receiver<Outcome>,
    _listeners: [Listener; 2],
}

impl Ending {
    pub(super) fn of(transaction: IdbTransaction) -> Self {
        let (sender, outcome) = oneshot::channel();
        let sender = Rc::new(RefCell::new(Some(sender)));
        let completed = listener(&sender, |_| Ok(()));
        let aborted = listener(&sender, {
            let transaction = transaction.clone();
            move |_| Err(Fault::of(transaction.error().as_ref()))
        });
        transaction.set_oncomplete(callback(&completed));
        transaction.set_onabort(callback(&aborted));
        Self { transaction, ended: false, outcome, _listeners: [completed, aborted] }
    }

    /// Waits until the transaction is durable, or certain to have had no effect.
    pub(super) async fn wait(mut self) -> Outcome {
        let outcome = (&mut self.outcome).await.unwrap_or(Err(Fault::Broken));
        self.ended = true;
        outcome
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.transaction.set_oncomplete(None);
        self.transaction.set_onabort(None);
        if !self.ended {
            let _ = self.transaction.abort();
        }
    }
}

/// Waits for an open request; the wait may be given up by dropping it. `upgrade` runs inside of the version change transaction, with the version on disk.
pub(super) async fn opened(
    request: &IdbOpenDbRequest,
    upgrade: impl Fn(&IdbOpenDbRequest, u32) -> Result<(), JsValue> + 'static,
) -> Outcome {
    let (sender, outcome) = oneshot::channel();
    let sender = Rc::new(RefCell::new(Some(sender)));
    let succeeded = listener(&sender, |_| Ok(()));
    let failed = listener(&sender, {
        let request = request.clone();
        move |_| Err(Fault::of(request.error().ok().flatten().as_ref()))
    });
    let upgrading = Listener::new({
        let request = request.clone();
        move |event: Event| {
            let from = event.dyn_ref::<IdbVersionChangeEvent>().map_or(0.0, |event| event.old_version());
            if upgrade(&request, from as u32).is_err()
                && let Some(transaction) = request.transaction()
            {
                // The request then fails, with the database as it was.
                let _ = transaction.abort();
            }
        }
    });
    request.set_onsuccess(callback(&succeeded));
    request.set_onerror(callback(&failed));
    request.set_onupgradeneeded(callback(&upgrading));
    // Dropped before the listeners, which were made earlier.
    let mut waiting = Waiting { request, over: false };
    let outcome = outcome.await.unwrap_or(Err(Fault::Broken));
    waiting.over = true;
    outcome
}

/// A wait for an open request that may be given up. What comes afterwards must leave no trace: neither a connection that
/// nobody closes and that would keep a newer build from upgrading, nor a database that nobody gave its stores.
struct Waiting<'a> {
    request: &'a IdbOpenDbRequest,
    over: bool,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.request.set_onerror(None);
        if self.over {
            self.request.set_onsuccess(None);
            self.request.set_onupgradeneeded(None);
            return;
        }
        let close = Closure::once_into_js({
            let request = self.request.clone();
            move || {
                if let Ok(database) = request.result() {
                    database.unchecked_into::<IdbDatabase>().close();
                }
            }
        });
        let abort = Closure::once_into_js({
            let request = self.request.clone();
            move || request.transaction().map(|transaction| transaction.abort().is_ok()).unwrap_or_default()
        });
        self.request.set_onsuccess(Some(close.unchecked_ref()));
        self.request.set_onupgradeneeded(Some(abort.unchecked_ref()));
    }
}
