//! In the dialog: what encryption means here, and the code that two people can compare.

use leptos::prelude::*;

use crate::state::peer_name;
use crate::state::route::Route;
use crate::state::validation;
use crate::text::{Phrase, Text};
use crate::ui::app::app;

/// About the open chat.
#[component]
pub(crate) fn Safety() -> impl IntoView {
    let app = app();
    let row = app.route.with_untracked(|route| match route {
        Route::Chat(id) => untrack(|| app.store.row(id)),
        Route::Chats | Route::Settings | Route::Restore => None,
    });
    let chat = row.map(|row| row.view.get_untracked()).unwrap_or_default();
    let key = app.store.account.with_untracked(|account| {
        account.as_ref().map(|account| validation::fingerprint(&account.identity_key)).unwrap_or_default()
    });
    let groups = validation::in_groups(&chat.security_code, 5);
    view! {
        <h2 id="dialog-title">{Text::SafetyTitle.text()}</h2>
        <p class="lead" dir="auto">{Phrase::EncryptedWith(&peer_name::isolated(&peer_name::title(&chat))).text()}</p>
        <p>{Text::SafetyWhat.text()}</p>
        <h3>{Text::SecurityCode.text()}</h3>
        {if groups.is_empty() {
            view! { <p id="security-code" class="hint">{Text::SecurityCodeNone.text()}</p> }.into_any()
        } else {
            view! {
                <p id="security-code" class="code" dir="ltr">
                    {groups.into_iter().map(|group| view! { <span>{group}</span>" " }).collect_view()}
                </p>
                <p>{Text::SecurityCodeWhy.text()}</p>
            }.into_any()
        }}
        <h3>{Text::KeyFingerprint.text()}</h3>
        <p id="fingerprint" class="fingerprint" dir="ltr">{key}</p>
    }
}
