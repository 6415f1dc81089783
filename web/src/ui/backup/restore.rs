//! Restoring: a file, its passphrase, and what happens while it is read. The file crosses to the engine in pieces, each
//! only when the one before was taken, so that neither side ever holds much of it and this page stays quick.

use std::rc::Rc;

use causeway::view::{Action, Done, Issue, Restore};
use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use zeroize::Zeroizing;

use super::passphrase::PassphraseField;
use crate::state::browser::FilePart;
use crate::state::route::Route;
use crate::state::scope::{Answer, Scope};
use crate::text::{Backup, Text, backup_progress};
use crate::ui::app::{App, app};
use crate::ui::parts::{Mark, Problem};
use crate::ui::timing::next_frame;

/// Bytes of a piece.
const PIECE: u64 = 512 * 1024;
/// How often it begins again when the engine that was reading has gone, as one does with its tab.
const BEGINNINGS: u32 = 3;
/// The file's input.
const FILE: &str = "restore-file";

#[derive(Clone, Copy)]
struct Form {
    app: App,
    scope: Scope,
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
    fn new(app: App) -> Self {
        Self {
            app,
            scope: Scope::current(),
            passphrase: RwSignal::new(String::new()),
            agreed: RwSignal::new(false),
            done: RwSignal::new(None),
            problem: RwSignal::new(None),
        }
    }

    fn submit(self, event: &SubmitEvent) {
        event.prevent_default();
        self.restore();
    }

    fn restore(self) {
        if self.done.get_untracked().is_some() {
            return;
        }
        // As at an enlistment: what comes back exists here and in a file that will soon be old.
        self.app.store.browser().request_persistence(Answer::ignored());
        let passphrase = self.app.store.browser().composed(&self.passphrase.get_untracked());
        self.problem.set(None);
        self.done.set(Some(0));
        let replace = self.agreed.get_untracked();
        Run { form: self, passphrase: Rc::new(Zeroizing::new(passphrase)), replace, first: 0, at: 0, beginnings: 1 }
            .go_on();
    }

    fn fail(self, says: String, focus: &str) {
        self.done.set(None);
        self.problem.set(Some(says));
        self.app.store.browser().focus(focus);
    }
}

impl Run {
    /// Gives the next piece.
    fn go_on(self) {
        let browser = self.form.app.store.browser();
        let at = self.at;
        browser.read_file(FILE, at, PIECE, self.form.scope.answer(move |part| self.give(part)));
    }

    /// Hands a piece to the engine.
    fn give(self, part: Option<FilePart>) {
        let (at, first) = (self.at, self.first);
        let Form { app, scope, done: shown, .. } = self.form;
        let Some((total, piece)) = part.filter(|(total, piece)| !piece.is_empty() && *total > at) else {
            let says = if at == 0 { Backup::FileMissing } else { Backup::FileUnreadable };
            return self.form.fail(says.text().to_owned(), FILE);
        };
        let end = at.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
        shown.set(Some(u32::try_from(end * 1000 / total).unwrap_or(1000)));
        let passphrase = if first == 0 { self.passphrase.to_string() } else { String::new() };
        let command = Restore { passphrase, piece, at, total, first, replace: self.replace };
        let mut answer = scope.answer(move |done: Done| {
            let first = if first == 0 { done.tag } else { first };
            self.answered(done.issue(), (end < total).then_some((first, end)));
        });
        if end >= total {
            // The last piece is in the engine's hands: what it restores is shown, even if the person has left this
            // page.
            answer = answer.and(Answer::detached(app, show_restored));
        }
        app.store.ask(Action::Restore(command), answer);
    }

    /// A piece was taken, or was not. `next` is where to go on, unless it was the last.
    fn answered(self, issue: Issue, next: Option<(u64, u64)>) {
        let app = self.form.app;
        match (issue, next) {
            (Issue::None, Some((first, at))) => Self { first, at, ..self }.go_on(),
            (Issue::None, None) => self.form.passphrase.set(String::new()),
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

fn show_restored(app: App, done: Done) {
    if done.issue() == Issue::None {
        app.welcome.set(false);
        app.go(&Route::Chats);
    }
}

/// The page.
#[component]
pub(crate) fn RestorePage() -> impl IntoView {
    let app = app();
    let form = Form::new(app);
    let scope = form.scope;
    let shown = RwSignal::new(false);
    let replaces = Memo::new(move |_| {
        app.store.account.with(|account| account.as_ref().is_some_and(|account| !account.identity_key.is_empty()))
    });
    let busy = Memo::new(move |_| form.done.get().is_some());
    let browser = app.store.browser();
    Effect::new(move |_| {
        let browser = browser.clone();
        next_frame(scope.answer(move |()| browser.focus("step-title")));
    });
    view! {
        <div class="onboarding">
            <header class="brand"><Mark/><span>{Text::Product.text()}</span></header>
            <main id="content" class="card">
                <h1 id="step-title" tabindex="-1">{Backup::RestoreTitle.text()}</h1>
                <p class="lead">{Backup::RestoreWhy.text()}</p>
                <form on:submit=move |event| form.submit(&event) novalidate>
                    <div class="field">
                        <label for=FILE>{Backup::File.text()}</label>
                        <input id=FILE type="file" accept=".backup,application/octet-stream" required
                            aria-describedby="restore-problem"/>
                    </div>
                    <PassphraseField id="restore-passphrase" label=Backup::Passphrase value=form.passphrase shown
                        problem="restore-problem"/>
                    {move || replaces.get().then(|| view! {
                        <p>{Backup::Replaces.text()}</p>
                        <label class="consent" for="restore-replace">
                            <input id="restore-replace" type="checkbox" prop:checked=move || form.agreed.get()
                                on:change=move |event| form.agreed.set(event_target_checked(&event))/>
                            <span>{Backup::ReplaceAgree.text()}</span>
                        </label>
                    })}
                    <Problem id="restore-problem" says=form.problem/>
                    <button id="restore" class="primary wide" type="submit"
                        aria-disabled=move || busy.get().to_string()>
                        {move || if busy.get() { Text::OneMoment.text() } else { Backup::RestoreConfirm.text() }}
                    </button>
                </form>
                <div role="status">
                    {move || busy.get().then(|| view! { <p>{Backup::Restoring.text()}</p> })}
                </div>
                {move || form.done.get().map(|done| view! {
                    <progress max="1000" value=done.to_string() aria-label=Backup::Restoring.text()>
                        {backup_progress(done / 10)}
                    </progress>
                })}
                <a class="quiet wide" href=Route::Chats.fragment()>{Backup::RestoreCancel.text()}</a>
            </main>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::fixture::{answer_last, page};

    #[test]
    fn nothing_more_is_read_when_the_page_was_left() {
        for issue in [Issue::None, Issue::BackupLocked, Issue::RestoreInterrupted] {
            let (_page, app, browser) = page();
            let restore = Owner::new();
            let form = restore.with(|| Form::new(app));
            form.restore();
            restore.cleanup();
            browser.answer();
            assert!(browser.sent.borrow().is_empty(), "the file was not read yet");
            answer_last(app, &browser, issue);
        }
    }

    #[test]
    fn what_was_restored_is_shown_even_if_the_page_was_left_after_the_last_piece() {
        let (_page, app, browser) = page();
        app.welcome.set(true);
        let restore = Owner::new();
        restore.with(|| Form::new(app)).restore();
        browser.answer();
        restore.cleanup();
        answer_last(app, &browser, Issue::None);
        assert!(!app.welcome.get_untracked());
    }
}
