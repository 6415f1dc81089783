//! Every page as a person sees it: photographed small and large, light and dark, and checked by axe.

use anyhow::{Context, Result};
use causeway_e2e::{
    audit,
    browser::Engine,
    case::{Scene, run_story},
    servers::{ECHO, Setup},
};

#[tokio::test]
async fn every_page_at_every_size_in_both_schemes() {
    run_story("looks", Engine::Chromium, Setup::default(), async |scene| {
        let mut findings = Vec::new();
        onboarding(scene, &mut findings).await?;
        chats(scene, &mut findings).await?;
        settings(scene, &mut findings).await?;
        trouble(scene, &mut findings).await?;
        let report = findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        findings.is_empty().then_some(()).context(report)
    })
    .await;
}

type Findings = Vec<anyhow::Error>;

/// Goes on after a finding, so that one run reports all of them.
async fn look(scene: &Scene, name: &str, findings: &mut Findings) {
    if let Err(finding) = audit::page(&scene.browser, name).await {
        findings.push(finding);
    }
}

async fn onboarding(scene: &Scene, findings: &mut Findings) -> Result<()> {
    let page = scene.visit().await?;
    page.see("#identifier").await?;
    look(scene, "1-name", findings).await;
    page.fill("#identifier", &"a".repeat(41)).await?;
    page.see("#identifier-problem").await?;
    look(scene, "1-name-problem", findings).await;
    page.sign_up("alice").await?;
    look(scene, "2-sharing", findings).await;
    page.agree().await?;
    page.see("#enlist-finish").await?;
    look(scene, "3-enlisted", findings).await;
    page.click("#enlist-finish").await?;
    page.see("#phone").await?;
    look(scene, "4-new-chat", findings).await;
    page.close_dialog().await?;
    page.connected().await?;
    look(scene, "5-no-chats", findings).await;
    Ok(())
}

async fn chats(scene: &Scene, findings: &mut Findings) -> Result<()> {
    scene.servers.phone("4915123456789", "Ada Lovelace").await?;
    scene.servers.phone("14155550123", "Bob").await?;
    let page = scene.page()?;
    page.start_chat(ECHO).await?;
    page.write("Good morning! Does this reach you?").await?;
    page.ticks("Good morning! Does this reach you?", "delivered").await?;
    page.message(false, "You said: Good morning! Does this reach you?").await?;
    page.write(
        "A longer one, to see how a message wraps that has more to say than fits into one line of a narrow window.",
    )
    .await?;
    page.write("https://example.org/a/link?that=is&rather=long 🎉").await?;
    page.message(false, "You said: https://example.org/a/link?that=is&rather=long 🎉").await?;
    scene.servers.phone_writes("4915123456789", "alice", "The engine weaves algebraic patterns.").await?;
    scene.servers.phone_writes("14155550123", "alice", "Lunch?").await?;
    scene.servers.phone_writes("14155550123", "alice", "Twelve, at the usual place").await?;
    page.unread("14155550123", 2).await?;
    page.unread("4915123456789", 1).await?;
    look(scene, "6-chat", findings).await;
    page.click("#open-safety").await?;
    page.see("#security-code").await?;
    look(scene, "7-encryption", findings).await;
    page.close_dialog().await?;
    page.see("#composer").await?.send_keys("A draft that is not sent").await?;
    page.open_chat("14155550123").await?;
    page.message(false, "Lunch?").await?;
    look(scene, "8-second-chat", findings).await;
    Ok(())
}

async fn settings(scene: &Scene, findings: &mut Findings) -> Result<()> {
    let page = scene.page()?;
    page.click("#open-settings").await?;
    page.see("#settings-title").await?;
    look(scene, "9-settings", findings).await;
    page.click("#erase").await?;
    page.see("#erase-confirm").await?;
    look(scene, "10-erase", findings).await;
    page.close_dialog().await
}

async fn trouble(scene: &mut Scene, findings: &mut Findings) -> Result<()> {
    scene.browser.expect("WebSocket connection to");
    scene.servers.stop_gatekeeper().await;
    scene.page()?.connection("waiting").await?;
    look(scene, "11-offline", findings).await;
    Ok(())
}
