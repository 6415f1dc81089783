//! The only live region: announces incoming messages.

use leptos::prelude::*;

use crate::text::Phrase;
use crate::ui::app::app;

/// Longest text that is read out, in characters; the message itself is one key away.
const READ_OUT: usize = 200;

/// Invisible; polite, so that it never interrupts.
#[component]
pub(crate) fn Announcer() -> impl IntoView {
    let app = app();
    // The same text twice would be no change and would not be announced: every other time it ends in a space.
    let words = Memo::new(move |before: Option<&String>| {
        app.store.incoming.with(|incoming| {
            let Some(incoming) = incoming else { return String::new() };
            let text: String = incoming.text.chars().take(READ_OUT).collect();
            let mut words = Phrase::NewMessageFrom(&incoming.sender, &text).text();
            if before == Some(&words) {
                words.push('\u{a0}');
            }
            words
        })
    });
    view! { <div id="announcer" class="unseen" role="status" aria-live="polite">{move || words.get()}</div> }
}
