//! Texts and names as they come: other scripts, both directions, characters that are not drawn; and how they are shown.

use anyhow::{Context, Result, ensure};
use causeway_e2e::{
    browser::Engine,
    case::{Scene, run_story},
    page::Page,
    servers::{ECHO, Setup},
    wait::until,
};
use serde_json::{Value, json};
use thirtyfour::Key;

const BOB: &str = "14155550123";
const EVE: &str = "14155550456";

/// Words that a line break divides, and text that is cut without an ellipsis; what can't be seen is left out.
const BROKEN: &str = r#"
    const broken = [];
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const range = document.createRange();
    while (walk.nextNode()) {
        const { data, parentElement } = walk.currentNode;
        if (!parentElement.checkVisibility({ visibilityProperty: true })) continue;
        if (parentElement.closest(".unseen, .safety, .message .text, .grow, bdi")) continue;
        for (const word of data.matchAll(/[\p{L}\p{N}]+/gu)) {
            range.setStart(walk.currentNode, word.index);
            range.setEnd(walk.currentNode, word.index + word[0].length);
            if (new Set([...range.getClientRects()].map((box) => Math.round(box.top))).size > 1) broken.push(word[0]);
        }
    }
    for (const cut of document.querySelectorAll("header *")) {
        const style = getComputedStyle(cut);
        const overflows = cut.scrollWidth > cut.clientWidth + 1 && cut.clientWidth > 1 && style.display !== "inline";
        if (overflows && !cut.closest("svg") && style.textOverflow !== "ellipsis") broken.push(cut.outerHTML);
    }
    return broken;"#;

async fn run(scene: &Scene, script: &str, arguments: Vec<Value>) -> Result<Value> {
    Ok(scene.browser.web()?.execute(script, arguments).await?.json().clone())
}

#[tokio::test]
async fn texts_and_names_of_any_script_stay_in_their_place() {
    run_story("texts", Engine::Chromium, Setup::default(), async |scene| {
        scene.servers.phone(BOB, "Bob\u{202E}").await?;
        scene.servers.phone(EVE, "\u{200B}").await?;
        let page = scene.visit().await?;
        page.enlist("alice").await?;
        scene.servers.phone_writes(EVE, "alice", "\u{200B}").await?;
        scene.servers.phone_writes(BOB, "alice", "\n\n  https://www.аррӏе.com/中国。好 \n\n").await?;
        page.unread(BOB, 1).await?;
        page.unread(EVE, 1).await?;
        page.open_chat(EVE).await?;
        page.message(false, "This message shows nothing.").await?;
        page.read("#chat-title", "the number", |title| title == format!("+{EVE}")).await?;

        page.open_chat(BOB).await?;
        page.message(false, "https://www.xn--80ak6aa92e.com/中国。好").await?;
        // The count before the name goes once the engine knows that the message was read.
        until("the chat's name in the title", async || {
            let title = run(scene, "return document.title", Vec::new()).await?;
            Ok(title.as_str().filter(|title| title.starts_with("Bob · ")).map(drop))
        })
        .await?;

        directions(scene, page).await?;
        halves(scene, page).await
    })
    .await;
}

/// Each line has its own direction, and the bubble clips what is higher than its lines.
async fn directions(scene: &Scene, page: Page<'_>) -> Result<()> {
    // The last line has the time beside it.
    let text = "Hello\nשלום 3 items (x)\nand a line that is longer than both";
    page.paste("#composer", text).await?;
    page.press_enter("#composer").await?;
    let seq = page.message(true, text).await?;
    let found = "
        const bubble = document.querySelector(`.message[data-seq='${arguments[0]}'] .bubble`);
        const said = bubble.querySelector('.said');
        const text = bubble.querySelector('.text').firstChild;
        const box = (from, to) => {
            const range = document.createRange();
            range.setStart(text, from);
            range.setEnd(text, to);
            return range.getBoundingClientRect();
        };
        const edges = said.getBoundingClientRect();
        return [
            Math.abs(box(0, 5).left - edges.left) < 1,
            Math.abs(box(6, 10).right - edges.right) < 1,
            box(11, 12).left < box(6, 10).left,
            getComputedStyle(said).unicodeBidi === getComputedStyle(document.querySelector('#composer')).unicodeBidi,
            getComputedStyle(bubble).overflow === 'clip',
        ];";
    let found = run(scene, found, vec![json!(seq)]).await?;
    ensure!(found == json!([true, true, true, true, true]), "left, right, order, as in the composer, clipped: {found}");
    Ok(())
}

/// An input method may hand over an emoji in two halves.
async fn halves(scene: &Scene, page: Page<'_>) -> Result<()> {
    let type_in = r"
        const field = document.querySelector('#composer');
        const typed = [];
        for (const text of ['a', 'a\ud83d', 'a\ud83d\ude00']) {
            Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, 'value').set.call(field, text);
            field.dispatchEvent(new InputEvent('input', { bubbles: true }));
            await new Promise((go) => requestAnimationFrame(() => setTimeout(go)));
            typed.push(field.value.length);
        }
        return typed;";
    let script = format!(
        "const done = arguments[0]; (async () => {{ {type_in} }})().then(done, (error) => done(String(error)));"
    );
    let typed = scene.browser.web()?.execute_async(script, Vec::new()).await?.json().clone();
    ensure!(typed == json!([1, 2, 3]), "code units in the field: {typed}");
    page.press_enter("#composer").await?;
    page.ticks("a😀", "delivered").await?;
    ensure!(scene.servers.received(BOB).await?.last().is_some_and(|last| last == "a😀"));
    Ok(())
}

#[tokio::test]
async fn a_narrow_screen_with_a_keyboard_breaks_no_word_and_sends() {
    run_story("narrow", Engine::Chromium, Setup::default(), async |scene| {
        let page = scene.visit().await?;
        page.enlist("alice").await?;
        let touch = json!({"enabled": true, "maxTouchPoints": 1});
        scene.browser.devtools("Emulation.setTouchEmulationEnabled", touch).await?;
        scene.browser.look(320, 700, "light").await?;
        let whole = async |place: &str| {
            let broken = run(scene, BROKEN, Vec::new()).await?;
            ensure!(broken == json!([]), "{place}: {broken}");
            Ok(())
        };
        whole("the list").await?;
        page.start_chat(ECHO).await?;
        page.fill("#composer", "first line").await?;
        page.press(Key::Enter).await?;
        page.press("second line").await?;
        page.press(Key::Control + Key::Enter).await?;
        page.ticks("first line\nsecond line", "delivered").await?;
        whole("the chat").await?;
        page.click("#open-safety").await?;
        page.see("#security-code").await?;
        whole("the security code").await?;
        page.close_dialog().await?;
        page.click("#back").await?;
        page.click("#open-settings").await?;
        page.see("#settings-title").await?;
        whole("the settings").await
    })
    .await;
}

#[tokio::test]
async fn a_lost_network_and_another_time_zone_are_shown_at_once() {
    run_story("surroundings", Engine::Chromium, Setup::default(), async |scene| {
        let page = scene.visit().await?;
        page.enlist("alice").await?;
        page.start_chat(ECHO).await?;
        page.write("What time is it?").await?;
        page.ticks("What time is it?", "delivered").await?;
        let time = "return document.querySelector('.message .meta bdi').textContent";
        let mut times = Vec::new();
        for zone in ["Asia/Kathmandu", "America/St_Johns"] {
            scene.browser.devtools("Emulation.setTimezoneOverride", json!({ "timezoneId": zone })).await?;
            // No event tells of it; the page looks when it is looked at, and now and then.
            run(scene, "dispatchEvent(new Event('focus'))", Vec::new()).await?;
            let shown = until("another time", async || {
                let shown = run(scene, time, Vec::new()).await?;
                Ok((times.last() != Some(&shown)).then_some(shown))
            });
            times.push(shown.await?);
        }
        ensure!(times.first() != times.last(), "{times:?}");

        page.connection("online").await?;
        let watch = "addEventListener('offline', () => requestAnimationFrame(() => setTimeout(() => {
            globalThis.seen = document.querySelector('#connection').dataset.state;
        })))";
        run(scene, watch, Vec::new()).await?;
        // A socket that is open stays open: only the browser's word tells.
        let offline = json!({"offline": true, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1});
        scene.browser.devtools("Network.enable", json!({})).await?;
        scene.browser.devtools("Network.emulateNetworkConditions", offline).await?;
        let seen = until("the next frame", async || {
            let seen = run(scene, "return globalThis.seen ?? null", Vec::new()).await?;
            Ok((!seen.is_null()).then_some(seen))
        });
        let seen = seen.await?;
        ensure!(seen == json!("waiting"), "{seen}");
        page.read("#connection", "the words", |words| words.contains("Offline")).await.map(drop).context("words")
    })
    .await;
}

#[tokio::test]
async fn a_text_that_is_longer_than_an_update_is_read_to_its_end() {
    run_story("long-text", Engine::Chromium, Setup::default(), async |scene| {
        scene.servers.phone(BOB, "Bob").await?;
        let page = scene.visit().await?;
        page.enlist("alice").await?;
        // More than the 256 KiB that the engine sends of a text at first, in characters of two bytes.
        let text: String = (0..36_000).map(|number| format!("ü{number:05} ")).collect();
        scene.servers.phone_writes(BOB, "alice", &text).await?;
        page.unread(BOB, 1).await?;
        page.open_chat(BOB).await?;
        page.see(".message .more").await?;
        let shown = until("the whole text", async || {
            let script = "document.querySelector('.message .more')?.click();
                return document.querySelector('.message .text').textContent";
            let shown = run(scene, script, Vec::new()).await?;
            let shown = shown.as_str().context("a text")?.to_owned();
            ensure!(text.starts_with(shown.trim_end()), "what is shown is not the beginning of the text");
            Ok((shown.trim_end() == text.trim_end()).then_some(shown))
        })
        .await?;
        page.see_no(".message .more").await?;
        ensure!(shown.len() > 256 * 1024);
        Ok(())
    })
    .await;
}
