//! One person, one chat: a number that can be written in two ways.

use anyhow::{Result, ensure};
use causeway_e2e::{
    browser::Engine,
    case::{Scene, run_story},
    servers::Setup,
};

/// A number of Brazil as WhatsApp knows it, and as its owner writes it: with the ninth digit.
const CARLA: &str = "551187654321";
const CARLA_ALSO: &str = "5511987654321";
const TYPED: &str = "55 11 98765 4321";

/// She writes first, so there is a chat under the number that WhatsApp knows; then she is written to under the other.
async fn two_chats_become_one(scene: &mut Scene) -> Result<()> {
    scene.servers.phone_also(CARLA, "Carla", &[CARLA_ALSO]).await?;
    let page = scene.visit().await?;
    page.enlist("alice").await?;
    scene.servers.phone_writes(CARLA, "alice", "Is this Alice?").await?;
    page.unread(CARLA, 1).await?;
    page.start_chat(TYPED).await?;
    page.see(&format!("#content[data-chat^='{CARLA_ALSO}']")).await?;
    page.write("It is. Is this Carla?").await?;
    page.has_only_chat(CARLA).await?;
    page.ticks("It is. Is this Carla?", "delivered").await?;
    ensure!(scene.servers.phone_received(CARLA, "It is. Is this Carla?").await? == 1);
    page.holds_exactly(&[(false, "Is this Alice?"), (true, "It is. Is this Carla?")]).await?;
    talk_on(scene).await?;
    let page = scene.page()?;
    page.holds_exactly(&[(false, "Is this Alice?"), (true, "It is. Is this Carla?"), (false, "Yes!"), (true, "Good")])
        .await?;
    let received = scene.servers.received(CARLA).await?;
    ensure!(received == ["It is. Is this Carla?", "Good"], "the phone holds {received:?}");
    Ok(())
}

/// Nobody has written before.
async fn a_chat_goes_on(scene: &mut Scene) -> Result<()> {
    scene.servers.phone_also(CARLA, "Carla", &[CARLA_ALSO]).await?;
    let page = scene.visit().await?;
    page.enlist("alice").await?;
    page.start_chat(TYPED).await?;
    page.write("Is this Carla?").await?;
    page.has_only_chat(CARLA).await?;
    page.ticks("Is this Carla?", "delivered").await?;
    // The way back leads to the list, not to the chat that is no more, which would lead here again.
    let web = scene.browser.web()?;
    web.back().await?;
    page.see_no("#composer").await?;
    web.forward().await?;
    page.see("#composer").await?;
    talk_on(scene).await?;
    let page = scene.page()?;
    page.holds_exactly(&[(true, "Is this Carla?"), (false, "Yes!"), (true, "Good")]).await?;
    let received = scene.servers.received(CARLA).await?;
    ensure!(received == ["Is this Carla?", "Good"], "the phone holds {received:?}");
    Ok(())
}

/// In the open chat with her: her answer, a reload, one more message, and the other number once more.
async fn talk_on(scene: &mut Scene) -> Result<()> {
    let page = scene.page()?;
    scene.servers.phone_writes(CARLA, "alice", "Yes!").await?;
    page.message(false, "Yes!").await?;
    page.has_only_chat(CARLA).await?;
    page.unread(CARLA, 0).await?;
    page.reload().await?;
    page.connected().await?;
    page.has_only_chat(CARLA).await?;
    page.write("Good").await?;
    page.ticks("Good", "delivered").await?;
    page.start_chat(TYPED).await?;
    page.see_no("#dialog").await?;
    page.has_only_chat(CARLA).await
}

#[tokio::test]
async fn one_person_one_chat() {
    run_story("one_person", Engine::Chromium, Setup::default(), two_chats_become_one).await;
}

#[tokio::test]
async fn one_person_one_chat_in_firefox() {
    run_story("one_person_firefox", Engine::Firefox, Setup::default(), two_chats_become_one).await;
}

#[tokio::test]
async fn one_person_one_chat_though_nobody_wrote_before() {
    run_story("other_number", Engine::Chromium, Setup::default(), a_chat_goes_on).await;
}

#[tokio::test]
async fn one_person_one_chat_though_nobody_wrote_before_in_firefox() {
    run_story("other_number_firefox", Engine::Firefox, Setup::default(), a_chat_goes_on).await;
}
