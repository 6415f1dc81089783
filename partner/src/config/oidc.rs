//! The options of sign-in at an OpenID Connect provider.
//!
//! What this module does not know: whether the provider responds; that is found out at the first sign-in.

use super::checker::{Checker, MAX_CLAIM_BYTES};
use crate::{secret::Secret, sign_in::OpenIdSettings};
use openidconnect::ClientId;
use serde::Deserialize;

/// Sign-in at an OpenID Connect provider, for Partners with an account system of their own.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OidcConfig {
    /// The issuer exactly as in the provider's tokens; without one, accounts are built in.
    pub issuer: Option<String>,
    /// The client id at the provider.
    pub client_id: Option<String>,
    /// The client secret; none for a public client.
    pub client_secret: Option<Secret>,
    /// The claim that becomes the identifier of an account at its first sign-in.
    pub identifier_claim: String,
    /// Requested scopes, separated by spaces.
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

impl OidcConfig {
    /// `None` without a provider, or if an option is missing.
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
        let client_id = ClientId::new(client_id);
        Some(OpenIdSettings { issuer, client_id, client_secret, identifier_claim, scopes })
    }
}
