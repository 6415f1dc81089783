//! The settings: one section for each topic, with the technical details for support requests at the end.

mod storage;
mod technical_details;

use causeway::view::{Action, Done, Erase as EraseAction, Issue, SignOut};
use leptos::prelude::*;

use self::storage::Storage;
use self::technical_details::TechnicalDetails;
use super::app::{App, Sheet, app};
use super::backup::{BackupSection, MoveSection};
use super::notifications::{NotificationsSection, ask};
use super::parts::{Icon, Picture, Problem};
use super::theme::{self, Theme};
use super::timing::next_frame;
use crate::state::browser::Passkey;
use crate::state::push_state::{PushCommand, PushState};
use crate::state::route::Route;
use crate::state::scope::{Answer, PageLifetime, Scope};
use crate::text::{Backup, Notifications, Passwordless, Text};

/// The pane.
#[component]
pub(super) fn Settings() -> impl IntoView {
    let app = app();
    app.store.open(None);
    let scope = Scope::current();
    let browser = app.store.browser();
    Effect::new(move |_| {
        let browser = browser.clone();
        next_frame(scope.answer(move |()| browser.focus("settings-title")));
    });
    view! {
        <main id="content" class="pane settings" tabindex="-1">
            <header class="pane-head">
                <a id="back" class="icon-button" href=Route::Chats.fragment() aria-label=Text::Back.text()>
                    <Icon of=Picture::Back/>
                </a>
                <h1 id="settings-title" tabindex="-1">{Text::Settings.text()}</h1>
            </header>
            <div class="sections">
                <section aria-labelledby="appearance">
                    <h2 id="appearance">{Text::Appearance.text()}</h2>
                    <ThemeChoice/>
                </section>
                <section aria-labelledby="account">
                    <h2 id="account">{Text::Account.text()}</h2>
                    <dl class="facts">
                        <div><dt>{Text::Name.text()}</dt><dd><bdi>{move || app.identifier()}</bdi></dd></div>
                        <div><dt>{Text::Provider.text()}</dt><dd><bdi>{move || app.partner()}</bdi></dd></div>
                        <div><dt>{Text::LastSynced.text()}</dt><dd id="fact-synced">{move || synced(app)}</dd></div>
                    </dl>
                    <AddPasskey/>
                    <SignOutButton/>
                </section>
                <section aria-labelledby="notices">
                    <h2 id="notices">{Notifications::Section.text()}</h2>
                    <NotificationsSection/>
                </section>
                <section aria-labelledby="storage">
                    <h2 id="storage">{Text::Storage.text()}</h2>
                    <Storage/>
                </section>
                <section aria-labelledby="backup">
                    <h2 id="backup">{Backup::Title.text()}</h2>
                    <BackupSection/>
                </section>
                <section aria-labelledby="move">
                    <h2 id="move">{Backup::Move.text()}</h2>
                    <MoveSection/>
                </section>
                <section aria-labelledby="facts">
                    <h2 id="facts">{Text::Facts.text()}</h2>
                    <TechnicalDetails/>
                </section>
                <section aria-labelledby="keys">
                    <h2 id="keys">{Text::Shortcuts.text()}</h2>
                    <button class="secondary" on:click=move |_| app.sheet.set(Some(Sheet::Shortcuts))>
                        {Text::ShortcutHelp.text()}
                    </button>
                </section>
                <section aria-labelledby="browser">
                    <h2 id="browser">{Text::ThisBrowser.text()}</h2>
                    <p>{Text::EraseWhy.text()}</p>
                    <button id="erase" class="danger" on:click=move |_| app.sheet.set(Some(Sheet::Erase))>
                        {Text::Erase.text()}
                    </button>
                </section>
            </div>
        </main>
    }
}

/// When the mailbox was last fully read.
fn synced(app: App) -> String {
    match app.store.connection.with(|view| view.synced_at) {
        0 => Text::Never.text().to_owned(),
        at => format!("{}, {}", app.day(at), app.store.browser().clock_time(at)),
    }
}

#[component]
fn SignOutButton() -> impl IntoView {
    let app = app();
    let scope = Scope::current();
    let problem = RwSignal::new(None::<String>);
    let sign_out = move |_| {
        problem.set(None);
        let answer = scope.answer(move |done: Done| {
            if done.issue() != Issue::None {
                problem.set(Some(untrack(|| app.explain(done.issue()))));
            }
        });
        // Without a session no push can arrive.
        ask(app, PushCommand::Off, then(app, Action::SignOut(SignOut {}), answer));
    };
    view! {
        <p>{Text::SignOutWhy.text()}</p>
        <Problem id="sign-out-problem" says=problem/>
        <button id="sign-out" class="secondary" on:click=sign_out>{Text::SignOut.text()}</button>
    }
}

/// Sends a command when the notifications are off, whether or not the settings are still open.
fn then(app: App, action: Action, answer: Answer<Done>) -> Answer<PushState> {
    Answer::detached((app, Command { action, answer }), |(app, command), _| {
        app.store.ask(command.action, command.answer);
    })
}

/// A command, and who takes its answer.
struct Command {
    action: Action,
    answer: Answer<Done>,
}

impl PageLifetime for Command {}

/// Where accounts are made here, and the browser has passkeys.
#[component]
fn AddPasskey() -> impl IntoView {
    let app = app();
    let scope = Scope::current();
    let said = RwSignal::new(None::<&'static str>);
    let add = move |_| {
        said.set(Some(Text::OneMoment.text()));
        let answer = scope.answer(move |given| {
            let words = match given {
                Passkey::Accepted => Passwordless::Added,
                Passkey::Unreadable => Passwordless::Unreadable,
                Passkey::NotGiven | Passkey::Unreachable | Passkey::Refused => Passwordless::NotAdded,
            };
            said.set(Some(words.text()));
        });
        app.store.browser().passkey(true, answer);
    };
    let offered =
        Memo::new(move |_| app.store.account.with(|account| account.as_ref().is_some_and(|account| account.passkeys)));
    let supported = app.store.browser().has_passkeys();
    move || {
        (supported && offered.get()).then(|| {
            view! {
                <p>{Passwordless::PasskeyWhy.text()}</p>
                <button id="add-passkey" class="secondary" on:click=add>{Passwordless::AddPasskey.text()}</button>
                <p id="passkey-said" role="status">{move || said.get()}</p>
            }
        })
    }
}

#[component]
fn ThemeChoice() -> impl IntoView {
    let app = app();
    let chosen = RwSignal::new(theme::chosen(&*app.store.browser()));
    let choices = [
        (Theme::System, "theme-system", Text::ThemeSystem),
        (Theme::Light, "theme-light", Text::ThemeLight),
        (Theme::Dark, "theme-dark", Text::ThemeDark),
    ];
    view! {
        <fieldset class="segments">
            <legend class="unseen">{Text::Appearance.text()}</legend>
            {choices.map(|(choice, id, label)| view! {
                <input type="radio" name="theme" id=id prop:checked=move || chosen.get() == choice
                    on:change=move |_| {
                        chosen.set(choice);
                        theme::choose(&*app.store.browser(), choice);
                    }/>
                <label for=id>{label.text()}</label>
            }).collect_view()}
        </fieldset>
    }
}

/// In the dialog: what erasing deletes, and its confirmation.
#[component]
pub(super) fn Erase() -> impl IntoView {
    let app = app();
    let scope = Scope::current();
    let busy = RwSignal::new(false);
    let problem = RwSignal::new(None::<String>);
    let erase = move |_| {
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        let answer = scope.answer(move |done: Done| {
            busy.set(false);
            if done.issue() != Issue::None {
                problem.set(Some(untrack(|| app.explain(done.issue()))));
            }
        });
        let answer = answer.and(Answer::detached(app, begin_again));
        ask(app, PushCommand::Off, then(app, Action::Erase(EraseAction {}), answer));
    };
    view! {
        <h2 id="dialog-title">{Text::EraseTitle.text()}</h2>
        <ul class="losses">
            <li>{Text::EraseLosesHistory.text()}</li>
            <li>{Text::EraseLosesKeys.text()}</li>
            <li>{Text::EraseLosesWaiting.text()}</li>
        </ul>
        <p>{Text::EraseKeeps.text()}</p>
        <Problem id="erase-problem" says=problem/>
        <div class="buttons">
            <button class="secondary" autofocus on:click=move |_| app.sheet.set(None)>{Text::Cancel.text()}</button>
            <button id="erase-confirm" class="danger solid" on:click=erase>
                {move || if busy.get() { Text::OneMoment } else { Text::EraseConfirm }.text()}
            </button>
        </div>
    }
}

fn begin_again(app: App, done: Done) {
    if done.issue() == Issue::None {
        app.sheet.set(None);
        app.go(&Route::Chats);
    }
}
