//! The third step: the enlistment, with what is really going on, and its outcome.

use causeway::view::{Action, ConnectionState, Issue, SignOut, Stage};
use leptos::prelude::*;

use super::attempt::Attempt;
use crate::text::{Phrase, Text};
use crate::ui::app::{App, Sheet, app};
use crate::ui::backup_prompt::BackupPrompt;
use crate::ui::parts::{Icon, Picture, Problem};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Waiting,
    Running,
    Done,
    Failed,
}

impl State {
    fn label(self) -> Text {
        match self {
            Self::Waiting => Text::StepWaiting,
            Self::Running => Text::StepRunning,
            Self::Done => Text::StepDone,
            Self::Failed => Text::StepFailed,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Running,
    Done,
    Failed(Issue),
}

/// Keys, registration, connection: how far each is.
fn progress(app: App, outcome: Outcome) -> [State; 3] {
    let has_keys =
        app.store.account.with(|account| account.as_ref().is_some_and(|account| !account.identity_key.is_empty()));
    let enlisted = app.stage() == Some(Stage::Enlisted);
    let online = app.store.connection.with(is_up);
    let mut states = [has_keys || enlisted, enlisted, enlisted && online]
        .map(|done| if done { State::Done } else { State::Waiting });
    if let Some(current) = states.iter_mut().find(|state| **state != State::Done) {
        *current = if matches!(outcome, Outcome::Failed(_)) { State::Failed } else { State::Running };
    }
    states
}

fn is_up(connection: &causeway::view::ConnectionView) -> bool {
    matches!(connection.state(), ConnectionState::Draining | ConnectionState::Online)
}

fn outcome(app: App, attempt: Attempt) -> Outcome {
    match attempt {
        Attempt::Failed(issue) => Outcome::Failed(issue),
        Attempt::None | Attempt::Running => {
            let connection = app.store.connection.get();
            if app.stage() != Some(Stage::Enlisted) {
                Outcome::Running
            } else if is_up(&connection) {
                Outcome::Done
            } else {
                match connection.state() {
                    ConnectionState::Stopped | ConnectionState::Waiting => Outcome::Failed(connection.issue()),
                    _ => Outcome::Running,
                }
            }
        }
    }
}

/// Shows the enlistment. `enlist` begins it again.
#[component]
pub(super) fn EnlistStep(attempt: RwSignal<Attempt>, enlist: impl Fn() + Clone + Send + 'static) -> impl IntoView {
    let app = app();
    // An enlistment that another tab began shows its outcome here, too.
    app.welcome.set(true);
    let outcome = move || outcome(app, attempt.get());
    let title = move || match outcome() {
        Outcome::Running => Text::EnlistTitle,
        Outcome::Done => Text::EnlistDoneTitle,
        Outcome::Failed(_) => Text::EnlistFailedTitle,
    };
    let lead = move || match outcome() {
        Outcome::Running => Text::EnlistWhy.text().to_owned(),
        Outcome::Done => Phrase::EnlistDone(&app.identifier()).text(),
        Outcome::Failed(_) => String::new(),
    };
    let states = move || progress(app, outcome());
    let steps = [Text::EnlistKeys, Text::EnlistRegister, Text::EnlistConnect];
    let problem = Signal::derive(move || match outcome() {
        Outcome::Failed(issue) => Some(app.explain(issue)),
        Outcome::Running | Outcome::Done => None,
    });
    view! {
        <h1 id="step-title" tabindex="-1">{move || title().text()}</h1>
        <p class="lead" dir="auto">{lead}</p>
        <ol class="progress" role="list">
            {steps.into_iter().enumerate().map(|(at, step)| {
                let state = move || states().get(at).copied().unwrap_or(State::Waiting);
                view! {
                    <li data-state=move || state().name()>
                        <span class="progress-sign" aria-hidden="true">
                            {move || (state() == State::Done).then(|| view! { <Icon of=Picture::Check/> })}
                            {move || (state() == State::Failed).then(|| view! { <Icon of=Picture::Cross/> })}
                        </span>
                        <span>{step.text()}<span class="unseen">", "{move || state().label().text()}</span></span>
                    </li>
                }
            }).collect_view()}
        </ol>
        <Problem id="enlist-problem" says=problem/>
        {move || match outcome() {
            Outcome::Running => ().into_any(),
            Outcome::Done => view! { <Finish app/> }.into_any(),
            Outcome::Failed(_) => view! { <Again app attempt enlist=enlist.clone()/> }.into_any(),
        }}
    }
}

#[component]
fn Finish(app: App) -> impl IntoView {
    let first = app.store.chats.with_untracked(Vec::is_empty);
    let finish = move |_| {
        app.welcome.set(false);
        if first {
            app.sheet.set(Some(Sheet::NewChat));
        }
    };
    let label = if first { Text::StartFirstChat } else { Text::GoToChats };
    view! {
        <button id="enlist-finish" class="primary wide" on:click=finish>{label.text()}</button>
        <BackupPrompt/>
    }
}

#[component]
fn Again(app: App, attempt: RwSignal<Attempt>, enlist: impl Fn() + 'static) -> impl IntoView {
    let enlisted = untrack(|| app.stage()) == Some(Stage::Enlisted);
    let retry = move |_| {
        if enlisted {
            app.store.send(Action::Reconnect(causeway::view::Reconnect {}));
        } else {
            enlist();
        }
    };
    let leave = move |_| {
        if enlisted {
            app.welcome.set(false);
        } else {
            attempt.set(Attempt::None);
            app.store.send(Action::SignOut(SignOut {}));
        }
    };
    let way_out = if enlisted { Text::GoToChats } else { Text::SignOut };
    view! {
        <button id="enlist-retry" class="primary wide" on:click=retry>{Text::TryAgain.text()}</button>
        <button class="quiet wide" on:click=leave>{way_out.text()}</button>
    }
}
