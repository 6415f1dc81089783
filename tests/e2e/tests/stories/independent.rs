//! The browser client and a WhatsApp client library that shares no code with this project write to each other.

use anyhow::{Context, Result, ensure};
use causeway_e2e::{
    browser::Engine,
    case::{Scene, run_story},
    servers::Setup,
};
use std::path::Path;
use std::process::Stdio;
use tokio::process::{Child, Command};

const NUMBER: &str = "14155550199";

/// The library, as a phone that writes first, waits for one text, and answers it.
fn library(scene: &Scene, to: &str) -> Result<Child> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../independent");
    ensure!(folder.join("node_modules/baileys").exists(), "the library is missing: run `make test-independent` once");
    let (url, root) = scene.servers.chat_server()?;
    Command::new("node")
        .arg(folder.join("exchange.mjs"))
        .args(["--ws", &url, "--root", &root, "--number", NUMBER])
        .args(["--to", to, "--text", "Hello from the library", "--expect", "1", "--reply", "The library read: "])
        .args(["--timeout", "60000"])
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .context("node 20 or later is needed")
}

#[tokio::test]
async fn a_client_library_that_is_not_ours_is_the_phone() {
    run_story("independent", Engine::Chromium, Setup::default(), async |scene| {
        let page = scene.visit().await?;
        page.enlist("alice").await?;
        let alice = scene.servers.address_of("alice").await?;
        let library = library(scene, &alice)?;
        page.unread(NUMBER, 1).await?;
        page.open_chat(NUMBER).await?;
        page.message(false, "Hello from the library").await?;
        page.write("Hello, library").await?;
        page.ticks("Hello, library", "delivered").await?;
        page.message(false, "The library read: Hello, library").await?;
        // It ends well only when its own two messages were delivered and one text was received.
        let ended = library.wait_with_output().await?;
        ensure!(ended.status.success(), "the library printed {}", String::from_utf8_lossy(&ended.stdout));
        Ok(())
    })
    .await;
}
