//! Runs one story: servers and a browser of its own, and what is kept when it fails.
//!
//! What this module does not know: the stories.

use crate::{
    audit,
    browser::{Browser, Engine},
    page::Page,
    servers::{Servers, Setup},
};
use anyhow::{Error, Result};
use std::{env, sync::LazyLock};
use tokio::sync::Semaphore;
use tracing_subscriber::EnvFilter;

/// Stories that run at the same time: `STORIES_AT_ONCE`, or two. With more browsers than processors each becomes slower.
static PLACES: LazyLock<Semaphore> = LazyLock::new(|| {
    let chosen = env::var("STORIES_AT_ONCE").ok().and_then(|number| number.parse().ok());
    Semaphore::new(chosen.unwrap_or(2))
});

/// Servers and browser of a story.
pub struct Scene {
    /// Sandbox and partner server.
    pub servers: Servers,
    /// The person's browser, not yet on the page.
    pub browser: Browser,
}

impl Scene {
    /// The open tab.
    ///
    /// # Errors
    /// If the browser is closed.
    pub fn page(&self) -> Result<Page<'_>> {
        Page::of(&self.browser)
    }

    /// Opens the page in the open tab.
    ///
    /// # Errors
    /// If the page does not load.
    pub async fn visit(&self) -> Result<Page<'_>> {
        let page = self.page()?;
        page.open(&self.servers.url()?).await?;
        Ok(page)
    }
}

/// Runs a story; `name` is that of the screenshot that is kept if it fails. A complaint of the page is a failure, too.
///
/// # Panics
/// With the story's error, as a test must.
#[expect(clippy::panic, reason = "tests fail by panicking")]
pub async fn run_story(name: &str, engine: Engine, setup: Setup, story: impl AsyncFnOnce(&mut Scene) -> Result<()>) {
    let _place = PLACES.acquire().await;
    let outcome = try_run(name, engine, setup, story).await;
    if let Err(error) = outcome {
        panic!("{name}: {error:#}");
    }
}

async fn try_run(
    name: &str,
    engine: Engine,
    setup: Setup,
    story: impl AsyncFnOnce(&mut Scene) -> Result<()>,
) -> Result<()> {
    // The servers log what RUST_LOG selects; only the first story installs the subscriber.
    let _ = tracing_subscriber::fmt().with_env_filter(EnvFilter::from_default_env()).with_test_writer().try_init();
    let servers = Servers::start(setup).await?;
    let mut scene = Scene { servers, browser: Browser::open(engine).await? };
    let outcome = match story(&mut scene).await {
        Ok(()) => scene.browser.must_be_silent().await,
        Err(error) => Err(explain(&mut scene, name, error).await),
    };
    let closed = if scene.browser.is_open() { scene.browser.close().await } else { Ok(()) };
    scene.servers.stop().await;
    outcome.and(closed)
}

/// Adds the page's text, its complaints and a screenshot to an error.
async fn explain(scene: &mut Scene, name: &str, error: Error) -> Error {
    let complaints = scene.browser.must_be_silent().await.err().map(|complaint| complaint.to_string());
    let picture = format!("failed-{name}");
    let shown = audit::picture(&scene.browser, &picture).await;
    let text = match scene.page() {
        Ok(page) => page.read("body", "anything", |_| true).await.unwrap_or_default(),
        Err(closed) => closed.to_string(),
    };
    let pictured =
        shown.map_or_else(|error| error.to_string(), |()| format!("{}/{picture}.png", audit::artefacts().display()));
    error.context(format!("the page: {text:?}\ncomplaints: {complaints:?}\npicture: {pictured}"))
}
