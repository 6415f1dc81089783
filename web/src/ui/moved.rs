//! This browser was replaced: what is still here, and what a person can do.

use leptos::prelude::*;

use super::app::{App, Sheet, app};
use crate::text::elsewhere::moved_since;
use crate::text::{Elsewhere, Text};

/// Instead of an open chat, where there is room for it.
#[component]
pub(super) fn MovedPane() -> impl IntoView {
    view! {
        <main id="content" class="pane nothing moved" tabindex="-1">
            <h1>{Elsewhere::Moved.say()}</h1>
            <Words/>
        </main>
    }
}

/// In the dialog, from the banner.
#[component]
pub(super) fn MovedSheet() -> impl IntoView {
    view! {
        <h2 id="dialog-title">{Elsewhere::Moved.say()}</h2>
        <Words/>
    }
}

#[component]
fn Words() -> impl IntoView {
    let app: App = app();
    view! {
        <p id="moved-since">{move || moved_since(app.elsewhere_since().as_deref())}</p>
        <ul class="losses">
            <li>{Elsewhere::MovedHere.say()}</li>
            <li>{Elsewhere::MovedNot.say()}</li>
            <li>{Elsewhere::MovedUseOther.say()}</li>
            <li>{Elsewhere::MovedBack.say()}</li>
            <li>{Elsewhere::MovedErase.say()}</li>
        </ul>
        <div class="buttons">
            <button class="danger" on:click=move |_| app.sheet.set(Some(Sheet::Erase))>{Text::Erase.say()}</button>
        </div>
    }
}
