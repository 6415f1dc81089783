//! Making the file: for a backup, or to move. The page gets encrypted pieces, and saves them as a download.

use causeway::backup::passphrase::{Strength, strength};
use std::cell::Cell;
use std::rc::Rc;

use causeway::view::{BackupPiece, Done, Export, Issue};
use leptos::ev::SubmitEvent;
use leptos::prelude::*;

use super::passphrase::PassphraseField;
use crate::state::backup_filename::backup_filename;
use crate::state::browser::Browser;
use crate::state::scope::{Answer, Listener, PageLifetime, Scope};
use crate::text::{Backup, backup_left_out, backup_progress};
use crate::ui::app::{App, app};
use crate::ui::parts::Problem;

/// In the dialog: a backup.
#[component]
pub(crate) fn BackupSheet() -> impl IntoView {
    view! {
        <h2 id="dialog-title">{Backup::MakeTitle.text()}</h2>
        <Maker hand_over=false confirm=Backup::MakeConfirm made=Backup::Made>
            <p>{Backup::MakeWhat.text()}</p>
            <p>{Backup::MakeAge.text()}</p>
        </Maker>
    }
}

/// In the dialog: to another browser.
#[component]
pub(crate) fn MoveSheet() -> impl IntoView {
    view! {
        <h2 id="dialog-title">{Backup::MoveTitle.text()}</h2>
        <Maker hand_over=true confirm=Backup::MoveConfirm made=Backup::MoveDone>
            <ol class="losses">
                <li>{Backup::MoveFile.text()}</li>
                <li>{Backup::MoveBring.text()}</li>
                <li>{Backup::MoveOpen.text()}</li>
            </ol>
            <p><strong>{Backup::MoveStops.text()}</strong></p>
        </Maker>
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Asking,
    /// In thousandths.
    Making(u32),
    Made {
        left_out: u64,
    },
}

/// The file in the making. It is saved even if the dialog is closed meanwhile.
#[derive(Clone)]
struct Download {
    browser: Rc<dyn Browser>,
    /// The account's name, for the file's.
    identifier: String,
    left_out: Rc<Cell<u64>>,
}

impl PageLifetime for Download {}

impl Download {
    fn take(&self, piece: BackupPiece) {
        self.browser.collect(piece.at, &piece.bytes);
        self.left_out.set(piece.left_out);
    }

    fn save(self, done: Done) {
        if done.issue() == Issue::None {
            self.browser.save(&backup_filename(&self.identifier, self.browser.local_day(self.browser.now())));
        }
    }
}

#[derive(Clone, Copy)]
struct Form {
    app: App,
    scope: Scope,
    hand_over: bool,
    passphrase: RwSignal<String>,
    again: RwSignal<String>,
    state: RwSignal<State>,
    problem: RwSignal<Option<String>>,
}

impl Form {
    fn new(app: App, hand_over: bool) -> Self {
        Self {
            app,
            scope: Scope::current(),
            hand_over,
            passphrase: RwSignal::new(String::new()),
            again: RwSignal::new(String::new()),
            state: RwSignal::new(State::Asking),
            problem: RwSignal::new(None),
        }
    }

    fn submit(self, event: &SubmitEvent) {
        event.prevent_default();
        self.export();
    }

    fn export(self) {
        if !matches!(self.state.get_untracked(), State::Asking) {
            return;
        }
        let browser = self.app.store.browser();
        let passphrase = browser.composed(&self.passphrase.get_untracked());
        if strength(&passphrase) == Strength::Refused {
            self.problem.set(Some(untrack(|| self.app.explain(Issue::PassphraseTooWeak))));
            return browser.focus("passphrase");
        }
        if browser.composed(&self.again.get_untracked()) != passphrase {
            self.problem.set(Some(Backup::Differ.text().to_owned()));
            return browser.focus("passphrase-again");
        }
        self.problem.set(None);
        self.state.set(State::Making(0));
        let left_out = Rc::new(Cell::new(0));
        let identifier = untrack(|| self.app.identifier());
        let download = Download { browser: browser.clone(), identifier, left_out: left_out.clone() };
        let piece = Listener::detached(download.clone(), Download::take)
            .and(self.scope.listener(move |piece: BackupPiece| self.state.set(State::Making(piece.progress))));
        let answer = Answer::detached(download, Download::save).and(self.scope.answer(move |done: Done| {
            if done.issue() == Issue::None {
                self.passphrase.set(String::new());
                self.again.set(String::new());
                self.state.set(State::Made { left_out: left_out.get() });
                browser.focus("backup-close");
            } else {
                self.state.set(State::Asking);
                self.problem.set(Some(untrack(|| self.app.explain(done.issue()))));
                browser.focus("passphrase");
            }
        }));
        self.app.store.export(Export { passphrase, hand_over: self.hand_over }, piece, answer);
    }
}

#[component]
fn Maker(hand_over: bool, confirm: Backup, made: Backup, children: ChildrenFn) -> impl IntoView {
    let app = app();
    let form = Form::new(app, hand_over);
    let shown = RwSignal::new(false);
    let asking = Memo::new(move |_| form.state.get() == State::Asking);
    let fields = StoredValue::new(children);
    view! {
        {move || asking.get().then(|| view! {
            {fields.with_value(|words| words())}
            <form on:submit=move |event| form.submit(&event) novalidate>
                <PassphraseField id="passphrase" label=Backup::Passphrase value=form.passphrase shown new=true
                    problem="backup-problem"/>
                <PassphraseField id="passphrase-again" label=Backup::Again value=form.again shown
                    problem="backup-problem"/>
                <Problem id="backup-problem" says=form.problem/>
                <button id="backup-confirm" class="primary wide" type="submit">{confirm.text()}</button>
            </form>
        })}
        <div role="status">
            {move || match form.state.get() {
                State::Asking => ().into_any(),
                State::Making(_) => view! { <p>{Backup::Making.text()}</p> }.into_any(),
                State::Made { left_out: 0 } => view! { <p id="backup-made">{made.text()}</p> }.into_any(),
                State::Made { left_out: count } => view! {
                    <p id="backup-made">{made.text()}" "{backup_left_out(count)}</p>
                }.into_any(),
            }}
        </div>
        {move || match form.state.get() {
            State::Making(done) => view! {
                <progress id="backup-progress" max="1000" value=done.to_string() aria-label=Backup::Making.text()>
                    {backup_progress(done / 10)}
                </progress>
            }.into_any(),
            State::Made { .. } => view! {
                <button id="backup-close" class="primary wide" on:click=move |_| app.sheet.set(None)>
                    {Backup::Close.text()}
                </button>
            }.into_any(),
            State::Asking => ().into_any(),
        }}
    }
}

#[cfg(test)]
mod tests {
    use causeway::view::News;

    use super::*;
    use crate::ui::fixture::{answer_last, page};

    const PASSPHRASE: &str = "seven unlikely words that nobody ever guessed";

    #[test]
    fn a_file_is_saved_even_if_the_dialog_was_closed_while_it_was_made() {
        for gone in [false, true] {
            let (_page, app, browser) = page();
            let dialog = Owner::new();
            let form = dialog.with(|| Form::new(app, false));
            form.passphrase.set(PASSPHRASE.to_owned());
            form.again.set(PASSPHRASE.to_owned());
            form.export();
            if gone {
                dialog.cleanup();
            }
            let piece =
                BackupPiece { tag: 1, bytes: vec![1, 2, 3], left_out: 2, progress: 500, ..BackupPiece::default() };
            app.store.take(News::BackupPiece(piece).into());
            assert_eq!(form.state.try_get_untracked(), (!gone).then_some(State::Making(500)));
            answer_last(app, &browser, Issue::None);
            assert_eq!(form.state.try_get_untracked(), (!gone).then_some(State::Made { left_out: 2 }));
            assert_eq!(*browser.collected.borrow(), [1, 2, 3]);
            assert_eq!(*browser.saved.borrow(), ["causeway--2024-10-04.backup"]);
        }
    }
}
