//! Between signing in and enlisting, if the account's keys are in another browser or were removed from this one: what
//! happened, and what a person can do before anything is replaced.

use causeway::view::{Action, SignOut};
use leptos::prelude::*;

use crate::state::route::Route;
use crate::text::{OtherBrowser, Text, in_use_since};
use crate::ui::app::{App, Sheet, app};
use crate::ui::parts::{Icon, Picture};

/// Says it, and offers the ways on: the ones that lose nothing first.
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
                <li><Icon of=picture/><div><h2>{title.localized()}</h2><p>{more.localized()}</p></div></li>
            }).collect_view()}
        </ul>
        <a id="open-restore" class="primary wide" href=Route::Restore.fragment()>{OtherBrowser::OpenFile.localized()}</a>
        <button id="start-new" class="danger wide" on:click=move |_| app.sheet.set(Some(Sheet::StartNew))>
            {OtherBrowser::StartNew.localized()}
        </button>
        <button class="quiet wide" on:click=move |_| app.store.send(Action::SignOut(SignOut {}))>
            {Text::SignOut.localized()}
        </button>
    }
}

#[component]
fn InUse(app: App) -> impl IntoView {
    let since = move || in_use_since(&app.identifier(), app.elsewhere_since().as_deref());
    view! {
        <h1 id="step-title" tabindex="-1">{OtherBrowser::InUse.localized()}</h1>
        <p class="lead" dir="auto">{since}" "{OtherBrowser::MaybeHere.localized()}</p>
        <p>{OtherBrowser::InUseChoice.localized()}</p>
    }
}

#[component]
fn Lost() -> impl IntoView {
    view! {
        <h1 id="step-title" tabindex="-1">{OtherBrowser::Lost.localized()}</h1>
        <p class="lead">{OtherBrowser::LostWhat.localized()}</p>
        <h2>{OtherBrowser::LostRest.localized()}</h2>
        <ul class="losses">
            <li>{OtherBrowser::LostGone.localized()}</li>
            <li>{OtherBrowser::LostNot.localized()}</li>
        </ul>
        <h2>{OtherBrowser::LostWhy.localized()}</h2>
        <p>{OtherBrowser::LostWhyMore.localized()}</p>
        <h2>{OtherBrowser::LostChoice.localized()}</h2>
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
        <h2 id="dialog-title">{OtherBrowser::StartNewTitle.localized()}</h2>
        <ul class="losses">
            <li>{OtherBrowser::StartNewStops.localized()}</li>
            <li>{OtherBrowser::StartNewWaiting.localized()}</li>
            <li>{OtherBrowser::StartNewCode.localized()}</li>
            <li>{OtherBrowser::StartNewHistory.localized()}</li>
        </ul>
        <p>{OtherBrowser::StartNewKeeps.localized()}</p>
        <div class="buttons">
            <button class="secondary" autofocus on:click=move |_| app.sheet.set(None)>{Text::Cancel.localized()}</button>
            <button id="start-new-confirm" class="danger solid" on:click=start>
                {OtherBrowser::StartNewConfirm.localized()}
            </button>
        </div>
    }
}
