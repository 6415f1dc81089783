//! Making the file: for a backup, or to move. The page gets encrypted pieces, and saves them as a download.

use causeway::backup::passphrase::{Strength, strength};
use causeway::view::{Export, Issue};
use leptos::ev::SubmitEvent;
use leptos::prelude::*;

use super::passphrase::PassphraseField;
use crate::state::saving::file_name;
use crate::text::Backup;
use crate::text::backup::{left_out, progress};
use crate::ui::app::{App, app};
use crate::ui::parts::Problem;

/// In the dialog: a backup.
#[component]
pub(in crate::ui) fn BackupSheet() -> impl IntoView {
    view! {
        <h2 id="dialog-title">{Backup::MakeTitle.say()}</h2>
        <Maker hand_over=false confirm=Backup::MakeConfirm made=Backup::Made>
            <p>{Backup::MakeWhat.say()}</p>
            <p>{Backup::MakeAge.say()}</p>
        </Maker>
    }
}

/// In the dialog: to another browser.
#[component]
pub(in crate::ui) fn MoveSheet() -> impl IntoView {
    view! {
        <h2 id="dialog-title">{Backup::MoveTitle.say()}</h2>
        <Maker hand_over=true confirm=Backup::MoveConfirm made=Backup::MoveDone>
            <ol class="losses">
                <li>{Backup::MoveFile.say()}</li>
                <li>{Backup::MoveBring.say()}</li>
                <li>{Backup::MoveOpen.say()}</li>
            </ol>
            <p><strong>{Backup::MoveStops.say()}</strong></p>
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

#[derive(Clone, Copy)]
struct Form {
    app: App,
    hand_over: bool,
    passphrase: RwSignal<String>,
    again: RwSignal<String>,
    state: RwSignal<State>,
    problem: RwSignal<Option<String>>,
}

impl Form {
    fn submit(self, event: &SubmitEvent) {
        event.prevent_default();
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
            self.problem.set(Some(Backup::Differ.say().to_owned()));
            return browser.focus("passphrase-again");
        }
        self.problem.set(None);
        self.state.set(State::Making(0));
        let missing = std::rc::Rc::new(std::cell::Cell::new(0));
        let take = {
            let (browser, missing) = (browser.clone(), missing.clone());
            move |piece: causeway::view::BackupPiece| {
                browser.collect(piece.at, &piece.bytes);
                missing.set(piece.left_out);
                self.state.try_set(State::Making(piece.progress));
            }
        };
        let name = untrack(|| self.app.identifier());
        let export = Export { passphrase, hand_over: self.hand_over };
        self.app.store.export(export, take, move |done| {
            if done.issue() == Issue::None {
                browser.save(&file_name(&name, browser.local_day(browser.now())));
                self.passphrase.try_set(String::new());
                self.again.try_set(String::new());
                self.state.try_set(State::Made { left_out: missing.get() });
                browser.focus("backup-close");
            } else {
                self.state.try_set(State::Asking);
                self.problem.try_set(Some(untrack(|| self.app.explain(done.issue()))));
                browser.focus("passphrase");
            }
        });
    }
}

#[component]
fn Maker(hand_over: bool, confirm: Backup, made: Backup, children: ChildrenFn) -> impl IntoView {
    let app = app();
    let form = Form {
        app,
        hand_over,
        passphrase: RwSignal::new(String::new()),
        again: RwSignal::new(String::new()),
        state: RwSignal::new(State::Asking),
        problem: RwSignal::new(None),
    };
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
                <button id="backup-confirm" class="primary wide" type="submit">{confirm.say()}</button>
            </form>
        })}
        <div role="status">
            {move || match form.state.get() {
                State::Asking => ().into_any(),
                State::Making(_) => view! { <p>{Backup::Making.say()}</p> }.into_any(),
                State::Made { left_out: 0 } => view! { <p id="backup-made">{made.say()}</p> }.into_any(),
                State::Made { left_out: count } => view! {
                    <p id="backup-made">{made.say()}" "{left_out(count)}</p>
                }.into_any(),
            }}
        </div>
        {move || match form.state.get() {
            State::Making(done) => view! {
                <progress id="backup-progress" max="1000" value=done.to_string() aria-label=Backup::Making.say()>
                    {progress(done / 10)}
                </progress>
            }.into_any(),
            State::Made { .. } => view! {
                <button id="backup-close" class="primary wide" on:click=move |_| app.sheet.set(None)>
                    {Backup::Close.say()}
                </button>
            }.into_any(),
            State::Asking => ().into_any(),
        }}
    }
}
