//! Parts of forms.

use leptos::prelude::*;

use super::{Icon, Picture, follow_typing};
use crate::text::Text;

/// A problem with the form, if there is one. Screen readers announce it at once.
#[component]
pub(crate) fn Problem(#[prop(into)] id: String, #[prop(into)] says: Signal<Option<String>>) -> impl IntoView {
    view! {
        <p id=id class="problem" role="alert">
            {move || says.get().map(|says| view! { <Icon of=Picture::Warning/><span>{says}</span> })}
        </p>
    }
}

/// A password, with a button that shows it.
#[component]
pub(crate) fn PasswordField(
    value: RwSignal<String>,
    #[prop(into)] autocomplete: Signal<&'static str>,
    #[prop(into)] hint: Signal<Option<&'static str>>,
) -> impl IntoView {
    let shown = RwSignal::new(false);
    view! {
        <div class="field">
            <label for="password">{Text::Password.text()}</label>
            <div class="with-button">
                <input id="password" name="password" required autocapitalize="none" spellcheck="false"
                    type=move || if shown.get() { "text" } else { "password" }
                    autocomplete=move || autocomplete.get()
                    aria-describedby="password-hint form-problem"
                    on:input=follow_typing("password", value)/>
                <button id="show-password" class="icon-button" type="button"
                    aria-pressed=move || shown.get().to_string() aria-label=Text::ShowPassword.text()
                    on:click=move |_| shown.update(|shown| *shown = !*shown)>
                    {move || view! { <Icon of=if shown.get() { Picture::EyeClosed } else { Picture::Eye }/> }}
                </button>
            </div>
            <p id="password-hint" class="hint">{move || hint.get()}</p>
        </div>
    }
}
