//! One run: enlist, drain a mailbox under faults, write over a link that loses half, repair it, compare.
//!
//! What this module does not know: the page's insides. It types, reads, and kills.

use crate::oracle::{Chat, check_line};
use crate::plan::{Fault, LOSS, Plan, QUIET, SENDS, TEXTS, WRITERS, number};
use anyhow::{Context, Result, bail, ensure};
use causeway_e2e::chromium::{Chromium, Tab};
use causeway_e2e::devtools::PageLog;
use causeway_e2e::servers::{Servers, Setup, copy};
use causeway_e2e::wait;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The person's name.
const ALICE: &str = "alice";
const PASSWORD: &str = "correct horse battery";
/// Texts of a phone that lie in the mailbox before the page is opened again; as many come while it drains, and the
/// rest over the lossy link.
const WAITING: usize = 75;
const COMING: usize = 115;
/// Time-out for everything to arrive once the faults are over.
const SETTLE: Duration = Duration::from_secs(120);
/// Starts of which Chromium keeps the storage log.
const NOTES: u32 = 2;
/// Longest wait for a mailbox that is not being read.
const LATEST: Duration = Duration::from_secs(3);
/// How long the storage is stopped before the browser is killed.
const HANG: Duration = Duration::from_millis(300);
/// Complaints that a page may have when its connection is cut, or breaks while it sends.
const EXPECTED: [&str; 2] = ["WebSocket connection to", "WebSocket is already in CLOSING or CLOSED state"];

/// What a run did, for the table.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) faults: BTreeMap<Fault, u32>,
    pub(crate) messages: usize,
    pub(crate) phases: Vec<(&'static str, Duration)>,
}

/// The world of one run.
pub(crate) struct Run {
    servers: Servers,
    profile: TempDir,
    browser: Option<(Chromium, Tab)>,
    log: PageLog,
    plan: Plan,
    /// What the person has entered, by phone.
    entered: BTreeMap<usize, Vec<String>>,
    painted: BTreeSet<String>,
    /// How often a browser was started.
    opened: u32,
    pub(crate) tally: Tally,
}

impl Run {
    /// Starts the servers.
    pub(crate) async fn prepare(seed: u64) -> Result<Self> {
        Ok(Self {
            servers: Servers::start(Setup::default()).await?,
            profile: tempfile::tempdir()?,
            browser: None,
            log: PageLog::default(),
            plan: Plan::new(seed),
            entered: BTreeMap::new(),
            painted: BTreeSet::new(),
            opened: 0,
            tally: Tally::default(),
        })
    }

    /// Everything, in order.
    pub(crate) async fn live(&mut self) -> Result<()> {
        self.phase("enlist", Self::enlist).await?;
        self.phase("drain", Self::drain).await?;
        self.phase("write", Self::write).await?;
        self.phase("settle", Self::settle).await?;
        self.phase("judge", Self::judge).await
    }

    async fn phase(&mut self, name: &'static str, phase: impl AsyncFnOnce(&mut Self) -> Result<()>) -> Result<()> {
        let began = Instant::now();
        let outcome = phase(self).await;
        self.tally.phases.push((name, began.elapsed()));
        outcome.with_context(|| format!("while it was to {name}"))
    }

    async fn enlist(&mut self) -> Result<()> {
        for phone in 0..WRITERS + QUIET {
            self.servers.phone(&number(phone), &format!("Phone {phone}")).await?;
        }
        self.open().await?;
        // Once the page is there: signing up must not be repeated.
        self.person("person.ready()").await?;
        let action = format!("person.signUp({}, {})", json!(ALICE), json!(PASSWORD));
        self.tab()?.person(&action).await?;
        // The cookie of a session that is seconds old is not on disk yet: a kill would sign the person out.
        let (mut browser, _) = self.browser.take().context("no browser is open")?;
        browser.close().await
    }

    /// Drains waiting and arriving mail while faults are injected.
    async fn drain(&mut self) -> Result<()> {
        self.phones_write(0, WAITING).await?;
        self.until_waiting("the mailbox fill", |waiting| waiting >= u64::try_from(WRITERS * WAITING).unwrap_or(0))
            .await?;
        self.open().await?;
        let faults = self.plan.drain.clone();
        let comes_before = self.plan.draw(faults.len());
        for (index, (after, fault)) in faults.into_iter().enumerate() {
            if index == comes_before {
                self.phones_write(WAITING, COMING).await?;
            }
            // The time of a fault is random, not a condition.
            tokio::time::sleep(after).await;
            if fault == Fault::Browser {
                let limit = self.perhaps_hang()?;
                self.until_receipted(limit).await?;
            }
            self.inject(fault).await?;
        }
        self.until_waiting("the mailbox drain", |waiting| waiting == 0).await
    }

    /// Before every other kill the storage is stopped for a moment while the network goes on: what a client sends then,
    /// it sends before it is stored. Returns how long the kill may wait.
    fn perhaps_hang(&mut self) -> Result<Duration> {
        if self.plan.draw(2) == 0 {
            return Ok(LATEST);
        }
        self.browser.as_ref().context("no browser is open")?.0.hang()?;
        Ok(HANG)
    }

    /// The worst moment for a kill is just after the server has received a receipt. Waits for that while the mailbox
    /// holds mail.
    async fn until_receipted(&self, limit: Duration) -> Result<()> {
        let before = self.servers.waiting_for(ALICE).await?;
        let deadline = Instant::now() + limit;
        let mut waiting = before;
        while waiting == before && waiting > 0 && Instant::now() < deadline {
            waiting = self.servers.waiting_for(ALICE).await?;
        }
        Ok(())
    }

    /// The other worst moment is just after a ciphertext was sent. The phone that is being written to receives it
    /// first.
    async fn until_received(&self, phone: usize, limit: Duration) -> Result<()> {
        let before = self.servers.received(&number(phone)).await?.len();
        let deadline = Instant::now() + limit;
        while self.servers.received(&number(phone)).await?.len() == before && Instant::now() < deadline {}
        Ok(())
    }

    /// Half of all stanzas are lost, in both directions, while the person writes and the phones go on.
    async fn write(&mut self) -> Result<()> {
        self.servers.fault(&json!({"loss_percent": LOSS, "seed": self.plan.loss_seed})).await?;
        self.phones_write(COMING, TEXTS).await?;
        let mut faults = self.plan.sends.clone().into_iter();
        let mut next = faults.next();
        let mut due = Instant::now() + next.map_or(Duration::ZERO, |(after, _)| after);
        while self.painted.len() < SENDS || next.is_some() {
            let phone = self.plan.draw(WRITERS + QUIET);
            let texts: Vec<String> = (0..8 + self.plan.draw(10)).map(|_| self.next_text(phone)).collect();
            let tab = self.tab()?;
            let (to, what) = (json!(number(phone)), json!(texts));
            self.person(&format!("person.open({to})")).await?;
            let action = format!("person.write({to}, {what})");
            let mut writing = Box::pin(tab.person(&action));
            loop {
                let wait = due.saturating_duration_since(Instant::now());
                tokio::select! {
                    // A page that is killed in the middle loses what was typed and not shown.
                    _ = &mut writing => break,
                    () = tokio::time::sleep(wait), if next.is_some() => {
                        let Some((_, fault)) = next else { break };
                        next = faults.next();
                        due = Instant::now() + next.map_or(Duration::ZERO, |(after, _)| after);
                        if fault == Fault::Browser {
                            let limit = self.perhaps_hang()?;
                            self.until_received(phone, limit).await?;
                        }
                        self.inject(fault).await?;
                        if fault.kills() && fault != Fault::Worker {
                            break;
                        }
                    }
                }
            }
            drop(writing);
            self.painted.extend(self.log.take_reports());
        }
        Ok(())
    }

    /// The link is repaired; everything must arrive without further help.
    async fn settle(&mut self) -> Result<()> {
        self.servers.fault(&json!({"clear": true})).await?;
        // Lost stanzas are sent again with the next connection.
        self.servers.fault(&json!({"disconnect": 0})).await?;
        let all_there = async || {
            for phone in 0..WRITERS + QUIET {
                let received: BTreeSet<String> = self.servers.received(&number(phone)).await?.into_iter().collect();
                let mut painted = self.painted_for(phone);
                if painted.any(|text| !received.contains(text)) {
                    return Ok(None);
                }
            }
            Ok((self.servers.waiting_for(ALICE).await? == 0).then_some(()))
        };
        wait::until_within(SETTLE, "everything arrive", all_there).await
    }

    /// A last kill, so that what is read is what was stored; then both sides are compared.
    async fn judge(&mut self) -> Result<()> {
        self.inject(Fault::Browser).await?;
        self.person("person.online()").await?;
        self.until_waiting("the last receipts", |waiting| waiting == 0).await?;
        for phone in 0..WRITERS + QUIET {
            let number = number(phone);
            let shown = self.person(&format!("person.read({})", json!(number))).await?;
            let chat = Chat {
                page: pairs(&shown).context("the page read out something else")?,
                phone: self.servers.entries(&number).await?,
                painted: self.painted_for(phone).cloned().collect(),
                in_order: COMING,
                entered: self.entered.get(&phone).cloned().unwrap_or_default(),
                number,
            };
            self.tally.messages += chat.page.len();
            chat.check()?;
        }
        check_line(&self.servers.heard().await?)?;
        let complaints = self.log.complaints();
        let expected = |complaint: &&String| EXPECTED.iter().any(|text| complaint.contains(text));
        let unexpected: Vec<_> = complaints.iter().filter(|complaint| !expected(complaint)).collect();
        ensure!(unexpected.is_empty(), "the page complained: {unexpected:#?}");
        Ok(())
    }

    /// The line of Chromium's storage log about an empty database in place of one that existed before. The client never
    /// deletes a database, so the browser discarded it. `None` while the log may still hold the first start, which
    /// creates one.
    pub(crate) fn discarded(&self) -> Result<Option<String>> {
        if self.opened <= NOTES {
            return Ok(None);
        }
        let databases = self.profile.path().join("Default/IndexedDB");
        for folder in std::fs::read_dir(databases)? {
            let folder = folder?.path();
            for name in ["LOG", "LOG.old"] {
                let notes = std::fs::read_to_string(folder.join(name)).unwrap_or_default();
                if let Some(note) = notes.lines().find(|line| line.contains("since it was missing")) {
                    return Ok(Some(note.to_owned()));
                }
            }
        }
        Ok(None)
    }

    /// Ends browser and servers. Keeps everything of a failed run in `folder`.
    pub(crate) async fn end(mut self, keep_in: Option<&Path>) -> Result<()> {
        if let Some(folder) = keep_in {
            self.servers.keep_state(folder)?;
            let heard = serde_json::to_vec_pretty(&self.servers.heard().await?)?;
            std::fs::write(folder.join("heard.json"), heard)?;
            std::fs::write(folder.join("complaints.txt"), self.log.complaints().join("\n"))?;
            if let Ok(tab) = self.tab() {
                let picture = tab.picture().await;
                drop(picture.map(|png| std::fs::write(folder.join("page.png"), png)));
            }
        }
        self.close().await?;
        if let Some(folder) = keep_in {
            copy(self.profile.path(), &folder.join("profile"))?;
        }
        self.servers.stop().await;
        Ok(())
    }

    async fn inject(&mut self, fault: Fault) -> Result<()> {
        let began = Instant::now();
        match fault {
            Fault::Browser => {
                self.close().await?;
                self.open().await?;
            }
            Fault::Renderer => {
                self.tab()?.crash().await;
                self.tab()?.reopen(&self.servers.url()?).await?;
            }
            Fault::Worker => {
                // A page that has just been opened may not have started its worker yet.
                let tab = self.tab()?;
                wait::until("a worker to kill", async || Ok(tab.kill_worker().await?.then_some(()))).await?;
            }
            Fault::Reload => {
                // A page that has just been opened may not be there yet.
                let tab = self.tab()?;
                wait::until("a page to reload", async || tab.reload().await.map(Some)).await?;
            }
            Fault::Cut => self.servers.fault(&json!({"disconnect": 0})).await?,
            Fault::Torn => self.servers.fault(&json!({"tear": 1})).await?,
        }
        *self.tally.faults.entry(fault).or_default() += 1;
        tracing::info!(%fault, took = ?began.elapsed(), waiting = self.servers.waiting_for(ALICE).await?, "injected");
        Ok(())
    }

    async fn open(&mut self) -> Result<()> {
        ensure!(self.browser.is_none(), "a browser is open");
        self.opened += 1;
        let browser = Chromium::start(self.profile.path(), &self.log).await?;
        let tab = browser.open(&self.servers.url()?).await?;
        self.browser = Some((browser, tab));
        Ok(())
    }

    /// Kills the browser and starts no other.
    async fn close(&mut self) -> Result<()> {
        match self.browser.take() {
            Some((mut browser, _)) => browser.kill().await,
            None => Ok(()),
        }
    }

    fn tab(&self) -> Result<Tab> {
        Ok(self.browser.as_ref().context("no browser is open")?.1.clone())
    }

    /// Runs an action of `person.js` that may be repeated: a document that is unloaded in the middle is no failure.
    async fn person(&self, action: &str) -> Result<Value> {
        let tab = self.tab()?;
        wait::until(action, async || tab.person(action).await.map(Some)).await
    }

    async fn phones_write(&mut self, from: usize, to: usize) -> Result<()> {
        for phone in 0..WRITERS {
            let texts: Vec<String> = (from..to).map(|count| format!("phone {phone}, text {count}")).collect();
            self.servers.phone_writes_all(&number(phone), ALICE, &texts).await?;
        }
        Ok(())
    }

    fn next_text(&mut self, phone: usize) -> String {
        let entered = self.entered.entry(phone).or_default();
        let text = format!("to phone {phone}, text {}", entered.len());
        entered.push(text.clone());
        text
    }

    /// The texts to this phone that the page has shown at any time.
    fn painted_for(&self, phone: usize) -> impl Iterator<Item = &String> {
        self.entered.get(&phone).into_iter().flatten().filter(|text| self.painted.contains(*text))
    }

    async fn until_waiting(&self, what: &str, enough: impl Fn(u64) -> bool) -> Result<()> {
        let look = async || Ok(enough(self.servers.waiting_for(ALICE).await?).then_some(()));
        wait::until_within(SETTLE, what, look).await
    }
}

fn pairs(read: &Value) -> Result<Vec<(String, String)>> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let Value::Array(items) = read else { bail!("{read}") };
    items.iter().map(|item| text(&item[0]).zip(text(&item[1])).with_context(|| item.to_string())).collect()
}
