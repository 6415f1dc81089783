//! What a browser with an empty profile fetches: before a chat can be written in, only what tests/toolchain/size.mjs counts as
//! a first visit; the module of the settings when they are opened, and again after it could not be fetched.

use anyhow::{Result, ensure};
use causeway_e2e::{
    browser::Engine,
    case::{Scene, run_story},
    servers::{ECHO, Setup},
    wait,
};
use serde_json::json;
use std::time::{Duration, Instant};

/// When the service worker is registered after an enlistment: `web/src/ui/notifications.rs`.
const SETTLED: Duration = Duration::from_secs(15);

/// Names of the files that the page has fetched, and whether a service worker is registered.
const FETCHED: &str = "const done = arguments[arguments.length - 1]; \
    navigator.serviceWorker.getRegistration().then((it) => done([ \
      performance.getEntriesByType('resource').map(({ name }) => new URL(name).pathname), it !== undefined ]));";

async fn fetched(scene: &Scene) -> Result<(Vec<String>, bool)> {
    Ok(scene.browser.web()?.execute_async(FETCHED, []).await?.convert()?)
}

fn holds(files: &[String], end: &str) -> bool {
    files.iter().any(|file| file.ends_with(end))
}

#[tokio::test]
async fn a_first_visit_fetches_no_settings_and_no_service_worker_before_a_chat_can_be_written_in() {
    run_story("first_visit", Engine::Chromium, Setup::default(), async |scene| {
        let page = scene.visit().await?;
        let began = Instant::now();
        page.enlist("alice").await?;
        page.start_chat(ECHO).await?;
        page.see("#composer").await?;
        let (files, is_kept) = fetched(scene).await?;
        ensure!(holds(&files, ".page.wasm") && holds(&files, "_bg.wasm"), "the page's modules, not {files:?}");
        ensure!(!holds(&files, ".secondary.wasm"), "the settings were not opened, but {files:?}");
        ensure!(!holds(&files, ".compute.wasm"), "nothing was to be computed, but {files:?}");
        // On a very slow machine its time has come.
        let early = !is_kept || began.elapsed() >= SETTLED;
        ensure!(early, "the service worker's installation would fetch the rest of the release");

        // The network fails once: the page says so, and the button fetches the module.
        scene.browser.expect("net::ERR_BLOCKED_BY_CLIENT");
        scene.browser.expect("Failed to fetch");
        scene.browser.devtools("Network.enable", json!({})).await?;
        scene.browser.devtools("Network.setBlockedURLs", json!({"urls": ["*.secondary.wasm"]})).await?;
        let page = scene.page()?;
        page.click("#open-settings").await?;
        page.read(".on-demand[role=alert]", "the failure", |text| text.contains("could not be loaded")).await?;
        scene.browser.devtools("Network.setBlockedURLs", json!({"urls": []})).await?;
        page.click(".on-demand button.primary").await?;
        page.see("#fact-version").await?;
        ensure!(holds(&fetched(scene).await?.0, ".secondary.wasm"), "the module of the settings was fetched");
        wait::until("the service worker registered", async || Ok(fetched(scene).await?.1.then_some(()))).await
    })
    .await;
}
