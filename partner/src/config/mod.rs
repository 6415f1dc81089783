//! Every option of the partner server: its name, its type, its default.
//!
//! What this module does not know: whether the values make sense together. [`Settings`] is the checked form that the
//! rest of the crate works with; `partner.example.toml` explains each option to the person who runs the server.

mod load;
mod media;
mod oidc;
mod push;
mod relay;
mod secret;
mod settings;

pub use load::{ENVIRONMENT_PREFIX, LoadError};
pub use media::MediaConfig;
pub use oidc::OidcConfig;
pub(crate) use oidc::OpenIdSettings;
pub use push::PushConfig;
pub(crate) use push::PushSettings;
pub use relay::RelayConfig;
pub use secret::Secret;
pub use settings::{ConfigError, Settings};
pub(crate) use settings::{ENLIST_PATH, RELAY_PATH, hex32, is_loopback};

use serde::Deserialize;
use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
};

/// The configuration as a person writes it: one TOML file, overridden by environment variables.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Address and port to listen on; port 0 takes any free one.
    pub listen: SocketAddr,
    /// The address that people type, scheme included. Without one: `http://` and the listening address.
    pub public_url: Option<String>,
    /// Folder for the database and the signing keys.
    pub data_dir: PathBuf,
    /// A PostgreSQL database instead of the file in `data_dir`; it may hold a password.
    pub database_url: Option<Secret>,
    /// What the keys in the database are sealed under, in hex: 32 bytes.
    pub secret: Option<Secret>,
    /// A file with the secret in hex, instead of `secret`; without either, one in `data_dir`.
    pub secret_file: Option<PathBuf>,
    /// Folder with the client's build; nothing is served without one.
    pub client_dir: Option<PathBuf>,
    /// Whether a reverse proxy stands in front and appends to `X-Forwarded-For`.
    pub behind_proxy: bool,
    /// The server's certificate chain (PEM); plain HTTP without one.
    pub tls_cert: Option<PathBuf>,
    /// Its private key (PEM).
    pub tls_key: Option<PathBuf>,
    /// Address and port for `GET /metrics`; nothing is served there without one.
    pub metrics_listen: Option<SocketAddr>,
    /// How the log is written: `text` or `json`.
    pub log_format: String,
    /// Accounts and sessions.
    pub sign_in: SignInConfig,
    /// Sign-in at an OpenID Connect provider instead of here.
    pub oidc: OidcConfig,
    /// Identity tokens.
    pub token: TokenConfig,
    /// Web Push, and who may ask for it.
    pub push: PushConfig,
    /// What the client must know to reach WhatsApp.
    pub whatsapp: WhatsAppConfig,
    /// The chat relay.
    pub relay: RelayConfig,
    /// The media host.
    pub media: MediaConfig,
    /// What one caller, and all callers together, may use.
    pub limits: LimitsConfig,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8100)),
            public_url: None,
            data_dir: PathBuf::from("partner-data"),
            database_url: None,
            secret: None,
            secret_file: None,
            client_dir: None,
            behind_proxy: false,
            tls_cert: None,
            tls_key: None,
            metrics_listen: None,
            log_format: "text".to_owned(),
            sign_in: SignInConfig::default(),
            oidc: OidcConfig::default(),
            token: TokenConfig::default(),
            push: PushConfig::default(),
            whatsapp: WhatsAppConfig::default(),
            relay: RelayConfig::default(),
            media: MediaConfig::default(),
            limits: LimitsConfig::default(),
        }
    }
}

/// Accounts and sessions.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SignInConfig {
    /// Days until a person must sign in again.
    pub session_days: u32,
    /// Fewest characters of a password.
    pub password_min: usize,
    /// Memory of one Argon2id computation, in KiB.
    pub hash_memory_kib: u32,
    /// Passes of one Argon2id computation over its memory.
    pub hash_passes: u32,
    /// Argon2id computations that may run at once; 0 means one for each processor.
    pub hash_at_once: usize,
}

impl Default for SignInConfig {
    fn default() -> Self {
        // OWASP's first recommendation for Argon2id with one lane: 19 MiB and two passes.
        Self { session_days: 30, password_min: 8, hash_memory_kib: 19_456, hash_passes: 2, hash_at_once: 0 }
    }
}

/// Identity tokens.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TokenConfig {
    /// The `iss` claim; the public URL without one.
    pub issuer: Option<String>,
    /// The `aud` claim.
    pub audience: String,
    /// Seconds between `iat` and `exp`.
    pub lifetime_seconds: u64,
    /// Days after which another key signs.
    pub rotate_days: u32,
}

impl Default for TokenConfig {
    fn default() -> Self {
        Self { issuer: None, audience: "whatsapp".to_owned(), lifetime_seconds: 300, rotate_days: 30 }
    }
}

/// What the client must know to reach WhatsApp: the server's half of the partner profile.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WhatsAppConfig {
    /// The number that WhatsApp gave this Partner, 1 to 999.
    pub integrator: u16,
    /// Where the client enlists; without one, with us if `relay.enlist_url` is set, else in the sandbox.
    pub enlist_url: Option<String>,
    /// The chat server's WebSocket; without one, our relay if there is one, else the sandbox's.
    pub chat_url: Option<String>,
    /// The chat server's root key in hex: 32 bytes.
    pub root_key: Option<String>,
    /// A file with the root key in hex, instead of `root_key`.
    pub root_key_file: Option<PathBuf>,
    /// Serial number of the root certificate.
    pub root_serial: u32,
    /// Version that the client states to the chat server: three numbers with dots.
    pub version: String,
    /// This Partner's name as people read it.
    pub partner_name: String,
}

impl Default for WhatsAppConfig {
    fn default() -> Self {
        Self {
            integrator: 1,
            enlist_url: None,
            chat_url: None,
            root_key: None,
            root_key_file: None,
            root_serial: 0,
            version: "2.3000.0".to_owned(),
            partner_name: "Causeway".to_owned(),
        }
    }
}

/// What one caller, and all callers together, may use. A *burst* is what may be done at once after a quiet time; the
/// other number says how many seconds give one more.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsConfig {
    /// Sign-ins and new accounts from one address.
    pub address_burst: u32,
    /// Seconds until one more for the address.
    pub address_refill_seconds: u32,
    /// Sign-ins to one account, from anywhere.
    pub account_burst: u32,
    /// Seconds until one more for the account.
    pub account_refill_seconds: u32,
    /// Tokens for one account.
    pub token_burst: u32,
    /// Seconds until one more token.
    pub token_refill_seconds: u32,
    /// Subscriptions and test notifications of one account.
    pub push_burst: u32,
    /// Seconds until one more of them.
    pub push_refill_seconds: u32,
    /// Connections open at once.
    pub connections: usize,
    /// Seconds for a request's headers, and again for its body and answer.
    pub request_seconds: u64,
    /// Seconds that a caller may take nothing of what it is sent before its connection is closed.
    pub write_seconds: u64,
    /// Seconds between the first word that the server stops (`/ready`) and the last request that it takes.
    pub drain_seconds: u64,
    /// Seconds that requests under way get when the server stops.
    pub shutdown_seconds: u64,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            address_burst: 30,
            address_refill_seconds: 4,
            account_burst: 10,
            account_refill_seconds: 30,
            token_burst: 30,
            token_refill_seconds: 5,
            push_burst: 30,
            push_refill_seconds: 5,
            connections: 4_096,
            request_seconds: 15,
            write_seconds: 60,
            drain_seconds: 0,
            shutdown_seconds: 10,
        }
    }
}
