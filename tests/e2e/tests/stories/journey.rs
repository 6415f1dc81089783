//! The main path, and interruptions in the middle of it.

use anyhow::{Result, ensure};
use causeway_e2e::{
    audit,
    browser::Engine,
    case::{Scene, run_story},
    page::PASSWORD,
    servers::{self, ECHO, Setup},
};
use thirtyfour::Key;

const BOB: &str = "14155550123";

/// Enlist, write to the echo phone, and read its answer.
async fn main_path(scene: &mut Scene) -> Result<()> {
    let page = scene.visit().await?;
    page.enlist("alice").await?;
    page.start_chat(ECHO).await?;
    page.write("Hello from the browser 👋").await?;
    page.ticks("Hello from the browser 👋", "delivered").await?;
    page.message(false, "You said: Hello from the browser 👋").await?;
    ensure!(scene.servers.phone_received(ECHO, "Hello from the browser 👋").await? == 1);
    audit::picture(&scene.browser, &format!("main-path-{:?}", scene.browser.engine())).await
}

#[tokio::test]
async fn enlist_write_and_get_an_answer() {
    run_story("main_path", Engine::Chromium, Setup::default(), main_path).await;
}

#[tokio::test]
async fn enlist_write_and_get_an_answer_in_firefox() {
    run_story("main_path_firefox", Engine::Firefox, Setup::default(), main_path).await;
}

#[tokio::test]
async fn a_phone_writes_first_and_later_reads() {
    run_story("phone_first", Engine::Chromium, Setup::default(), async |scene| {
        scene.servers.phone(BOB, "Bob").await?;
        let page = scene.visit().await?;
        page.enlist("alice").await?;
        scene.servers.phone_writes(BOB, "alice", "Is this Alice?").await?;
        page.unread(BOB, 1).await?;
        page.open_chat(BOB).await?;
        page.message(false, "Is this Alice?").await?;
        page.unread(BOB, 0).await?;
        page.write("It is").await?;
        page.ticks("It is", "delivered").await?;
        scene.servers.phone_received(BOB, "It is").await?;
        scene.servers.phone_reads(BOB).await?;
        page.ticks("It is", "read").await
    })
    .await;
}

#[tokio::test]
async fn one_tick_turns_to_two_when_the_phone_comes_back() {
    run_story("ticks", Engine::Chromium, Setup::default(), async |scene| {
        scene.servers.phone(BOB, "Bob").await?;
        let page = scene.visit().await?;
        page.enlist("alice").await?;
        page.start_chat(BOB).await?;
        page.write("first").await?;
        page.ticks("first", "delivered").await?;
        scene.servers.switch_phone(BOB, false).await?;
        page.write("second").await?;
        page.ticks("second", "sent").await?;
        scene.servers.switch_phone(BOB, true).await?;
        page.ticks("second", "delivered").await?;
        ensure!(scene.servers.phone_received(BOB, "second").await? == 1);
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn two_tabs_both_work_and_closing_one_loses_nothing() {
    run_story("two_tabs", Engine::Chromium, Setup::default(), async |scene| {
        scene.servers.phone(BOB, "Bob").await?;
        let page = scene.visit().await?;
        page.enlist("alice").await?;
        page.start_chat(BOB).await?;
        page.write("from the first tab").await?;
        page.ticks("from the first tab", "delivered").await?;
        let first = page.tab().await?;

        let second = page.new_tab().await?;
        let page = scene.visit().await?;
        page.connected().await?;
        page.open_chat(BOB).await?;
        page.message(true, "from the first tab").await?;
        page.write("from the second tab").await?;
        page.ticks("from the second tab", "delivered").await?;

        page.go_to_tab(&first).await?;
        page.message(true, "from the second tab").await?;
        scene.servers.phone_writes(BOB, "alice", "to both tabs").await?;
        page.message(false, "to both tabs").await?;
        page.go_to_tab(&second).await?;
        page.message(false, "to both tabs").await?;

        // The first tab ran the engine; it goes in the middle of a message, and the second takes over.
        page.go_to_tab(&first).await?;
        page.write("closing after this").await?;
        scene.browser.listen().await?;
        let page = scene.page()?;
        page.close_tab(&second).await?;
        page.ticks("closing after this", "delivered").await?;
        page.write("alone now").await?;
        page.ticks("alone now", "delivered").await?;
        scene.servers.phone_writes(BOB, "alice", "still there?").await?;
        page.message(false, "still there?").await?;
        page.holds_exactly(&[
            (true, "from the first tab"),
            (true, "from the second tab"),
            (false, "to both tabs"),
            (true, "closing after this"),
            (true, "alone now"),
            (false, "still there?"),
        ])
        .await?;
        let received = scene.servers.received(BOB).await?;
        let written = ["from the first tab", "from the second tab", "closing after this", "alone now"];
        ensure!(received == written, "the phone holds {received:?}");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_reload_in_the_middle_loses_and_doubles_nothing() {
    run_story("reload", Engine::Chromium, Setup::default(), async |scene| {
        scene.servers.phone(BOB, "Bob").await?;
        let page = scene.visit().await?;
        page.enlist("alice").await?;
        page.start_chat(BOB).await?;
        let texts = ["one", "two", "three", "four", "five", "six"];
        for text in texts {
            // On the screen; how far it has come when the page reloads is random.
            page.write(text).await?;
            page.reload().await?;
            page.see("#composer").await?;
        }
        page.connected().await?;
        for text in texts {
            page.ticks(text, "delivered").await?;
        }
        page.holds_exactly(&texts.map(|text| (true, text))).await?;
        let received = scene.servers.received(BOB).await?;
        ensure!(received == texts, "the phone holds {received:?}");
        Ok(())
    })
    .await;
}

/// Close the browser, be written to, come back.
async fn mailbox(scene: &mut Scene) -> Result<()> {
    scene.servers.phone(BOB, "Bob").await?;
    let page = scene.visit().await?;
    page.enlist("alice").await?;
    scene.servers.phone_writes(BOB, "alice", "while you are here").await?;
    page.open_chat(BOB).await?;
    page.message(false, "while you are here").await?;

    scene.browser.close().await?;
    scene.servers.goes_offline("alice").await?;
    let texts: Vec<String> = (1..=20).map(|number| format!("while you were away, {number}")).collect();
    for text in &texts {
        scene.servers.phone_writes(BOB, "alice", text).await?;
    }
    let full = async || Ok(scene.servers.waiting_for("alice").await? >= 20);
    servers::until("the mailbox fill", full).await?;

    scene.browser.reopen().await?;
    let page = scene.visit().await?;
    page.connected().await?;
    page.unread(BOB, 20).await?;
    page.open_chat(BOB).await?;
    page.message(false, "while you were away, 20").await?;
    let mut expected = vec![(false, "while you are here")];
    expected.extend(texts.iter().map(|text| (false, text.as_str())));
    page.holds_exactly(&expected).await?;
    page.unread(BOB, 0).await?;
    servers::until("the mailbox empty", async || Ok(scene.servers.waiting_for("alice").await? == 0)).await?;
    page.write("back again").await?;
    page.ticks("back again", "delivered").await
}

#[tokio::test]
async fn close_and_come_back_to_a_filled_mailbox() {
    run_story("mailbox", Engine::Chromium, Setup::default(), mailbox).await;
}

#[tokio::test]
async fn close_and_come_back_to_a_filled_mailbox_in_firefox() {
    run_story("mailbox_firefox", Engine::Firefox, Setup::default(), mailbox).await;
}

#[tokio::test]
async fn the_keyboard_is_enough() {
    run_story("keyboard", Engine::Chromium, Setup::default(), async |scene| {
        let page = scene.visit().await?;
        page.see("#identifier").await?;
        page.tab_to("identifier").await?;
        page.press("alice").await?;
        page.tab_to("password").await?;
        page.press(PASSWORD).await?;
        page.press(Key::Enter).await?;
        page.see("#agree").await?;
        page.tab_to("consent").await?;
        page.press(" ").await?;
        page.tab_to("agree").await?;
        page.press(Key::Enter).await?;
        page.see("#enlist-finish").await?;
        page.tab_to("enlist-finish").await?;
        page.press(Key::Enter).await?;
        page.see("#phone").await?;
        page.tab_to("phone").await?;
        page.press(format!("+{ECHO}")).await?;
        page.press(Key::Enter).await?;
        page.see("#composer").await?;
        page.tab_to("composer").await?;
        page.press("two").await?;
        page.press(Key::Shift + Key::Enter).await?;
        page.press("lines").await?;
        page.press(Key::Enter).await?;
        page.ticks("two\nlines", "delivered").await?;
        page.message(false, "You said: two\nlines").await?;
        page.press(Key::Escape).await?;
        page.see_no("#composer").await
    })
    .await;
}

#[tokio::test]
async fn the_sandbox_restarts_underneath() {
    run_story("restart", Engine::Chromium, Setup::default(), async |scene| {
        scene.browser.expect("WebSocket connection to");
        scene.servers.phone(BOB, "Bob").await?;
        let page = scene.visit().await?;
        page.enlist("alice").await?;
        page.start_chat(BOB).await?;
        page.write("before").await?;
        page.ticks("before", "delivered").await?;

        scene.servers.stop_gatekeeper().await;
        scene.page()?.connection("waiting").await?;
        scene.page()?.write("during").await?;
        scene.page()?.ticks("during", "queued").await?;
        scene.servers.start_gatekeeper().await?;

        let page = scene.page()?;
        page.connected().await?;
        page.ticks("during", "delivered").await?;
        scene.servers.phone_writes(BOB, "alice", "after").await?;
        page.message(false, "after").await?;
        page.holds_exactly(&[(true, "before"), (true, "during"), (false, "after")]).await?;
        let received = scene.servers.received(BOB).await?;
        ensure!(received == ["before", "during"], "the phone holds {received:?}");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn an_account_signs_out_and_in_again_and_finds_everything() {
    run_story("sign_out", Engine::Chromium, Setup::default(), async |scene| {
        scene.servers.phone(BOB, "Bob").await?;
        let page = scene.visit().await?;
        page.enlist("alice").await?;
        page.start_chat(BOB).await?;
        page.write("kept").await?;
        page.ticks("kept", "delivered").await?;
        page.click("#open-settings").await?;
        page.click("#sign-out").await?;
        page.connection("stopped").await?;
        scene.servers.phone_writes(BOB, "alice", "while you were signed out").await?;
        page.click("#connection-action").await?;
        page.fill("#dialog #password", PASSWORD).await?;
        page.click("#dialog #sign-in").await?;
        page.connected().await?;
        page.open_chat(BOB).await?;
        page.message(false, "while you were signed out").await?;
        page.holds_exactly(&[(true, "kept"), (false, "while you were signed out")]).await
    })
    .await;
}

#[tokio::test]
async fn both_sides_can_compare_a_security_code_after_the_first_message() {
    run_story("security_code", Engine::Chromium, Setup::default(), async |scene| {
        let page = scene.visit().await?;
        page.enlist("alice").await?;
        page.start_chat(ECHO).await?;
        page.write("hello").await?;
        page.message(false, "You said: hello").await?;
        page.click("#open-safety").await?;
        let is_code = |text: &str| text.chars().filter(char::is_ascii_digit).count() == 60;
        let code = page.read("#security-code", "60 digits", is_code).await?;
        page.reload().await?;
        page.click("#open-safety").await?;
        page.read("#security-code", "the same digits", |text| text == code).await.map(drop)
    })
    .await;
}
