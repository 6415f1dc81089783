//! The partner server: what a messaging provider runs so that its users can reach WhatsApp.
//!
//! It signs people in, vouches for their identifiers with short-lived tokens whose keys it publishes, tells the client
//! where WhatsApp is and which root to trust, and serves the client under a strict content security policy. What it
//! does not know: any message, any key of a client, or whom anyone writes to.
//!
//! ```text
//! config    every option, checked
//! store     the database: SQLite or PostgreSQL
//! sign_in   identifiers, passwords, passkeys, OpenID Connect, sessions, current devices
//! keys      private keys in the database, sealed
//! identity  identity tokens and the keys that sign them
//! push      whom to wake, for WhatsApp, through the browsers' push services
//! relay     the clients' connections to the chat server, byte for byte
//! media     files that WhatsApp fetches
//! http      paths, refusals, headers, the client's files
//! serve     connections
//! tls       certificates
//! metrics   what is counted
//! admin     what an operator does
//! maintenance    what is done beside answering
//! ```

mod admin;
mod clock;
mod config;
mod http;
mod identity;
mod keys;
mod maintenance;
mod media;
mod metrics;
mod push;
mod rate;
mod relay;
mod serve;
mod sign_in;
mod store;
mod tls;

pub use admin::{Admin, KeySummary, StorageSummary, SubscriptionSummary, UserSummary};
pub use config::{
    Config, ConfigError, ENVIRONMENT_PREFIX, LimitsConfig, LoadError, MediaConfig, OidcConfig, PushConfig, RelayConfig,
    Secret, Settings, SignInConfig, TokenConfig, WhatsAppConfig,
};
pub use http::ClientError;
pub use keys::KeyError;
pub use media::{MediaStoreError, SweepError};
pub use push::OutboundError;
pub use relay::RelayError;
pub use store::StoreError;
pub use tls::TlsError;

use config::PushSettings;
use http::{App, ClientFiles, Limits, Push};
use identity::{TokenKeys, key_files};
use keys::Seal;
use maintenance::Maintenance;
use media::Media;
use metrics::Metrics;
use push::{Delivery, KeySource, VapidKeys, Verifier, outbound};
use relay::{Enlistment, Relay};
use sign_in::{Accounts, BuiltIn, OpenId, Passkeys, Passwords};
use std::{
    fs, io,
    net::SocketAddr,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use store::{Database, DatabaseLocation};
use tls::Tls;
use tokio::{
    net::TcpListener,
    sync::{oneshot, watch},
    task::JoinHandle,
    time,
};

/// The server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}. Is another server running there? Change `{option}` otherwise")]
    Listen {
        /// The option that says so.
        option: &'static str,
        /// The configured address.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// The data folder cannot be made.
    #[error("the data folder {}: {source}. Change `data_dir` or its owner", path.display())]
    DataFolder {
        /// The folder.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The database cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The signing keys cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Requests to other servers cannot be made.
    #[error(transparent)]
    Outbound(#[from] OutboundError),
    /// The client's files cannot be read.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// Argon2id refuses the configured cost.
    #[error("sign_in.hash_memory_kib and hash_passes: {0}")]
    PasswordCost(argon2::password_hash::Error),
    /// The OpenID provider's address or the HTTP client cannot be used.
    #[error("oidc.issuer: {0}")]
    OpenId(String),
    /// Certificate or key cannot be used.
    #[error("tls_cert and tls_key: {0}")]
    Tls(#[from] TlsError),
    /// The chat server could never be reached.
    #[error(transparent)]
    Relay(#[from] RelayError),
    /// Enlistments could never be handed on.
    #[error("relay.enlist_url: {0}")]
    Enlistment(reqwest::Error),
    /// The place for media cannot be used.
    #[error(transparent)]
    Media(#[from] MediaStoreError),
}

/// The partner server, to be started in a program of one's own.
#[derive(Debug)]
pub struct Server;

/// A server that accepts connections. Dropping it stops it as [`Running::stop`] does, without waiting.
#[derive(Debug)]
pub struct Running {
    /// Where it listens: the port that was found for port 0.
    pub addr: SocketAddr,
    /// Where metrics are, if anywhere.
    pub metrics_addr: Option<SocketAddr>,
    tls: Option<Tls>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Server {
    /// Checks the configuration, opens database and keys (making them at the first start), and accepts connections.
    ///
    /// # Errors
    /// A [`StartError`] that names the option to change.
    pub async fn start(config: Config) -> Result<Running, StartError> {
        let (listener, addr) = listen("listen", config.listen).await?;
        let settings = Settings::check(config, addr)?;
        let (metrics_listener, metrics_addr) = match settings.metrics_listen {
            None => (None, None),
            Some(address) => {
                let (listener, addr) = listen("metrics_listen", address).await?;
                (Some(listener), Some(addr))
            }
        };
        let timeouts = serve::Timeouts {
            connections: settings.limits.connections,
            headers: Duration::from_secs(settings.limits.request_seconds),
            write: Duration::from_secs(settings.limits.write_seconds),
            shutdown: Duration::from_secs(settings.limits.shutdown_seconds),
        };
        let drain = Duration::from_secs(settings.limits.drain_seconds);
        // Read a moment ago, when the settings were checked.
        let tls = settings.tls.clone().map(Tls::open).transpose()?;
        let app = Arc::new(open(settings).await?);
        let maintenance = Maintenance::begin(app.clone());
        let (stop, stopped) = oneshot::channel();
        let (close, closing) = watch::channel(false);
        let serving = serve::serve(listener, tls.clone(), http::router(app.clone()), timeouts, closing.clone());
        let metrics = metrics_listener.map(|listener| {
            let router = http::metrics_router(app.metrics.clone());
            serve::serve(listener, None, router, timeouts, closing)
        });
        let task = tokio::spawn(async move {
            let stopping = async {
                // A dropped sender stops as well: nobody is left who could.
                let _ = stopped.await;
                app.draining.store(true, Ordering::Relaxed);
                time::sleep(drain).await;
                let _ = close.send(true);
                if let Some(relay) = &app.relay
                    && time::timeout(timeouts.shutdown, relay.close()).await.is_err()
                {
                    tracing::warn!("relayed connections were still open when their time was up");
                }
            };
            let metrics = async {
                if let Some(metrics) = metrics {
                    metrics.await;
                }
            };
            tokio::join!(serving, metrics, stopping);
            maintenance.end(timeouts.shutdown).await;
            app.store.close().await;
        });
        Ok(Running { addr, metrics_addr, tls, stop, task })
    }
}

async fn listen(option: &'static str, address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let at = |source| StartError::Listen { option, address, source };
    let listener = TcpListener::bind(address).await.map_err(at)?;
    let addr = listener.local_addr().map_err(at)?;
    Ok((listener, addr))
}

impl Running {
    /// Reads certificate and key again: connections from now on get them. Blocking.
    ///
    /// # Errors
    /// What is wrong with the files; the certificate stays what it was.
    pub fn reload(&self) -> Result<(), TlsError> {
        self.tls.as_ref().map_or(Ok(()), Tls::reload)
    }

    /// Lets requests under way finish (for `limits.shutdown_seconds`), closes the database, and returns.
    pub async fn stop(self) {
        let _ = self.stop.send(());
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the server did not end well");
        }
    }
}

/// Opens everything that the handlers share.
async fn open(settings: Settings) -> Result<App, StartError> {
    let (store, keys, vapid) = open_kept(&settings).await?;
    let (keys, vapid) = (Arc::new(keys), Arc::new(vapid));
    // File reading and a trial hash take a moment; at the start there is nobody to keep waiting.
    let client = settings.client_dir.as_deref().map(ClientFiles::read).transpose()?;
    let accounts = match settings.open_id.clone() {
        Some(open_id) => {
            let open_id = OpenId::new(open_id, &settings.public_origin);
            Accounts::OpenId(Box::new(open_id.map_err(|error| StartError::OpenId(error.to_string()))?))
        }
        None => Accounts::BuiltIn(Box::new(BuiltIn {
            passwords: Passwords::new(&settings.sign_in).map_err(StartError::PasswordCost)?,
            passkeys: Passkeys::new(&settings.public_origin, &settings.partner_name),
        })),
    };
    let limits = Limits::new(&settings);
    let push = open_push(&settings.push, &store, vapid)?;
    let metrics = Metrics::new(push.delivery.counters().clone());
    let relay = settings.relay.clone().map(|relay| Relay::new(relay, metrics.relay.clone())).transpose()?;
    let enlistment = settings.relay_enlist_url.clone().map(Enlistment::new).transpose();
    let enlistment = enlistment.map_err(StartError::Enlistment)?;
    let media = Media::open(settings.media.clone(), store.clone(), metrics.media.clone())?;
    let draining = AtomicBool::new(false);
    Ok(App { settings, store, accounts, keys, push, client, limits, metrics, relay, enlistment, media, draining })
}

/// Opens the database and the keys in it, making them at the first start.
async fn open_kept(settings: &Settings) -> Result<(Database, TokenKeys, VapidKeys), StartError> {
    let at = |source| StartError::DataFolder { path: settings.data_dir.clone(), source };
    let file = settings.data_dir.join("partner.db");
    let location = match &settings.database_url {
        Some(url) => DatabaseLocation::Postgres(url.as_str()),
        None => {
            make_private(&settings.data_dir).and_then(|()| touch_private(&file)).map_err(at)?;
            DatabaseLocation::Sqlite(&file)
        }
    };
    let seal = Arc::new(Seal::open(&settings.sealing_secret)?);
    let store = Database::open(location).await?;
    let now = clock::unix_seconds();
    let files = settings.data_dir.join("keys");
    let keys = TokenKeys::open(store.clone(), seal.clone(), now, move || key_files(&files)).await?;
    let vapid = VapidKeys::open(store.clone(), seal, now, || Ok(Vec::new())).await?;
    Ok((store, keys, vapid))
}

fn open_push(settings: &PushSettings, store: &Database, keys: Arc<VapidKeys>) -> Result<Push, StartError> {
    let client = outbound(settings.proxy.as_ref())?;
    let source = KeySource::new(client.clone(), settings.jwks_url.clone(), settings.jwks_cache, settings.jwks_pause);
    let verifier = Verifier {
        issuer: settings.issuer.clone(),
        audience: settings.audience.clone(),
        leeway: settings.leeway,
        lifetime: settings.lifetime,
        single_use: settings.single_use,
        keys: source,
    };
    let services = settings.services.clone();
    let contact = settings.contact.clone();
    let delivery = Delivery::new(store.clone(), keys.clone(), services.clone(), contact, client)?;
    Ok(Push { keys, services, verifier, delivery: Arc::new(delivery) })
}

/// Makes a folder for its owner's eyes only, whatever the umask; one that is there keeps its permissions.
fn make_private(folder: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// The same for the database's file. SQLite gives its journals the database's permissions.
fn touch_private(file: &Path) -> io::Result<()> {
    fs::OpenOptions::new().append(true).create(true).mode(0o600).open(file).map(drop)
}
