//! The dedicated worker that the page starts for the engine.
//!
//! What this module does not know: whether that worker's engine will lead. Page and worker talk only over channels.

use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{ErrorEvent, Worker, WorkerOptions, WorkerType};

/// The file that Trunk puts beside the page. boot.js allows exactly this one through Trusted Types.
const SCRIPT: &str = "/worker.js";

/// The browser did not start the worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this browser did not start the background worker")]
pub struct WorkerError;

/// A worker that lives as long as its page, or until dropped.
pub struct EngineWorker {
    inner: Worker,
    /// Kept alive for as long as the worker may fail.
    _listener: Closure<dyn FnMut(ErrorEvent)>,
}

impl EngineWorker {
    /// Starts the worker. `on_failure` is called when its script or its WebAssembly does not load, or when it dies.
    ///
    /// # Errors
    /// [`WorkerError`] when the browser has no module workers, or the content security policy forbids this one.
    pub fn start(mut on_failure: impl FnMut() + 'static) -> Result<Self, WorkerError> {
        let options = WorkerOptions::new();
        options.set_type(WorkerType::Module);
        options.set_name("causeway-engine");
        let inner = Worker::new_with_options(SCRIPT, &options).map_err(|_| WorkerError)?;
        let listener = Closure::<dyn FnMut(ErrorEvent)>::new(move |_| on_failure());
        inner.set_onerror(Some(listener.as_ref().unchecked_ref()));
        Ok(Self { inner, _listener: listener })
    }
}

impl Drop for EngineWorker {
    fn drop(&mut self) {
        self.inner.terminate();
    }
}
