//! A text field and the signal of what is typed in it.

use leptos::prelude::*;

use crate::ui::app::app;

/// Keeps the field of an id and a signal alike; returns what to do on `input`. The field is written only if the signal
/// has another text: while an input method hands over an emoji in halves, the field keeps the first one, and the signal
/// has the whole characters.
pub(crate) fn follow_typing<E: 'static>(id: &'static str, text: RwSignal<String>) -> impl Fn(E) + Clone + 'static {
    let app = app();
    Effect::new(move |_| text.with(|text| app.store.browser().put_typed(id, text)));
    move |_| text.set(app.store.browser().typed(id))
}
