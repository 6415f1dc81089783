//! The browser's hints that a connection may be stale: network back, page brought to the front; and that the page is left.
//!
//! What this module does not know: what to do about it. A hint may be wrong in both directions.

use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{Event, EventTarget, VisibilityState};

/// What the browser hinted at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Return {
    /// The device has a network again.
    Online,
    /// The page is in front again.
    Visible,
    /// The page was shown, perhaps from the back-forward cache: what was sent meanwhile may be lost.
    Shown,
    /// The page is left or loaded again: its worker may end with it. It may be shown again.
    Left,
}

/// Listens in a page or a worker until dropped.
pub struct Returns {
    listening: Vec<(EventTarget, &'static str)>,
    listener: Closure<dyn FnMut(Event)>,
}

impl Returns {
    /// Calls back on every hint. A worker gets only the network's.
    pub fn listen(mut on_return: impl FnMut(Return) + 'static) -> Self {
        let document = web_sys::window().and_then(|window| window.document());
        let listener = Closure::<dyn FnMut(Event)>::new({
            let document = document.clone();
            move |event: Event| {
                if event.type_() == "online" {
                    on_return(Return::Online);
                } else if event.type_() == "pageshow" {
                    on_return(Return::Shown);
                } else if event.type_() == "pagehide" {
                    on_return(Return::Left);
                } else if document.as_ref().is_none_or(|page| page.visibility_state() == VisibilityState::Visible) {
                    on_return(Return::Visible);
                }
            }
        });
        let mut returns = Self { listening: Vec::new(), listener };
        if let Ok(global) = js_sys::global().dyn_into::<EventTarget>() {
            returns.add(&global, "online");
            if document.is_some() {
                returns.add(&global, "pageshow");
                returns.add(&global, "pagehide");
            }
        }
        if let Some(document) = document {
            returns.add(&document, "visibilitychange");
        }
        returns
    }

    fn add(&mut self, target: &EventTarget, name: &'static str) {
        let callback = self.listener.as_ref().unchecked_ref();
        if target.add_event_listener_with_callback(name, callback).is_ok() {
            self.listening.push((target.clone(), name));
        }
    }
}

impl Drop for Returns {
    fn drop(&mut self) {
        for (target, name) in &self.listening {
            let _ = target.remove_event_listener_with_callback(name, self.listener.as_ref().unchecked_ref());
        }
    }
}
