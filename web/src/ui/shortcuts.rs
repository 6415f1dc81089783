//! Keys that work everywhere. None of them is a single letter, and none is taken from a text box.

use leptos::ev::KeyboardEvent;
use leptos::prelude::*;

use super::app::{App, Sheet};
use super::timing::on_key;
use crate::state::route::Route;
use crate::state::scope::Listener;
use crate::text::Text;

/// Every shortcut, for the list: keys, and what they do.
pub(super) const LIST: [(&[&str], Text); 7] = [
    (&["Enter"], Text::ShortcutSend),
    (&["Ctrl", "Enter"], Text::ShortcutSend),
    (&["Shift", "Enter"], Text::ShortcutNewline),
    (&["Alt", "↓"], Text::ShortcutNext),
    (&["Alt", "↑"], Text::ShortcutPrevious),
    (&["Esc"], Text::ShortcutBack),
    (&["Ctrl", "/"], Text::ShortcutHelp),
];

/// Listens while the page lives.
pub(super) fn listen(app: App) {
    on_key(Listener::detached(app, |app, event| press(*app, &event)));
}

fn press(app: App, event: &KeyboardEvent) {
    // A dialog has its own keys, and the browser closes it on Esc.
    if event.default_prevented() || event.is_composing() || app.sheet.get_untracked().is_some() {
        return;
    }
    let command = event.ctrl_key() || event.meta_key();
    match event.key().as_str() {
        "/" if command => app.sheet.set(Some(Sheet::Shortcuts)),
        "?" if !command && !types_into(event) => app.sheet.set(Some(Sheet::Shortcuts)),
        "ArrowDown" if event.alt_key() => step(app, 1),
        "ArrowUp" if event.alt_key() => step(app, -1),
        "Escape" if app.route.get_untracked() != Route::Chats => app.go(&Route::Chats),
        _ => return,
    }
    event.prevent_default();
}

fn types_into(event: &KeyboardEvent) -> bool {
    let tag = event.target().map(|_| event_target::<leptos::tachys::renderer::types::Element>(event).tag_name());
    matches!(tag.as_deref(), Some("TEXTAREA" | "INPUT" | "SELECT"))
}

fn step(app: App, by: isize) {
    let open = app.route.with_untracked(|route| match route {
        Route::Chat(id) => Some(id.clone()),
        Route::Chats | Route::Settings | Route::Restore => None,
    });
    let next = app.store.chats.with_untracked(|rows| {
        let last = rows.len().checked_sub(1)?;
        let at = open.and_then(|open| rows.iter().position(|row| *row.id == *open));
        let at = match at {
            Some(at) => at.checked_add_signed(by)?.min(last),
            None if by > 0 => 0,
            None => last,
        };
        rows.get(at).map(|row| row.id.to_string())
    });
    if let Some(next) = next {
        app.go(&Route::Chat(next));
    }
}

/// In the dialog: every shortcut.
#[component]
pub(super) fn Shortcuts() -> impl IntoView {
    view! {
        <h2 id="dialog-title">{Text::Shortcuts.text()}</h2>
        <dl class="shortcuts">
            {LIST.map(|(keys, what)| view! {
                <div>
                    <dt>{what.text()}</dt>
                    <dd>{keys.iter().map(|key| view! { <kbd>{*key}</kbd> }).collect_view()}</dd>
                </div>
            }).collect_view()}
        </dl>
    }
}
