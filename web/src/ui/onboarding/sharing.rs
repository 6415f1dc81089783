//! The second step: what is shared with whom, in plain words, and the person's consent.

use causeway::view::{Action, SignOut};
use leptos::prelude::*;

use crate::text::{Phrase, Text};
use crate::ui::app::app;
use crate::ui::parts::{Icon, Picture, Problem};

/// The list, and the form for the consent.
#[component]
pub(super) fn SharingStep(enlist: impl Fn() + 'static) -> impl IntoView {
    let app = app();
    let agreed = RwSignal::new(false);
    let missing = RwSignal::new(false);
    let (name, partner) = untrack(|| (app.identifier(), app.partner()));
    let forgets = app.store.browser().evicts_after_a_week();
    let points = [
        (Picture::Person, Text::SharedName, Phrase::SharedNameMore(&name, &partner).text()),
        (Picture::Lock, Text::SharedMessages, Phrase::SharedMessagesMore(&partner).text()),
        (Picture::Eye, Text::SharedWhen, Text::SharedWhenMore.text().to_owned()),
        (Picture::Key, Text::SharedKeys, Text::SharedKeysMore.text().to_owned()),
        match forgets {
            true => (Picture::Warning, Text::Forgets, Text::ForgetsMore.text().to_owned()),
            false => (Picture::Check, Text::SharedKept, Text::SharedKeptMore.text().to_owned()),
        },
        (Picture::Phone, Text::SharedLess, Text::SharedLessMore.text().to_owned()),
    ];
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        if agreed.get_untracked() {
            enlist();
        } else {
            missing.set(true);
            app.store.browser().focus("consent");
        }
    };
    view! {
        <h1 id="step-title" tabindex="-1">{Text::SharedTitle.text()}</h1>
        <ul class="points" role="list">
            {points.map(|(picture, title, more)| view! {
                <li>
                    <Icon of=picture/>
                    <div><h2>{title.text()}</h2><p dir="auto">{more}</p></div>
                </li>
            }).collect_view()}
        </ul>
        <form on:submit=submit novalidate>
            <label class="consent" for="consent">
                <input id="consent" type="checkbox" required aria-describedby="consent-problem"
                    prop:checked=move || agreed.get()
                    on:change=move |event| {
                        agreed.set(event_target_checked(&event));
                        missing.set(false);
                    }/>
                <span>{Text::Consent.text()}</span>
            </label>
            <Problem id="consent-problem"
                says=Signal::derive(move || missing.get().then(|| Text::ConsentMissing.text().to_owned()))/>
            <button id="agree" class="primary wide" type="submit">{Text::AgreeAndConnect.text()}</button>
            <button class="quiet wide" type="button" on:click=move |_| app.store.send(Action::SignOut(SignOut {}))>
                {Text::SignOut.text()}
            </button>
        </form>
    }
}
