//! The configuration file as a whole.
//!
//! What this module does not know: whether the values are valid.

use super::{
    limits::LimitsConfig, media::MediaConfig, oidc::OidcConfig, push::PushConfig, relay::RelayConfig,
    sign_in::SignInConfig, token::TokenConfig, whatsapp::WhatsAppConfig,
};
use crate::secret::Secret;
use serde::Deserialize;
use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
};

/// The configuration as written: one TOML file, overridden by environment variables.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Address and port to listen on; port 0 takes any free port.
    pub listen: SocketAddr,
    /// The URL that people open. By default `http://` and the listening address.
    pub public_url: Option<String>,
    /// Folder for the database and the signing keys.
    pub data_dir: PathBuf,
    /// URL of a PostgreSQL database instead of the file in `data_dir`; may contain a password.
    pub database_url: Option<Secret>,
    /// The secret that seals the keys in the database: 32 bytes in hex.
    pub secret: Option<Secret>,
    /// A file with the secret in hex instead of `secret`; by default one in `data_dir`.
    pub secret_file: Option<PathBuf>,
    /// Folder of the client's build; without one, no client is served.
    pub client_dir: Option<PathBuf>,
    /// Whether a reverse proxy appends to `X-Forwarded-For`.
    pub behind_proxy: bool,
    /// Certificate chain (PEM); without one, plain HTTP.
    pub tls_cert: Option<PathBuf>,
    /// Private key of the certificate (PEM).
    pub tls_key: Option<PathBuf>,
    /// Address and port for `GET /metrics`; without one, metrics are not served.
    pub metrics_listen: Option<SocketAddr>,
    /// Log format: `text` or `json`.
    pub log_format: String,
    /// Accounts and sessions.
    pub sign_in: SignInConfig,
    /// Sign-in at an OpenID Connect provider instead.
    pub oidc: OidcConfig,
    /// Identity tokens.
    pub token: TokenConfig,
    /// Web Push.
    pub push: PushConfig,
    /// How clients reach WhatsApp.
    pub whatsapp: WhatsAppConfig,
    /// The chat relay.
    pub relay: RelayConfig,
    /// The media host.
    pub media: MediaConfig,
    /// Rate limits, connections and timeouts.
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
