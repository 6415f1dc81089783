//! The storage of a tab's session, which the next page in the same tab reads.
//!
//! What this module does not know: what is kept there. Workers have none. Where the browser refuses, nothing is kept.

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
