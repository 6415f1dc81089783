//! How durable this site's storage is, and how full.

use js_sys::Reflect;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{StorageEstimate, StorageManager};

/// What the browser says, in bytes. Both are rough on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Estimate {
    /// Bytes in use.
    pub used: u64,
    /// Bytes that may be used.
    pub quota: u64,
}

fn manager() -> Option<StorageManager> {
    let navigator = Reflect::get(&js_sys::global(), &"navigator".into()).ok()?;
    Reflect::get(&navigator, &"storage".into()).ok()?.dyn_into().ok()
}

/// Asks the browser never to evict this site's data on its own. Pages only; some browsers ask the person. True when granted,
/// now or earlier.
pub async fn persist() -> bool {
    let Some(Ok(request)) = manager().map(|manager| manager.persist()) else { return false };
    JsFuture::from(request).await.is_ok_and(|granted| granted.is_truthy())
}

/// How full the storage is, if the browser says so.
pub async fn estimate() -> Option<Estimate> {
    let estimate = JsFuture::from(manager()?.estimate().ok()?).await.ok()?;
    let estimate: StorageEstimate = estimate.unchecked_into();
    let bytes = |field: &str| Reflect::get(&estimate, &field.into()).ok().and_then(|value: JsValue| value.as_f64());
    Some(Estimate { used: bytes("usage")? as u64, quota: bytes("quota")? as u64 })
}
