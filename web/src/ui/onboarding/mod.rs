//! Three short steps: a name, what is shared with whom, and the enlistment itself.
//!
//! The current step follows from the engine's state; only the outcome of an enlistment is kept here, so that a person
//! sees it before the chats take over.

mod account;
mod attempt;
mod enlist;
mod other_browser;
mod passwordless;
mod sharing;

pub(super) use account::SignInAgain;
pub(super) use other_browser::StartNew;

use causeway::view::{Action, Done, Enlist, Issue, Stage};
use leptos::prelude::*;

use self::account::AccountStep;
use self::attempt::Attempt;
use self::enlist::EnlistStep;
use self::other_browser::OtherBrowserStep;
use self::sharing::SharingStep;
use super::app::{App, app};
use super::parts::Mark;
use super::timing::next_frame;
use crate::state::scope::{Answer, Scope};
use crate::text::{Phrase, Text};

const STEPS: u32 = 3;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Account,
    /// The keys are in another browser, or are gone.
    OtherBrowser,
    Sharing,
    Enlist,
}

/// The steps, one at a time.
#[component]
pub(super) fn Onboarding() -> impl IntoView {
    let app = app();
    let scope = Scope::current();
    let attempt = RwSignal::new(Attempt::None);
    let step = Memo::new(move |_| match app.stage() {
        None | Some(Stage::SignedOut) => Step::Account,
        Some(Stage::SignedIn) if attempt.get() == Attempt::None => match is_elsewhere(app) && !app.replace.get() {
            true => Step::OtherBrowser,
            false => Step::Sharing,
        },
        Some(Stage::SignedIn | Stage::Enlisting | Stage::Enlisted) => Step::Enlist,
    });
    let browser = app.store.browser();
    Effect::new(move |before: Option<Step>| {
        let now = step.get();
        if now == Step::Account {
            // Another person may sign in next.
            app.replace.set(false);
        }
        if before.is_some_and(|before| before != now) {
            let browser = browser.clone();
            next_frame(scope.answer(move |()| browser.focus("step-title")));
        }
        now
    });
    let number = move || match step.get() {
        Step::Account => 1,
        Step::OtherBrowser | Step::Sharing => 2,
        Step::Enlist => 3,
    };
    view! {
        <div class="onboarding">
            <header class="brand"><Mark/><span>{Text::Product.text()}</span></header>
            <main id="content" class="card">
                <div class="steps" class:none=move || step.get() == Step::OtherBrowser>
                    <span class="steps-words">{move || Phrase::Step(number(), STEPS).text()}</span>
                    <span class="steps-dots" aria-hidden="true">
                        {(1..=STEPS).map(|at| view! { <i class:on=move || { at <= number() }></i> }).collect_view()}
                    </span>
                </div>
                {move || match step.get() {
                    Step::Account => view! { <AccountStep/> }.into_any(),
                    Step::OtherBrowser => view! { <OtherBrowserStep/> }.into_any(),
                    Step::Sharing => view! { <SharingStep enlist=move || enlist(app, scope, attempt)/> }.into_any(),
                    Step::Enlist => {
                        view! { <EnlistStep attempt enlist=move || enlist(app, scope, attempt)/> }.into_any()
                    }
                }}
            </main>
        </div>
    }
}

fn is_elsewhere(app: App) -> bool {
    app.store.account.with(|account| account.as_ref().is_some_and(|account| account.elsewhere_since != 0))
}

fn enlist(app: App, scope: Scope, attempt: RwSignal<Attempt>) {
    // The keys that are made now exist nowhere else. The step before explains why this is requested; the settings show
    // the answer.
    app.store.browser().request_persistence(Answer::ignored());
    app.welcome.set(true);
    attempt.set(Attempt::Running);
    let replace = app.replace.get_untracked();
    let answer = scope.answer(move |done: Done| {
        let now = match done.issue() {
            Issue::None | Issue::AlreadyEnlisted => return,
            // It was not known before; now it is, and the page that explains it comes.
            Issue::EnlistedElsewhere => Attempt::None,
            issue => Attempt::Failed(issue),
        };
        attempt.set(now);
    });
    app.store.ask(Action::Enlist(Enlist { replace }), answer);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::fixture::{answer_last, page};

    #[test]
    fn an_enlistment_that_fails_is_shown_if_the_steps_are_still_there() {
        for gone in [false, true] {
            let (_page, app, browser) = page();
            let steps = Owner::new();
            let (scope, attempt) = steps.with(|| (Scope::current(), RwSignal::new(Attempt::None)));
            enlist(app, scope, attempt);
            if gone {
                steps.cleanup();
            }
            browser.answer();
            answer_last(app, &browser, Issue::EnlistOutdated);
            let shown = attempt.try_get_untracked();
            assert_eq!(shown, (!gone).then_some(Attempt::Failed(Issue::EnlistOutdated)));
        }
    }
}
