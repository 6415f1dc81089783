//! The one live region: says that a message came, and nothing else.

use leptos::prelude::*;

use crate::text::Phrase;
use crate::ui::app::app;

/// Longest text that is read out, in characters; the message itself is one key away.
const READ_OUT: usize = 200;

/// Invisible; polite, so that it never interrupts.
#[component]
pub(in crate::ui) fn Announcer() -> impl IntoView {
    let app = app();
    let words = move || {
        app.store.incoming.with(|incoming| {
            incoming.as_ref().map(|incoming| {
                let text: String = incoming.text.chars().take(READ_OUT).collect();
                Phrase::NewMessageFrom(&incoming.sender, &text).say()
            })
        })
    };
    view! { <div id="announcer" class="unseen" role="status" aria-live="polite">{words}</div> }
}
