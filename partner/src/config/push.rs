//! The options of Web Push, and their checks.
//!
//! What this module does not know: which browsers there are.

use super::checker::{Checker, MAX_CLAIM_BYTES};
use crate::{
    loopback::is_loopback,
    push::{DEFAULT_SERVICES, Services},
};
use serde::Deserialize;
use std::time::Duration;
use url::Url;

/// Web Push: push services, and the verification of WhatsApp's calls.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PushConfig {
    /// Contact for push services: `mailto:` or `https:`. By default the public URL.
    pub contact: Option<String>,
    /// Allowed push services: hosts, `*.` and a domain, or scheme, host and port.
    pub services: Vec<String>,
    /// An HTTP proxy for requests to push services and to `jwks_url`.
    pub proxy: Option<String>,
    /// URL of WhatsApp's key set.
    pub jwks_url: String,
    /// Seconds for which WhatsApp's keys are cached.
    pub jwks_cache_seconds: u64,
    /// Minimum seconds between two fetches.
    pub jwks_pause_seconds: u64,
    /// The `iss` claim of WhatsApp's tokens.
    pub issuer: String,
    /// The `aud` claim of WhatsApp's tokens; by default the public URL.
    pub audience: Option<String>,
    /// Allowed clock difference in seconds.
    pub leeway_seconds: u32,
    /// Maximum lifetime of WhatsApp's tokens in seconds.
    pub lifetime_seconds: u32,
    /// Whether a token without `jti` may be used only once.
    pub single_use: bool,
}

impl Default for PushConfig {
    fn default() -> Self {
        Self {
            contact: None,
            services: DEFAULT_SERVICES.map(str::to_owned).to_vec(),
            proxy: None,
            jwks_url: "http://127.0.0.1:8200/.well-known/jwks".to_owned(),
            jwks_cache_seconds: 3_600,
            jwks_pause_seconds: 30,
            issuer: "WHATSAPP".to_owned(),
            audience: None,
            leeway_seconds: 60,
            lifetime_seconds: 3_600,
            single_use: false,
        }
    }
}

/// The checked options.
#[derive(Debug, Clone)]
pub(crate) struct PushSettings {
    pub(crate) contact: String,
    pub(crate) services: Services,
    pub(crate) proxy: Option<Url>,
    pub(crate) jwks_url: Url,
    pub(crate) jwks_cache: Duration,
    pub(crate) jwks_pause: Duration,
    pub(crate) issuer: String,
    pub(crate) audience: String,
    pub(crate) leeway: Duration,
    pub(crate) lifetime: Duration,
    pub(crate) single_use: bool,
}

impl PushConfig {
    /// Checks the options. `public` is this server's own URL, if valid.
    pub(super) fn check(self, checker: &mut Checker, public: Option<&Url>) -> Option<PushSettings> {
        let config = self;
        let before = checker.problems.len();
        let jwks_url = checker.remote("push.jwks_url", &config.jwks_url, "https", "http");
        let proxy = config.proxy.as_deref().and_then(|proxy| {
            let url = Url::parse(proxy).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
            if url.is_none() {
                checker.problem("push.proxy", "must be an address such as http://proxy.internal:3128");
            }
            url
        });
        let services = Services::read(&config.services, public.is_some_and(is_loopback));
        if let Err(error) = &services {
            checker.problem("push.services", error);
        }
        let public_origin = public.map_or_else(String::new, |url| url.origin().ascii_serialization());
        // RFC 8292 requires mailto or https; the default for this machine satisfies the syntax.
        let own = if public_origin.starts_with("https:") { &public_origin } else { "https://localhost" };
        let contact = config.contact.unwrap_or_else(|| own.to_owned());
        if !Url::parse(&contact).is_ok_and(|url| matches!(url.scheme(), "mailto" | "https")) {
            checker
                .problem("push.contact", "must begin with mailto: or https://, such as mailto:push@messenger.example");
        }
        let audience = config.audience.unwrap_or(public_origin);
        checker.text("push.contact", &contact, MAX_CLAIM_BYTES);
        checker.text("push.issuer", &config.issuer, MAX_CLAIM_BYTES);
        // An invalid public URL is a problem already.
        if public.is_some() {
            checker.text("push.audience", &audience, MAX_CLAIM_BYTES);
        }
        checker.within("push.jwks_cache_seconds", config.jwks_cache_seconds, 60, 86_400);
        checker.within("push.jwks_pause_seconds", config.jwks_pause_seconds, 1, 3_600);
        checker.within("push.leeway_seconds", config.leeway_seconds.into(), 0, 600);
        checker.within("push.lifetime_seconds", config.lifetime_seconds.into(), 1, 86_400);
        if checker.problems.len() > before {
            return None;
        }
        Some(PushSettings {
            contact,
            services: services.ok()?,
            proxy,
            jwks_url: jwks_url?,
            jwks_cache: Duration::from_secs(config.jwks_cache_seconds),
            jwks_pause: Duration::from_secs(config.jwks_pause_seconds),
            issuer: config.issuer,
            audience,
            leeway: Duration::from_secs(config.leeway_seconds.into()),
            lifetime: Duration::from_secs(config.lifetime_seconds.into()),
            single_use: config.single_use,
        })
    }
}
