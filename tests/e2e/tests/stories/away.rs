//! A person who has closed the app, and whose service worker is installed: where stories of pushes begin.

use anyhow::Result;
use causeway_e2e::{
    chromium::{Chromium, Tab},
    devtools::PageLog,
    servers::{Servers, Setup},
    service_worker::ServiceWorker,
};
use serde_json::json;
use tempfile::TempDir;

pub(crate) const BOB: &str = "4915112345678";
pub(crate) const EVE: &str = "4915187654321";
/// Carla wrote to him before; he never writes.
pub(crate) const DAN: &str = "4915111111111";

/// Carla has written to Dan, allowed notifications, and closed the app.
pub(crate) struct Away {
    pub(crate) servers: Servers,
    pub(crate) browser: Chromium,
    log: PageLog,
    _profile: TempDir,
}

impl Away {
    pub(crate) async fn begin() -> Result<Self> {
        let servers = Servers::start(Setup::default()).await?;
        for (number, name) in [(BOB, "Bob"), (EVE, "Eve"), (DAN, "Dan")] {
            servers.phone(number, name).await?;
        }
        let (profile, log) = (tempfile::tempdir()?, PageLog::default());
        let browser = Chromium::start(profile.path(), &log).await?;
        let away = Self { servers, browser, log, _profile: profile };
        let tab = away.open().await?;
        tab.person("person.signUp('carla', 'correct horse battery')").await?;
        tab.person(&format!("person.write('{DAN}', ['hello'])")).await?;
        tab.person("navigator.serviceWorker.ready.then(() => true)").await?;
        away.leave(&tab).await?;
        Ok(away)
    }

    pub(crate) async fn open(&self) -> Result<Tab> {
        let tab = self.browser.open(&self.servers.url()?).await?;
        // Without a screen no tab has the focus by itself, and what nobody looks at is not read.
        tab.page("Emulation.setFocusEmulationEnabled", json!({ "enabled": true })).await?;
        Ok(tab)
    }

    pub(crate) async fn leave(&self, tab: &Tab) -> Result<()> {
        tab.close().await?;
        self.servers.goes_offline("carla").await
    }

    pub(crate) async fn worker(&self) -> Result<ServiceWorker<'_>> {
        let worker = ServiceWorker::of(&self.browser, &self.log, &self.servers.url()?).await?;
        worker.registered().await?;
        worker.stop().await?;
        Ok(worker)
    }

    pub(crate) async fn end(mut self) -> Result<()> {
        self.browser.close().await?;
        self.servers.stop().await;
        Ok(())
    }
}

/// The tag of Bob's notification.
pub(crate) fn bob() -> String {
    format!("chat:{BOB}@s.whatsapp.net")
}
