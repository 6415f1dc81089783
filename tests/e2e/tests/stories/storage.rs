//! The browser's storage: the quota runs out and is raised again, and the page shows usage and persistence.

use anyhow::{Result, ensure};
use causeway_e2e::{
    browser::Engine,
    case::{Scene, run_story},
    servers::Setup,
    wait,
};
use serde_json::json;
use std::time::Duration;

const BOB: &str = "14155550123";
/// Chromium reads the remaining quota every 30 seconds.
const FILLS: Duration = Duration::from_secs(90);

/// Sets the quota of the page's origin in bytes; `None` restores the browser's own.
async fn allow(scene: &Scene, bytes: Option<u64>) -> Result<()> {
    let url = scene.servers.url()?;
    let mut parameters = json!({"origin": url.trim_end_matches('/')});
    if let Some(bytes) = bytes {
        parameters["quotaSize"] = json!(bytes);
    }
    scene.browser.devtools("Storage.overrideQuotaForOrigin", parameters).await.map(drop)
}

#[tokio::test]
async fn a_used_up_quota_is_shown_and_the_outbox_is_sent_once_it_is_raised() {
    run_story("storage_full", Engine::Chromium, Setup::default(), async |scene| {
        scene.servers.phone(BOB, "Bob").await?;
        let page = scene.visit().await?;
        page.enlist("alice").await?;
        page.start_chat(BOB).await?;
        page.write("before the quota is used up").await?;
        page.ticks("before the quota is used up", "delivered").await?;

        // One waits in the outbox and cannot be encrypted: that would advance the ratchet, which could not be stored.
        scene.browser.expect("WebSocket connection to");
        scene.servers.stop_gatekeeper().await;
        let page = scene.page()?;
        page.connection("waiting").await?;
        page.write("kept before it was full").await?;
        // The browser caches the quota for a while. What is refused stays in the composer, with an explanation.
        allow(scene, Some(1)).await?;
        let full = "The storage for this site is full. Free some space";
        let mut taken = Vec::new();
        let refused = wait::until_within(FILLS, "the storage run full", async || {
            let text = format!("until it is full, {}", taken.len());
            page.fill("#composer", &text).await?;
            page.press_enter("#composer").await?;
            let is_taken = wait::until("the text taken or refused", async || {
                if page.messages().await?.contains(&(true, text.clone())) {
                    return Ok(Some(true));
                }
                let problem = page.see("#composer-problem").await?.text().await?;
                Ok(problem.contains(full).then_some(false))
            });
            if is_taken.await? {
                taken.push(text);
                return Ok(None);
            }
            Ok(Some(text))
        })
        .await?;
        let typed = page.see("#composer").await?.prop("value").await?.unwrap_or_default();
        ensure!(typed == refused, "the composer holds {typed:?}");

        // With a server there is something to encrypt, which cannot be stored.
        scene.servers.start_gatekeeper().await?;
        let page = scene.page()?;
        page.read("#connection", full, |text| text.contains(full)).await?;
        ensure!(scene.servers.received(BOB).await? == ["before the quota is used up"]);
        // Mail that cannot be stored is not acknowledged.
        scene.servers.phone_writes(BOB, "alice", "an answer").await?;

        allow(scene, None).await?;
        page.click("#connection-action").await?;
        page.connected().await?;
        page.open_chat(BOB).await?;
        page.ticks("kept before it was full", "delivered").await?;
        page.message(false, "an answer").await?;
        page.fill("#composer", "typed again").await?;
        page.press_enter("#composer").await?;
        page.ticks("typed again", "delivered").await?;
        let mut expected = vec!["before the quota is used up".to_owned(), "kept before it was full".to_owned()];
        expected.extend(taken);
        expected.push("typed again".to_owned());
        let received = scene.servers.received(BOB).await?;
        ensure!(received == expected, "{received:?}");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_store_that_a_newer_version_wrote_asks_for_a_reload() {
    run_story("storage_newer", Engine::Chromium, Setup::default(), async |scene| {
        let page = scene.visit().await?;
        page.enlist("alice").await?;
        // As a newer build in another tab does: the running engine closes its database.
        let upgrade = "const [done] = arguments, asked = indexedDB.open('causeway', 999);
            asked.onsuccess = () => { asked.result.close(); done(true); };
            asked.onerror = () => done(false);";
        let upgraded: bool = scene.browser.web()?.execute_async(upgrade, vec![]).await?.convert()?;
        ensure!(upgraded, "the database was not upgraded");
        page.reload().await?;
        let newer = "written by a newer version of this page. Reload the page";
        page.read("#opening-problem", newer, |text| text.contains(newer)).await?;
        page.read("#connection-action", "the way out", |text| text == "Reload the page").await.map(drop)
    })
    .await;
}

/// Grants or denies persistent storage to the page's origin.
async fn promise(scene: &Scene, setting: &str) -> Result<()> {
    let parameters =
        json!({"permission": {"name": "persistent-storage"}, "setting": setting, "origin": scene.servers.url()?});
    scene.browser.devtools("Browser.setPermission", parameters).await.map(drop)
}

#[tokio::test]
async fn the_browser_is_asked_at_enlistment_and_its_answer_can_be_read_and_asked_for_again() {
    run_story("storage_kept", Engine::Chromium, Setup::default(), async |scene| {
        promise(scene, "denied").await?;
        let page = scene.visit().await?;
        page.sign_up("alice").await?;
        page.read(".points", "why the browser is asked", |text| text.contains("Your browser is asked to keep them"))
            .await?;
        page.agree().await?;
        page.click("#enlist-finish").await?;
        page.see("#phone").await?;
        page.close_dialog().await?;
        page.click("#open-settings").await?;
        page.read("#storage-words", "how much is used", |text| text.contains(" used.")).await?;
        page.see("#storage-meter").await?;
        page.read("#storage-kept", "no promise", |text| text.contains("has not promised")).await?;
        page.click("#storage-ask").await?;
        page.read("#storage-kept", "what helps", |text| text.contains("did not promise")).await?;
        promise(scene, "granted").await?;
        page.click("#storage-ask").await?;
        page.read("#storage-kept", "the promise", |text| text.contains("has promised")).await?;
        page.see_no("#storage-ask").await
    })
    .await;
}

#[tokio::test]
async fn a_browser_that_forgets_within_a_week_is_warned_of_before_anything_is_kept_in_it() {
    run_story("storage_forgets", Engine::Chromium, Setup::default(), async |scene| {
        // Present in Safari only.
        let safari = json!({"source": "globalThis.safari = {};"});
        scene.browser.devtools("Page.addScriptToEvaluateOnNewDocument", safari).await?;
        let page = scene.visit().await?;
        page.sign_up("alice").await?;
        page.read(".points", "a warning", |text| text.contains("This browser forgets after a week")).await.map(drop)
    })
    .await;
}
