//! What service-worker.js may call: functions of ours, under one name of its global scope.
//!
//! What this module does not know: what they do.

use js_sys::{Array, Object, Promise, Reflect};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::future_to_promise;

/// The name that service-worker.js knows.
const NAME: &str = "causeway";

/// Offers a function for as long as the worker lives. It takes strings; other values become empty strings. It returns a
/// promise, which is rejected with the error's message.
pub fn offer<F>(name: &str, call: impl Fn(Vec<String>) -> F + 'static)
where
    F: Future<Output = Result<(), String>> + 'static,
{
    let function = Closure::<dyn Fn(Array) -> Promise>::new(move |texts: Array| {
        let done = call(texts.iter().map(|text| text.as_string().unwrap_or_default()).collect());
        future_to_promise(async { done.await.map(|()| JsValue::UNDEFINED).map_err(JsValue::from) })
    });
    let global = js_sys::global();
    let offered = Reflect::get(&global, &NAME.into()).ok().filter(JsValue::is_object).unwrap_or_else(|| {
        let offered = Object::new();
        let _always_extensible = Reflect::set(&global, &NAME.into(), &offered);
        offered.into()
    });
    let _always_extensible = Reflect::set(&offered, &name.into(), function.as_ref().unchecked_ref());
    function.forget();
}

/// Whether this is a service worker.
pub fn is_wanted() -> bool {
    js_sys::global().is_instance_of::<web_sys::ServiceWorkerGlobalScope>()
}
