//! Restoring: a file, its passphrase, and what happens while it is read. The file crosses to the engine in pieces, each
//! only when the one before was taken, so that neither side ever holds much of it and this page stays quick.

use std::rc::Rc;

use causeway::view::{Action, Issue, Restore};
use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use zeroize::Zeroizing;

use super::passphrase::PassphraseField;
use crate::state::route::Route;
use crate::text::backup::progress;
use crate::text::{Backup, Text};
use crate::ui::app::{App, app};
use crate::ui::parts::{Mark, Problem};

/// Bytes of a piece.
const PIECE: u64 = 512 * 1024;
/// How often it begins again when the engine that was reading has gone, as one does with its tab.
const BEGINNINGS: u32 = 3;
/// The file's input.
const FILE: &str = "restore-file";

#[derive(Clone, Copy)]
struct Form {
    app: App,
    passphrase: RwSignal<String>,
    agreed: RwSignal<bool>,
    /// In thousandths, while it is read.
    done: RwSignal<Option<u32>>,
    problem: RwSignal<Option<String>>,
}

/// One reading of the file.
#[derive(Clone)]
struct Run {
    form: Form,
    passphrase: Rc<Zeroizing<String>>,
    replace: bool,
    /// Tag of the command that gave the first piece; 0 before.
    first: u64,
    at: u64,
    beginnings: u32,
}

impl Form {
    fn submit(self, event: &SubmitEvent) {
        event.prevent_default();
        if self.done.get_untracked().is_some() {
            return;
        }
        // As at an enlistment: what comes back exists here and in a file that will soon be old.
        self.app.store.browser().ask_to_keep(Box::new(|_| ()));
        let passphrase = self.app.store.browser().composed(&self.passphrase.get_untracked());
        self.problem.set(None);
        self.done.set(Some(0));
        let replace = self.agreed.get_untracked();
        Run { form: self, passphrase: Rc::new(Zeroizing::new(passphrase)), replace, first: 0, at: 0, beginnings: 1 }
            .go_on();
    }

    fn fail(self, says: String, focus: &str) {
        self.done.try_set(None);
        self.problem.try_set(Some(says));
        self.app.store.browser().focus(focus);
    }
}

impl Run {
    /// Gives the next piece.
    fn go_on(self) {
        let browser = self.form.app.store.browser();
        let (at, first) = (self.at, self.first);
        browser.read_file(
            FILE,
            at,
            PIECE,
            Box::new(move |part| {
                let Some((total, piece)) = part.filter(|(total, piece)| !piece.is_empty() && *total > at) else {
                    let says = if at == 0 { Backup::FileMissing } else { Backup::FileUnreadable };
                    return self.form.fail(says.say().to_owned(), FILE);
                };
                let end = at + piece.len() as u64;
                self.form.done.try_set(Some(u32::try_from(end * 1000 / total).unwrap_or(1000)));
                let passphrase = if first == 0 { self.passphrase.to_string() } else { String::new() };
                let command = Restore { passphrase, piece, at, total, first, replace: self.replace };
                let store = self.form.app.store;
                store.ask(Action::Restore(command), move |done| {
                    let first = if first == 0 { done.tag } else { first };
                    self.answered(done.issue(), Self::progressed(first, end, total));
                });
            }),
        );
    }

    fn progressed(first: u64, end: u64, total: u64) -> Option<(u64, u64)> {
        (end < total).then_some((first, end))
    }

    /// A piece was taken, or was not. `next` is where to go on, unless it was the last.
    fn answered(self, issue: Issue, next: Option<(u64, u64)>) {
        let app = self.form.app;
        match (issue, next) {
            (Issue::None, Some((first, at))) => Self { first, at, ..self }.go_on(),
            (Issue::None, None) => {
                self.form.passphrase.try_set(String::new());
                app.welcome.set(false);
                app.go(&Route::Chats);
            }
            (Issue::RestoreInterrupted, _) if self.beginnings < BEGINNINGS => {
                let beginnings = self.beginnings + 1;
                Self { first: 0, at: 0, beginnings, ..self }.go_on();
            }
            (issue, _) => {
                let focus = if issue == Issue::BackupLocked { "restore-passphrase" } else { FILE };
                self.form.fail(untrack(|| app.explain(issue)), focus);
            }
        }
    }
}

/// The page.
#[component]
pub(in crate::ui) fn RestorePage() -> impl IntoView {
    let app = app();
    let form = Form {
        app,
        passphrase: RwSignal::new(String::new()),
        agreed: RwSignal::new(false),
        done: RwSignal::new(None),
        problem: RwSignal::new(None),
    };
    let shown = RwSignal::new(false);
    let replaces = Memo::new(move |_| {
        app.store.account.with(|account| account.as_ref().is_some_and(|account| !account.identity_key.is_empty()))
    });
    let busy = Memo::new(move |_| form.done.get().is_some());
    let browser = app.store.browser();
    Effect::new(move |_| {
        let browser = browser.clone();
        request_animation_frame(move || browser.focus("step-title"));
    });
    view! {
        <div class="onboarding">
            <header class="brand"><Mark/><span>{Text::Product.say()}</span></header>
            <main id="content" class="card">
                <h1 id="step-title" tabindex="-1">{Backup::RestoreTitle.say()}</h1>
                <p class="lead">{Backup::RestoreWhy.say()}</p>
                <form on:submit=move |event| form.submit(&event) novalidate>
                    <div class="field">
                        <label for=FILE>{Backup::File.say()}</label>
                        <input id=FILE type="file" accept=".backup,application/octet-stream" required
                            aria-describedby="restore-problem"/>
                    </div>
                    <PassphraseField id="restore-passphrase" label=Backup::Passphrase value=form.passphrase shown
                        problem="restore-problem"/>
                    {move || replaces.get().then(|| view! {
                        <p>{Backup::Replaces.say()}</p>
                        <label class="consent" for="restore-replace">
                            <input id="restore-replace" type="checkbox" prop:checked=move || form.agreed.get()
                                on:change=move |event| form.agreed.set(event_target_checked(&event))/>
                            <span>{Backup::ReplaceAgree.say()}</span>
                        </label>
                    })}
                    <Problem id="restore-problem" says=form.problem/>
                    <button id="restore" class="primary wide" type="submit" aria-disabled=move || busy.get().to_string()>
                        {move || if busy.get() { Text::OneMoment.say() } else { Backup::RestoreConfirm.say() }}
                    </button>
                </form>
                <div role="status">
                    {move || busy.get().then(|| view! { <p>{Backup::Restoring.say()}</p> })}
                </div>
                {move || form.done.get().map(|done| view! {
                    <progress max="1000" value=done.to_string() aria-label=Backup::Restoring.say()>
                        {progress(done / 10)}
                    </progress>
                })}
                <a class="quiet wide" href=Route::Chats.fragment()>{Backup::RestoreCancel.say()}</a>
            </main>
        </div>
    }
}
