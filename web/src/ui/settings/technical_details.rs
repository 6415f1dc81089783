//! Technical details of the account, for support requests.

use causeway::view::AccountView;
use leptos::prelude::*;

use crate::state::validation::fingerprint;
use crate::text::Text;
use crate::ui::app::app;

/// How a detail is read off the account; empty while it is not known.
type Detail = fn(&AccountView) -> String;

/// One detail per line; a value that is not known yet is shown as unknown.
#[component]
pub(super) fn TechnicalDetails() -> impl IntoView {
    let app = app();
    let details: [(&str, Text, Detail); 7] = [
        ("fact-login", Text::LoginId, |account| account.login.clone()),
        ("fact-fingerprint", Text::KeyFingerprint, |account| fingerprint(&account.identity_key)),
        ("fact-registration", Text::RegistrationId, |account| match account.registration_id {
            0 => String::new(),
            id => id.to_string(),
        }),
        ("fact-protocol", Text::ProtocolVersion, |account| account.protocol_version.clone()),
        ("fact-version", Text::ClientVersion, |account| account.client_version.clone()),
        ("fact-prekeys", Text::Prekeys, |account| {
            account.prekeys_on_server.map(|count| count.to_string()).unwrap_or_default()
        }),
        ("fact-unknown", Text::UnknownStanzas, |account| account.unknown_stanzas.to_string()),
    ];
    let value = move |detail: Detail| {
        let text = app.store.account.with(|account| account.as_ref().map(detail).unwrap_or_default());
        if text.is_empty() { Text::Unknown.text().to_owned() } else { text }
    };
    view! {
        <dl class="facts">
            {details.map(|(id, label, detail)| view! {
                <div><dt>{label.text()}</dt><dd id=id>{move || value(detail)}</dd></div>
            }).collect_view()}
        </dl>
    }
}
