//! The service worker of a page in a Chromium whose tabs are all closed: pushes, termination, notifications.
//!
//! Chromium cannot subscribe without its vendor's service, so pushes are delivered through DevTools, as from the push
//! service. What this module does not know: what notifications should say.

use crate::chromium::{Chromium, Tab};
use crate::devtools::{Displayed, PageLog};
use crate::wait;
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::time::Duration;

/// A headless Chromium removes a notification after about 25 seconds.
const ON_SCREEN: Duration = Duration::from_secs(24);

/// What a person sees of a notification.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
pub struct Notification {
    /// Distinguishes it from the others.
    pub tag: String,
    /// First line.
    pub title: String,
    /// Below it.
    pub body: String,
    /// Without a sound.
    pub silent: bool,
    /// When it was shown, or what it is about happened; Unix milliseconds.
    pub timestamp: u64,
}

/// The worker of one origin.
pub struct ServiceWorker<'a> {
    browser: &'a Chromium,
    /// An empty tab: DevTools reports workers to tabs only.
    observer: Tab,
    log: PageLog,
    origin: String,
}

impl<'a> ServiceWorker<'a> {
    /// The worker of the page at `url`, which may show notifications.
    ///
    /// # Errors
    /// If the browser is gone.
    pub async fn of(browser: &'a Chromium, log: &PageLog, url: &str) -> Result<Self> {
        let origin = url.trim_end_matches('/').to_owned();
        let permission = json!({ "permissions": ["notifications"], "origin": origin });
        browser.ask("Browser.grantPermissions", permission).await?;
        let observer = browser.open("about:blank").await?;
        observer.page("ServiceWorker.enable", json!({})).await?;
        observer.page("BackgroundService.startObserving", json!({ "service": "notifications" })).await?;
        observer
            .page("BackgroundService.setRecording", json!({ "service": "notifications", "shouldRecord": true }))
            .await?;
        Ok(Self { browser, observer, log: log.clone(), origin })
    }

    /// Waits until it is registered; returns the registration's id.
    ///
    /// # Errors
    /// If it never is.
    pub async fn registered(&self) -> Result<String> {
        wait::until("a service worker", async || Ok(self.log.registration())).await
    }

    /// Delivers a push; starts the worker if it does not run. Returns when the push was handed over, not when it was
    /// handled.
    ///
    /// # Errors
    /// If there is no worker.
    pub async fn push(&self, word: &str) -> Result<()> {
        let push = json!({ "origin": self.origin, "registrationId": self.registered().await?, "data": word });
        self.observer.page("ServiceWorker.deliverPushMessage", push).await.map(drop)
    }

    /// Terminates it and waits until it is gone: a push for one that is just ending is lost.
    ///
    /// # Errors
    /// If it does not end.
    pub async fn stop(&self) -> Result<()> {
        wait::until("the end of the service worker", async || {
            // One that is just starting misses the command: repeated until it is gone.
            self.observer.page("ServiceWorker.stopAllWorkers", json!({})).await?;
            Ok(self.target().await?.is_none().then_some(()))
        })
        .await
    }

    /// Waits until the browser itself reports a displayed notification that satisfies `is_it`. Polling with a script
    /// would disturb what is observed: `getNotifications` treats a row whose notification is just being displayed as
    /// one that is gone, and Chromium never lists that one again.
    ///
    /// # Errors
    /// If none is displayed within `within`.
    pub async fn displays(&self, within: Duration, is_it: impl Fn(&Displayed) -> bool) -> Result<Displayed> {
        wait::until_within(within, "a notification", async || Ok(self.log.displayed(&is_it))).await
    }

    /// The notifications on screen, by tag. The tag of a preliminary one (`waiting:…`, different each time) is
    /// shortened.
    ///
    /// # Errors
    /// If the browser is gone.
    pub async fn shown(&self) -> Result<Vec<Notification>> {
        let look = "registration.getNotifications().then((all) => \
                    all.map(({ tag, title, body, silent, timestamp }) => \
                    ({ tag, title, body, silent: silent === true, timestamp })))";
        let mut shown: Vec<Notification> = serde_json::from_value(self.run(look).await?)?;
        for one in &mut shown {
            if one.tag.starts_with("waiting:") {
                one.tag = "waiting".to_owned();
            }
        }
        shown.sort_by(|one, other| one.tag.cmp(&other.tag));
        Ok(shown)
    }

    /// Waits until the notifications on screen are as they should be. Chromium without a screen takes each away after
    /// about 25 seconds.
    ///
    /// # Errors
    /// With everything that was there instead, if they never are.
    pub async fn shows(&self, expected: &[(&str, &str, &str)]) -> Result<()> {
        // Scripts run only after the browser has reported all of them as displayed; see `displays`.
        for (tag, _, body) in expected {
            let is_it = |one: &Displayed| one.tag.starts_with(tag) && one.body == *body;
            if self.displays(ON_SCREEN, is_it).await.is_err() {
                break;
            }
        }
        let mut history = Vec::new();
        let seen = wait::until_within(ON_SCREEN, "the expected notifications", async || {
            let shown = self.shown().await?;
            let seen_now = shown.iter().map(|one| (one.tag.as_str(), one.title.as_str(), one.body.as_str()));
            let is_so = seen_now.eq(expected.iter().copied());
            if history.last() != Some(&shown) {
                history.push(shown);
            }
            Ok(is_so.then_some(()))
        })
        .await;
        seen.with_context(|| format!("expected {expected:?}, saw one after the other {history:#?}"))
    }

    /// Clicks the notification with this tag, or its button by the action's name, with a typed reply.
    ///
    /// # Errors
    /// If there is no such notification.
    pub async fn click(&self, tag: &str, action: &str, typed: Option<&str>) -> Result<()> {
        // An event dispatched by a script does not extend the worker's lifetime, so its end is awaited here.
        let click = format!(
            "registration.getNotifications({{ tag: {tag} }}).then(async ([notification]) => {{
                const until = [];
                const click = new Event('notificationclick');
                Object.assign(click, {{ notification, action: {action}, reply: {typed}, waitUntil: (it) => until.push(it) }});
                dispatchEvent(click);
                await Promise.all(until);
                return until.length;
            }})",
            tag = json!(tag),
            action = json!(action),
            typed = json!(typed),
        );
        let done = self.run(&click).await?;
        if done != json!(1) { bail!("the click on {tag} led to nothing: {done}") } else { Ok(()) }
    }

    /// Closes every notification, as a person may.
    ///
    /// # Errors
    /// If the browser is gone.
    pub async fn dismiss_all(&self) -> Result<()> {
        self.run("registration.getNotifications().then((all) => all.forEach((one) => one.close()))").await.map(drop)
    }

    /// Runs a script in the worker; starts it if it does not run.
    ///
    /// # Errors
    /// If the browser is gone, or the script throws.
    pub async fn run(&self, script: &str) -> Result<Value> {
        // It may end between any two of these commands; then all are repeated.
        wait::until("an answer of the service worker", async || {
            let Some(target) = self.target().await? else {
                let scope = json!({ "scopeURL": format!("{}/", self.origin) });
                self.observer.page("ServiceWorker.startWorker", scope).await?;
                return Ok(None);
            };
            let attach = json!({ "targetId": target, "flatten": true });
            let attached = self.browser.ask("Target.attachToTarget", attach).await?;
            let session = attached["sessionId"].as_str().context("no session")?;
            let asked = json!({ "expression": script, "awaitPromise": true, "returnByValue": true });
            let answer = self.browser.send(session, "Runtime.evaluate", asked).await;
            // An attached debugger would keep the worker alive.
            let _gone = self.browser.ask("Target.detachFromTarget", json!({ "sessionId": session })).await;
            let mut answer = answer?;
            if !answer["exceptionDetails"].is_null() {
                bail!("{script}: {}", answer["exceptionDetails"]);
            }
            Ok(Some(answer["result"]["value"].take()))
        })
        .await
    }

    async fn target(&self) -> Result<Option<String>> {
        let targets = self.browser.ask("Target.getTargets", json!({})).await?;
        let workers = targets["targetInfos"].as_array().into_iter().flatten();
        let ours = |target: &&Value| {
            target["type"] == "service_worker"
                && target["url"].as_str().is_some_and(|url| url.starts_with(&self.origin))
        };
        Ok(workers.filter(ours).find_map(|target| target["targetId"].as_str().map(str::to_owned)))
    }
}
