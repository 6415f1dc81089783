//! Sign-in without a password: a passkey, or the provider's own sign-in.

use causeway::view::{Action, Done, Issue, SignedIn};
use leptos::prelude::*;

use crate::state::browser::Passkey;
use crate::state::scope::{Answer, Scope};
use crate::text::{Passwordless, Text, go_on_at};
use crate::ui::app::{App, Then, app};
use crate::ui::parts::Problem;

/// Where the partner server begins a sign-in at the provider.
const AT_PROVIDER: &str = "/api/sign-in/oidc";

/// Runs `then` when the engine has signed in. The component that asked for it may have been removed by then, because
/// the next step is shown as soon as the engine reports the new stage.
pub(super) fn entered(app: App, then: Then) -> Answer<Done> {
    Answer::detached((app, then), |(app, then), done: Done| {
        if done.issue() == Issue::None {
            then(app);
        }
    })
}

/// Has the engine look whether the browser has a session, now that a passkey was accepted.
fn enter(app: App, given: Passkey, answer: Answer<Done>) {
    if given == Passkey::Accepted {
        app.store.ask(Action::SignedIn(SignedIn {}), answer);
    }
}

/// Asks for a passkey, and signs in with it.
fn sign_in(app: App, scope: Scope, busy: RwSignal<bool>, problem: RwSignal<Option<String>>, then: Then) {
    let refused = scope.answer(move |done: Done| {
        if done.issue() != Issue::None {
            problem.set(Some(untrack(|| app.explain(done.issue()))));
        }
    });
    let shown = scope.answer(move |given| {
        busy.set(false);
        problem.set(match given {
            Passkey::Accepted => None,
            Passkey::NotGiven => Some(Passwordless::NotGiven.text().to_owned()),
            Passkey::Unreadable => Some(Passwordless::Unreadable.text().to_owned()),
            Passkey::Refused => Some(Passwordless::Refused.text().to_owned()),
            Passkey::Unreachable => Some(untrack(|| app.explain(Issue::PartnerUnreachable))),
        });
    });
    let answer = entered(app, then).and(refused);
    let go_on = Answer::detached((app, answer), |(app, answer), given| enter(app, given, answer));
    app.store.browser().passkey(false, shown.and(go_on));
}

/// A button beside the password, where the browser has passkeys.
#[component]
pub(super) fn WithPasskey(then: Then) -> impl IntoView {
    let app = app();
    let scope = Scope::current();
    let busy = RwSignal::new(false);
    let problem = RwSignal::new(None::<String>);
    let sign_in = move |_| {
        if !busy.get_untracked() {
            busy.set(true);
            problem.set(None);
            sign_in(app, scope, busy, problem, then);
        }
    };
    let supported = app.store.browser().has_passkeys();
    let taken = Memo::new(move |_| app.store.account.with(|account| account.as_ref().is_some_and(|it| it.passkeys)));
    move || {
        (supported && taken.get()).then(|| {
            view! {
                <button id="sign-in-passkey" class="secondary wide" type="button" on:click=sign_in>
                    {move || if busy.get() { Text::OneMoment.text() } else { Passwordless::WithPasskey.text() }}
                </button>
                <Problem id="passkey-problem" says=problem/>
            }
        })
    }
}

/// A link to the provider's own sign-in, in place of a form. There is a session when the person comes back from it.
#[component]
pub(super) fn AtProvider(then: Then) -> impl IntoView {
    let app = app();
    // The partner server puts the reason for a failed sign-in into the address.
    let failed = app.store.browser().address_parameter("sign_in").map(|word| match word.as_str() {
        "identifier_taken" => untrack(|| app.explain(Issue::IdentifierTaken)),
        "rate_limited" | "busy" => untrack(|| app.explain(Issue::RateLimited)),
        _ => Passwordless::ProviderFailed.text().to_owned(),
    });
    let problem = RwSignal::new(failed);
    // A refusal is not shown: most people who see this have not signed in at the provider yet.
    app.store.ask(Action::SignedIn(SignedIn {}), entered(app, then));
    view! {
        <p>{Passwordless::AtProvider.text()}</p>
        <Problem id="form-problem" says=problem/>
        <a id="sign-in-provider" class="primary wide" href=AT_PROVIDER rel="external">
            {move || go_on_at(&app.partner())}
        </a>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::app::Sheet;
    use crate::ui::fixture::{answer_last, page};

    fn close(app: App) {
        app.close(Sheet::SignIn);
    }

    #[test]
    fn a_session_that_is_found_after_the_step_has_gone_is_used() {
        let (_page, app, browser) = page();
        app.sheet.set(Some(Sheet::SignIn));
        app.store.ask(Action::SignedIn(SignedIn {}), entered(app, close));
        answer_last(app, &browser, Issue::None);
        assert_eq!(app.sheet.get_untracked(), None);
    }

    #[test]
    fn a_passkey_that_is_accepted_after_the_step_has_gone_signs_in() {
        for issue in [Issue::None, Issue::SignInNeeded] {
            let (_page, app, browser) = page();
            app.sheet.set(Some(Sheet::SignIn));
            let step = Owner::new();
            step.with(|| sign_in(app, Scope::current(), RwSignal::new(true), RwSignal::new(None), close));
            step.cleanup();
            browser.answer();
            assert!(matches!(browser.sent.borrow().last(), Some(Action::SignedIn(_))));
            answer_last(app, &browser, issue);
            assert_eq!(app.sheet.get_untracked().is_none(), issue == Issue::None);
        }
    }

    #[test]
    fn a_session_that_is_refused_is_explained() {
        let (_page, app, browser) = page();
        let step = Owner::new();
        let (busy, problem) = step.with(|| (RwSignal::new(true), RwSignal::new(None)));
        step.with(|| sign_in(app, Scope::current(), busy, problem, |_| ()));
        browser.answer();
        assert!(!busy.get_untracked());
        answer_last(app, &browser, Issue::SignInNeeded);
        assert!(problem.get_untracked().is_some());
    }
}
