//! The field for a passphrase, and for the same once more.

use causeway::backup::passphrase::{Strength, strength};
use leptos::prelude::*;

use crate::text::{Backup, Text};
use crate::ui::parts::{Icon, Picture, follow_typing};

/// One field. `new` adds the passphrase's strength and a note that it cannot be recovered.
#[component]
pub(super) fn PassphraseField(
    id: &'static str,
    label: Backup,
    value: RwSignal<String>,
    shown: RwSignal<bool>,
    #[prop(optional)] new: bool,
    /// The field's own problem, and those of its form.
    problem: &'static str,
) -> impl IntoView {
    let hint = format!("{id}-hint");
    let described = format!("{hint} {problem}");
    let quality = move || {
        let said = value.with(|typed| (!typed.is_empty()).then(|| strength(typed)))?;
        Some(match said {
            Strength::Refused => Backup::Refused,
            Strength::Fair => Backup::Fair,
            Strength::Good => Backup::Good,
            Strength::Strong => Backup::Strong,
        })
    };
    view! {
        <div class="field">
            <label for=id>{label.text()}</label>
            <div class="with-button">
                <input id=id required autocapitalize="none" spellcheck="false"
                    type=move || if shown.get() { "text" } else { "password" }
                    autocomplete=if new { "new-password" } else { "off" }
                    aria-describedby=described
                    on:input=follow_typing(id, value)/>
                <button class="icon-button" type="button" aria-pressed=move || shown.get().to_string()
                    aria-label=Text::ShowPassword.text()
                    on:click=move |_| shown.update(|shown| *shown = !*shown)>
                    {move || view! { <Icon of=if shown.get() { Picture::EyeClosed } else { Picture::Eye }/> }}
                </button>
            </div>
            {new.then(|| view! {
                <p id=hint class="hint">
                    <span>{Backup::PassphraseHint.text()}" "{Backup::PassphraseLost.text()}</span>
                </p>
                <p class="hint" role="status"><strong>{move || quality().map(Backup::text)}</strong></p>
            })}
        </div>
    }
}
