//! The checked options of the OpenID provider.

use crate::secret::Secret;
use openidconnect::ClientId;

/// Registration with the provider and the claim to use as identifier.
#[derive(Debug, Clone)]
pub(crate) struct OpenIdSettings {
    pub(crate) issuer: String,
    pub(crate) client_id: ClientId,
    pub(crate) client_secret: Option<Secret>,
    pub(crate) identifier_claim: String,
    pub(crate) scopes: Vec<String>,
}
