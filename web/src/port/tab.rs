//! The tab that a page is in: its end, and the storage of its session, which the next page in the same tab reads.
//!
//! What this module does not know: what is kept there. Workers have none of this. Where the browser refuses, nothing is
//! kept.

use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::Storage;

fn storage() -> Option<Storage> {
    web_sys::window()?.session_storage().ok()?
}

/// Keeps a text in this tab; `None` removes it.
pub fn keep(key: &str, text: Option<&str>) {
    let Some(storage) = storage() else { return };
    let _refused = match text {
        Some(text) => storage.set_item(key, text),
        None => storage.remove_item(key),
    };
}

/// What was kept, which is removed.
pub fn take(key: &str) -> Option<String> {
    let storage = storage()?;
    let text = storage.get_item(key).ok()??;
    let _refused = storage.remove_item(key);
    Some(text)
}

/// Calls back when the page is left or loaded again, for as long as the page lives. It may be shown again afterwards.
pub fn on_leave(on_leave: impl FnMut() + 'static) {
    let Some(window) = web_sys::window() else { return };
    let listener = Closure::<dyn FnMut()>::new(on_leave);
    let _ = window.add_event_listener_with_callback("pagehide", listener.as_ref().unchecked_ref());
    listener.forget();
}
