//! Shows a page that is fetched on demand; until it is there, that it is loading, or that it could not be loaded, with buttons
//! to try again and to reload.
//!
//! What this module does not know: what is in the page.

use leptos::prelude::*;

use super::app::App;
use super::on_demand::{MakePage, SecondaryPages, State};
use super::parts::{Icon, Picture};
use crate::state::route::Route;
use crate::text::Text;

/// The content of a dialog. Until the page names the dialog, what is shown instead does.
pub(super) fn dialog(app: App, choose: fn(&SecondaryPages) -> MakePage) -> AnyView {
    app.on_demand.load();
    (move || match app.on_demand.state() {
        State::Ready(pages) => choose(&pages)(),
        state => view! { <Waiting app failed=matches!(state, State::Failed)/> }.into_any(),
    })
    .into_any()
}

/// A pane, with a way back until the page has its own.
pub(super) fn pane(app: App, choose: fn(&SecondaryPages) -> MakePage) -> AnyView {
    app.on_demand.load();
    (move || match app.on_demand.state() {
        State::Ready(pages) => choose(&pages)(),
        state => view! {
            <main id="content" class="pane" tabindex="-1">
                <header class="pane-head">
                    <a id="back" class="icon-button" href=Route::Chats.fragment() aria-label=Text::Back.text()>
                        <Icon of=Picture::Back/>
                    </a>
                </header>
                <Waiting app failed=matches!(state, State::Failed)/>
            </main>
        }
        .into_any(),
    })
    .into_any()
}

#[component]
fn Waiting(app: App, failed: bool) -> impl IntoView {
    if !failed {
        let loading = Text::PageLoading.text();
        return view! { <h2 id="dialog-title" class="on-demand" role="status">{loading}</h2> }.into_any();
    }
    view! {
        <div class="on-demand" role="alert">
            <h2 id="dialog-title">{Text::PageNotLoaded.text()}</h2>
            <div class="buttons">
                <button class="secondary" on:click=move |_| app.store.browser().reload()>{Text::Reload.text()}</button>
                <button class="primary" on:click=move |_| app.on_demand.load()>{Text::TryAgain.text()}</button>
            </div>
        </div>
    }
    .into_any()
}
