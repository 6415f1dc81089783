//! Technical facts of the account, for support requests.

use causeway::view::AccountView;
use leptos::prelude::*;

use crate::state::validation::fingerprint;
use crate::text::Text;
use crate::ui::app::app;

/// How a fact is read off the account; empty while it is not known.
type Fact = fn(&AccountView) -> String;

/// One fact per line; a value that is not known yet is shown as unknown.
#[component]
pub(super) fn FactList() -> impl IntoView {
    let app = app();
    let facts: [(&str, Text, Fact); 7] = [
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
    let value = move |fact: Fact| {
        let said = app.store.account.with(|account| account.as_ref().map(fact).unwrap_or_default());
        if said.is_empty() { Text::Unknown.text().to_owned() } else { said }
    };
    view! {
        <dl class="facts">
            {facts.map(|(id, label, fact)| view! {
                <div><dt>{label.text()}</dt><dd id=id>{move || value(fact)}</dd></div>
            }).collect_view()}
        </dl>
    }
}
