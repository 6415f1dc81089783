//! One person, one chat: under any number that people type, and with either of the two writing first.

use anyhow::{Result, ensure};
use causeway_e2e::{
    browser::Engine,
    case::{Scene, run_story},
    servers::{self, Setup},
};

/// As WhatsApp knows it, and as people in Brazil write it.
const KNOWN: &str = "551187654321";
const WRITTEN: &str = "5511987654321";

/// Whose chats are in the list.
const CHATS: &str = "return [...document.querySelectorAll('.chat-row')].map((row) => row.dataset.chat).join(' ');";

async fn is_the_only_chat(scene: &Scene) -> Result<()> {
    let web = scene.browser.web()?;
    let only = format!("{KNOWN}@s.whatsapp.net");
    servers::until("one chat in the list", async || Ok(web.execute(CHATS, vec![]).await?.convert::<String>()? == only))
        .await
}

async fn typed(scene: &mut Scene) -> Result<()> {
    scene.servers.phone_also(KNOWN, WRITTEN, "Joana").await?;
    let page = scene.visit().await?;
    page.enlist("alice").await?;
    page.start_chat(WRITTEN).await?;
    page.write("Oi, Joana").await?;
    page.ticks("Oi, Joana", "delivered").await?;
    is_the_only_chat(scene).await?;
    ensure!(scene.servers.phone_received(KNOWN, "Oi, Joana").await? == 1);
    scene.servers.phone_writes(KNOWN, "alice", "Oi!").await?;
    page.holds_exactly(&[(true, "Oi, Joana"), (false, "Oi!")]).await?;
    page.reload().await?;
    page.holds_exactly(&[(true, "Oi, Joana"), (false, "Oi!")]).await?;
    is_the_only_chat(scene).await
}

async fn both(scene: &mut Scene) -> Result<()> {
    scene.servers.phone_also(KNOWN, WRITTEN, "Joana").await?;
    let page = scene.visit().await?;
    page.enlist("alice").await?;
    scene.servers.phone_writes(KNOWN, "alice", "Sou eu, Joana").await?;
    page.unread(KNOWN, 1).await?;
    page.start_chat(WRITTEN).await?;
    page.write("Que bom").await?;
    page.ticks("Que bom", "delivered").await?;
    is_the_only_chat(scene).await?;
    page.holds_exactly(&[(false, "Sou eu, Joana"), (true, "Que bom")]).await?;
    page.write("Tudo bem?").await?;
    page.ticks("Tudo bem?", "delivered").await?;
    scene.servers.phone_writes(KNOWN, "alice", "Tudo").await?;
    let all = [(false, "Sou eu, Joana"), (true, "Que bom"), (true, "Tudo bem?"), (false, "Tudo")];
    page.holds_exactly(&all).await?;
    page.reload().await?;
    page.holds_exactly(&all).await?;
    is_the_only_chat(scene).await
}

#[tokio::test]
async fn a_number_is_typed_as_people_write_it() {
    run_story("people_typed", Engine::Chromium, Setup::default(), typed).await;
}

#[tokio::test]
async fn a_number_is_typed_as_people_write_it_in_firefox() {
    run_story("people_typed_firefox", Engine::Firefox, Setup::default(), typed).await;
}

#[tokio::test]
async fn two_chats_of_one_person_become_one() {
    run_story("people_both", Engine::Chromium, Setup::default(), both).await;
}

#[tokio::test]
async fn two_chats_of_one_person_become_one_in_firefox() {
    run_story("people_both_firefox", Engine::Firefox, Setup::default(), both).await;
}
