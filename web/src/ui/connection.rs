//! The state of the connection, always on screen and always in words; what to do, where something can be done.

use std::time::Duration;

use causeway::view::{Action, ConnectionState, ConnectionView, Done, Enlist, Issue, Reconnect};
use leptos::prelude::*;

use super::app::{App, Sheet, app};
use super::timing::every;
use crate::state::recovery_action::{self, RecoveryAction};
use crate::state::scope::{Answer, Scope};
use crate::text::{OtherBrowser, Phrase, Text};

/// A strip of constant height while all is well; it grows only when there is something to do.
#[component]
pub(super) fn ConnectionBar() -> impl IntoView {
    let app = app();
    let now = clock(app);
    let connection = app.store.connection;
    // The engine notices only after a time-out that nothing arrives.
    let state = move || recovery_action::seen_state(connection.with(ConnectionView::state), app.store.no_network.get());
    view! {
        <section id="connection" class="connection" aria-label=Text::Connection.text()
            data-state=move || state_name(state())>
            <span class="dot" aria-hidden="true"></span>
            <p class="words">
                {move || match connection.with(ConnectionView::state) == state() {
                    true => connection.with(|view| words(app, view)),
                    false => Text::StateOffline.text().to_owned(),
                }}
                {move || countdown(app, now).map(|text| view! { " "<span class="count">{text}</span> })}
            </p>
            <NextStep class="quiet"/>
        </section>
    }
}

/// The recovery action for the connection, if there is one.
#[component]
pub(super) fn NextStep(class: &'static str) -> impl IntoView {
    let app = app();
    let action = Memo::new(move |_| app.store.connection.with(recovery_action::for_connection));
    move || {
        action.get().map(|action| {
            view! {
                <button id="connection-action" class=class on:click=move |_| follow(app, action)>
                    {label(action)}
                </button>
            }
        })
    }
}

/// The time, to the second, but only while a countdown shows it.
fn clock(app: App) -> RwSignal<u64> {
    let now = RwSignal::new(app.store.browser().now());
    Effect::new(move |_| {
        if app.store.connection.with(|view| view.state() == ConnectionState::Waiting) {
            let tick = move |()| now.set(app.store.browser().now());
            tick(());
            every(Duration::from_secs(1), Scope::current().listener(tick));
        }
    });
    now
}

fn words(app: App, view: &ConnectionView) -> String {
    match view.state() {
        ConnectionState::Off => Text::StateOff.text().to_owned(),
        ConnectionState::Connecting => Text::StateConnecting.text().to_owned(),
        ConnectionState::Draining if view.pending == 0 => Text::StateReading.text().to_owned(),
        ConnectionState::Draining => Phrase::Reading(view.pending, app.store.browser().plural(view.pending)).text(),
        ConnectionState::Online => match view.issue() {
            Issue::None => Text::StateOnline.text().to_owned(),
            // Messages come and go, and yet something that was kept here is damaged.
            issue => app.explain(issue),
        },
        ConnectionState::Waiting => match view.issue() {
            Issue::None | Issue::ChatUnreachable | Issue::PartnerUnreachable => Text::StateOffline.text().to_owned(),
            // Something other than the network is in the way, and a person may be able to help.
            issue => app.explain(issue),
        },
        ConnectionState::Stopped => match view.issue() {
            Issue::None => Text::StateStopped.text().to_owned(),
            issue => app.explain(issue),
        },
    }
}

fn countdown(app: App, now: RwSignal<u64>) -> Option<String> {
    let view = app.store.connection.get();
    (view.state() == ConnectionState::Waiting).then(|| {
        let left = recovery_action::seconds_until_retry(&view, now.get());
        if left == 0 {
            Text::StateConnecting.text().to_owned()
        } else {
            Phrase::RetryIn(left, app.store.browser().plural(left)).text()
        }
    })
}

fn label(action: RecoveryAction) -> &'static str {
    match action {
        RecoveryAction::TryNow => Text::TryNow.text(),
        RecoveryAction::UseHere => Text::UseHere.text(),
        RecoveryAction::SignIn => Text::SignInAgain.text(),
        RecoveryAction::Enlist => Text::EnlistAgain.text(),
        RecoveryAction::Reload => Text::Reload.text(),
        RecoveryAction::Explain => OtherBrowser::WhatNow.text(),
    }
}

fn follow(app: App, action: RecoveryAction) {
    match action {
        RecoveryAction::TryNow | RecoveryAction::UseHere => app.store.send(Action::Reconnect(Reconnect {})),
        RecoveryAction::SignIn => app.sheet.set(Some(Sheet::SignIn)),
        RecoveryAction::Enlist => {
            let answer = Answer::detached(app, |app, done: Done| {
                if done.issue() == Issue::AlreadyEnlisted {
                    app.store.send(Action::Reconnect(Reconnect {}));
                }
            });
            app.store.ask(Action::Enlist(Enlist { replace: false }), answer);
        }
        RecoveryAction::Reload => app.store.browser().reload(),
        RecoveryAction::Explain => app.sheet.set(Some(Sheet::Moved)),
    }
}

fn state_name(state: ConnectionState) -> &'static str {
    match state {
        ConnectionState::Off => "off",
        ConnectionState::Connecting => "connecting",
        ConnectionState::Draining => "draining",
        ConnectionState::Online => "online",
        ConnectionState::Waiting => "waiting",
        ConnectionState::Stopped => "stopped",
    }
}
