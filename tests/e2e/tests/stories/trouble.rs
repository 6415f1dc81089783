//! Failures of servers, tokens and links: the page shows what is wrong and what to do.

use anyhow::{Result, ensure};
use causeway_e2e::{
    browser::Engine,
    case::{Scene, run_story},
    page::PASSWORD,
    servers::{self, Setup, another_partner},
};
use serde_json::json;
use std::time::{Duration, Instant};

const BOB: &str = "14155550123";
/// A dead link is noticed within ten seconds and replaced within one more, the longest first delay.
const NOTICED: Duration = Duration::from_secs(11);
/// Bytes of the longest message.
const MAX_TEXT: usize = 65_536;

/// Goes up to the enlistment and reads why it did not work.
async fn enlistment_fails_with(scene: &mut Scene, sentence: &str) -> Result<()> {
    let page = scene.visit().await?;
    page.sign_up("alice").await?;
    page.agree().await?;
    page.read("#enlist-problem", sentence, |text| text.contains(sentence)).await?;
    page.see("#enlist-retry").await.map(drop)
}

#[tokio::test]
async fn a_token_signed_with_a_key_that_is_not_published() {
    let data = tempfile::tempdir().unwrap();
    let other = another_partner(data.path()).await.unwrap();
    let setup = Setup { trusted_partner: Some(format!("http://{}", other.addr)), ..Setup::default() };
    run_story("foreign_token", Engine::Chromium, setup, async |scene| {
        enlistment_fails_with(scene, "did not accept the proof of who you are").await
    })
    .await;
    other.stop().await;
}

#[tokio::test]
async fn a_token_that_has_expired_and_a_second_try_with_a_fresh_one() {
    run_story("expired_token", Engine::Chromium, Setup::default(), async |scene| {
        scene.servers.fault(&json!({"clock_ms": 600_000})).await?;
        enlistment_fails_with(scene, "did not accept the proof of who you are").await?;
        scene.servers.fault(&json!({"clock_ms": -600_000})).await?;
        let page = scene.page()?;
        page.click("#enlist-retry").await?;
        page.click("#enlist-finish").await
    })
    .await;
}

#[tokio::test]
async fn an_unknown_integrator() {
    let setup = Setup { partner: Some(Box::new(|config| config.whatsapp.integrator = 7)), ..Setup::default() };
    run_story("integrator", Engine::Chromium, setup, async |scene| {
        enlistment_fails_with(scene, "WhatsApp does not know Causeway").await
    })
    .await;
}

#[tokio::test]
async fn a_server_with_another_root_key() {
    let setup = Setup {
        partner: Some(Box::new(|config| config.whatsapp.root_key = Some("1f".repeat(32)))),
        ..Setup::default()
    };
    run_story("wrong_root", Engine::Chromium, setup, async |scene| {
        enlistment_fails_with(scene, "could not prove that it is WhatsApp").await?;
        let page = scene.page()?;
        page.reload().await?;
        let sentence = "could not prove that it is WhatsApp, so nothing was sent";
        page.read("#connection", sentence, |text| text.contains(sentence)).await?;
        ensure!(!scene.servers.is_online("alice").await?);
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn invalid_certificates_and_then_a_valid_one() {
    run_story("certificates", Engine::Chromium, Setup::default(), async |scene| {
        let foreign = "could not prove that it is WhatsApp";
        let dates = "Check that the date and time of this device are right";
        let faults =
            [("foreign_root", foreign), ("swapped_key", foreign), ("expired", dates), ("not_yet_valid", dates)];
        scene.servers.fault(&json!({"certificate": faults[0].0})).await?;
        enlistment_fails_with(scene, foreign).await?;
        let page = scene.page()?;
        for (fault, sentence) in faults {
            scene.servers.fault(&json!({"certificate": fault})).await?;
            page.click("#enlist-retry").await?;
            page.read("#enlist-problem", sentence, |text| text.contains(sentence)).await?;
        }
        scene.servers.fault(&json!({"certificate": "none"})).await?;
        page.click("#enlist-retry").await?;
        page.click("#enlist-finish").await?;
        page.see("#phone").await.map(drop)
    })
    .await;
}

#[tokio::test]
async fn a_version_that_became_too_old_keeps_what_is_written_for_after_the_update() {
    run_story("outdated", Engine::Chromium, Setup::default(), async |scene| {
        scene.servers.phone(BOB, "Bob").await?;
        let page = scene.visit().await?;
        page.enlist("alice").await?;
        page.start_chat(BOB).await?;
        page.write("before").await?;
        page.ticks("before", "delivered").await?;
        scene.servers.fault(&json!({"min_version": "2.4000.0", "disconnect": 503})).await?;
        let sentence = "This version is too old for WhatsApp. Reload the page";
        page.read("#connection", sentence, |text| text.contains(sentence)).await?;
        page.write("for after the update").await?;
        page.ticks("for after the update", "queued").await?;

        // The update: a reload brings a client that is new enough.
        scene.servers.fault(&json!({"min_version": "2.3000.0"})).await?;
        page.reload().await?;
        page.ticks("for after the update", "delivered").await?;
        page.holds_exactly(&[(true, "before"), (true, "for after the update")]).await?;
        let received = scene.servers.received(BOB).await?;
        ensure!(received == ["before", "for after the update"], "the phone holds {received:?}");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_link_that_goes_dead_is_noticed_within_ten_seconds() {
    run_story("dead_link", Engine::Chromium, Setup::default(), async |scene| {
        scene.servers.phone(BOB, "Bob").await?;
        let page = scene.visit().await?;
        page.enlist("alice").await?;
        page.start_chat(BOB).await?;
        page.write("alive").await?;
        page.ticks("alive", "delivered").await?;
        let connection = scene.servers.connection_of("alice").await?;
        // From here on the server neither reads nor writes, and closes nothing.
        scene.servers.fault(&json!({"stall": true})).await?;
        page.write("into the void").await?;
        let began = Instant::now();
        servers::until("another connection", async || {
            let now = scene.servers.connection_of("alice").await?;
            Ok(now.is_some() && now != connection)
        })
        .await?;
        println!("a dead link was replaced after {} ms", began.elapsed().as_millis());
        ensure!(began.elapsed() <= NOTICED, "it took {:?}", began.elapsed());
        page.ticks("into the void", "delivered").await?;
        ensure!(scene.servers.received(BOB).await? == ["alive", "into the void"]);
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_message_that_is_too_long_is_kept_and_not_sent() {
    run_story("oversized", Engine::Chromium, Setup::default(), async |scene| {
        scene.servers.phone(BOB, "Bob").await?;
        let page = scene.visit().await?;
        page.enlist("alice").await?;
        page.start_chat(BOB).await?;
        page.paste("#composer", &"x".repeat(MAX_TEXT + 1)).await?;
        page.read("#composer-problem", "the limit", |text| {
            text.contains("1 byte too long") && text.contains(&MAX_TEXT.to_string())
        })
        .await?;
        page.press_enter("#composer").await?;
        page.click("#send").await?;
        let kept = page.see("#composer").await?.prop("value").await?.unwrap_or_default();
        ensure!(kept.len() == MAX_TEXT + 1, "{} bytes are left in the composer", kept.len());
        ensure!(page.messages().await?.is_empty());

        // One byte less goes through, whole.
        let longest = "y".repeat(MAX_TEXT);
        page.paste("#composer", &longest).await?;
        page.press_enter("#composer").await?;
        // The bubble shows the beginning, and more when it is asked for.
        page.see(".message.out .more").await?;
        let shown = page.messages().await?;
        ensure!(shown.len() == 1 && shown[0].1.len() < MAX_TEXT / 10, "{} messages", shown.len());
        while page.messages().await?[0].1.len() < MAX_TEXT {
            page.click(".message.out .more").await?;
        }
        page.ticks(&longest, "delivered").await?;
        page.see_no(".message.out .more").await?;
        ensure!(scene.servers.received(BOB).await? == [longest]);
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn names_and_passwords_that_are_refused() {
    run_story("sign_in", Engine::Chromium, Setup::default(), async |scene| {
        scene.browser.expect("/api/account");
        scene.browser.expect("/api/session");
        let page = scene.visit().await?;
        page.fill("#identifier", &"a".repeat(41)).await?;
        page.read("#identifier-problem", "the limit", |text| text.contains("more than 40 characters")).await?;
        page.fill("#identifier", "alice").await?;
        page.fill("#password", "short").await?;
        page.click("#sign-in").await?;
        page.read("#form-problem", "a sentence", |text| text.contains("password is too short")).await?;
        page.fill("#password", PASSWORD).await?;
        page.click("#sign-in").await?;
        page.see("#agree").await?;
        page.click("#agree").await?;
        page.read("#consent-problem", "a sentence", |text| text.contains("Tick the box")).await?;
        page.click("form button[type=button]").await?;

        page.click("label[for=account-create]").await?;
        page.fill("#identifier", "Alice").await?;
        page.fill("#password", PASSWORD).await?;
        page.click("#sign-in").await?;
        page.read("#form-problem", "a sentence", |text| text.contains("Someone already has this name")).await?;
        page.click("label[for=account-have]").await?;
        page.fill("#identifier", "alice").await?;
        page.fill("#password", "not the password").await?;
        page.click("#sign-in").await?;
        page.read("#form-problem", "a sentence", |text| text.contains("Name and password do not match")).await.map(drop)
    })
    .await;
}

#[tokio::test]
async fn frames_that_were_altered_on_the_way() {
    run_story("corrupt", Engine::Chromium, Setup::default(), async |scene| {
        scene.servers.phone(BOB, "Bob").await?;
        let page = scene.visit().await?;
        page.enlist("alice").await?;
        scene.servers.fault(&json!({"corrupt": 1})).await?;
        scene.servers.phone_writes(BOB, "alice", "altered once, then whole").await?;
        page.open_chat(BOB).await?;
        page.message(false, "altered once, then whole").await?;
        page.connected().await?;
        page.holds_exactly(&[(false, "altered once, then whole")]).await
    })
    .await;
}
