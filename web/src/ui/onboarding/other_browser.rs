//! Between signing in and enlisting, if the account's keys are in another browser or were removed from this one: what
//! happened, and what a person can do before anything is replaced.

use causeway::view::{Action, SignOut};
use leptos::prelude::*;

use crate::state::route::Route;
use crate::text::{OtherBrowser, Text, in_use_since};
use crate::ui::app::{App, Sheet, app};
use crate::ui::parts::{Icon, Picture};

/// Explains the state and offers ways to continue, beginning with those that lose nothing.
#[component]
pub(super) fn OtherBrowserStep() -> impl IntoView {
    let app = app();
    let lost = app.store.account.with_untracked(|account| account.as_ref().is_some_and(|account| account.lost_at != 0));
    let ways = [
        (Picture::Phone, OtherBrowser::Move, OtherBrowser::MoveHow),
        (Picture::Key, OtherBrowser::Restore, OtherBrowser::RestoreHow),
        (Picture::Person, OtherBrowser::StartNew, OtherBrowser::StartNewHow),
    ];
    view! {
        {if lost { view! { <Lost/> }.into_any() } else { view! { <InUse app/> }.into_any() }}
        <ul class="points" role="list">
            {ways.map(|(picture, title, more)| view! {
                <li><Icon of=picture/><div><h2>{title.text()}</h2><p>{more.text()}</p></div></li>
            }).collect_view()}
        </ul>
        <a id="open-restore" class="primary wide" href=Route::Restore.fragment()>{OtherBrowser::OpenFile.text()}</a>
        <button id="start-new" class="danger wide" on:click=move |_| app.sheet.set(Some(Sheet::StartNew))>
            {OtherBrowser::StartNew.text()}
        </button>
        <button class="quiet wide" on:click=move |_| app.store.send(Action::SignOut(SignOut {}))>
            {Text::SignOut.text()}
        </button>
    }
}

#[component]
fn InUse(app: App) -> impl IntoView {
    let since = move || in_use_since(&app.identifier(), app.elsewhere_since().as_deref());
    view! {
        <h1 id="step-title" tabindex="-1">{OtherBrowser::InUse.text()}</h1>
        <p class="lead" dir="auto">{since}" "{OtherBrowser::MaybeHere.text()}</p>
        <p>{OtherBrowser::InUseChoice.text()}</p>
    }
}

#[component]
fn Lost() -> impl IntoView {
    view! {
        <h1 id="step-title" tabindex="-1">{OtherBrowser::Lost.text()}</h1>
        <p class="lead">{OtherBrowser::LostWhat.text()}</p>
        <h2>{OtherBrowser::LostRest.text()}</h2>
        <ul class="losses">
            <li>{OtherBrowser::LostGone.text()}</li>
            <li>{OtherBrowser::LostNot.text()}</li>
        </ul>
        <h2>{OtherBrowser::LostWhy.text()}</h2>
        <p>{OtherBrowser::LostWhyMore.text()}</p>
        <h2>{OtherBrowser::LostChoice.text()}</h2>
    }
}

/// In the dialog: what starting new costs, and the question.
#[component]
pub(crate) fn StartNew() -> impl IntoView {
    let app = app();
    let start = move |_| {
        app.replace.set(true);
        app.sheet.set(None);
    };
    view! {
        <h2 id="dialog-title">{OtherBrowser::StartNewTitle.text()}</h2>
        <ul class="losses">
            <li>{OtherBrowser::StartNewStops.text()}</li>
            <li>{OtherBrowser::StartNewWaiting.text()}</li>
            <li>{OtherBrowser::StartNewCode.text()}</li>
            <li>{OtherBrowser::StartNewHistory.text()}</li>
        </ul>
        <p>{OtherBrowser::StartNewKeeps.text()}</p>
        <div class="buttons">
            <button class="secondary" autofocus on:click=move |_| app.sheet.set(None)>{Text::Cancel.text()}</button>
            <button id="start-new-confirm" class="danger solid" on:click=start>
                {OtherBrowser::StartNewConfirm.text()}
            </button>
        </div>
    }
}
