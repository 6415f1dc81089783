//! Why a sign-in at the OpenID provider failed.

/// Why a sign-in failed. The texts contain no secrets.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenIdError {
    /// The provider does not respond, or violates the standard.
    #[error("the provider failed: {0}")]
    Provider(String),
    /// The response of the browser or the provider fails verification.
    #[error("the sign-in is refused: {0}")]
    Refused(String),
    /// The provider authenticates the person but does not supply the configured claim.
    #[error("neither the ID token nor UserInfo has a text claim {0:?}, or it is an unverified address")]
    NoIdentifier(String),
}
