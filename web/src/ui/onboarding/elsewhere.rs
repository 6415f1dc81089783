//! Between signing in and enlisting, if the account's keys are in another browser or were removed from this one: what
//! happened, and what a person can do before anything is replaced.

use causeway::view::{Action, SignOut};
use leptos::prelude::*;

use crate::state::route::Route;
use crate::text::{Elsewhere, Text, in_use_since};
use crate::ui::app::{App, Sheet, app};
use crate::ui::parts::{Icon, Picture};

/// Says it, and offers the ways on: the ones that lose nothing first.
#[component]
pub(super) fn ElsewhereStep() -> impl IntoView {
    let app = app();
    let lost = app.store.account.with_untracked(|account| account.as_ref().is_some_and(|account| account.lost_at != 0));
    let ways = [
        (Picture::Phone, Elsewhere::Move, Elsewhere::MoveHow),
        (Picture::Key, Elsewhere::Restore, Elsewhere::RestoreHow),
        (Picture::Person, Elsewhere::StartNew, Elsewhere::StartNewHow),
    ];
    view! {
        {if lost { view! { <Lost/> }.into_any() } else { view! { <InUse app/> }.into_any() }}
        <ul class="points" role="list">
            {ways.map(|(picture, title, more)| view! {
                <li><Icon of=picture/><div><h2>{title.say()}</h2><p>{more.say()}</p></div></li>
            }).collect_view()}
        </ul>
        <a id="open-restore" class="primary wide" href=Route::Restore.fragment()>{Elsewhere::OpenFile.say()}</a>
        <button id="start-new" class="danger wide" on:click=move |_| app.sheet.set(Some(Sheet::StartNew))>
            {Elsewhere::StartNew.say()}
        </button>
        <button class="quiet wide" on:click=move |_| app.store.send(Action::SignOut(SignOut {}))>
            {Text::SignOut.say()}
        </button>
    }
}

#[component]
fn InUse(app: App) -> impl IntoView {
    let since = move || in_use_since(&app.identifier(), app.elsewhere_since().as_deref());
    view! {
        <h1 id="step-title" tabindex="-1">{Elsewhere::InUse.say()}</h1>
        <p class="lead" dir="auto">{since}" "{Elsewhere::MaybeHere.say()}</p>
        <p>{Elsewhere::InUseChoice.say()}</p>
    }
}

#[component]
fn Lost() -> impl IntoView {
    view! {
        <h1 id="step-title" tabindex="-1">{Elsewhere::Lost.say()}</h1>
        <p class="lead">{Elsewhere::LostWhat.say()}</p>
        <h2>{Elsewhere::LostRest.say()}</h2>
        <ul class="losses">
            <li>{Elsewhere::LostGone.say()}</li>
            <li>{Elsewhere::LostNot.say()}</li>
        </ul>
        <h2>{Elsewhere::LostWhy.say()}</h2>
        <p>{Elsewhere::LostWhyMore.say()}</p>
        <h2>{Elsewhere::LostChoice.say()}</h2>
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
        <h2 id="dialog-title">{Elsewhere::StartNewTitle.say()}</h2>
        <ul class="losses">
            <li>{Elsewhere::StartNewStops.say()}</li>
            <li>{Elsewhere::StartNewWaiting.say()}</li>
            <li>{Elsewhere::StartNewCode.say()}</li>
            <li>{Elsewhere::StartNewHistory.say()}</li>
        </ul>
        <p>{Elsewhere::StartNewKeeps.say()}</p>
        <div class="buttons">
            <button class="secondary" autofocus on:click=move |_| app.sheet.set(None)>{Text::Cancel.say()}</button>
            <button id="start-new-confirm" class="danger solid" on:click=start>
                {Elsewhere::StartNewConfirm.say()}
            </button>
        </div>
    }
}
