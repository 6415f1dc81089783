//! A browser that connects to its provider only: enlistment and chat go through the relay, and the page behaves the
//! same.

use anyhow::{Result, ensure};
use causeway_e2e::{
    browser::Engine,
    case::{Scene, run_story},
    servers::{ECHO, Setup},
};
use serde_json::json;

fn through_the_relay() -> Setup {
    Setup {
        partner: Some(Box::new(|config| {
            // What is not set points to the relay; the policy of the page allows nothing else then.
            config.relay.upstream = config.whatsapp.chat_url.take();
            config.relay.enlist_url = config.whatsapp.enlist_url.take();
        })),
        ..Setup::default()
    }
}

async fn main_path(scene: &mut Scene) -> Result<()> {
    let page = scene.visit().await?;
    page.enlist("alice").await?;
    page.start_chat(ECHO).await?;
    page.write("Hello through the relay").await?;
    page.ticks("Hello through the relay", "delivered").await?;
    page.message(false, "You said: Hello through the relay").await?;
    let hosts = "return performance.getEntriesByType('resource').map(({ name }) => new URL(name).host) \
                 .filter((host) => host !== location.host)";
    let hosts = scene.browser.web()?.execute(hosts, Vec::new()).await?;
    ensure!(*hosts.json() == json!([]), "the page connected to {}", hosts.json());

    // The connection ends with the page's.
    scene.browser.close().await?;
    scene.servers.goes_offline("alice").await?;
    scene.servers.phone_writes(ECHO, "alice", "While you were away").await?;
    scene.browser.reopen().await?;
    let page = scene.visit().await?;
    page.connected().await?;
    page.unread(ECHO, 1).await
}

#[tokio::test]
async fn a_browser_that_connects_to_its_provider_only() {
    run_story("relay", Engine::Chromium, through_the_relay(), main_path).await;
}
