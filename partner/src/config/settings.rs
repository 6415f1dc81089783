//! The configuration after all checks: values that fit together, in the form that the crate works with.
//!
//! What this module does not know: files other than the root key's; whether the data folder can be written (the store
//! and the key ring say that themselves).

use super::{Config, LimitsConfig, Secret, SignInConfig, media, oidc::OpenIdSettings, push::PushSettings, relay};
use crate::{
    identity::MAX_LIFETIME_SECONDS, keys::SealingSecret, media::MediaSettings, relay::RelaySettings, tls::TlsFiles,
};
use std::{net::SocketAddr, path::PathBuf};
use url::{Host, Url};
use zeroize::Zeroizing;

/// Longest issuer and audience, in bytes: with both at this length a token stays under WhatsApp's 4 KiB.
pub(super) const MAX_CLAIM_BYTES: usize = 512;
/// Longest name of the Partner, in bytes.
const MAX_NAME_BYTES: usize = 100;
/// Where our relay, and enlistment through it, are.
pub(crate) const RELAY_PATH: &str = "/relay";
pub(crate) const ENLIST_PATH: &str = "/relay/enlist";
/// The sandbox's addresses, for a configuration that says nothing else.
const SANDBOX_ENLIST: &str = "http://127.0.0.1:8200/3p/interop_reg";
const SANDBOX_CHAT: &str = "ws://127.0.0.1:8200/ws/chat";

/// One mistake in the configuration for each line, each with what to do.
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
    /// Whether cookies carry `Secure`: always, except on http for this machine.
    pub(crate) secure: bool,
    pub(crate) data_dir: PathBuf,
    /// A PostgreSQL database instead of a file.
    pub(crate) database_url: Option<Secret>,
    pub(crate) sealing_secret: SealingSecret,
    pub(crate) client_dir: Option<PathBuf>,
    pub(crate) behind_proxy: bool,
    pub(crate) tls: Option<TlsFiles>,
    pub(crate) metrics_listen: Option<SocketAddr>,
    /// Whether the log is for machines.
    pub(crate) log_json: bool,
    pub(crate) sign_in: SignInConfig,
    pub(crate) open_id: Option<OpenIdSettings>,
    pub(crate) issuer: String,
    pub(crate) audience: String,
    pub(crate) token_seconds: u64,
    pub(crate) rotate_days: u32,
    pub(crate) push: PushSettings,
    pub(crate) integrator: u16,
    pub(crate) enlist_url: Url,
    pub(crate) chat_url: Url,
    pub(crate) root_key: [u8; 32],
    pub(crate) root_serial: u32,
    pub(crate) version: String,
    pub(crate) partner_name: String,
    pub(crate) relay: Option<RelaySettings>,
    /// WhatsApp's enlistment API, if clients enlist through us.
    pub(crate) relay_enlist_url: Option<Url>,
    pub(crate) media: MediaSettings,
    pub(crate) limits: LimitsConfig,
}

impl Settings {
    /// Whether the log is written as JSON, a line for each event.
    #[must_use]
    pub fn log_json(&self) -> bool {
        self.log_json
    }

    /// Checks `config`. `bound` is the address that is listened on, for a configuration without a public URL.
    ///
    /// # Errors
    /// Every mistake at once, so that a person needs one round, not ten.
    pub fn check(config: Config, bound: SocketAddr) -> Result<Self, ConfigError> {
        let mut checker = Checker { problems: Vec::new() };
        let public = checker.public_url(&config.public_url.unwrap_or_else(|| format!("http://{bound}")));
        let relay = relay::check(&mut checker, &config.relay);
        let relay_enlist = config.relay.enlist_url.as_deref();
        let relay_enlist_url = relay_enlist.and_then(|url| checker.remote("relay.enlist_url", url, "https", "http"));
        let ours = |path: &str| public.as_ref().and_then(|url| url.join(path).ok());
        let enlist_url = match config.whatsapp.enlist_url.as_deref() {
            None if relay_enlist.is_some() => ours(ENLIST_PATH),
            told => checker.remote("whatsapp.enlist_url", told.unwrap_or(SANDBOX_ENLIST), "https", "http"),
        };
        let chat_url = match config.whatsapp.chat_url.as_deref() {
            None if config.relay.upstream.is_some() => ours(RELAY_PATH).and_then(websocket),
            told => checker.remote("whatsapp.chat_url", told.unwrap_or(SANDBOX_CHAT), "wss", "ws"),
        };
        let media = media::check(&mut checker, &config.media, &config.data_dir);
        let tls = checker.tls(config.tls_cert, config.tls_key);
        if !matches!(config.log_format.as_str(), "text" | "json") {
            let found = &config.log_format;
            checker.problem("log_format", format_args!("is {found:?}; it must be \"text\" or \"json\""));
        }
        let root_key = checker.root_key(config.whatsapp.root_key, config.whatsapp.root_key_file);
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

        let sign_in = config.sign_in;
        checker.within("sign_in.session_days", sign_in.session_days.into(), 1, 400);
        checker.within("sign_in.password_min", sign_in.password_min as u64, 8, 64);
        checker.within("sign_in.hash_memory_kib", sign_in.hash_memory_kib.into(), 7_168, 1 << 20);
        checker.within("sign_in.hash_passes", sign_in.hash_passes.into(), 1, 20);
        checker.within("sign_in.hash_at_once", sign_in.hash_at_once as u64, 0, 256);
        let open_id = config.oidc.check(&mut checker);
        let limits = config.limits;
        for (option, value) in [
            ("limits.address_burst", limits.address_burst),
            ("limits.address_refill_seconds", limits.address_refill_seconds),
            ("limits.account_burst", limits.account_burst),
            ("limits.account_refill_seconds", limits.account_refill_seconds),
            ("limits.token_burst", limits.token_burst),
            ("limits.token_refill_seconds", limits.token_refill_seconds),
            ("limits.push_burst", limits.push_burst),
            ("limits.push_refill_seconds", limits.push_refill_seconds),
        ] {
            checker.within(option, value.into(), 1, 100_000);
        }
        checker.within("limits.connections", limits.connections as u64, 1, 1 << 20);
        checker.within("limits.request_seconds", limits.request_seconds, 1, 600);
        checker.within("limits.write_seconds", limits.write_seconds, 1, 600);
        checker.within("limits.drain_seconds", limits.drain_seconds, 0, 600);
        checker.within("limits.shutdown_seconds", limits.shutdown_seconds, 0, 600);
        checker.within("token.lifetime_seconds", config.token.lifetime_seconds, 1, MAX_LIFETIME_SECONDS.unsigned_abs());
        checker.within("token.rotate_days", config.token.rotate_days.into(), 1, 3_650);
        checker.within("whatsapp.integrator", config.whatsapp.integrator.into(), 1, 999);
        checker.text("token.audience", &config.token.audience, MAX_CLAIM_BYTES);
        checker.text("whatsapp.partner_name", &config.whatsapp.partner_name, MAX_NAME_BYTES);
        checker.version(&config.whatsapp.version);
        if let Some(url) = &config.database_url {
            checker.database_url(url);
        }
        let public_origin = public.as_ref().map_or_else(String::new, |url| url.origin().ascii_serialization());
        if let Some(issuer) = &config.token.issuer {
            checker.text("token.issuer", issuer, MAX_CLAIM_BYTES);
        }
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
            sign_in,
            open_id,
            issuer,
            audience: config.token.audience,
            token_seconds: config.token.lifetime_seconds,
            rotate_days: config.token.rotate_days,
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
            limits,
        })
    }
}

/// Our relay's address as a WebSocket's.
fn websocket(mut url: Url) -> Option<Url> {
    let scheme = if url.scheme() == "https" { "wss" } else { "ws" };
    url.set_scheme(scheme).ok().map(|()| url)
}

/// Collects problems, so that the checks after a failed one still run.
pub(super) struct Checker {
    pub(super) problems: Vec<String>,
}

impl Checker {
    pub(super) fn problem(&mut self, option: &str, problem: impl std::fmt::Display) {
        self.problems.push(format!("{option}: {problem}"));
    }

    pub(super) fn within(&mut self, option: &str, value: u64, least: u64, most: u64) {
        if !(least..=most).contains(&value) {
            self.problem(option, format_args!("is {value}; it must be {least} to {most}"));
        }
    }

    pub(super) fn text(&mut self, option: &str, value: &str, most: usize) {
        if value.is_empty() || value.len() > most || value.chars().any(char::is_control) {
            self.problem(option, format_args!("must be 1 to {most} bytes of text without control characters"));
        }
    }

    /// An address that clients connect to; its origin also goes into the content security policy.
    pub(super) fn remote(&mut self, option: &str, text: &str, safe: &str, plain: &str) -> Option<Url> {
        let url = self.address(option, text, safe)?;
        self.secured(option, &url, safe, plain);
        Some(url)
    }

    /// A URL with a host.
    pub(super) fn address(&mut self, option: &str, text: &str, example: &str) -> Option<Url> {
        let url = Url::parse(text).ok().filter(Url::has_host);
        if url.is_none() {
            self.problem(option, format_args!("{text:?} is not an address such as {example}://messenger.example"));
        }
        url
    }

    /// Certificate and key: both or none.
    fn tls(&mut self, certificate: Option<PathBuf>, key: Option<PathBuf>) -> Option<TlsFiles> {
        match (certificate, key) {
            (None, None) => None,
            (Some(certificate), Some(key)) => {
                let files = TlsFiles { certificate, key };
                if let Err(error) = files.read() {
                    self.problem("tls_cert and tls_key", error);
                }
                Some(files)
            }
            (Some(_), None) => {
                self.problem("tls_key", "is missing: a certificate without its key is worth nothing");
                None
            }
            (None, Some(_)) => {
                self.problem("tls_cert", "is missing: a key without its certificate is worth nothing");
                None
            }
        }
    }

    /// Our own address: https, or http on this machine; an origin without path.
    fn public_url(&mut self, text: &str) -> Option<Url> {
        let url = self.remote("public_url", text, "https", "http")?;
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() {
            self.problem("public_url", "must be scheme, host and port only, such as https://messenger.example");
        }
        Some(url)
    }

    pub(super) fn secured(&mut self, option: &str, url: &Url, safe: &str, plain: &str) {
        if url.scheme() != safe && !(url.scheme() == plain && is_loopback(url)) {
            self.problem(option, format_args!("must begin with {safe}:// ({plain}:// only for this machine)"));
        }
    }

    fn secret(&mut self, secret: &Secret) -> Option<Zeroizing<[u8; 32]>> {
        let bytes = hex32(secret.as_str().trim()).map(Zeroizing::new);
        if bytes.is_none() {
            self.problem("secret", "must be 64 hex digits; make it with: openssl rand -hex 32");
        }
        bytes
    }

    /// Never repeats the address: it may hold a password.
    fn database_url(&mut self, url: &Secret) {
        let fits = Url::parse(url.as_str()).is_ok_and(|url| matches!(url.scheme(), "postgres" | "postgresql"));
        if !fits {
            self.problem("database_url", "must be an address such as postgres://user:password@host/database");
        }
    }

    fn root_key(&mut self, inline: Option<String>, file: Option<PathBuf>) -> Option<[u8; 32]> {
        let (option, text) = match (inline, file) {
            // A key given outright wins, so that the environment can override the file's path in a shared TOML.
            (Some(text), _) => ("whatsapp.root_key", text),
            (None, Some(path)) => match std::fs::read_to_string(&path) {
                Ok(text) => ("whatsapp.root_key_file", text),
                Err(error) => {
                    let hint = "The sandbox tells its root key at /control/root";
                    self.problem("whatsapp.root_key_file", format_args!("{}: {error}. {hint}", path.display()));
                    return None;
                }
            },
            (None, None) => {
                self.problem(
                    "whatsapp.root_key",
                    "is missing. Set it, or root_key_file, to the chat server's root key",
                );
                return None;
            }
        };
        let key = hex32(text.trim());
        if key.is_none() {
            self.problem(option, format_args!("must be 64 hex digits, got {} characters", text.trim().chars().count()));
        }
        key
    }

    fn version(&mut self, text: &str) {
        let parts: Vec<_> = text.split('.').map(str::parse::<u32>).collect();
        if parts.len() != 3 || parts.iter().any(Result::is_err) {
            self.problem("whatsapp.version", format_args!("is {text:?}; it must be three numbers, such as 2.3000.0"));
        }
    }
}

/// Whether an address is this machine's.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// 32 bytes in hex.
pub(crate) fn hex32(text: &str) -> Option<[u8; 32]> {
    let mut key = [0; 32];
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (byte, at) in key.iter_mut().zip((0..64).step_by(2)) {
        *byte = u8::from_str_radix(text.get(at..at + 2)?, 16).ok()?;
    }
    Some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUND: &str = "127.0.0.1:8100";

    fn valid() -> Config {
        let mut config = Config::default();
        config.whatsapp.root_key = Some("ab".repeat(32));
        config
    }

    fn check(config: Config) -> Result<Settings, ConfigError> {
        Settings::check(config, BOUND.parse().unwrap())
    }

    fn only_problem(change: impl FnOnce(&mut Config)) -> String {
        let mut config = valid();
        change(&mut config);
        let ConfigError { problems } = check(config).unwrap_err();
        assert_eq!(problems.len(), 1, "{problems:?}");
        problems.into_iter().next().unwrap()
    }

    #[test]
    fn the_defaults_need_nothing_but_a_root_key() {
        let settings = check(valid()).unwrap();
        assert_eq!(settings.root_key, [0xAB; 32]);
        assert_eq!(settings.public_origin, "http://127.0.0.1:8100");
        assert_eq!(settings.issuer, "http://127.0.0.1:8100");
        assert!(!settings.secure);
        let ConfigError { problems } = check(Config::default()).unwrap_err();
        assert_eq!(
            problems,
            ["whatsapp.root_key: is missing. Set it, or root_key_file, to the chat server's root key"]
        );
    }

    #[test]
    fn each_mistake_names_its_option_and_the_way_out() {
        type Mistake = (&'static str, fn(&mut Config));
        let cases: &[Mistake] = &[
            ("database_url: must be an address such as", |c| {
                c.database_url = Some("mysql://host/x".to_owned().into());
                c.secret = Some("ab".repeat(32).into());
            }),
            ("secret: must be 64 hex digits", |c| c.secret = Some("hunter2".to_owned().into())),
            ("token.rotate_days: is 0; it must be 1 to 3650", |c| c.token.rotate_days = 0),
            ("push.jwks_url: must begin with https://", |c| c.push.jwks_url = "http://whatsapp.example/".into()),
            ("push.proxy: must be an address such as", |c| c.push.proxy = Some("proxy.internal".into())),
            ("push.services: \"push\" is no host", |c| c.push.services = vec!["push".into()]),
            ("push.services: \"http://push.example\" is plain", |c| {
                c.push.services = vec!["http://push.example".into()]
            }),
            ("push.contact: must begin with mailto:", |c| c.push.contact = Some("ops@messenger.example".into())),
            ("push.leeway_seconds: is 601", |c| c.push.leeway_seconds = 601),
            ("push.audience: must be 1 to 512 bytes", |c| c.push.audience = Some(String::new())),
            ("public_url: must begin with https://", |c| c.public_url = Some("http://messenger.example".into())),
            ("public_url: must be scheme, host and port only", |c| c.public_url = Some("https://a.example/app".into())),
            ("public_url: \"nonsense\" is not an address", |c| c.public_url = Some("nonsense".into())),
            ("whatsapp.chat_url: must begin with wss://", |c| {
                c.whatsapp.chat_url = Some("ws://chat.example/ws".into())
            }),
            ("whatsapp.chat_url: must begin with wss://", |c| {
                c.whatsapp.chat_url = Some("https://chat.example".into())
            }),
            ("whatsapp.enlist_url: must begin with https://", |c| {
                c.whatsapp.enlist_url = Some("http://v.example/".into())
            }),
            ("whatsapp.root_key: must be 64 hex digits, got 3", |c| c.whatsapp.root_key = Some("abc".into())),
            ("whatsapp.integrator: is 1000; it must be 1 to 999", |c| c.whatsapp.integrator = 1_000),
            ("whatsapp.version: is \"2.3\"", |c| c.whatsapp.version = "2.3".into()),
            ("whatsapp.partner_name: must be 1 to 100 bytes", |c| c.whatsapp.partner_name = String::new()),
            ("sign_in.password_min: is 4; it must be 8 to 64", |c| c.sign_in.password_min = 4),
            ("oidc.issuer: must begin with https://", |c| {
                c.oidc.issuer = Some("http://accounts.example".into());
                c.oidc.client_id = Some("us".into());
            }),
            ("oidc.client_id: is missing", |c| c.oidc.issuer = Some("https://accounts.example".into())),
            ("oidc.issuer: is missing", |c| c.oidc.client_id = Some("us".into())),
            ("oidc.scopes: must hold openid", |c| {
                c.oidc.issuer = Some("https://accounts.example".into());
                c.oidc.client_id = Some("us".into());
                c.oidc.scopes = "profile".into();
            }),
            ("oidc.identifier_claim: must be 1 to 512 bytes", |c| {
                c.oidc.issuer = Some("https://accounts.example".into());
                c.oidc.client_id = Some("us".into());
                c.oidc.identifier_claim = String::new();
            }),
            ("token.issuer: must be 1 to 512 bytes", |c| c.token.issuer = Some("x".repeat(513))),
            ("relay.upstream: must begin with wss://", |c| c.relay.upstream = Some("ws://chat.example/ws".into())),
            ("relay.upstream: needs a port", |c| c.relay.upstream = Some("tcp://chat.example".into())),
            ("relay.client_address: is \"udp\"", |c| {
                c.relay.upstream = Some("tcp://chat.example:5222".into());
                c.relay.client_address = Some("udp".into());
            }),
            ("relay.client_address: a tcp:// upstream has no header", |c| {
                c.relay.upstream = Some("tcp://chat.example:5222".into());
                c.relay.client_address = Some("header".into());
            }),
            ("relay.ca_file: /nowhere", |c| {
                c.relay.upstream = Some("wss://chat.example/ws".into());
                c.relay.ca_file = Some("/nowhere".into());
            }),
            ("relay.idle_seconds: is 0", |c| c.relay.idle_seconds = 0),
            ("tls_key: is missing", |c| c.tls_cert = Some("/nowhere".into())),
            ("tls_cert and tls_key: /nowhere", |c| {
                c.tls_cert = Some("/nowhere".into());
                c.tls_key = Some("/nowhere".into());
            }),
            ("log_format: is \"xml\"", |c| c.log_format = "xml".into()),
            ("media.store_url: must begin with s3://", |c| c.media.store_url = Some("ftp://bucket/".into())),
            ("media.access_key_id: and", |c| c.media.store_url = Some("s3://bucket".into())),
            ("media.types: must be", |c| c.media.types = "image".into()),
            ("media.quota_mib: is 50", |c| c.media.quota_mib = 50),
            ("client_dir: /nowhere has no index.html", |c| c.client_dir = Some("/nowhere".into())),
        ];
        for (expected, change) in cases {
            let problem = only_problem(change);
            assert!(problem.starts_with(expected), "{problem:?} should start with {expected:?}");
        }
    }

    #[test]
    fn a_missing_root_key_file_says_where_the_sandboxs_key_is() {
        let problem = only_problem(|config| {
            config.whatsapp.root_key = None;
            config.whatsapp.root_key_file = Some("/nowhere/root".into());
        });
        assert!(problem.contains("/nowhere/root") && problem.contains("/control/root"), "{problem}");
    }

    #[test]
    fn several_instances_need_one_secret() {
        let problem = only_problem(|config| config.database_url = Some("postgres://host/x".to_owned().into()));
        assert!(problem.starts_with("secret: is missing") && problem.contains("openssl rand -hex 32"), "{problem}");
        let mut config = valid();
        config.database_url = Some("postgres://host/x".to_owned().into());
        config.secret = Some("ab".repeat(32).into());
        assert!(check(config).is_ok());
    }

    #[test]
    fn a_push_service_on_this_machine_is_for_servers_on_this_machine() {
        let mut config = valid();
        config.push.services.push("http://127.0.0.1:8202".into());
        assert!(check(config.clone()).is_ok());
        config.public_url = Some("https://messenger.example".into());
        let ConfigError { problems } = check(config).unwrap_err();
        assert!(problems[0].starts_with("push.services: \"http://127.0.0.1:8202\" is plain http"), "{problems:?}");
    }

    #[test]
    fn all_mistakes_are_told_at_once() {
        let mut config = valid();
        config.whatsapp.integrator = 0;
        config.whatsapp.version = "two".into();
        config.token.lifetime_seconds = 0;
        assert_eq!(check(config).unwrap_err().problems.len(), 3);
    }

    #[test]
    fn a_relay_is_where_clients_connect_unless_told_otherwise() {
        let mut config = valid();
        config.public_url = Some("https://messenger.example".into());
        config.relay.upstream = Some("tcp://chat.example:5222".into());
        config.relay.enlist_url = Some("https://v.example/3p/interop_reg".into());
        let settings = check(config.clone()).unwrap();
        assert_eq!(settings.chat_url.as_str(), "wss://messenger.example/relay");
        assert_eq!(settings.enlist_url.as_str(), "https://messenger.example/relay/enlist");
        config.whatsapp.chat_url = Some("wss://chat.example/ws".into());
        config.whatsapp.enlist_url = Some("https://v.example/3p/interop_reg".into());
        let settings = check(config).unwrap();
        assert_eq!(settings.chat_url.as_str(), "wss://chat.example/ws");
        assert_eq!(settings.enlist_url.as_str(), "https://v.example/3p/interop_reg");
    }

    #[test]
    fn https_makes_cookies_secure() {
        let mut config = valid();
        config.public_url = Some("https://messenger.example".into());
        assert!(check(config).unwrap().secure);
    }
}
