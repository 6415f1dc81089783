//! The window around the page: address bar, title, focus, small settings that are remembered.
//!
//! Where the browser refuses (no storage in private windows, say), nothing happens: none of this is worth an error.

use super::clock;
use causeway::io::Millis;
use futures::channel::oneshot;
use futures::future::select;
use js_sys::{JsString, Reflect, RegExp};
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{Document, Element, HtmlElement, Storage, Window};

/// Longest wait for an animation frame; a page in the background gets none.
const LATEST: Millis = Millis(100);

fn window() -> Option<Window> {
    web_sys::window()
}

fn document() -> Option<Document> {
    window()?.document()
}

fn storage() -> Option<Storage> {
    window()?.local_storage().ok()?
}

/// The address bar's fragment with its `#`, or nothing.
pub fn fragment() -> String {
    window().and_then(|window| window.location().hash().ok()).unwrap_or_default()
}

/// A parameter of the address. None of ours needs decoding: what does is not found.
pub fn address_parameter(name: &str) -> Option<String> {
    let search = window()?.location().search().ok()?;
    let plain = |value: &str| value.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let mut pairs = search.trim_start_matches('?').split('&').filter_map(|pair| pair.split_once('='));
    pairs.find(|(key, value)| *key == name && plain(value)).map(|(_, value)| value.to_owned())
}

/// Goes to a fragment. `hashchange` is fired only when the fragment changes.
pub fn go(fragment: &str, replace: bool) {
    let Some(window) = window() else { return };
    let _ = if replace { window.location().replace(fragment) } else { window.location().set_hash(fragment) };
}

/// Waits until the page is about to be painted.
pub async fn next_frame() {
    let (sender, frame) = oneshot::channel();
    let mut sender = Some(sender);
    let callback = Closure::<dyn FnMut()>::new(move || {
        let _nobody_waits = sender.take().map(|sender| sender.send(()));
    });
    let Some(window) = window() else { return };
    let Ok(handle) = window.request_animation_frame(callback.as_ref().unchecked_ref()) else { return };
    select(frame, clock::sleep(LATEST)).await;
    let _ = window.cancel_animation_frame(handle);
}

/// Loads the page again.
pub fn reload() {
    if let Some(window) = window() {
        let _ = window.location().reload();
    }
}

/// The window's title.
pub fn set_title(title: &str) {
    if let Some(document) = document() {
        document.set_title(title);
    }
}

/// What was remembered under a key.
pub fn recall(key: &str) -> Option<String> {
    storage()?.get_item(key).ok()?
}

/// Remembers a value under a key.
pub fn remember(key: &str, value: &str) {
    if let Some(storage) = storage() {
        let _ = storage.set_item(key, value);
    }
}

/// Sets an attribute of the root element, or removes it.
pub fn mark_root(attribute: &str, value: Option<&str>) {
    if let Some(root) = document().and_then(|document| document.document_element()) {
        let _ = match value {
            Some(value) => root.set_attribute(attribute, value),
            None => root.remove_attribute(attribute),
        };
    }
}

/// Moves the focus to the element of an id, if there is one.
pub fn focus(id: &str) {
    let element = document().and_then(|document| document.get_element_by_id(id));
    if let Some(element) = element.and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
        let _ = element.focus();
    }
}

/// What is typed in the text field of an id, without halves of characters (UTF-16 surrogates that stand alone).
pub fn typed(id: &str) -> String {
    let value = field(id).and_then(|field| Reflect::get(&field, &VALUE.into()).ok()).unwrap_or_default();
    // In a pattern with `u` a pair is one character, and not of this category.
    let halves = RegExp::new(r"\p{Cs}", "gu");
    value.dyn_into::<JsString>().map(|value| value.replace_by_pattern(&halves, "").into()).unwrap_or_default()
}

/// Puts a text into the field of an id, unless that is what is typed there: a half of a character stays, and the cursor
/// where it is.
pub fn put_typed(id: &str, text: &str) {
    if let Some(field) = field(id).filter(|_| typed(id) != text) {
        // A text field takes every string.
        let _ = Reflect::set(&field, &VALUE.into(), &text.into());
    }
}

/// Input and text area alike.
const VALUE: &str = "value";

fn field(id: &str) -> Option<Element> {
    document()?.get_element_by_id(id)
}

/// The device has a network. Some browsers only know that it has none.
pub fn has_network() -> bool {
    window().is_none_or(|window| window.navigator().on_line())
}

/// The page is visible and has the focus.
pub fn is_watched() -> bool {
    document().is_some_and(|document| !document.hidden() && document.has_focus().unwrap_or(false))
}

/// Whether a media query matches.
pub fn matches(query: &str) -> bool {
    window().and_then(|window| window.match_media(query).ok().flatten()).is_some_and(|list| list.matches())
}

/// The content of a `<meta name="…">`, if it is there and not empty.
pub fn meta(name: &str) -> Option<String> {
    let found = document()?.query_selector(&format!("meta[name=\"{name}\"]")).ok()??;
    found.get_attribute("content").filter(|content| !content.is_empty())
}

/// Whether this is a page; otherwise it is a worker.
pub fn is_page() -> bool {
    web_sys::window().is_some()
}
