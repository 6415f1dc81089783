//! In the dialog: a chat by phone number.

use causeway::view::{Action, Done, Issue, StartChat};
use leptos::prelude::*;

use crate::state::route::Route;
use crate::state::scope::{Answer, Scope};
use crate::state::validation;
use crate::text::{Phrase, Text};
use crate::ui::app::{App, Sheet, app};
use crate::ui::parts::{Problem, follow_typing};

/// Asks for the number; opens the chat once the engine has found or made it.
#[component]
pub(crate) fn NewChat() -> impl IntoView {
    let app = app();
    let scope = Scope::current();
    let phone = RwSignal::new(String::new());
    let typed = follow_typing("phone", phone);
    let busy = RwSignal::new(false);
    let problem = RwSignal::new(None::<String>);
    let number = app.store.browser().suggested_number();
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        if busy.get_untracked() {
            return;
        }
        let typed = phone.get_untracked();
        if !validation::is_phone(&typed) {
            problem.set(Some(Text::PhoneInvalid.text().to_owned()));
            app.store.browser().focus("phone");
            return;
        }
        problem.set(None);
        busy.set(true);
        let answer = scope.answer(move |done: Done| {
            busy.set(false);
            if done.issue() != Issue::None {
                problem.set(Some(untrack(|| app.explain(done.issue()))));
                app.store.browser().focus("phone");
            }
        });
        app.store.ask(Action::StartChat(StartChat { phone: typed }), answer.and(Answer::detached(app, open)));
    };
    view! {
        <h2 id="dialog-title">{Text::NewChat.text()}</h2>
        <form on:submit=submit novalidate>
            <div class="field">
                <label for="phone">{Text::PhoneNumber.text()}</label>
                <input id="phone" type="tel" inputmode="tel" autocomplete="off" autofocus required enterkeyhint="go"
                    aria-describedby="phone-hint phone-problem"
                    on:input=move |event| {
                        typed(event);
                        problem.set(None);
                    }/>
                <p id="phone-hint" class="hint">{Text::PhoneHint.text()}</p>
                {number.map(|number| view! { <p class="hint">{Phrase::SuggestedNumber(&number).text()}</p> })}
                <Problem id="phone-problem" says=problem/>
            </div>
            <button id="start-chat" class="primary wide" type="submit" aria-disabled=move || busy.get().to_string()>
                {move || if busy.get() { Text::OneMoment } else { Text::StartChat }.text()}
            </button>
        </form>
    }
}

fn open(app: App, done: Done) {
    if done.issue() == Issue::None {
        app.close(Sheet::NewChat);
        app.go(&Route::Chat(done.chat));
    }
}
