//! One browser with a profile of its own, which outlives the browser process: it can be closed and opened again.
//!
//! What this module does not know: the page. It does know what the page complains about: console errors, uncaught
//! exceptions and violations of the content security policy.

use crate::driver::Driver;
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::path::Path;
use tempfile::TempDir;
use thirtyfour::{
    ChromiumLikeCapabilities, DesiredCapabilities, LoggingPrefsLogLevel, WebDriver,
    common::capabilities::firefox::FirefoxPreferences,
};

/// Keeps Chromium off the network and without background activity.
pub const CHROMIUM: [&str; 12] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
    "--lang=en-US",
    "--window-size=1280,800",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1, EXCLUDE localhost",
];

/// Which browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// Debian's Chromium through chromedriver.
    Chromium,
    /// Firefox ESR through geckodriver.
    Firefox,
}

/// A browser under control.
pub struct Browser {
    engine: Engine,
    profile: TempDir,
    session: Option<(Driver, WebDriver)>,
    /// Complaints that this test provokes: a message that contains one of them is not held against the page.
    expected: Vec<String>,
    seen_lines: usize,
    complaints: Vec<String>,
    /// The push service that Firefox uses instead of Mozilla's.
    push_service: Option<String>,
}

impl Browser {
    /// Opens a browser with an empty profile.
    ///
    /// # Errors
    /// If browser or driver is missing or does not start; says which.
    pub async fn open(engine: Engine) -> Result<Self> {
        Self::begin(engine, None).await
    }

    /// Opens a Firefox that may show notifications, and that a push service on this machine wakes: `ws://…`.
    ///
    /// # Errors
    /// As for [`Self::open`].
    pub async fn open_with_push(push_service: String) -> Result<Self> {
        Self::begin(Engine::Firefox, Some(push_service)).await
    }

    async fn begin(engine: Engine, push_service: Option<String>) -> Result<Self> {
        let mut browser = Self {
            engine,
            profile: tempfile::tempdir()?,
            session: None,
            expected: Vec::new(),
            seen_lines: 0,
            complaints: Vec::new(),
            push_service,
        };
        browser.reopen().await?;
        Ok(browser)
    }

    /// Opens the browser again with the same profile, after [`Self::close`].
    ///
    /// # Errors
    /// As for [`Self::open`].
    pub async fn reopen(&mut self) -> Result<()> {
        let (driver, session) = match self.engine {
            Engine::Chromium => chromium(self.profile.path()).await?,
            Engine::Firefox => firefox(self.profile.path(), self.push_service.as_deref()).await?,
        };
        self.seen_lines = 0;
        self.session = Some((driver, session));
        Ok(())
    }

    /// Closes the browser as a person would; the profile stays.
    ///
    /// # Errors
    /// If the browser is closed already or hangs.
    pub async fn close(&mut self) -> Result<()> {
        self.listen().await?;
        let (driver, session) = self.session.take().context("the browser is closed")?;
        session.quit().await?;
        drop(driver);
        Ok(())
    }

    /// Which browser this is.
    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// Whether it is open.
    pub fn is_open(&self) -> bool {
        self.session.is_some()
    }

    /// The WebDriver session.
    ///
    /// # Errors
    /// While the browser is closed.
    pub fn web(&self) -> Result<&WebDriver> {
        self.session.as_ref().map(|(_, session)| session).context("the browser is closed")
    }

    /// From now on, complaints that contain `text` are part of the test.
    pub fn expect(&mut self, text: &str) {
        self.expected.push(text.to_owned());
    }

    /// Sends a command of the DevTools protocol.
    ///
    /// # Errors
    /// In Firefox, which has no such protocol, and where Chromium refuses.
    pub async fn devtools(&self, method: &str, parameters: Value) -> Result<Value> {
        Ok(self.web()?.cdp().send_raw(method, parameters).await?)
    }

    /// Shows the page as on a screen of this size and in this colour scheme, without motion.
    ///
    /// # Errors
    /// In Firefox.
    pub async fn look(&self, width: u32, height: u32, scheme: &str) -> Result<()> {
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.devtools("Emulation.setDeviceMetricsOverride", size).await?;
        let features = json!([
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]);
        self.devtools("Emulation.setEmulatedMedia", json!({ "features": features })).await?;
        Ok(())
    }

    /// Collects the complaints of the open tab since the last call; call it before leaving a tab.
    ///
    /// # Errors
    /// If the browser does not answer.
    pub async fn listen(&mut self) -> Result<()> {
        let Some((driver, session)) = &self.session else { return Ok(()) };
        let new = match self.engine {
            Engine::Chromium => {
                let log = session.browser_log().await?;
                log.into_iter().filter(|entry| entry.level == "SEVERE").map(|entry| entry.message).collect()
            }
            Engine::Firefox => {
                let output = driver.output();
                let new: Vec<_> =
                    output.iter().skip(self.seen_lines).filter(|line| is_complaint(line)).cloned().collect();
                self.seen_lines = output.len();
                new
            }
        };
        self.complaints.extend(new);
        Ok(())
    }

    /// Fails with every complaint that no test expected.
    ///
    /// # Errors
    /// The complaints, one a line.
    pub async fn must_be_silent(&mut self) -> Result<()> {
        self.listen().await?;
        let expected = &self.expected;
        self.complaints.retain(|complaint| !expected.iter().any(|text| complaint.contains(text)));
        if self.complaints.is_empty() {
            return Ok(());
        }
        bail!("the page complained:\n{}", self.complaints.join("\n"))
    }
}

async fn chromium(profile: &Path) -> Result<(Driver, WebDriver)> {
    let driver = Driver::start("chromedriver", &["--port=0"], "successfully on port ").await?;
    let mut wanted = DesiredCapabilities::chrome();
    for argument in CHROMIUM {
        wanted.add_arg(argument)?;
    }
    wanted.add_arg(&format!("--user-data-dir={}", profile.display()))?;
    wanted.set_browser_log_level(LoggingPrefsLogLevel::All)?;
    let session = WebDriver::new(&driver.url, wanted).await.context("Chromium did not start")?;
    Ok((driver, session))
}

async fn firefox(profile: &Path, push_service: Option<&str>) -> Result<(Driver, WebDriver)> {
    let arguments = ["--port", "0", "--websocket-port", "0"];
    let driver = Driver::start("geckodriver", &arguments, "Listening on 127.0.0.1:").await?;
    let mut preferences = FirefoxPreferences::new();
    // Console and uncaught errors go to the browser's output, where `listen` reads them.
    preferences.set("devtools.console.stdout.content", true)?;
    preferences.set("browser.dom.window.dump.enabled", true)?;
    preferences.set("javascript.options.showInConsole", true)?;
    preferences.set("intl.accept_languages", "en-US")?;
    preferences.set("network.proxy.type", 0)?;
    if let Some(push_service) = push_service {
        preferences.set("dom.push.serverURL", push_service)?;
        preferences.set("dom.push.testing.allowInsecureServerURL", true)?;
        preferences.set("dom.push.connection.enabled", true)?;
        preferences.set("dom.push.userAgentID", "")?;
        preferences.set("permissions.default.desktop-notification", 1)?;
        // There is no desktop.
        preferences.set("alerts.useSystemBackend", false)?;
    }
    let mut wanted = DesiredCapabilities::firefox();
    wanted.set_preferences(preferences)?;
    wanted.add_arg("-headless")?;
    wanted.add_arg("-profile")?;
    wanted.add_arg(&profile.display().to_string())?;
    let session = WebDriver::new(&driver.url, wanted).await.context("Firefox did not start")?;
    Ok((driver, session))
}

/// Firefox prints the page's errors among those of its own components, which begin with the component's name or its
/// file.
fn is_complaint(line: &str) -> bool {
    let ours = line.contains("http://127.0.0.1");
    let uncaught = ours && (line.contains("JavaScript error:") || line.contains("Content-Security-Policy"));
    let logged = line.strip_prefix("console.error: ");
    uncaught || logged.is_some_and(|text| !text.trim_end().ends_with(':') && !text.contains("resource://"))
}

#[cfg(test)]
mod tests {
    use super::is_complaint;

    #[test]
    fn errors_of_the_page_are_distinguished_from_those_of_the_browser() {
        assert!(is_complaint("console.error: \"a bite\""));
        assert!(is_complaint("JavaScript error: http://127.0.0.1:8100/boot.js, line 3: TypeError: x"));
        assert!(!is_complaint("console.error: RSLoader: "));
        assert!(!is_complaint(
            "console.error: [Exception... location: JS frame :: resource:///modules/Favicon.sys.mjs]"
        ));
        assert!(!is_complaint("JavaScript error: resource://gre/modules/Sync.sys.mjs, line 3: NetworkError"));
    }
}
