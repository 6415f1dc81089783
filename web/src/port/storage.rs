//! How durable this site's storage is, and how full.

use super::window;
use crate::number;
use js_sys::{Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::StorageManager;

/// The browser's estimate, in bytes; rounded for privacy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Estimate {
    /// Bytes in use.
    pub used: u64,
    /// Bytes that may be used.
    pub quota: u64,
    /// Of those in use, the bytes of IndexedDB, where the browser reports it.
    pub database: Option<u64>,
}

fn manager() -> Option<StorageManager> {
    let navigator = Reflect::get(&js_sys::global(), &"navigator".into()).ok()?;
    Reflect::get(&navigator, &"storage".into()).ok()?.dyn_into().ok()
}

async fn answer(request: Result<Promise, JsValue>) -> Option<JsValue> {
    JsFuture::from(request.ok()?).await.ok()
}

/// Asks the browser never to evict this site's data on its own. Pages only; some browsers ask the person, and only as
/// long as the click that led here is fresh. True when granted, now or earlier.
pub fn persist() -> impl Future<Output = bool> {
    let asked = manager().map(|manager| manager.persist());
    async move {
        match asked {
            Some(asked) => answer(asked).await.is_some_and(|granted| granted.is_truthy()),
            None => false,
        }
    }
}

/// Whether the browser has promised not to evict this site's data; `None` where it cannot.
pub async fn persisted() -> Option<bool> {
    Some(answer(manager()?.persisted()).await?.is_truthy())
}

/// Usage and quota, if the browser reports them.
pub async fn estimate() -> Option<Estimate> {
    let estimate = answer(manager()?.estimate()).await?;
    let bytes = |of: &JsValue, field: &str| Some(number::from_js(Reflect::get(of, &field.into()).ok()?.as_f64()?));
    let details = Reflect::get(&estimate, &"usageDetails".into()).ok().filter(JsValue::is_object);
    Some(Estimate {
        used: bytes(&estimate, "usage")?,
        quota: bytes(&estimate, "quota")?,
        database: details.and_then(|details| bytes(&details, "indexedDB")),
    })
}

/// This browser removes what a site keeps that is not visited for a week, unless the site is installed: Safari, and
/// every browser of an iPhone or iPad. They are known by what only they have.
pub fn evicts_after_a_week() -> bool {
    let has = |of: &JsValue, field: &str| Reflect::has(of, &field.into()).unwrap_or(false);
    let global = JsValue::from(js_sys::global());
    let Ok(navigator) = Reflect::get(&global, &"navigator".into()) else { return false };
    (has(&navigator, "standalone") || has(&global, "safari")) && !window::matches("(display-mode: standalone)")
}
