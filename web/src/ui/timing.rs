//! Timers, animation frames and window events, for components: the only module that calls Leptos's own functions for
//! them, which take any closure. Here they take an [`Answer`] or a [`Listener`], so that none outlives what it
//! captures.
#![expect(clippy::disallowed_methods, reason = "this is the one place that the lint sends everybody to")]

use std::time::Duration;

use leptos::ev::{KeyboardEvent, keydown};
use leptos::prelude::*;

use crate::state::scope::{Answer, Listener};

/// Runs an answer after a delay. `None` if the browser has no timers left; the answer is dropped then.
pub(super) fn after(delay: Duration, answer: Answer<()>) -> Option<TimeoutHandle> {
    set_timeout_with_handle(move || answer.run(()), delay).ok()
}

/// Calls a listener at an interval, until the component or effect that is running is cleaned up.
pub(super) fn every(interval: Duration, listener: Listener<()>) {
    if let Ok(handle) = set_interval_with_handle(move || listener.run(()), interval) {
        on_cleanup(move || handle.clear());
    }
}

/// Runs an answer before the next paint.
pub(super) fn next_frame(answer: Answer<()>) {
    request_animation_frame(move || answer.run(()));
}

/// Calls a listener on each event of the window, until the component or effect that is running is cleaned up.
pub(super) fn on_window(event: &str, listener: Listener<()>) {
    let handle = window_event_listener_untyped(event, move |_| listener.run(()));
    on_cleanup(move || handle.remove());
}

/// Calls a listener on each key that is pressed, until the component or effect that is running is cleaned up.
pub(super) fn on_key(listener: Listener<KeyboardEvent>) {
    let handle = window_event_listener(keydown, move |event| listener.run(event));
    on_cleanup(move || handle.remove());
}
