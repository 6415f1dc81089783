//! An account that moves to another browser with mail on its way, and one that comes back from a backup after its
//! browser is gone.

use anyhow::{Context, Result, ensure};
use causeway_e2e::{
    audit,
    browser::{Browser, Engine},
    case::{Scene, run_story},
    page::{PASSWORD, Page},
    servers::{Setup, until},
};
use serde_json::json;
use std::{
    fs,
    path::{Path, PathBuf},
};

const BOB: &str = "14155550123";
const PASSPHRASE: &str = "seven otters read the tide table";

/// Files that the browser saves go to this folder.
async fn downloads(browser: &Browser, folder: &Path) -> Result<()> {
    let folder = folder.display().to_string();
    browser.devtools("Browser.setDownloadBehavior", json!({"behavior": "allow", "downloadPath": folder})).await?;
    Ok(())
}

/// The backup that was saved there.
async fn saved(folder: &Path) -> Result<PathBuf> {
    let mut found = None;
    until("a saved backup", async || {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "backup") {
                found = Some(path);
            }
        }
        Ok(found.is_some())
    })
    .await?;
    let path = found.context("just seen")?;
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    ensure!(name.starts_with("causeway-alice-20"), "it is called {name}");
    ensure!(fs::read(&path)?.starts_with(b"CAUSEWAY"), "it is no backup");
    Ok(path)
}

/// Types the passphrase twice, and has the file made.
async fn make(page: Page<'_>) -> Result<()> {
    page.fill("#passphrase", "short").await?;
    page.click("#backup-confirm").await?;
    page.read("#backup-problem", "why not", |text| text.contains("too easy to guess")).await?;
    page.fill("#passphrase", PASSPHRASE).await?;
    page.fill("#passphrase-again", "something else entirely").await?;
    page.click("#backup-confirm").await?;
    page.read("#backup-problem", "why not", |text| text.contains("not the same")).await?;
    page.fill("#passphrase-again", PASSPHRASE).await?;
    page.click("#backup-confirm").await?;
    page.see("#backup-made").await?;
    Ok(())
}

/// From the first page of a browser that was never used to the account in the file, and online.
async fn restore(scene: &Scene, browser: &Browser, file: &Path) -> Result<()> {
    let page = Page::of(browser)?;
    page.open(&scene.servers.url()?).await?;
    page.click("#open-restore").await?;
    page.see("#restore-file").await?.send_keys(file.display().to_string()).await?;
    page.fill("#restore-passphrase", "seven otters read the time table").await?;
    page.click("#restore").await?;
    page.read("#restore-problem", "why not", |text| text.contains("Wrong passphrase")).await?;
    audit::page(browser, "19-restore").await?;
    page.fill("#restore-passphrase", PASSPHRASE).await?;
    page.click("#restore").await?;
    // The keys are here; the provider still wants to know who this is.
    page.connection("stopped").await?;
    page.click("#connection-action").await?;
    page.fill("#password", PASSWORD).await?;
    page.click("#sign-in").await?;
    page.connected().await
}

#[tokio::test]
async fn an_account_moves_to_another_browser_with_mail_on_its_way() {
    run_story("hand-over", Engine::Chromium, Setup::default(), async |scene| {
        scene.servers.phone(BOB, "Bob").await?;
        let first = scene.visit().await?;
        first.enlist("alice").await?;
        first.start_chat(BOB).await?;
        first.write("before").await?;
        first.ticks("before", "delivered").await?;
        scene.servers.phone_writes(BOB, "alice", "answer").await?;
        first.message(false, "answer").await?;

        let folder = tempfile::tempdir()?;
        downloads(&scene.browser, folder.path()).await?;
        first.open(&format!("{}#/settings", scene.servers.url()?)).await?;
        first.see("#move-away").await?;
        audit::page(&scene.browser, "17-settings-backup").await?;
        first.click("#move-away").await?;
        first.see("#passphrase").await?;
        audit::page(&scene.browser, "18-move").await?;
        make(first).await?;
        let file = saved(folder.path()).await?;
        first.click("#backup-close").await?;
        first.connection("stopped").await?;
        scene.servers.phone_writes(BOB, "alice", "on its way").await?;
        until("mail that waits", async || Ok(scene.servers.waiting_for("alice").await? > 0)).await?;

        let mut second = Browser::open(Engine::Chromium).await?;
        // Before anybody has signed in there, the account cannot be claimed.
        second.expect("/api/device");
        let told = moved(scene, &second, &file).await;
        let silent = if told.is_ok() { second.must_be_silent().await } else { Ok(()) };
        second.close().await?;
        told.and(silent)
    })
    .await;
}

async fn moved(scene: &Scene, second: &Browser, file: &Path) -> Result<()> {
    restore(scene, second, file).await?;
    let here = Page::of(second)?;
    here.open_chat(BOB).await?;
    here.message(false, "on its way").await?;
    here.write("from the second browser").await?;
    here.ticks("from the second browser", "delivered").await?;
    scene.servers.phone_writes(BOB, "alice", "and back").await?;
    here.message(false, "and back").await?;
    let all = [
        (true, "before"),
        (false, "answer"),
        (false, "on its way"),
        (true, "from the second browser"),
        (false, "and back"),
    ];
    here.holds_exactly(&all).await?;
    for text in ["before", "from the second browser"] {
        ensure!(scene.servers.phone_received(BOB, text).await? == 1, "{text:?} did not come once");
    }

    let first = scene.page()?;
    first.reload().await?;
    first.connection("stopped").await?;
    first.click("#connection-action").await?;
    first.read("#dialog", "that it moved", |text| text.contains("You have moved out of this browser")).await?;
    first.see("#continue-here").await?;
    audit::page(&scene.browser, "20-handed-over").await
}

#[tokio::test]
async fn a_backup_brings_an_account_back_after_its_browser_is_gone() {
    run_story("restore-drill", Engine::Chromium, Setup::default(), async |scene| {
        scene.servers.phone(BOB, "Bob").await?;
        let folder = tempfile::tempdir()?;
        let mut lost = Browser::open(Engine::Chromium).await?;
        let prepared = prepare(scene, &lost, folder.path()).await;
        lost.close().await?;
        drop(lost);
        prepared?;

        let file = saved(folder.path()).await?;
        scene.browser.expect("/api/device");
        restore(scene, &scene.browser, &file).await?;
        let page = scene.page()?;
        page.open_chat(BOB).await?;
        page.holds_exactly(&[(true, "in the backup"), (false, "this too")]).await?;
        page.write("back again").await?;
        page.ticks("back again", "delivered").await?;
        scene.servers.phone_writes(BOB, "alice", "good to hear").await?;
        page.message(false, "good to hear").await?;
        ensure!(scene.servers.phone_received(BOB, "back again").await? == 1);
        page.reload().await?;
        page.connected().await
    })
    .await;
}

/// A browser that enlists, makes a backup, and goes on for a while before it is lost.
async fn prepare(scene: &Scene, lost: &Browser, folder: &Path) -> Result<()> {
    let page = Page::of(lost)?;
    downloads(lost, folder).await?;
    page.open(&scene.servers.url()?).await?;
    page.sign_up("alice").await?;
    page.agree().await?;
    page.see("#backup-now").await?;
    page.click("#backup-later").await?;
    page.see_no("#backup-now").await?;
    page.click("#enlist-finish").await?;
    page.see("#phone").await?;
    page.close_dialog().await?;
    page.start_chat(BOB).await?;
    page.write("in the backup").await?;
    page.ticks("in the backup", "delivered").await?;
    scene.servers.phone_writes(BOB, "alice", "this too").await?;
    page.message(false, "this too").await?;
    page.open(&format!("{}#/settings", scene.servers.url()?)).await?;
    page.read("#last-backup", "that there is none", |text| text.contains("no backup yet")).await?;
    page.click("#make-backup").await?;
    make(page).await?;
    page.click("#backup-close").await?;
    page.read("#last-backup", "when", |text| text.contains("Last backup: Today")).await?;
    saved(folder).await?;
    page.open_chat(BOB).await?;
    page.write("after the backup").await?;
    page.ticks("after the backup", "delivered").await
}
