//! The dedicated worker that the page starts for the engine: both ends of the wire between the two.
//!
//! The messages carry no data. From the worker: it has started. To the worker: the leader does not answer, take over.
//!
//! What this module does not know: whether that worker's engine will lead. Commands and updates go over channels.

use js_sys::global;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{DedicatedWorkerGlobalScope, Event, Worker, WorkerOptions, WorkerType};

/// The file that Trunk puts beside the page. boot.js allows exactly this one through Trusted Types.
const SCRIPT: &str = "/worker.js";

/// The browser did not start the worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this browser did not start the background worker")]
pub struct WorkerError;

/// An event of a page's worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkerEvent {
    /// It runs, and holds the lock that it dies with.
    Begun,
    /// Its script or its WebAssembly did not load, or it has died of an exception.
    Failed,
}

/// A worker that lives as long as its page, or until dropped.
pub struct EngineWorker {
    inner: Worker,
    /// Kept alive for as long as the worker may speak or fail.
    _listener: Closure<dyn FnMut(Event)>,
}

impl EngineWorker {
    /// Starts the worker under a name that it can read.
    ///
    /// # Errors
    /// [`WorkerError`] when the browser has no module workers, or the content security policy forbids this one.
    pub fn start(name: &str, mut on_event: impl FnMut(WorkerEvent) + 'static) -> Result<Self, WorkerError> {
        let options = WorkerOptions::new();
        options.set_type(WorkerType::Module);
        options.set_name(name);
        let inner = Worker::new_with_options(SCRIPT, &options).map_err(|_| WorkerError)?;
        let listener = Closure::<dyn FnMut(Event)>::new(move |event: Event| {
            on_event(if event.type_() == "message" { WorkerEvent::Begun } else { WorkerEvent::Failed });
        });
        let callback = Some(listener.as_ref().unchecked_ref());
        inner.set_onmessage(callback);
        inner.set_onerror(callback);
        Ok(Self { inner, _listener: listener })
    }

    /// Asks the worker to take over.
    pub fn request_takeover(&self) {
        // Null can be posted anywhere.
        let _ = self.inner.post_message(&JsValue::NULL);
    }
}

impl Drop for EngineWorker {
    fn drop(&mut self) {
        self.inner.terminate();
    }
}

/// The worker's own end. `None` where the code runs in something else than a dedicated worker.
pub struct OwnEnd(DedicatedWorkerGlobalScope);

impl OwnEnd {
    /// Of the worker that runs this.
    pub fn here() -> Option<Self> {
        global().dyn_into().ok().map(Self)
    }

    /// The name that the page gave.
    pub fn name(&self) -> String {
        self.0.name()
    }

    /// Notifies the page that the worker runs.
    pub fn begun(&self) {
        let _ = self.0.post_message(&JsValue::NULL);
    }

    /// Calls back on each takeover request of the page, for as long as the worker lives.
    pub fn on_takeover_request(&self, mut on_takeover_request: impl FnMut() + 'static) {
        let listener = Closure::<dyn FnMut(Event)>::new(move |_| on_takeover_request());
        self.0.set_onmessage(Some(listener.as_ref().unchecked_ref()));
        listener.forget();
    }
}
