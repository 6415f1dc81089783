//! The checked configuration: consistent values in the form that the crate works with.
//!
//! What this module does not know: whether the data folder is writable (store and keys report that themselves).

use super::{checker::Checker, limits::LimitsConfig, media, options::Config, push::PushSettings, relay};
use crate::{
    keys::SealingSecret,
    media::MediaSettings,
    relay::RelaySettings,
    secret::Secret,
    sign_in::{OpenIdSettings, PasswordSettings},
    tls::TlsFiles,
};
use std::{net::SocketAddr, path::PathBuf, time::Duration};
use url::Url;

/// Paths of the relay and of relayed enlistment.
pub(crate) const RELAY_PATH: &str = "/relay";
pub(crate) const ENLIST_PATH: &str = "/relay/enlist";
/// The sandbox's URLs, as defaults.
const SANDBOX_ENLIST: &str = "http://127.0.0.1:8200/3p/interop_reg";
const SANDBOX_CHAT: &str = "ws://127.0.0.1:8200/ws/chat";

/// All problems of a configuration, one per line, each with what is valid instead.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", problems.join("\n"))]
pub struct ConfigError {
    /// `option: what is wrong and what it must be`.
    pub problems: Vec<String>,
}

/// The checked configuration.
#[derive(Debug, Clone)]
pub struct Settings {
    pub(crate) public_origin: String,
    /// Whether cookies are `Secure`: always, except with http on this machine.
    pub(crate) secure: bool,
    pub(crate) data_dir: PathBuf,
    /// A PostgreSQL database instead of the SQLite file.
    pub(crate) database_url: Option<Secret>,
    pub(crate) sealing_secret: SealingSecret,
    pub(crate) client_dir: Option<PathBuf>,
    pub(crate) behind_proxy: bool,
    pub(crate) tls: Option<TlsFiles>,
    pub(crate) metrics_listen: Option<SocketAddr>,
    /// Whether the log format is JSON.
    pub(crate) log_json: bool,
    /// Time until a session expires.
    pub(crate) session_lifetime: Duration,
    pub(crate) passwords: PasswordSettings,
    pub(crate) open_id: Option<OpenIdSettings>,
    pub(crate) issuer: String,
    pub(crate) audience: String,
    pub(crate) token_lifetime: Duration,
    /// Time between two keys of identity tokens.
    pub(crate) key_rotation: Duration,
    pub(crate) push: PushSettings,
    pub(crate) integrator: u16,
    pub(crate) enlist_url: Url,
    pub(crate) chat_url: Url,
    pub(crate) root_key: [u8; 32],
    pub(crate) root_serial: u32,
    pub(crate) version: String,
    pub(crate) partner_name: String,
    pub(crate) relay: Option<RelaySettings>,
    /// WhatsApp's enlistment API, if clients enlist through this server.
    pub(crate) relay_enlist_url: Option<Url>,
    pub(crate) media: MediaSettings,
    pub(crate) limits: LimitsConfig,
}

impl Settings {
    /// Whether the log is written as JSON, one line per event.
    #[must_use]
    pub fn log_json(&self) -> bool {
        self.log_json
    }

    /// Checks `config`. `bound` is the listening address, the default of the public URL.
    ///
    /// # Errors
    /// All problems at once.
    pub fn check(config: Config, bound: SocketAddr) -> Result<Self, ConfigError> {
        let mut checker = Checker { problems: Vec::new() };
        let public = checker.public_url(&config.public_url.unwrap_or_else(|| format!("http://{bound}")));
        let relay = relay::check(&mut checker, &config.relay);
        let relay_enlist = config.relay.enlist_url.as_deref();
        let relay_enlist_url = relay_enlist.and_then(|url| checker.remote("relay.enlist_url", url, "https", "http"));
        let own_url = |path: &str| public.as_ref().and_then(|url| url.join(path).ok());
        let enlist_url = match config.whatsapp.enlist_url.as_deref() {
            None if relay_enlist.is_some() => own_url(ENLIST_PATH),
            configured => checker.remote("whatsapp.enlist_url", configured.unwrap_or(SANDBOX_ENLIST), "https", "http"),
        };
        let chat_url = match config.whatsapp.chat_url.as_deref() {
            None if config.relay.upstream.is_some() => own_url(RELAY_PATH).and_then(websocket),
            configured => checker.remote("whatsapp.chat_url", configured.unwrap_or(SANDBOX_CHAT), "wss", "ws"),
        };
        let media = media::check(&mut checker, &config.media, &config.data_dir);
        let tls = checker.tls(config.tls_cert, config.tls_key);
        if !matches!(config.log_format.as_str(), "text" | "json") {
            let found = &config.log_format;
            checker.problem("log_format", format_args!("is {found:?}; it must be \"text\" or \"json\""));
        }
        let root_key = config.whatsapp.check_root_key(&mut checker);
        let push = config.push.check(&mut checker, public.as_ref());
        let sealing_secret = match (config.secret, config.secret_file) {
            (Some(secret), _) => checker.secret(&secret).map(SealingSecret::Given),
            (None, Some(file)) => Some(SealingSecret::File(file)),
            (None, None) if config.database_url.is_none() => {
                Some(SealingSecret::Generated(config.data_dir.join("secret")))
            }
            (None, None) => {
                let hint = "Every instance of the database needs the same one; make it with: openssl rand -hex 32";
                checker.problem("secret", format_args!("is missing. {hint}"));
                None
            }
        };

        let passwords = config.sign_in.check(&mut checker);
        let open_id = config.oidc.check(&mut checker);
        config.limits.check(&mut checker);
        config.token.check(&mut checker);
        config.whatsapp.check(&mut checker);
        if let Some(url) = &config.database_url {
            checker.database_url(url);
        }
        let public_origin = public.as_ref().map_or_else(String::new, |url| url.origin().ascii_serialization());
        let issuer = config.token.issuer.unwrap_or_else(|| public_origin.clone());
        if let Some(folder) = &config.client_dir
            && !folder.join("index.html").is_file()
        {
            let shown = folder.display();
            checker.problem("client_dir", format!("{shown} has no index.html. Build the client (make build) first"));
        }

        let (
            Some(public),
            Some(enlist_url),
            Some(chat_url),
            Some(root_key),
            Some(media),
            Some(push),
            Some(sealing_secret),
            [],
        ) = (public, enlist_url, chat_url, root_key, media, push, sealing_secret, checker.problems.as_slice())
        else {
            return Err(ConfigError { problems: checker.problems });
        };
        Ok(Self {
            secure: public.scheme() == "https",
            public_origin,
            data_dir: config.data_dir,
            database_url: config.database_url,
            sealing_secret,
            client_dir: config.client_dir,
            behind_proxy: config.behind_proxy,
            tls,
            metrics_listen: config.metrics_listen,
            log_json: config.log_format == "json",
            session_lifetime: days(config.sign_in.session_days),
            passwords,
            open_id,
            issuer,
            audience: config.token.audience,
            token_lifetime: Duration::from_secs(config.token.lifetime_seconds),
            key_rotation: days(config.token.rotate_days),
            push,
            integrator: config.whatsapp.integrator,
            enlist_url,
            chat_url,
            root_key,
            root_serial: config.whatsapp.root_serial,
            version: config.whatsapp.version,
            partner_name: config.whatsapp.partner_name,
            relay,
            relay_enlist_url,
            media,
            limits: config.limits,
        })
    }
}

fn days(count: u32) -> Duration {
    Duration::from_secs(u64::from(count) * 86_400)
}

/// The relay's URL with a WebSocket scheme.
fn websocket(mut url: Url) -> Option<Url> {
    let scheme = if url.scheme() == "https" { "wss" } else { "ws" };
    url.set_scheme(scheme).ok().map(|()| url)
}

#[cfg(test)]
mod tests;
