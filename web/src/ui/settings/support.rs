//! The log for support: made on request, shown whole before it leaves, and saved as a file.

use causeway::view::{Action, Done, SupportLog};
use leptos::prelude::*;

use crate::state::scope::Scope;
use crate::text::Text;
use crate::ui::app::{App, app};

/// Where `web/boot.js` keeps the reason of the page's last failure.
const LAST_FAILURE: &str = "causeway-last-failure";
/// Name of the saved file.
const FILE: &str = "causeway-support.txt";

/// A button, and what it has made.
#[component]
pub(super) fn Support() -> impl IntoView {
    let app = app();
    let scope = Scope::current();
    let log = RwSignal::new(None::<String>);
    let make = move |_| {
        let shown = scope.answer(move |done: Done| log.set(Some(whole(app, done.log))));
        app.store.ask(Action::SupportLog(SupportLog {}), shown);
    };
    let save = move |text: &str| {
        let browser = app.store.browser();
        browser.collect(0, text.as_bytes());
        browser.save(FILE);
    };
    view! {
        <p>{Text::SupportAbout.text()}</p>
        <button id="support-make" class="secondary" on:click=make>{Text::SupportMake.text()}</button>
        <div aria-live="polite">
            {move || log.get().map(|text| {
                let saved = text.clone();
                view! {
                    <pre id="support-log" class="log" tabindex="0">{text}</pre>
                    <button id="support-save" class="secondary" on:click=move |_| save(&saved)>
                        {Text::SupportSave.text()}
                    </button>
                }
            })}
        </div>
    }
}

/// The engine's log, with the reason why a page stopped last, if one did.
fn whole(app: App, log: String) -> String {
    match app.store.browser().recall(LAST_FAILURE) {
        Some(failure) => format!("{log}\npage stopped\n{failure}\n"),
        None => log,
    }
}
