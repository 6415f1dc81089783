//! Passkeys, with an authenticator that Chromium plays: made in the settings, and good for signing in without a
//! password.

use anyhow::{Result, ensure};
use causeway_e2e::{
    chromium::Chromium,
    devtools::PageLog,
    servers::{Servers, Setup},
};
use serde_json::json;

async fn in_place_of_a_password() -> Result<()> {
    // A passkey is for a name; an address has none.
    let named = Setup {
        partner: Some(Box::new(|config| {
            config.public_url = Some(format!("http://localhost:{}", config.listen.port()));
        })),
        ..Setup::default()
    };
    let mut servers = Servers::start(named).await?;
    let url = servers.url()?.replace("127.0.0.1", "localhost");
    let (profile, log) = (tempfile::tempdir()?, PageLog::default());
    let mut browser = Chromium::start(profile.path(), &log).await?;
    let tab = browser.open(&url).await?;
    tab.page("WebAuthn.enable", json!({})).await?;
    let authenticator = json!({ "options": {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": true, "hasUserVerification": true,
        "isUserVerified": true, "automaticPresenceSimulation": true,
    } });
    tab.page("WebAuthn.addVirtualAuthenticator", authenticator).await?;
    tab.person("person.signUp('carla', 'correct horse battery')").await?;
    tab.person("person.click('#open-settings')").await?;
    tab.person("person.click('#add-passkey')").await?;
    tab.person("person.says('#passkey-said', 'was added')").await?;
    tab.person("person.click('#sign-out')").await?;
    tab.person("person.see('#connection[data-state=stopped]')").await?;
    tab.person("person.click('#connection-action')").await?;
    tab.person("person.click('#sign-in-passkey')").await?;
    tab.person("person.online()").await?;
    ensure!(log.complaints().is_empty(), "the page complained: {:?}", log.complaints());
    browser.close().await?;
    servers.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_passkey_signs_in_in_place_of_a_password() {
    in_place_of_a_password().await.unwrap();
}
