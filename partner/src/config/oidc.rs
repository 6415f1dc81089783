//! The options of sign-in at an OpenID Connect provider.
//!
//! What this module does not know: the provider; whether it answers is asked at the first sign-in.

use super::{
    Secret,
    settings::{Checker, MAX_CLAIM_BYTES},
};
use serde::Deserialize;

/// Sign-in at an OpenID Connect provider: where the Partner has accounts already.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OidcConfig {
    /// The provider, exactly as it calls itself in its tokens; without one accounts are made here.
    pub issuer: Option<String>,
    /// What the provider calls us.
    pub client_id: Option<String>,
    /// Our secret with the provider; none for a public client.
    pub client_secret: Option<Secret>,
    /// The claim of the ID token that becomes the identifier of an account at its first sign-in.
    pub identifier_claim: String,
    /// What the provider is asked for, with spaces between.
    pub scopes: String,
}

impl Default for OidcConfig {
    fn default() -> Self {
        Self {
            issuer: None,
            client_id: None,
            client_secret: None,
            identifier_claim: "preferred_username".to_owned(),
            scopes: "openid profile".to_owned(),
        }
    }
}

/// The OpenID provider that knows who people are.
#[derive(Debug, Clone)]
pub(crate) struct OpenIdSettings {
    pub(crate) issuer: String,
    pub(crate) client_id: String,
    pub(crate) client_secret: Option<Secret>,
    pub(crate) identifier_claim: String,
    pub(crate) scopes: Vec<String>,
}

impl OidcConfig {
    /// `None` without a provider, and when something is missing.
    pub(super) fn check(self, checker: &mut Checker) -> Option<OpenIdSettings> {
        let Self { issuer, client_id, client_secret, identifier_claim, scopes } = self;
        let Some(issuer) = issuer else {
            if client_id.is_some() || client_secret.is_some() {
                checker.problem("oidc.issuer", "is missing. Set it to the provider's address, or remove the client");
            }
            return None;
        };
        checker.remote("oidc.issuer", &issuer, "https", "http");
        checker.text("oidc.identifier_claim", &identifier_claim, MAX_CLAIM_BYTES);
        if scopes.len() > MAX_CLAIM_BYTES || !scopes.split(' ').any(|scope| scope == "openid") {
            checker.problem("oidc.scopes", format_args!("must hold openid, and have at most {MAX_CLAIM_BYTES} bytes"));
        }
        let Some(client_id) = client_id.filter(|id| !id.is_empty()) else {
            checker.problem(
                "oidc.client_id",
                "is missing. Register this server with the provider and set what it calls us",
            );
            return None;
        };
        let scopes = scopes.split_whitespace().map(str::to_owned).collect();
        Some(OpenIdSettings { issuer, client_id, client_secret, identifier_claim, scopes })
    }
}
