//! One Chromium on a profile that outlives every kill, controlled without a driver program.
//!
//! What this module does not know: when to kill, and what the page is. `person.js` knows the page, as a person does.

use crate::browser::CHROMIUM;
use crate::devtools::{Devtools, PageLog, REPORT};
use crate::wait;
use anyhow::{Context, Result, bail};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use serde_json::{Value, json};
use std::{path::Path, process::Stdio, time::Duration};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

/// Longest time for a browser to start on a busy machine.
const START: Duration = Duration::from_secs(60);
/// A renderer that crashes reports it within this time, or not at all.
const CRASH_REPORT: Duration = Duration::from_millis(500);
/// A tab with a renderer answers within this time.
const NEW_RENDERER: Duration = Duration::from_secs(5);
/// The actions of a person, put into every document of the page.
const PERSON: &str = include_str!("person.js");

/// A running browser.
pub struct Chromium {
    process: Child,
    devtools: Devtools,
}

/// A tab. Every method fails once the browser is gone.
#[derive(Clone)]
pub struct Tab {
    devtools: Devtools,
    target: String,
    session: String,
}

impl Chromium {
    /// Starts the browser on a profile. What its pages log goes to `log`.
    ///
    /// # Errors
    /// If Chromium is missing or does not start.
    pub async fn start(profile: &Path, log: &PageLog) -> Result<Self> {
        let mut process = Command::new("chromium")
            .args(CHROMIUM)
            .arg("--remote-debugging-port=0")
            .arg(format!("--user-data-dir={}", profile.display()))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            // A group of its own: one signal kills the browser, its renderers and its storage process.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .context("cannot start chromium: run `make test`, which installs it")?;
        let mut lines = BufReader::new(process.stderr.take().context("no output")?).lines();
        let announced = async {
            while let Some(line) = lines.next_line().await? {
                if let Some((_, address)) = line.split_once("DevTools listening on ") {
                    return Ok(address.trim().to_owned());
                }
            }
            bail!("Chromium ended before it began")
        };
        let address = tokio::time::timeout(START, announced).await.context("Chromium did not start")??;
        // A full pipe would stop the browser.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(Self { process, devtools: Devtools::connect(&address, log.clone()).await? })
    }

    /// Opens `url` in a new tab.
    ///
    /// # Errors
    /// If the browser is gone.
    pub async fn open(&self, url: &str) -> Result<Tab> {
        let made = self.devtools.send(None, "Target.createTarget", json!({ "url": "about:blank" })).await?;
        let tab = self.attach(text(&made["targetId"])?).await?;
        tab.go(url).await?;
        Ok(tab)
    }

    /// Sends a DevTools command to whatever the session is attached to, a worker for instance.
    ///
    /// # Errors
    /// If the browser is gone or refuses.
    pub async fn send(&self, session: &str, method: &str, params: Value) -> Result<Value> {
        self.devtools.send(Some(session), method, params).await
    }

    /// Sends a DevTools command to the browser itself.
    ///
    /// # Errors
    /// If the browser is gone or refuses.
    pub async fn ask(&self, method: &str, params: Value) -> Result<Value> {
        self.devtools.send(None, method, params).await
    }

    async fn attach(&self, target: String) -> Result<Tab> {
        let wanted = json!({ "targetId": target, "flatten": true });
        let attached = self.devtools.send(None, "Target.attachToTarget", wanted).await?;
        let tab = Tab { devtools: self.devtools.clone(), target, session: text(&attached["sessionId"])? };
        tab.prepare().await?;
        Ok(tab)
    }

    /// Closes the browser as a person does: what it buffers, such as cookies for up to half a minute, is written to
    /// disk.
    ///
    /// # Errors
    /// If the process cannot be waited for.
    pub async fn close(&mut self) -> Result<()> {
        // The browser may end before it answers.
        let _ = self.devtools.send(None, "Browser.close", json!({})).await;
        self.process.wait().await?;
        Ok(())
    }

    /// Stops the browser's own process, where its storage is written; pages and network go on without it until the
    /// kill.
    ///
    /// # Errors
    /// If there is nothing to stop.
    pub fn hang(&self) -> Result<()> {
        Ok(kill_process(self.group()?, Signal::STOP)?)
    }

    fn group(&self) -> Result<Pid> {
        let leader = self.process.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        leader.context("the browser has no process")
    }

    /// SIGKILL to the whole process group.
    ///
    /// # Errors
    /// If there is nothing to kill.
    pub async fn kill(&mut self) -> Result<()> {
        kill_process_group(self.group()?, Signal::KILL)?;
        self.process.wait().await?;
        Ok(())
    }
}

impl Tab {
    async fn prepare(&self) -> Result<()> {
        let children = json!({ "autoAttach": true, "waitForDebuggerOnStart": false, "flatten": true });
        self.page("Target.setAutoAttach", children).await?;
        for domain in ["Page.enable", "Runtime.enable", "Log.enable"] {
            self.page(domain, json!({})).await?;
        }
        self.page("Runtime.addBinding", json!({ "name": REPORT })).await?;
        self.page("Page.addScriptToEvaluateOnNewDocument", json!({ "source": PERSON, "runImmediately": true })).await?;
        Ok(())
    }

    /// The DevTools session, by which events name this tab.
    pub fn session(&self) -> &str {
        &self.session
    }

    /// Sends a DevTools command to the tab.
    ///
    /// # Errors
    /// If the browser is gone or refuses.
    pub async fn page(&self, method: &str, params: Value) -> Result<Value> {
        self.devtools.send(Some(&self.session), method, params).await
    }

    /// Goes to an address.
    ///
    /// # Errors
    /// If the browser is gone, or nothing answers there.
    pub async fn go(&self, url: &str) -> Result<()> {
        let went = self.page("Page.navigate", json!({ "url": url })).await?;
        match went["errorText"].as_str() {
            Some(error) => bail!("{url}: {error}"),
            None => Ok(()),
        }
    }

    /// Goes back, as the browser's button does. The document is unloaded after the expression has ended, or its result
    /// would be lost with it.
    ///
    /// # Errors
    /// If the browser is gone.
    pub async fn back(&self) -> Result<()> {
        let later = json!({ "expression": "void setTimeout(() => history.back())" });
        self.page("Runtime.evaluate", later).await.map(drop)
    }

    /// Evaluates an expression over `person.js` and awaits its result.
    ///
    /// # Errors
    /// If it throws, or the document is unloaded meanwhile.
    pub async fn person(&self, action: &str) -> Result<Value> {
        let asked = json!({ "expression": action, "awaitPromise": true, "returnByValue": true });
        let mut done = self.page("Runtime.evaluate", asked).await?;
        if !done["exceptionDetails"].is_null() {
            bail!("{action}: {}", done["exceptionDetails"]);
        }
        Ok(done["result"]["value"].take())
    }

    /// Reloads the tab.
    ///
    /// # Errors
    /// If the browser is gone.
    pub async fn reload(&self) -> Result<()> {
        self.page("Page.reload", json!({})).await.map(drop)
    }

    /// Closes the tab.
    ///
    /// # Errors
    /// If the browser is gone.
    pub async fn close(&self) -> Result<()> {
        self.devtools.send(None, "Target.closeTarget", json!({ "targetId": self.target })).await.map(drop)
    }

    /// Crashes the tab's renderer, with the page and its worker in it.
    pub async fn crash(&self) {
        // The connection may end before the answer.
        let _ = tokio::time::timeout(CRASH_REPORT, self.page("Page.crash", json!({}))).await;
    }

    /// Opens `url` again in a tab that has crashed, and waits until it has a renderer: commands sent before get no
    /// answer. A page that crashes before it has loaded leaves nothing to reload.
    ///
    /// # Errors
    /// If it gets none within the time-out.
    pub async fn reopen(&self, url: &str) -> Result<()> {
        wait::until("a new renderer", async || {
            // Repeated: on a busy machine the crash may come after the reload.
            let went = tokio::time::timeout(NEW_RENDERER, self.go(url)).await;
            let asked = self.page("Runtime.evaluate", json!({ "expression": "location.href", "returnByValue": true }));
            let asked = tokio::time::timeout(NEW_RENDERER, asked).await;
            let at = asked.ok().and_then(Result::ok).map(|answer| answer["result"]["value"].clone());
            let there = at.is_some_and(|at| at.as_str().is_some_and(|at| at.starts_with(url)));
            Ok((went.is_ok() && there).then_some(()))
        })
        .await
    }

    /// Terminates every worker of the page, once it has started: the page cannot distinguish one that was terminated
    /// before from one that is slow to start. Returns whether there was one.
    ///
    /// # Errors
    /// If the browser is gone.
    pub async fn kill_worker(&self) -> Result<bool> {
        let begun =
            "navigator.locks.query().then(({ held }) => held.some(({ name }) => name.startsWith('causeway-worker-')))";
        if self.person(begun).await? != json!(true) {
            return Ok(false);
        }
        // `Runtime.queryObjects` found them until page and worker became one program; since then it gave no answer in 60 s.
        let ended = self.person("personsWorkers.splice(0).map((worker) => worker.terminate()).length").await?;
        Ok(ended.as_u64() > Some(0))
    }

    /// A picture of the page, PNG.
    ///
    /// # Errors
    /// If the browser is gone.
    pub async fn picture(&self) -> Result<Vec<u8>> {
        let taken = self.page("Page.captureScreenshot", json!({})).await?;
        BASE64.decode(text(&taken["data"])?).context("no base64")
    }
}

fn text(value: &Value) -> Result<String> {
    Ok(value.as_str().context("Chromium answered without an id")?.to_owned())
}
