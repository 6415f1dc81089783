//! This browser was replaced: what is still here, and what a person can do.

use causeway::view::{Action, ContinueHere};
use leptos::prelude::*;

use super::app::{App, Sheet, app};
use crate::state::scope::Answer;
use crate::text::{Backup, OtherBrowser, Text, moved_since};

/// Takes the place of an open chat on wide screens.
#[component]
pub(super) fn MovedPane() -> impl IntoView {
    let title = title(app());
    view! {
        <main id="content" class="pane nothing moved" tabindex="-1">
            <h1>{title}</h1>
            <Words/>
        </main>
    }
}

/// In the dialog, from the banner.
#[component]
pub(super) fn MovedSheet() -> impl IntoView {
    let title = title(app());
    view! {
        <h2 id="dialog-title">{title}</h2>
        <Words/>
    }
}

/// It was this browser's person who moved the account, and the other browser may not have it yet.
fn is_handed_over(app: App) -> bool {
    app.store
        .account
        .with(|account| account.as_ref().and_then(|account| account.backup).is_some_and(|backup| backup.moved_at != 0))
}

fn title(app: App) -> impl Fn() -> &'static str + Copy + Send + 'static {
    move || if is_handed_over(app) { Backup::MovedTitle.text() } else { OtherBrowser::Moved.text() }
}

#[component]
fn Words() -> impl IntoView {
    let app = app();
    let handed_over = Memo::new(move |_| is_handed_over(app));
    move || match handed_over.get() {
        true => view! { <HandedOver app/> }.into_any(),
        false => view! { <Replaced app/> }.into_any(),
    }
}

#[component]
fn HandedOver(app: App) -> impl IntoView {
    let go_on = move |_| {
        let answer = Answer::detached(app, |app, _| app.close(Sheet::Moved));
        app.store.ask(Action::ContinueHere(ContinueHere {}), answer);
    };
    view! {
        <p>{Backup::Moved.text()}</p>
        <p>{Backup::ContinueHereWhy.text()}</p>
        <div class="buttons">
            <button class="secondary" on:click=move |_| app.sheet.set(Some(Sheet::Move))>
                {Backup::MoveAgain.text()}
            </button>
            <button id="continue-here" class="primary" on:click=go_on>{Backup::ContinueHere.text()}</button>
        </div>
    }
}

#[component]
fn Replaced(app: App) -> impl IntoView {
    view! {
        <p id="moved-since">{move || moved_since(app.elsewhere_since().as_deref())}</p>
        <ul class="losses">
            <li>{OtherBrowser::MovedHere.text()}</li>
            <li>{OtherBrowser::MovedNot.text()}</li>
            <li>{OtherBrowser::MovedUseOther.text()}</li>
            <li>{OtherBrowser::MovedBack.text()}</li>
            <li>{OtherBrowser::MovedErase.text()}</li>
        </ul>
        <div class="buttons">
            <button class="danger" on:click=move |_| app.sheet.set(Some(Sheet::Erase))>{Text::Erase.text()}</button>
        </div>
    }
}
