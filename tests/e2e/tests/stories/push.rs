//! Pushes while no tab is open: what is notified, what a person can do with a notification, and what the app shows
//! afterwards.

use crate::away::{Away, BOB, DAN, EVE, bob};
use anyhow::{Context, Result, ensure};
use causeway_e2e::{
    browser::Browser,
    page::Page,
    servers::{Servers, Setup},
    wait,
};
use serde_json::json;

const PLAIN: (&str, &str, &str) = ("waiting", "New message", "Open Causeway to read it.");

fn eve() -> String {
    format!("chat:{EVE}@s.whatsapp.net")
}

/// Two people write while nothing is open: one notification each, with name and text, and none without them.
async fn sender_and_text() -> Result<()> {
    let away = Away::begin().await?;
    let worker = away.worker().await?;
    away.servers.phone_writes(BOB, "carla", "Are you there?").await?;
    worker.push("wake").await?;
    worker.shows(&[(&bob(), "Bob", "Are you there?")]).await?;

    worker.stop().await?;
    away.servers.phone_writes(BOB, "carla", "It is raining.").await?;
    away.servers.phone_writes(EVE, "carla", "Lunch?").await?;
    worker.push("wake").await?;
    worker.shows(&[(&bob(), "Bob (2)", "It is raining."), (&eve(), "Eve", "Lunch?")]).await?;
    away.servers.goes_offline("carla").await?;
    ensure!(away.servers.waiting_for("carla").await? == 0, "the server still keeps what was shown");

    // What was shown is in the app, once.
    let tab = away.open().await?;
    let read = tab.person(&format!("person.read('{BOB}')")).await?;
    ensure!(read == json!([["Are you there?", "in"], ["It is raining.", "in"]]), "the chat holds {read}");
    // What was read is not notified again.
    worker.shows(&[(&eve(), "Eve", "Lunch?")]).await?;
    away.end().await
}

#[tokio::test]
async fn a_push_shows_sender_and_text_while_no_tab_is_open() {
    sender_and_text().await.unwrap();
}

/// Whatever fails, exactly one notification is shown, and its text is true.
async fn whatever_fails() -> Result<()> {
    let mut away = Away::begin().await?;
    away.servers.phone_writes(BOB, "carla", "Are you there?").await?;
    away.servers.stop_gatekeeper().await;
    {
        let worker = away.worker().await?;
        worker.push("wake").await?;
        worker.shows(&[PLAIN]).await?;
        // The attempt ends with a sound, when it is known that there will be no more.
        let (_, _, body) = PLAIN;
        let first = worker.displays(wait::TIMEOUT, |one| one.body == body).await?;
        worker.displays(wait::TIMEOUT, |one| one.tag == first.tag && one.at > first.at).await?;
        let shown = worker.shown().await?;
        ensure!(matches!(shown.as_slice(), [one] if !one.silent), "not the plain word aloud: {shown:?}");
        worker.dismiss_all().await?;
    }
    away.servers.start_gatekeeper().await?;
    let worker = away.worker().await?;
    worker.push("wake").await?;
    worker.shows(&[(&bob(), "Bob", "Are you there?")]).await?;
    worker.dismiss_all().await?;

    // Nothing new, so nothing is notified again.
    worker.push("wake").await?;
    let nothing = "Causeway looked for messages and found none that you haven’t seen.";
    worker.shows(&[("waiting", "You are up to date", nothing)]).await?;
    worker.dismiss_all().await?;

    worker.push("test").await?;
    worker.shows(&[("test", "Notifications work", "This browser will tell you when somebody writes.")]).await?;
    away.end().await
}

#[tokio::test]
async fn every_push_ends_in_one_visible_notification() {
    whatever_fails().await.unwrap();
}

/// A tab is open and not visible: the tab does the work, and a notification is shown all the same.
async fn beside_a_tab() -> Result<()> {
    let away = Away::begin().await?;
    let tab = away.browser.open(&away.servers.url()?).await?;
    tab.person("person.online()").await?;
    let connection = away.servers.connection_of("carla").await?;
    let worker = away.worker().await?;
    away.servers.phone_writes(BOB, "carla", "Are you there?").await?;
    worker.push("wake").await?;
    worker.shows(&[(&bob(), "Bob", "Are you there?")]).await?;
    ensure!(away.servers.connection_of("carla").await? == connection, "the service worker took the tab's place");
    tab.person("person.online()").await?;
    away.end().await
}

#[tokio::test]
async fn a_tab_that_leads_does_the_work() {
    beside_a_tab().await.unwrap();
}

/// Answering and marking as read, without opening the app.
async fn from_the_notification() -> Result<()> {
    let mut away = Away::begin().await?;
    let worker = away.worker().await?;
    away.servers.phone_writes(BOB, "carla", "Are you there?").await?;
    away.servers.phone_writes(EVE, "carla", "Lunch?").await?;
    worker.push("wake").await?;
    worker.shows(&[(&bob(), "Bob", "Are you there?"), (&eve(), "Eve", "Lunch?")]).await?;

    worker.click(&bob(), "reply", Some("On my way")).await?;
    ensure!(away.servers.phone_received(BOB, "On my way").await? == 1, "the answer came twice");
    worker.click(&eve(), "read", None).await?;
    worker.shows(&[]).await?;

    // WhatsApp cannot be reached: the answer is kept, and leaves when it can.
    away.servers.phone_writes(EVE, "carla", "Well?").await?;
    worker.push("wake").await?;
    worker.shows(&[(&eve(), "Eve", "Well?")]).await?;
    away.servers.goes_offline("carla").await?;
    drop(worker);
    away.servers.stop_gatekeeper().await;
    {
        let worker = away.worker().await?;
        worker.click(&eve(), "reply", Some("With pleasure")).await?;
        let shown = worker.shown().await?;
        ensure!(!shown.iter().any(|one| one.tag.starts_with("lost:")), "told that it is lost: {shown:?}");
    }
    away.servers.start_gatekeeper().await?;
    let tab = away.open().await?;
    ensure!(away.servers.phone_received(EVE, "With pleasure").await? == 1, "the later answer came twice");
    let read = tab.person(&format!("person.read('{BOB}')")).await?;
    ensure!(read[0] == json!(["Are you there?", "in"]), "the chat holds {read}");
    ensure!(read[1][0] == json!("On my way"), "the chat holds {read}");
    let unread =
        tab.person("[...document.querySelectorAll('.chat-row:has(.badge)')].map((row) => row.textContent)").await?;
    ensure!(unread == json!([]), "not read: {unread}");
    away.end().await
}

#[tokio::test]
async fn a_notification_can_be_answered_and_marked_as_read() {
    from_the_notification().await.unwrap();
}

/// The browser finds nothing that would keep it from installing the app.
async fn installable() -> Result<()> {
    let away = Away::begin().await?;
    let tab = away.open().await?;
    tab.person("person.online()").await?;
    let mut last = json!(null);
    let installable = wait::until("an app that can be installed", async || {
        last = tab.page("Page.getInstallabilityErrors", json!({})).await?["installabilityErrors"].take();
        Ok((last == json!([])).then_some(()))
    })
    .await;
    installable.with_context(|| format!("the browser says {last}"))?;
    let manifest = tab.page("Page.getAppManifest", json!({})).await?;
    ensure!(manifest["errors"] == json!([]), "the manifest: {}", manifest["errors"]);
    away.end().await
}

#[tokio::test]
async fn the_app_can_be_installed() {
    installable().await.unwrap();
}

/// Without any server the app opens, history can be read, and what is written waits.
async fn offline() -> Result<()> {
    let mut away = Away::begin().await?;
    let url = away.servers.url()?;
    away.servers.stop().await;
    let tab = away.browser.open(&url).await?;
    let read = tab.person(&format!("person.read('{DAN}')")).await?;
    ensure!(read[0][0] == json!("hello"), "the history holds {read}");
    tab.person(&format!("person.write('{DAN}', ['written offline'])")).await?;
    tab.reload().await?;
    let read = tab.person(&format!("person.read('{DAN}')")).await?;
    let last = read.as_array().and_then(|all| all.last()).context("an empty chat")?;
    ensure!(*last == json!(["written offline", "queued"]), "the chat ends with {last}");
    away.browser.close().await
}

#[tokio::test]
async fn the_app_opens_offline_with_its_history() {
    offline().await.unwrap();
}

/// A newer release waits until the person wants it. Until then every file is the old release's, whatever the server
/// has.
async fn a_newer_release() -> Result<()> {
    let mut away = Away::begin().await?;
    let tab = away.open().await?;
    tab.person("person.online()").await?;
    let url = away.servers.url()?;
    away.servers.release("<title>Causeway</title>", "<title>Causeway, newer</title>").await?;
    let fetched = |path: &str| format!("fetch('{path}').then((it) => it.text())");
    tab.person("navigator.serviceWorker.getRegistration().then((it) => it.update()).then(() => true)").await?;
    tab.person("person.see('#update')").await?;
    let shell = tab.person(&fetched("/index.html")).await?;
    ensure!(!shell.as_str().unwrap_or_default().contains("newer"), "a page of the old release met the new shell");
    // A second tab of the same browser is of the same release.
    let second = away.browser.open(&url).await?;
    second.person("person.online()").await?;
    ensure!(second.person("document.title").await? == json!("Causeway"), "two releases at once");
    second.person("person.see('#update')").await?;
    // A tab with an unsent draft does not offer the update; the other tab does.
    second.person("person.click('#update-later')").await?;
    let gone = "document.querySelector('#update') === null";
    wait::until("nothing in the way", async || Ok((second.person(gone).await? == json!(true)).then_some(()))).await?;

    tab.person("person.click('#update-now')").await?;
    for one in [&tab, &second] {
        // The former worker must become idle first: nothing is fetched through it meanwhile.
        let waits = "navigator.serviceWorker.getRegistration().then((it) => it.waiting === null)";
        wait::until("the newer release waiting", async || Ok((one.person(waits).await? == json!(true)).then_some(())))
            .await?;
        wait::until("the newer shell", async || {
            let shell = one.person(&fetched("/index.html")).await?;
            Ok(shell.as_str().unwrap_or_default().contains("newer").then_some(()))
        })
        .await?;
        one.person("person.online()").await?;
    }
    let caches =
        tab.person("caches.keys().then((all) => all.filter((name) => name.startsWith('shell-')).length)").await?;
    ensure!(caches == json!(1), "{caches} shells are kept");
    let read = tab.person(&format!("person.read('{DAN}')")).await?;
    ensure!(read[0][0] == json!("hello"), "the history holds {read}");
    away.end().await
}

#[tokio::test]
async fn a_newer_release_waits_until_it_is_wanted() {
    a_newer_release().await.unwrap();
}

/// The notifications on screen while the app is closed. Any document of the origin can list them.
async fn on_screen(browser: &Browser) -> Result<Vec<String>> {
    let look = "navigator.serviceWorker.getRegistration('/').then((it) => it.getNotifications()) \
        .then((all) => arguments[0](all.map(({ title, body }) => `${title}: ${body}`).sort()))";
    let seen = browser.web()?.execute_async(look, Vec::new()).await?;
    Ok(seen.convert()?)
}

/// The whole way, with nothing simulated but WhatsApp's and Mozilla's servers: the sandbox calls the partner server,
/// which encrypts for the push service, which wakes Firefox, whose service worker fetches and opens the message.
async fn the_whole_way() -> Result<()> {
    let mut servers = Servers::start(Setup::default()).await?;
    servers.phone(BOB, "Bob").await?;
    let mut browser = Browser::open_with_push(servers.push_service()).await?;
    let page = Page::of(&browser)?;
    page.open(&servers.url()?).await?;
    page.enlist("carla").await?;
    page.start_chat(BOB).await?;
    page.write("Hello Bob").await?;
    page.ticks("Hello Bob", "delivered").await?;
    page.click("#notices-accept").await?;
    page.see_no("#notices-offer").await?;
    page.click("#open-settings").await?;
    page.read("#notices-state", "on", |words| words.contains("are on")).await?;
    ensure!(servers.pushes().await?["subscriptions"].as_array().map(Vec::len) == Some(1), "no subscription");

    // From the settings, through every server and back.
    page.click("#notices-test").await?;
    let seen = async |browser: &Browser, expected: &[&str]| {
        let mut last = Vec::new();
        let seen = wait::until("the expected notifications", async || {
            last = on_screen(browser).await?;
            Ok((last == expected).then_some(()))
        })
        .await;
        seen.with_context(|| format!("expected {expected:?}, last seen {last:?}"))
    };
    let tested = "Notifications work: This browser will tell you when somebody writes.";
    seen(&browser, &[tested]).await?;
    page.read("#notices-last", "a time", |words| words.contains(':')).await?;

    // Nothing of the app is open any more.
    page.open(&format!("{}favicon.svg", servers.url()?)).await?;
    servers.goes_offline("carla").await?;
    servers.phone_writes(BOB, "carla", "Are you there?").await?;
    seen(&browser, &["Bob: Are you there?", tested]).await?;
    // What is shown is acknowledged a moment later, before the service worker leaves.
    servers.goes_offline("carla").await?;
    ensure!(servers.waiting_for("carla").await? == 0, "the server still keeps what was shown");

    // The push service loses its data; the browser subscribes again and registers that with the partner server. What
    // was pushed to the former subscription before that is not lost.
    servers.drop_subscriptions().await?;
    servers.phone_writes(BOB, "carla", "Still there?").await?;
    seen(&browser, &["Bob (2): Still there?", tested]).await?;

    // The partner server has another key: the next push, still under the former one, subscribes for it.
    let before = servers.subscription_keys().await?;
    servers.rotate_vapid().await?;
    servers.phone_writes(BOB, "carla", "Under the old key").await?;
    seen(&browser, &["Bob (3): Under the old key", tested]).await?;
    wait::until("a subscription for the other key", async || {
        let now = servers.subscription_keys().await?;
        Ok((now.len() == 1 && now != before).then_some(()))
    })
    .await?;
    servers.phone_writes(BOB, "carla", "Under the new key").await?;
    seen(&browser, &["Bob (4): Under the new key", tested]).await?;

    // Once more, and a visit comes first: it does the same, and the former subscription goes.
    let before = servers.subscription_keys().await?;
    servers.rotate_vapid().await?;
    page.open(&servers.url()?).await?;
    page.connected().await?;
    wait::until("a subscription for the other key", async || {
        let now = servers.subscription_keys().await?;
        Ok((now.len() == 1 && now != before).then_some(()))
    })
    .await?;
    ensure!(
        servers.pushes().await?["subscriptions"].as_array().map(Vec::len) == Some(1),
        "the former one is still there"
    );
    page.open(&format!("{}favicon.svg", servers.url()?)).await?;
    servers.goes_offline("carla").await?;
    servers.phone_writes(BOB, "carla", "And now?").await?;
    seen(&browser, &["Bob (5): And now?", tested]).await?;

    // A signed-out account gets no pushes.
    page.open(&servers.url()?).await?;
    page.connected().await?;
    page.click("#open-settings").await?;
    page.click("#sign-out").await?;
    page.connection("stopped").await?;
    wait::until("no subscription", async || {
        Ok((servers.pushes().await?["subscriptions"].as_array().map(Vec::len) == Some(0)).then_some(()))
    })
    .await?;
    browser.must_be_silent().await?;
    browser.close().await?;
    servers.stop().await;
    Ok(())
}

#[tokio::test]
async fn firefox_is_woken_by_a_push_service_and_shows_the_message() {
    the_whole_way().await.unwrap();
}
