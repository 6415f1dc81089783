//! The one dialog: the browser's own, so that focus, Esc and the world behind it are right without our doing.

use leptos::html;
use leptos::prelude::*;

use super::{Icon, Picture};
use crate::text::Text;
use crate::ui::app::app;

/// Shows its children while a sheet is open. They name it with an element `#dialog-title`.
#[component]
pub(crate) fn Dialog(children: Children) -> impl IntoView {
    let app = app();
    let dialog = NodeRef::<html::Dialog>::new();
    let close = move || {
        if app.sheet.get_untracked().is_some() {
            app.sheet.set(None);
        }
    };
    // The event comes late: on a busy machine another sheet may be open by then, and that one stays.
    let closed = move || {
        if dialog.get_untracked().is_none_or(|dialog| !dialog.open()) {
            close();
        }
    };
    Effect::new(move |_| {
        let open = app.sheet.with(Option::is_some);
        let Some(dialog) = dialog.get() else { return };
        if open && !dialog.open() {
            // Refused only where the element has left the page, and then there is nothing to show it in.
            let _ = dialog.show_modal();
        } else if !open && dialog.open() {
            dialog.close();
        }
    });
    view! {
        <dialog id="dialog" class="dialog" aria-labelledby="dialog-title" node_ref=dialog on:close=move |_| closed()>
            {children()}
            <button id="dialog-close" class="icon-button" type="button" aria-label=Text::Close.text()
                on:click=move |_| close()>
                <Icon of=Picture::Cross/>
            </button>
        </dialog>
    }
}
