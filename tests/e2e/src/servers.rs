//! The servers of one test: sandbox and partner server, each the real library on ports of its own.
//!
//! What this module does not know: browsers.

use crate::{ports::free_address, wait};
use anyhow::{Context, Result, bail, ensure};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use causeway_gatekeeper::{Config as GatekeeperConfig, Gatekeeper, Integrator};
use causeway_partner::{Config as PartnerConfig, Server};
use serde_json::{Value, json};
use sha2::{Digest, Sha384};
use std::{
    env, fs,
    path::{Path, PathBuf},
    time::Duration,
};
use tempfile::TempDir;

/// Number of the phone that answers with what one writes to it.
pub const ECHO: &str = "14155550100";

/// A change to a partner server's configuration.
pub type Change = Box<dyn FnOnce(&mut PartnerConfig)>;

/// How the servers of a test differ from what `make run` starts.
#[derive(Default)]
pub struct Setup {
    /// To the partner server's configuration.
    pub partner: Option<Change>,
    /// Base URL of the partner server whose JWKS the sandbox reads instead of this one's: `http://…`.
    pub trusted_partner: Option<String>,
}

/// Sandbox and partner server.
pub struct Servers {
    gatekeeper: Option<causeway_gatekeeper::Running>,
    gatekeeper_config: GatekeeperConfig,
    partner: Option<causeway_partner::Running>,
    partner_config: PartnerConfig,
    http: reqwest::Client,
    data: TempDir,
}

impl Servers {
    /// Starts both.
    ///
    /// # Errors
    /// If the client is not built, or a server does not start.
    pub async fn start(setup: Setup) -> Result<Self> {
        let data = tempfile::tempdir()?;
        let partner_at = free_address()?;
        let url = setup.trusted_partner.unwrap_or_else(|| format!("http://{partner_at}"));
        let gatekeeper_config = GatekeeperConfig {
            listen: free_address()?,
            tcp_listen: free_address()?,
            push_listen: free_address()?,
            data: data.path().join("gatekeeper"),
            integrators: vec![Integrator { id: 1, url, audience: "whatsapp".to_owned() }],
            echo: Some(ECHO.to_owned()),
            ..GatekeeperConfig::default()
        };
        let gatekeeper = Gatekeeper::start(gatekeeper_config.clone()).await?;
        let mut config = partner_config(data.path());
        config.listen = partner_at;
        config.client_dir = Some(client()?);
        config.whatsapp.enlist_url = Some(format!("http://{}/3p/interop_reg", gatekeeper.http_addr));
        config.whatsapp.chat_url = Some(format!("ws://{}/ws/chat", gatekeeper.http_addr));
        config.whatsapp.root_key = Some(gatekeeper.root_key.iter().map(|byte| format!("{byte:02x}")).collect());
        config.push.jwks_url = format!("http://{}/.well-known/jwks", gatekeeper.http_addr);
        config.push.services = vec![format!("http://{}", gatekeeper.push_addr)];
        if let Some(change) = setup.partner {
            change(&mut config);
        }
        let partner = Server::start(config.clone()).await?;
        let http = reqwest::Client::builder().no_proxy().timeout(wait::TIMEOUT).build()?;
        Ok(Self {
            gatekeeper: Some(gatekeeper),
            gatekeeper_config,
            partner: Some(partner),
            partner_config: config,
            http,
            data,
        })
    }

    /// The page's address.
    ///
    /// # Errors
    /// After [`Self::stop`].
    pub fn url(&self) -> Result<String> {
        Ok(format!("http://{}/", self.partner.as_ref().context("the partner server is stopped")?.addr))
    }

    /// Restarts the partner server, at the same address, with another release of the client: in its index.html, one
    /// text is replaced by another. The service worker names the release's files, as the build does.
    ///
    /// # Errors
    /// If the text is not there, or the server does not start.
    pub async fn release(&mut self, old: &str, other: &str) -> Result<()> {
        let partner = self.partner.take().context("the partner server is stopped")?;
        partner.stop().await;
        let folder = self.data.path().join("release");
        copy(&client()?, &folder)?;
        let index = fs::read_to_string(folder.join("index.html"))?;
        ensure!(index.contains(old), "index.html holds no {old}");
        let changed = index.replace(old, other);
        let worker = fs::read_to_string(folder.join("service-worker.js"))?;
        let worker = worker.replace(&integrity(index.as_bytes()), &integrity(changed.as_bytes()));
        // The name of the release is a digest of what it is made of; any other will do.
        let (before, rest) = worker.split_once("\"release\":\"").context("no release in service-worker.js")?;
        let (_, rest) = rest.split_once('"').context("no release in service-worker.js")?;
        fs::write(folder.join("service-worker.js"), format!("{before}\"release\":\"another\"{rest}"))?;
        fs::write(folder.join("index.html"), changed)?;
        for copy in ["index.html.br", "index.html.gz"] {
            fs::remove_file(folder.join(copy))?;
        }
        let mut config = self.partner_config.clone();
        config.client_dir = Some(folder);
        self.partner = Some(Server::start(config).await?);
        Ok(())
    }

    /// Rotates the partner server's VAPID key, as its operator does, and restarts it.
    ///
    /// # Errors
    /// If the key cannot be made, or the server does not start.
    pub async fn rotate_vapid(&mut self) -> Result<()> {
        let partner = self.partner.take().context("the partner server is stopped")?;
        partner.stop().await;
        let admin = causeway_partner::Admin::open(self.partner_config.clone()).await?;
        admin.rotate_vapid().await?;
        admin.close().await;
        self.partner = Some(Server::start(self.partner_config.clone()).await?);
        Ok(())
    }

    /// The names of the keys that the partner server's subscriptions were made for.
    ///
    /// # Errors
    /// If its database cannot be read.
    pub async fn subscription_keys(&self) -> Result<Vec<String>> {
        let admin = causeway_partner::Admin::open(self.partner_config.clone()).await?;
        let mut keys = Vec::new();
        let each = |one: causeway_partner::SubscriptionSummary| {
            keys.push(one.kid.as_str().to_owned());
            true
        };
        let read = admin.subscriptions(each).await;
        admin.close().await;
        read?;
        Ok(keys)
    }

    /// Where a browser connects to the sandbox's push service.
    pub fn push_service(&self) -> String {
        format!("ws://{}/", self.gatekeeper_config.push_listen)
    }

    /// State of the sandbox's push service: subscriptions, deliveries, rejections.
    ///
    /// # Errors
    /// If the sandbox does not answer.
    pub async fn pushes(&self) -> Result<Value> {
        self.look("push-service").await
    }

    /// Makes the push service drop every subscription, as after a loss of its data.
    ///
    /// # Errors
    /// If the sandbox refuses.
    pub async fn drop_subscriptions(&self) -> Result<()> {
        self.control("push-service/drop", &json!({})).await.map(drop)
    }

    /// Stops the sandbox; its state stays.
    pub async fn stop_gatekeeper(&mut self) {
        if let Some(gatekeeper) = self.gatekeeper.take() {
            gatekeeper.stop().await;
        }
    }

    /// Starts the sandbox again, at the same address, on the same state.
    ///
    /// # Errors
    /// If it does not start.
    pub async fn start_gatekeeper(&mut self) -> Result<()> {
        ensure!(self.gatekeeper.is_none(), "the sandbox runs");
        self.gatekeeper = Some(Gatekeeper::start(self.gatekeeper_config.clone()).await?);
        Ok(())
    }

    /// Stops both.
    pub async fn stop(&mut self) {
        self.stop_gatekeeper().await;
        if let Some(partner) = self.partner.take() {
            partner.stop().await;
        }
    }

    /// Makes a phone.
    ///
    /// # Errors
    /// If the sandbox refuses.
    pub async fn phone(&self, number: &str, name: &str) -> Result<()> {
        self.control("phones", &json!({"number": number, "name": name})).await.map(drop)
    }

    /// Makes a phone that is reached under other numbers, too.
    ///
    /// # Errors
    /// If the sandbox refuses.
    pub async fn phone_also(&self, number: &str, name: &str, also: &[&str]) -> Result<()> {
        self.control("phones", &json!({"number": number, "name": name, "also": also})).await.map(drop)
    }

    /// Has a phone write to `to`: a number, or a Partner user's identifier.
    ///
    /// # Errors
    /// If the sandbox refuses.
    pub async fn phone_writes(&self, number: &str, to: &str, text: &str) -> Result<()> {
        self.control(&format!("phones/{number}/send"), &json!({"to": to, "text": text})).await.map(drop)
    }

    /// Has a phone write many texts at once.
    ///
    /// # Errors
    /// If the sandbox refuses.
    pub async fn phone_writes_all(&self, number: &str, to: &str, texts: &[String]) -> Result<()> {
        self.control(&format!("phones/{number}/send_all"), &json!({"to": to, "texts": texts})).await.map(drop)
    }

    /// Has a phone read everything, which sends read receipts.
    ///
    /// # Errors
    /// If the sandbox refuses.
    pub async fn phone_reads(&self, number: &str) -> Result<()> {
        self.control(&format!("phones/{number}/read"), &json!({})).await.map(drop)
    }

    /// Switches a phone's connection on or off.
    ///
    /// # Errors
    /// If the sandbox refuses.
    pub async fn switch_phone(&self, number: &str, on: bool) -> Result<()> {
        let word = if on { "online" } else { "offline" };
        self.control(&format!("phones/{number}/{word}"), &json!({})).await.map(drop)
    }

    /// Sets faults of the sandbox.
    ///
    /// # Errors
    /// If the sandbox refuses.
    pub async fn fault(&self, fault: &Value) -> Result<()> {
        self.control("faults", fault).await.map(drop)
    }

    /// Waits until a phone has received `text`; returns how often.
    ///
    /// # Errors
    /// If it never does.
    pub async fn phone_received(&self, number: &str, text: &str) -> Result<usize> {
        wait::until(&format!("{number} receive {text:?}"), async || {
            let count = self.received(number).await?.iter().filter(|received| *received == text).count();
            Ok((count > 0).then_some(count))
        })
        .await
    }

    /// Every text that a phone has received.
    ///
    /// # Errors
    /// If the sandbox does not answer.
    pub async fn received(&self, number: &str) -> Result<Vec<String>> {
        let entries = self.entries(number).await?;
        let received = entries.iter().filter(|entry| entry["from_me"] == json!(false));
        Ok(received.filter_map(|entry| entry["text"].as_str().map(str::to_owned)).collect())
    }

    /// Everything that a phone shows, as the control API lists it.
    ///
    /// # Errors
    /// If the sandbox does not answer.
    pub async fn entries(&self, number: &str) -> Result<Vec<Value>> {
        let mut answer = self.look(&format!("phones/{number}/messages")).await?;
        match answer["messages"].take() {
            Value::Array(entries) => Ok(entries),
            other => bail!("the sandbox lists no messages but {other}"),
        }
    }

    /// Every ciphertext of Partners' users as the sandbox received it, before any simulated loss.
    ///
    /// # Errors
    /// If the sandbox does not answer.
    pub async fn heard(&self) -> Result<Vec<Value>> {
        match self.look("heard").await? {
            Value::Array(heard) => Ok(heard),
            other => bail!("the sandbox lists no ciphertexts but {other}"),
        }
    }

    /// Keeps what the servers have on disk in `folder`, for looking at after a failure.
    ///
    /// # Errors
    /// If the disk refuses.
    pub fn keep_state(&self, folder: &Path) -> Result<()> {
        copy(self.data.path(), folder)
    }

    /// How many stanzas wait for the Partner's user.
    ///
    /// # Errors
    /// If the sandbox does not answer.
    pub async fn waiting_for(&self, identifier: &str) -> Result<u64> {
        self.user(identifier, "waiting").await?.as_u64().context("no count")
    }

    /// Whether the Partner's user is connected.
    ///
    /// # Errors
    /// If the sandbox does not answer.
    pub async fn is_online(&self, identifier: &str) -> Result<bool> {
        self.user(identifier, "online").await?.as_bool().context("no state")
    }

    /// Waits until the Partner's user is not connected.
    ///
    /// # Errors
    /// If the user stays connected, or the sandbox does not answer.
    pub async fn goes_offline(&self, identifier: &str) -> Result<()> {
        until(&format!("{identifier} offline"), async || Ok(!self.is_online(identifier).await?)).await
    }

    /// Which connection the Partner's user has; a later one has a higher number.
    ///
    /// # Errors
    /// If the sandbox does not answer.
    pub async fn connection_of(&self, identifier: &str) -> Result<Option<u64>> {
        Ok(self.user(identifier, "connection").await?.as_u64())
    }

    /// The address that the sandbox gave the Partner's user.
    ///
    /// # Errors
    /// If the sandbox does not answer.
    pub async fn address_of(&self, identifier: &str) -> Result<String> {
        Ok(self.user(identifier, "jid").await?.as_str().context("no address")?.to_owned())
    }

    /// Where the chat server listens, and the root key that vouches for it, as hex.
    ///
    /// # Errors
    /// If the sandbox is stopped.
    pub fn chat_server(&self) -> Result<(String, String)> {
        let gatekeeper = self.gatekeeper.as_ref().context("the sandbox is stopped")?;
        let root = gatekeeper.root_key.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok((format!("ws://{}/ws/chat", gatekeeper.http_addr), root))
    }

    async fn user(&self, identifier: &str, fact: &str) -> Result<Value> {
        let users = self.look("users").await?;
        let users = users.as_array().context("the sandbox lists no users")?;
        let user =
            users.iter().find(|user| user["identifier"] == identifier).context("the sandbox does not know them")?;
        Ok(user[fact].clone())
    }

    fn address(&self, path: &str) -> Result<String> {
        let gatekeeper = self.gatekeeper.as_ref().context("the sandbox is stopped")?;
        Ok(format!("http://{}/control/{path}", gatekeeper.http_addr))
    }

    async fn look(&self, path: &str) -> Result<Value> {
        Ok(self.http.get(self.address(path)?).send().await?.error_for_status()?.json().await?)
    }

    async fn control(&self, path: &str, body: &Value) -> Result<Value> {
        let answer = self.http.post(self.address(path)?).json(body).send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        if !status.is_success() {
            bail!("the sandbox refused {path}: {status} {text}");
        }
        Ok(serde_json::from_str(&text).unwrap_or(Value::Null))
    }
}

/// A partner server alone, whose keys a sandbox trusts instead of ours.
///
/// # Errors
/// If it does not start.
pub async fn another_partner(data: &Path) -> Result<causeway_partner::Running> {
    let mut config = partner_config(data);
    config.listen = free_address()?;
    config.whatsapp.root_key = Some("00".repeat(32));
    Ok(Server::start(config).await?)
}

fn partner_config(data: &Path) -> PartnerConfig {
    let mut config = PartnerConfig { data_dir: data.join("partner"), ..PartnerConfig::default() };
    // Passwords of a test protect nothing, and the processor is needed for browsers.
    config.sign_in.hash_memory_kib = 7_168;
    config.sign_in.hash_passes = 1;
    config.limits.shutdown_seconds = 1;
    config
}

/// The client's release build: `CAUSEWAY_DIST`, or `dist/` of the repository.
fn client() -> Result<PathBuf> {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../dist");
    let folder = env::var_os("CAUSEWAY_DIST").map_or(repository, PathBuf::from);
    let shown = folder.display();
    ensure!(folder.join("index.html").is_file(), "no client in {shown}: run `make build`, or set CAUSEWAY_DIST");
    Ok(folder)
}

/// As an `integrity` attribute has it.
fn integrity(bytes: &[u8]) -> String {
    format!("sha384-{}", BASE64.encode(Sha384::digest(bytes)))
}

/// Copies a folder with all that is in it.
///
/// # Errors
/// If the disk refuses.
pub fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else if entry.file_type()?.is_file() {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// Waits until `check` holds on the servers' side.
///
/// # Errors
/// If it never does.
pub async fn until(what: &str, mut check: impl AsyncFnMut() -> Result<bool>) -> Result<()> {
    wait::until_within(Duration::from_secs(60), what, async || Ok(check().await?.then_some(()))).await
}
