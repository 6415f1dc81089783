//! Sign-in at an OpenID provider that shares no code with this project.

use anyhow::{Context, Result};
use causeway_e2e::{
    browser::Engine,
    case::{Scene, run_story},
    open_id::{Place, Provider},
    servers::{ECHO, Setup},
};

async fn at_the_provider(scene: &mut Scene, place: Place) -> Result<()> {
    let provider = Provider::start(place, &scene.servers.url()?).await?;
    // Resources of the provider's own pages that no server here has.
    scene.browser.expect("https://fonts.googleapis.com/");
    scene.browser.expect("/favicon.ico");
    let outcome = there_and_back(scene).await;
    outcome.with_context(|| format!("the provider printed: {}", provider.output().join("\n")))
}

async fn there_and_back(scene: &mut Scene) -> Result<()> {
    let page = scene.visit().await?;
    page.see("#sign-in-provider").await?;
    page.see_no("#password").await?;
    page.read("#step-title", "what to do", |words| words.starts_with("Sign in at")).await?;
    page.see_no("#form-problem").await?;

    // An abort at the provider is reported here, and a second attempt is possible.
    page.click("#sign-in-provider").await?;
    page.click("a[href$='/abort']").await?;
    page.read("#form-problem", "why", |words| words.contains("wasn’t finished")).await?;

    // The provider's own pages: name and password, then its consent form.
    page.click("#sign-in-provider").await?;
    page.fill("input[name=login]", "carla").await?;
    page.fill("input[name=password]", "known to the provider only").await?;
    page.click("button[type=submit]").await?;
    page.see_no("input[name=password]").await?;
    page.click("button[type=submit]").await?;

    // Back here: the name is the provider's; the rest is as for any account.
    page.agree().await?;
    page.click("#enlist-finish").await?;
    page.see("#phone").await?;
    page.close_dialog().await?;
    page.connected().await?;
    page.start_chat(ECHO).await?;
    page.write("Hello from carla").await?;
    page.message(false, "You said: Hello from carla").await?;

    // After a sign-out here the session at the provider remains.
    page.click("#open-settings").await?;
    page.click("#sign-out").await?;
    page.connection("stopped").await?;
    page.click("#connection-action").await?;
    page.click("#sign-in-provider").await?;
    page.connected().await?;
    page.open_chat(ECHO).await?;
    page.message(false, "You said: Hello from carla").await.map(drop)
}

async fn the_story(engine: Engine, name: &str) {
    let place = Place::find().unwrap();
    let setup = Setup { partner: Some(Box::new(move |config| place.configure(config))), ..Setup::default() };
    run_story(name, engine, setup, async |scene| at_the_provider(scene, place).await).await;
}

#[tokio::test]
async fn people_sign_in_where_they_have_an_account_chromium() {
    the_story(Engine::Chromium, "open-id-chromium").await;
}

#[tokio::test]
async fn people_sign_in_where_they_have_an_account_firefox() {
    the_story(Engine::Firefox, "open-id-firefox").await;
}
