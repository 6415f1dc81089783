//! The options of Web Push.
//!
//! What this module does not know: which browsers there are; the list of push services can be changed.

use serde::Deserialize;

/// Web Push, and who may ask for it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PushConfig {
    /// How push services reach the operator: `mailto:` or `https:`. Without one: the public URL.
    pub contact: Option<String>,
    /// The push services that we send to: hosts, `*.` and a domain, or scheme, host and port.
    pub services: Vec<String>,
    /// An HTTP proxy for requests to push services and to `jwks_url`.
    pub proxy: Option<String>,
    /// Where WhatsApp publishes its keys.
    pub jwks_url: String,
    /// Seconds that WhatsApp's keys are used before they are fetched again.
    pub jwks_cache_seconds: u64,
    /// Fewest seconds between two fetches.
    pub jwks_pause_seconds: u64,
    /// The `iss` claim of WhatsApp's tokens.
    pub issuer: String,
    /// Their `aud` claim; the public URL without one.
    pub audience: Option<String>,
    /// Seconds by which WhatsApp's clock and ours may differ.
    pub leeway_seconds: u32,
    /// Longest life of WhatsApp's tokens.
    pub lifetime_seconds: u32,
    /// Whether a token of WhatsApp's without `jti` is good only once.
    pub single_use: bool,
}

impl Default for PushConfig {
    fn default() -> Self {
        let services =
            ["fcm.googleapis.com", "updates.push.services.mozilla.com", "*.push.apple.com", "*.notify.windows.com"];
        Self {
            contact: None,
            services: services.map(str::to_owned).to_vec(),
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
