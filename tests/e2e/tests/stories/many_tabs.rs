//! One profile with many tabs, on the DevTools protocol alone: a driver program would not survive what is done to them.

use anyhow::{Context, Result, ensure};
use causeway_e2e::{
    chromium::{Chromium, Tab},
    devtools::{PageLog, Worker},
    page::PASSWORD,
    servers::{Servers, Setup},
    wait,
};
use futures::future::try_join_all;
use serde_json::{Value, json};
use tempfile::TempDir;

/// The account's identifier.
const ALICE: &str = "alice";
/// The phone that she writes to.
const BOB: &str = "14155550123";

/// A profile, its browser, and the servers.
pub(crate) struct ManyTabs {
    pub(crate) servers: Servers,
    pub(crate) browser: Chromium,
    pub(crate) tabs: Vec<Tab>,
    profile: TempDir,
    log: PageLog,
    written: Vec<String>,
}

impl ManyTabs {
    /// Opens `tabs` tabs; Alice is enlisted in the first.
    pub(crate) async fn build(tabs: usize) -> Result<Self> {
        let servers = Servers::start(Setup::default()).await?;
        servers.phone(BOB, "Bob").await?;
        let (profile, log) = (tempfile::tempdir()?, PageLog::default());
        let browser = Chromium::start(profile.path(), &log).await?;
        let first = browser.open(&servers.url()?).await?;
        person(&first, "person.ready()").await?;
        first.person(&format!("person.signUp({}, {})", json!(ALICE), json!(PASSWORD))).await?;
        let mut all = Self { servers, browser, tabs: vec![first], profile, log, written: Vec::new() };
        for _ in 1..tabs {
            all.tabs.push(all.browser.open(&all.servers.url()?).await?);
        }
        for tab in &all.tabs {
            person(tab, "person.online()").await?;
        }
        Ok(all)
    }

    /// The worker that has the lock, as a tab sees it.
    pub(crate) async fn leading_worker(&self, asked: &Tab) -> Result<Option<Worker>> {
        let holders = "navigator.locks.query().then(({ held }) => held)";
        let held = asked.person(holders).await?;
        let holder = held.as_array().context("no list")?.iter().find(|lock| lock["name"] == "causeway-engine");
        Ok(holder.and_then(|lock| self.log.worker(lock["clientId"].as_str()?)))
    }

    /// Index of the tab that the leading worker belongs to.
    pub(crate) async fn leader(&self, asked: &Tab) -> Result<Option<usize>> {
        let worker = self.leading_worker(asked).await?;
        Ok(worker.and_then(|worker| self.tabs.iter().position(|tab| tab.session() == worker.tab)))
    }

    /// Waits until another tab than `before` leads on another connection than `connection`.
    pub(crate) async fn takeover(&self, before: usize, connection: u64) -> Result<usize> {
        let witness = self.tabs.iter().enumerate().find(|(place, _)| *place != before).context("a lone tab")?.1;
        wait::until("another tab lead", async || {
            let leader = self.leader(witness).await?.filter(|leader| *leader != before);
            let connected = self.servers.connection_of(ALICE).await?.is_some_and(|now| now != connection);
            Ok(leader.filter(|_| connected))
        })
        .await
    }

    /// Number of Alice's connection; a later one has a higher number.
    pub(crate) async fn connection(&self) -> Result<u64> {
        wait::until("a connection", async || self.servers.connection_of(ALICE).await).await
    }

    /// Writes in this tab, and waits until it shows what was written.
    pub(crate) async fn write(&mut self, place: usize, texts: &[&str]) -> Result<()> {
        let tab = &self.tabs[place];
        person(tab, &format!("person.open({})", json!(BOB))).await?;
        self.written.extend(texts.iter().map(|text| (*text).to_owned()));
        tab.person(&format!("person.write({}, {})", json!(BOB), json!(texts))).await.map(drop)
    }

    /// Writes in every tab; then every tab and the phone must show the same.
    pub(crate) async fn every_tab_writes(&mut self, round: &str) -> Result<()> {
        for place in 0..self.tabs.len() {
            self.write(place, &[&format!("{round}, from tab {place}")]).await?;
        }
        self.every_tab_agrees().await
    }

    /// Every tab shows what was written, each once, and no error; and the phone has received the same.
    pub(crate) async fn every_tab_agrees(&self) -> Result<()> {
        for (place, tab) in self.tabs.iter().enumerate() {
            let all = async || {
                let shown = tab.person(&format!("person.read({})", json!(BOB))).await?;
                let shown = shown.as_array().context("no list")?.iter();
                Ok(shown
                    .map(|message| message[0].as_str())
                    .eq(self.written.iter().map(|text| Some(text.as_str())))
                    .then_some(()))
            };
            wait::until(&format!("exactly {:?} in tab {place}", self.written), all).await?;
            let worry = tab.person("person.worry()").await?;
            ensure!(worry == Value::Null, "tab {place} shows {worry}");
        }
        let all = async || Ok((self.servers.received(BOB).await?.len() >= self.written.len()).then_some(()));
        wait::until("all messages on the phone", all).await?;
        let received = self.servers.received(BOB).await?;
        ensure!(received == self.written, "the phone holds {received:?}");
        Ok(())
    }

    /// Waits until a tab shows every message as delivered. The leader has no transaction under way then: what is shown is
    /// durable, and nothing else is to be stored.
    pub(crate) async fn leader_rests(&self, asked: &Tab) -> Result<()> {
        wait::until("every message delivered", async || {
            let shown = asked.person(&format!("person.read({})", json!(BOB))).await?;
            let states = shown.as_array().context("no list")?.iter().map(|message| &message[1]);
            Ok(states.eq(self.written.iter().map(|_| "delivered")).then_some(()))
        })
        .await
    }

    /// Ends the browser, by force or not, and opens the same tabs in a new one, all at once: as restoring a session
    /// does, which a headless browser does not offer.
    pub(crate) async fn restart(&mut self, by_force: bool) -> Result<()> {
        match by_force {
            true => self.browser.kill().await?,
            false => self.browser.close().await?,
        }
        self.browser = Chromium::start(self.profile.path(), &self.log).await?;
        let url = self.servers.url()?;
        self.tabs = try_join_all(self.tabs.iter().map(|_| self.browser.open(&url))).await?;
        for tab in &self.tabs {
            person(tab, "person.online()").await?;
        }
        Ok(())
    }

    /// Ends browser and servers; no page may have complained, but for a connection that the browser itself ended when
    /// it froze or put away a page.
    pub(crate) async fn end(self) -> Result<()> {
        let Self { mut servers, log, mut browser, .. } = self;
        browser.kill().await?;
        servers.stop().await;
        let mut complaints = log.complaints();
        complaints.retain(|complaint| !complaint.contains("WebSocket connection to"));
        ensure!(complaints.is_empty(), "pages complained: {complaints:#?}");
        Ok(())
    }
}

/// Runs an action of `person.js` that may be repeated.
async fn person(tab: &Tab, action: &str) -> Result<Value> {
    wait::until(action, async || tab.person(action).await.map(Some)).await
}
