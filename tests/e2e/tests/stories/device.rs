//! One browser at a time holds an account: a second one warns before it replaces the first, the first one shows that it
//! was replaced and stays readable, and a browser that has removed its data explains that.

use anyhow::{Context, Result, ensure};
use causeway_e2e::{
    audit,
    browser::{Browser, Engine},
    case::{Scene, run_story},
    page::{PASSWORD, Page},
    servers::Setup,
};
use serde_json::json;

const BOB: &str = "14155550123";
const TITLE: &str = "#step-title";

/// Signs in with an account that exists, and comes to the question how to go on.
async fn sign_in(page: Page<'_>) -> Result<()> {
    page.click("label[for=account-have]").await?;
    page.fill("#identifier", "alice").await?;
    page.fill("#password", PASSWORD).await?;
    page.click("#sign-in").await?;
    page.see("#start-new").await.map(drop)
}

/// From the question how to go on to the list of chats, with new keys.
async fn start_new(page: Page<'_>) -> Result<()> {
    page.click("#start-new").await?;
    page.click("#start-new-confirm").await?;
    page.agree().await?;
    page.click("#enlist-finish").await?;
    page.see("#phone").await?;
    page.close_dialog().await?;
    page.connected().await
}

/// Has the browser remove what the site has kept.
async fn remove(scene: &Scene, kinds: &str) -> Result<()> {
    let url = scene.servers.url()?;
    let what = json!({"origin": url.trim_end_matches('/'), "storageTypes": kinds});
    scene.browser.devtools("Storage.clearDataForOrigin", what).await.map(drop)
}

#[tokio::test]
async fn a_second_browser_warns_and_the_replaced_one_says_so() {
    run_story("replaced", Engine::Chromium, Setup::default(), async |scene| {
        scene.servers.phone(BOB, "Bob").await?;
        let first = scene.visit().await?;
        first.enlist("alice").await?;
        first.start_chat(BOB).await?;
        first.write("from the first browser").await?;
        first.ticks("from the first browser", "delivered").await?;

        let mut second = Browser::open(Engine::Chromium).await?;
        let told = replace(scene, &mut second).await;
        second.close().await?;
        told
    })
    .await;
}

async fn replace(scene: &mut Scene, browser: &mut Browser) -> Result<()> {
    let second = Page::of(browser)?;
    second.open(&scene.servers.url()?).await?;
    sign_in(second).await?;
    second.read(TITLE, "the warning", |text| text.contains("in use in another browser")).await?;
    second.read(".lead", "since when", |text| text.contains("“alice” has been used")).await?;
    audit::page(browser, "12-in-use-elsewhere").await?;
    // Reading the warning changes nothing, and neither does coming back to it later.
    second.reload().await?;
    second.click("#start-new").await?;
    second.see("#start-new-confirm").await?;
    audit::page(browser, "13-start-new").await?;
    second.close_dialog().await?;
    scene.servers.phone_writes(BOB, "alice", "still to the first").await?;
    let first = scene.page()?;
    first.message(false, "still to the first").await?;
    first.connected().await?;

    start_new(second).await?;
    first.connection("stopped").await?;
    first.read("#connection", "what happened", |text| text.contains("used in another browser")).await?;
    first.read("#connection-action", "no way to connect", |text| text == "What now?").await?;
    let kept = [(true, "from the first browser"), (false, "still to the first")];
    first.holds_exactly(&kept).await?;
    first.fill("#composer", "not from here").await?;
    first.press_enter("#composer").await?;
    first.read("#composer-problem", "why not", |text| text.contains("used in another browser")).await?;
    let typed = first.see("#composer").await?.prop("value").await?.context("no composer")?;
    ensure!(typed == "not from here", "what was typed is {typed:?}");
    first.holds_exactly(&kept).await?;

    // A reload changes nothing, but for a token that is refused.
    scene.browser.expect("/api/token");
    let first = scene.page()?;
    first.reload().await?;
    first.connection("stopped").await?;
    first.open_chat(BOB).await?;
    first.holds_exactly(&kept).await?;
    first.click("#connection-action").await?;
    first.read("#moved-since", "since when", |text| text.contains("since")).await?;
    audit::page(&scene.browser, "14-moved").await?;

    second.start_chat(BOB).await?;
    second.write("from the second browser").await?;
    second.ticks("from the second browser", "delivered").await?;
    ensure!(scene.servers.phone_received(BOB, "from the second browser").await? == 1);
    browser.must_be_silent().await
}

/// Enlists, and writes a message that the browser will soon have removed.
async fn with_something_to_lose(scene: &Scene) -> Result<Page<'_>> {
    scene.servers.phone(BOB, "Bob").await?;
    let page = scene.visit().await?;
    page.enlist("alice").await?;
    page.start_chat(BOB).await?;
    page.write("soon gone").await?;
    page.ticks("soon gone", "delivered").await?;
    Ok(page)
}

#[tokio::test]
async fn removed_data_is_explained_instead_of_asking_for_a_password() {
    run_story("evicted", Engine::Chromium, Setup::default(), async |scene| {
        let page = with_something_to_lose(scene).await?;

        page.open("about:blank").await?;
        remove(scene, "indexeddb").await?;
        let page = scene.visit().await?;
        page.read(TITLE, "what happened", |text| text.contains("removed your data")).await?;
        ensure!(page.see("#open-restore").await?.is_displayed().await?);
        audit::page(&scene.browser, "15-removed").await?;
        page.reload().await?;
        page.read(TITLE, "the same", |text| text.contains("removed your data")).await?;

        // Without the cookie, the owner of the data is unknown until somebody signs in.
        page.open("about:blank").await?;
        remove(scene, "indexeddb,cookies").await?;
        let page = scene.visit().await?;
        sign_in(page).await?;
        page.read(TITLE, "the warning", |text| text.contains("in use in another browser")).await?;
        page.read(".lead", "both possibilities", |text| text.contains("Or that was this one")).await?;
        start_new(page).await?;
        page.start_chat(BOB).await?;
        page.write("with new keys").await?;
        page.ticks("with new keys", "delivered").await?;
        page.reload().await?;
        page.connected().await
    })
    .await;
}

#[tokio::test]
async fn data_removed_under_an_open_page_is_noticed_at_the_next_action() {
    run_story("evicted_open", Engine::Chromium, Setup::default(), async |scene| {
        let page = with_something_to_lose(scene).await?;
        remove(scene, "indexeddb").await?;
        page.fill("#composer", "into nothing").await?;
        page.press_enter("#composer").await?;
        page.read(TITLE, "what happened", |text| text.contains("removed your data")).await?;
        // What could not be stored was not sent, and no old key is used beside the new ones.
        start_new(page).await?;
        page.start_chat(BOB).await?;
        page.write("with new keys").await?;
        page.ticks("with new keys", "delivered").await?;
        // In between, without a text, the phone's own notice of the new identity.
        let received = scene.servers.received(BOB).await?;
        ensure!(received == ["soon gone", "", "with new keys"], "the phone received {received:?}");
        Ok(())
    })
    .await;
}

/// Takes the key to everything out of the database, as a half-done eviction or a disk fault does.
const TAKE_KEY: &str = "
    const done = arguments[arguments.length - 1];
    indexedDB.databases().then(async (all) => {
        let taken = 0;
        for (const { name } of all) {
            const database = await new Promise((resolve) => {
                indexedDB.open(name).onsuccess = ({ target }) => resolve(target.result);
            });
            if (database.objectStoreNames.contains('meta')) {
                const meta = database.transaction('meta', 'readwrite').objectStore('meta');
                await new Promise((resolve) => { meta.delete('data_key').onsuccess = resolve; });
                taken += 1;
            }
            database.close();
        }
        done(taken);
    });";

#[tokio::test]
async fn data_without_its_key_is_reported_as_unreadable() {
    run_story("keyless", Engine::Chromium, Setup::default(), async |scene| {
        let page = scene.visit().await?;
        page.enlist("alice").await?;
        let taken = scene.browser.web()?.execute_async(TAKE_KEY, []).await?;
        ensure!(taken.convert::<u32>()? == 1, "no database with a key");
        page.reload().await?;
        page.read("#content", "what happened", |text| text.contains("can’t be opened")).await?;
        audit::page(&scene.browser, "16-damaged").await
    })
    .await;
}
