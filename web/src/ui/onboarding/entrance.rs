//! Ways in without a password: a passkey, or the provider's own sign-in.

use causeway::view::{Action, Issue, SignedIn};
use leptos::prelude::*;

use crate::state::browser::Passkey;
use crate::text::entrance::go_on_at;
use crate::text::{Entrance, Text};
use crate::ui::app::{App, app};
use crate::ui::parts::Problem;

/// Where the partner server begins a sign-in at the provider.
const AT_PROVIDER: &str = "/api/sign-in/oidc";

/// Has the engine look whether the browser has a session.
fn enter(app: App, problem: RwSignal<Option<String>>, then: impl FnOnce() + 'static) {
    app.store.ask(Action::SignedIn(SignedIn {}), move |done| match done.issue() {
        Issue::None => then(),
        issue => {
            problem.try_set(Some(untrack(|| app.explain(issue))));
        }
    });
}

/// A button beside the password, where the browser has passkeys.
#[component]
pub(super) fn WithPasskey(then: Callback<()>) -> impl IntoView {
    let app = app();
    let busy = RwSignal::new(false);
    let problem = RwSignal::new(None::<String>);
    let sign_in = move |_| {
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        problem.set(None);
        let answered = move |given| {
            busy.try_set(false);
            let words = match given {
                Passkey::Accepted => return enter(app, problem, move || then.run(())),
                Passkey::NotGiven => Entrance::NotGiven.say().to_owned(),
                Passkey::Refused => Entrance::Refused.say().to_owned(),
                Passkey::Unreachable => untrack(|| app.explain(Issue::PartnerUnreachable)),
            };
            problem.try_set(Some(words));
        };
        app.store.browser().passkey(false, Box::new(answered));
    };
    let supported = app.store.browser().has_passkeys();
    let taken = Memo::new(move |_| app.store.account.with(|account| account.as_ref().is_some_and(|it| it.passkeys)));
    move || {
        (supported && taken.get()).then(|| {
            view! {
                <button id="sign-in-passkey" class="secondary wide" type="button" on:click=sign_in>
                    {move || if busy.get() { Text::OneMoment.say() } else { Entrance::WithPasskey.say() }}
                </button>
                <Problem id="passkey-problem" says=problem/>
            }
        })
    }
}

/// Instead of a form: the provider knows the person already. Whoever comes back from there has a session.
#[component]
pub(super) fn AtProvider(then: Callback<()>) -> impl IntoView {
    let app = app();
    // The partner server says why the person comes back without a session.
    let failed = app.store.browser().address_parameter("sign_in").map(|word| match word.as_str() {
        "identifier_taken" => untrack(|| app.explain(Issue::IdentifierTaken)),
        "rate_limited" | "busy" => untrack(|| app.explain(Issue::RateLimited)),
        _ => Entrance::ProviderFailed.say().to_owned(),
    });
    let problem = RwSignal::new(failed);
    // Most people who see this have not been there yet, and need not hear of it.
    let nobody = RwSignal::new(None::<String>);
    enter(app, nobody, move || then.run(()));
    view! {
        <p>{Entrance::AtProvider.say()}</p>
        <Problem id="form-problem" says=problem/>
        <a id="sign-in-provider" class="primary wide" href=AT_PROVIDER rel="external">{move || go_on_at(&app.partner())}</a>
    }
}
