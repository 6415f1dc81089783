//! The first step: a name and a password at the provider. The same form signs in again later.

use causeway::view::{Action, Done, Issue, SignIn};
use leptos::ev::SubmitEvent;
use leptos::prelude::*;

use super::passwordless::{AtProvider, WithPasskey, entered};
use crate::state::route::Route;
use crate::state::scope::Scope;
use crate::state::validation::{self, NAME_LIMIT, NameProblem};
use crate::text::{Backup, Passwordless, Phrase, Text, sign_in_at};
use crate::ui::app::{App, Sheet, Then, app};
use crate::ui::parts::{PasswordField, Problem, follow_typing};

/// What the form holds. The password leaves with the command and is wiped from the form.
#[derive(Clone, Copy)]
struct Form {
    app: App,
    scope: Scope,
    identifier: RwSignal<String>,
    password: RwSignal<String>,
    create: RwSignal<bool>,
    /// The person has left the name, or tried to go on: now it may be criticised.
    checked: RwSignal<bool>,
    busy: RwSignal<bool>,
    problem: RwSignal<Option<String>>,
}

impl Form {
    fn new(app: App, create: bool) -> Self {
        Self {
            app,
            scope: Scope::current(),
            identifier: RwSignal::new(app.store.account.with_untracked(|account| {
                account.as_ref().map(|account| account.identifier.clone()).unwrap_or_default()
            })),
            password: RwSignal::new(String::new()),
            create: RwSignal::new(create),
            checked: RwSignal::new(false),
            busy: RwSignal::new(false),
            problem: RwSignal::new(None),
        }
    }

    fn name_problem(self) -> Option<Text> {
        match self.identifier.with(|typed| validation::name(typed).err())? {
            // An empty name is no problem before the first attempt; one that is too long is reported at once.
            NameProblem::Empty => self.checked.get().then_some(Text::NameEmpty),
            NameProblem::TooLong => Some(Text::NameTooLong),
            NameProblem::Invisible => Some(Text::NameInvisible),
        }
    }

    fn submit(self, event: &SubmitEvent, then: Then) {
        event.prevent_default();
        self.send(then);
    }

    /// Sends the form; `then` is called when it worked.
    fn send(self, then: Then) {
        if self.busy.get_untracked() {
            return;
        }
        self.checked.set(true);
        let browser = self.app.store.browser();
        let identifier = self.identifier.get_untracked();
        let Ok(identifier) = validation::name(&identifier) else {
            browser.focus("identifier");
            return;
        };
        if self.password.with_untracked(String::is_empty) {
            self.problem.set(Some(Text::PasswordEmpty.text().to_owned()));
            browser.focus("password");
            return;
        }
        self.problem.set(None);
        self.busy.set(true);
        let sign_in = SignIn {
            identifier: identifier.to_owned(),
            password: self.password.get_untracked(),
            create: self.create.get_untracked(),
        };
        let answer = self.scope.answer(move |done: Done| {
            let issue = done.issue();
            self.busy.set(false);
            if issue == Issue::None {
                self.password.set(String::new());
            } else {
                self.problem.set(Some(untrack(|| self.app.explain(issue))));
                let at_name = matches!(issue, Issue::IdentifierTaken | Issue::IdentifierInvalid);
                browser.focus(if at_name { "identifier" } else { "password" });
            }
        });
        self.app.store.ask(Action::SignIn(sign_in), answer.and(entered(self.app, then)));
    }

    fn password_field(self) -> impl IntoView {
        let create = self.create;
        let autocomplete = Signal::derive(move || if create.get() { "new-password" } else { "current-password" });
        let hint = Signal::derive(move || create.get().then(|| Text::PasswordHint.text()));
        view! { <PasswordField value=self.password autocomplete hint/> }
    }

    fn button(self) -> impl IntoView {
        let label = move || match (self.busy.get(), self.create.get()) {
            (true, _) => Text::OneMoment,
            (false, true) => Text::CreateAccount,
            (false, false) => Text::SignIn,
        };
        view! {
            <button id="sign-in" class="primary wide" type="submit" aria-disabled=move || self.busy.get().to_string()>
                {move || label().text()}
            </button>
        }
    }
}

/// Choose a name, or sign in.
#[component]
pub(super) fn AccountStep() -> impl IntoView {
    let app = app();
    // A known identifier means that there is an account.
    let returning = app
        .store
        .account
        .with_untracked(|account| account.as_ref().is_some_and(|account| !account.identifier.is_empty()));
    let form = Form::new(app, !returning);
    let elsewhere = signs_in_elsewhere(app);
    let title = move || {
        app.store.account.with(|account| match account.as_ref().map(|account| account.partner.as_str()) {
            None | Some("") => Text::ChooseName.text().to_owned(),
            Some(partner) if elsewhere.get() => sign_in_at(partner),
            Some(partner) => Phrase::ChooseNameAt(partner).text(),
        })
    };
    let lead = move || match elsewhere.get() {
        true => Passwordless::NameFromThere.text(),
        false => Text::ChooseNameWhy.text(),
    };
    view! {
        <h1 id="step-title" tabindex="-1">{title}</h1>
        <p class="lead">{lead}</p>
        {move || match elsewhere.get() {
            true => view! { <AtProvider then=stay/> }.into_any(),
            false => view! { <Here form/> }.into_any(),
        }}
        <a id="open-restore" class="quiet wide" href=Route::Restore.fragment()>{Backup::RestoreLink.text()}</a>
    }
}

/// The next step follows from the engine's state.
fn stay(_: App) {}

fn close(app: App) {
    app.close(Sheet::SignIn);
}

/// The form of a provider whose accounts are made here.
#[component]
fn Here(form: Form) -> impl IntoView {
    let choose = move |create| {
        form.create.set(create);
        form.problem.set(None);
    };
    view! {
        <form on:submit=move |event| form.submit(&event, stay) novalidate>
            <fieldset class="segments">
                <legend class="unseen">{Text::AccountChoice.text()}</legend>
                <input type="radio" name="account" id="account-create" prop:checked=move || form.create.get()
                    on:change=move |_| choose(true)/>
                <label for="account-create">{Text::CreateAccount.text()}</label>
                <input type="radio" name="account" id="account-have" prop:checked=move || !form.create.get()
                    on:change=move |_| choose(false)/>
                <label for="account-have">{Text::HaveAccount.text()}</label>
            </fieldset>
            <div class="field">
                <label for="identifier">{Text::Name.text()}</label>
                <input id="identifier" name="username" type="text" required dir="auto" autocomplete="username"
                    autocapitalize="none" spellcheck="false" enterkeyhint="next"
                    aria-describedby="identifier-hint identifier-problem"
                    aria-invalid=move || form.name_problem().is_some().to_string()
                    on:input=follow_typing("identifier", form.identifier)
                    on:change=move |_| form.checked.set(true)/>
                <p class="hint">
                    <span id="identifier-hint">{Text::NameHint.text()}</span>
                    <span class="count" aria-hidden="true">
                        {move || {
                            let used = form.identifier.with(|typed| typed.trim().chars().count());
                            format!("{used}\u{202f}/\u{202f}{NAME_LIMIT}")
                        }}
                    </span>
                </p>
                <Problem id="identifier-problem"
                    says=Signal::derive(move || form.name_problem().map(|text| text.text().to_owned()))/>
            </div>
            {form.password_field()}
            <Problem id="form-problem" says=form.problem/>
            {form.button()}
        </form>
        <Show when=move || !form.create.get()>
            <WithPasskey then=stay/>
        </Show>
    }
}

/// People sign in at the provider's own page.
fn signs_in_elsewhere(app: App) -> Memo<bool> {
    Memo::new(move |_| app.store.account.with(|account| account.as_ref().is_some_and(|it| it.signs_in_elsewhere)))
}

/// In the dialog: the session has ended, the name is known.
#[component]
pub(crate) fn SignInAgain() -> impl IntoView {
    let app = app();
    let form = Form::new(app, false);
    let name = untrack(|| app.identifier());
    if signs_in_elsewhere(app).get_untracked() {
        return view! {
            <h2 id="dialog-title">{Phrase::SignInAgainAs(&name).text()}</h2>
            <AtProvider then=close/>
        }
        .into_any();
    }
    view! {
        <h2 id="dialog-title">{Phrase::SignInAgainAs(&name).text()}</h2>
        <form on:submit=move |event| form.submit(&event, close) novalidate>
            // Password managers look for it.
            <input class="unseen" type="text" name="username" autocomplete="username" tabindex="-1" readonly
                aria-hidden="true" value=name.clone()/>
            {form.password_field()}
            <Problem id="form-problem" says=form.problem/>
            {form.button()}
        </form>
        <WithPasskey then=close/>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::fixture::{answer_last, page};

    fn filled(app: App) -> Form {
        let form = Form::new(app, true);
        form.identifier.set("alice".to_owned());
        form.password.set("correct horse".to_owned());
        form
    }

    #[test]
    fn the_password_is_wiped_when_the_sign_in_worked() {
        let (_page, app, browser) = page();
        let step = Owner::new();
        let form = step.with(|| filled(app));
        form.send(stay);
        assert!(form.busy.get_untracked());
        answer_last(app, &browser, Issue::None);
        assert_eq!(form.password.get_untracked(), "");
        assert!(!form.busy.get_untracked());
    }

    #[test]
    fn an_answer_that_comes_after_the_step_closes_the_dialog_and_touches_nothing_else() {
        for issue in [Issue::None, Issue::BadCredentials] {
            let (_page, app, browser) = page();
            app.sheet.set(Some(Sheet::SignIn));
            let step = Owner::new();
            step.with(|| filled(app)).send(close);
            step.cleanup();
            answer_last(app, &browser, issue);
            assert_eq!(app.sheet.get_untracked().is_none(), issue == Issue::None);
        }
    }
}
