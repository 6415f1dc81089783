//! One exclusive Web Lock, shared by every tab and worker of this origin. The browser frees it when its holder dies.
//!
//! Bound by hand, because `web_sys` calls the interface unstable.
//!
//! What this module does not know: what the lock protects. It is not a fence: a frozen holder may wake after it lost
//! the lock, so the store checks its generation as well.

use futures::channel::oneshot;
use js_sys::{Function, Object, Promise, Reflect};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::AbortController;

#[wasm_bindgen]
extern "C" {
    type LockManager;
    #[wasm_bindgen(method, catch)]
    fn request(
        this: &LockManager,
        name: &str,
        options: &Object,
        callback: &Closure<dyn FnMut(JsValue) -> Promise>,
    ) -> Result<Promise, JsValue>;
}

/// There will be no lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LockError {
    /// No Web Locks: an old browser, or a page that is not served over HTTPS.
    #[error("this browser cannot keep the tabs of a site apart")]
    Unsupported,
    /// The browser refused, for example because the page is going away.
    #[error("the browser refused the lock")]
    Refused,
}

/// The lock, held until dropped.
pub struct Lock {
    release: Function,
    request: Promise,
    /// Kept alive until the browser has called it.
    _granted: Closure<dyn FnMut(JsValue) -> Promise>,
}

/// Queues for the lock. Dropping the future leaves the queue.
///
/// # Errors
/// [`LockError`].
pub async fn acquire(name: &str) -> Result<Lock, LockError> {
    let mut line = Line(Some(AbortController::new().map_err(|_| LockError::Unsupported)?));
    let options = Object::new();
    if let Some(controller) = &line.0 {
        Reflect::set(&options, &"signal".into(), &controller.signal()).map_err(|_| LockError::Unsupported)?;
    }
    let lock = request(name, &options).await;
    line.0 = None;
    lock
}

/// Takes the lock from its holder, ahead of the queue. The holder is notified through [`Lock::lost`].
///
/// # Errors
/// [`LockError`].
pub async fn steal(name: &str) -> Result<Lock, LockError> {
    let options = Object::new();
    Reflect::set(&options, &"steal".into(), &JsValue::TRUE).map_err(|_| LockError::Unsupported)?;
    request(name, &options).await
}

async fn request(name: &str, options: &Object) -> Result<Lock, LockError> {
    let manager = manager().ok_or(LockError::Unsupported)?;
    let (sender, granted) = oneshot::channel();
    let mut sender = Some(sender);
    // The browser holds the lock until the promise that we return settles; `release` settles it.
    let mut release = None;
    let held = Promise::new(&mut |resolve, _| release = Some(resolve));
    let release = release.ok_or(LockError::Unsupported)?;
    let callback = Closure::<dyn FnMut(JsValue) -> Promise>::new(move |_| {
        if let Some(sender) = sender.take() {
            let _ = sender.send(());
        }
        held.clone()
    });
    let request = manager.request(name, options, &callback).map_err(|_| LockError::Refused)?;
    // From here on the lock is released on every way out, even if it is granted after this future was dropped.
    let lock = Lock { release, request, _granted: callback };
    let refused = JsFuture::from(lock.request.clone());
    match futures::future::select(granted, refused).await {
        futures::future::Either::Left((Ok(()), _)) => Ok(lock),
        _ => Err(LockError::Refused),
    }
}

fn manager() -> Option<LockManager> {
    let navigator = Reflect::get(&js_sys::global(), &"navigator".into()).ok()?;
    let locks = Reflect::get(&navigator, &"locks".into()).ok()?;
    locks.is_object().then(|| locks.unchecked_into())
}

/// A place in the queue for a lock.
struct Line(Option<AbortController>);

impl Drop for Line {
    fn drop(&mut self) {
        if let Some(controller) = self.0.take() {
            controller.abort();
        }
    }
}

impl Lock {
    /// Completes when the lock is taken away with [`steal`].
    pub async fn lost(&self) {
        let _ = JsFuture::from(self.request.clone()).await;
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = self.release.call0(&JsValue::UNDEFINED);
    }
}
