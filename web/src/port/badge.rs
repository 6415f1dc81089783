//! The number on the app's icon, in pages and in the service worker alike.
//!
//! What this module does not know: what is counted.

use js_sys::{Function, Promise, Reflect};
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;

/// Shows how many messages are not read on the app's icon, where there is one.
pub fn set(unread: u32) {
    // Not in every browser, so not through a binding that expects it.
    let call = || -> Option<Promise> {
        let navigator = Reflect::get(&js_sys::global(), &"navigator".into()).ok()?;
        let set: Function = Reflect::get(&navigator, &"setAppBadge".into()).ok()?.dyn_into().ok()?;
        set.call1(&navigator, &unread.into()).ok()?.dyn_into().ok()
    };
    if let Some(promise) = call() {
        super::spawn(async move {
            let _nobody_minds = JsFuture::from(promise).await;
        });
    }
}
