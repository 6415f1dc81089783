//! What was typed is kept when the page is loaded again at once, and what was sent is sent once.

use anyhow::{Context, Result, ensure};
use causeway_e2e::{
    browser::Engine,
    case::{Scene, run_story},
    servers::{ECHO, Setup},
    wait,
};
use serde_json::json;

/// Milliseconds from the last key until the page is loaded again.
const DELAYS: [u64; 8] = [0, 20, 60, 100, 150, 200, 250, 300];

/// Types into the composer as a person does, presses Enter if `sends`, and loads the page again after a while.
const TYPE_AND_RELOAD: &str = "const [text, sends, delay] = arguments;
    const field = document.querySelector('#composer');
    Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, 'value').set.call(field, text);
    field.dispatchEvent(new InputEvent('input', { bubbles: true }));
    if (sends) field.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true }));
    document.documentElement.dataset.former = true;
    setTimeout(() => location.reload(), delay);";

/// What the composer holds, once the page is another one. In Firefox scripts do not share their global object.
const HELD: &str = "return document.documentElement.dataset.former ? null : \
    document.querySelector('#composer')?.value ?? null;";

async fn type_and_reload(scene: &Scene, text: &str, sends: bool, delay: u64) -> Result<String> {
    let web = scene.browser.web()?;
    web.execute(TYPE_AND_RELOAD, vec![json!(text), json!(sends), json!(delay)]).await?;
    // While the document changes there is none to ask.
    wait::until("the page again", async || Ok(web.execute(HELD, []).await?.convert::<Option<String>>()?)).await
}

async fn story(scene: &mut Scene) -> Result<()> {
    // The page is left while its worker starts or speaks.
    scene.browser.expect("WebSocket connection to");
    scene.browser.expect("Failed to fetch");
    let page = scene.visit().await?;
    page.enlist("alice").await?;
    page.start_chat(ECHO).await?;
    let mut sent = Vec::new();
    for delay in DELAYS {
        let text = format!("typed {delay} ms before, 👍🏽 and “more”");
        let held = type_and_reload(scene, &text, false, delay).await?;
        ensure!(held == text, "{delay} ms after typing {text:?}, the composer holds {held:?}");
        let kept = "return sessionStorage.getItem('causeway-unanswered') !== null;";
        let is_kept: bool = scene.browser.web()?.execute(kept, []).await?.convert()?;
        ensure!(!is_kept, "what was typed is still kept outside of the store");

        let text = format!("sent {delay} ms before");
        let held = type_and_reload(scene, &text, true, delay).await?;
        ensure!(held.is_empty(), "{delay} ms after sending {text:?}, the composer holds {held:?}");
        scene.page()?.message(true, &text).await.with_context(|| format!("{delay} ms after sending"))?;
        sent.push(text);
    }
    for text in &sent {
        ensure!(scene.servers.phone_received(ECHO, text).await? == 1, "{text:?} was sent more than once");
    }
    let received = scene.servers.received(ECHO).await?;
    ensure!(received == sent, "sent {sent:?}, received {received:?}");
    Ok(())
}

#[tokio::test]
async fn what_was_typed_just_before_a_reload_is_kept() {
    run_story("draft_reload", Engine::Chromium, Setup::default(), story).await;
}

#[tokio::test]
async fn what_was_typed_just_before_a_reload_is_kept_in_firefox() {
    run_story("draft_reload_firefox", Engine::Firefox, Setup::default(), story).await;
}
