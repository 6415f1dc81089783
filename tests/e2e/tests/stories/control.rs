//! The checks of the harness fail when they must: otherwise a story without complaints would prove nothing.

use anyhow::{Result, ensure};
use causeway_e2e::{
    audit,
    browser::{Browser, Engine},
    case::{Scene, run_story},
    servers::Setup,
};

/// Runs a script in the page and returns the complaint that follows.
async fn complaint_after(scene: &mut Scene, action: &str) -> Result<String> {
    scene.visit().await?.see("#identifier").await?;
    scene.browser.must_be_silent().await?;
    scene.browser.web()?.execute(action, []).await?;
    let message = causeway_e2e::wait::until("a complaint", async || Ok(complaint(&mut scene.browser).await)).await;
    // Counted here; the story itself must end without a complaint.
    scene.browser.expect("");
    message
}

async fn complaint(browser: &mut Browser) -> Option<String> {
    browser.must_be_silent().await.err().map(|error| error.to_string())
}

/// Puts an inline script into the page.
const INLINE_SCRIPT: &str = "const script = document.createElement('script');
    script.append('globalThis.ran = true'); document.head.append(script);";

async fn bites(scene: &mut Scene) -> Result<()> {
    let message = complaint_after(scene, "setTimeout(() => { console.error('a bite') })").await?;
    ensure!(message.contains("a bite"), "{message}");
    Ok(())
}

#[tokio::test]
async fn a_console_error_fails_a_story() {
    run_story("bites_console", Engine::Chromium, Setup::default(), bites).await;
}

#[tokio::test]
async fn a_console_error_fails_a_story_in_firefox() {
    run_story("bites_console_firefox", Engine::Firefox, Setup::default(), bites).await;
}

#[tokio::test]
async fn an_uncaught_exception_fails_a_story() {
    run_story("bites_exception", Engine::Chromium, Setup::default(), async |scene| {
        let message = complaint_after(scene, "setTimeout(() => { throw new Error('a bite') })").await?;
        ensure!(message.contains("a bite"), "{message}");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn an_inline_script_is_stopped_and_fails_a_story() {
    run_story("bites_csp", Engine::Chromium, Setup::default(), async |scene| {
        let message = complaint_after(scene, INLINE_SCRIPT).await?;
        ensure!(message.contains("TrustedScript"), "{message}");
        let ran = scene.browser.web()?.execute("return globalThis.ran === true", []).await?;
        ensure!(!ran.convert::<bool>()?, "the inline script ran");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_picture_from_elsewhere_is_stopped_and_fails_a_story() {
    run_story("bites_picture", Engine::Chromium, Setup::default(), async |scene| {
        let message = complaint_after(scene, "new Image().src = 'http://127.0.0.1:9/pixel.png'").await?;
        ensure!(message.contains("Content Security Policy"), "{message}");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn axe_finds_a_field_without_a_name() {
    run_story("bites_axe", Engine::Chromium, Setup::default(), async |scene| {
        scene.visit().await?.see("#identifier").await?;
        let spoil = "document.querySelector('label[for=identifier]').remove();";
        scene.browser.web()?.execute(spoil, []).await?;
        let findings = audit::axe(&scene.browser).await?;
        ensure!(findings.iter().any(|finding| finding.contains("\"label\"")), "{findings:?}");
        Ok(())
    })
    .await;
}
