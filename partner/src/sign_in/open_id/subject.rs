//! Names a person at an OpenID provider.
//!
//! What this module does not know: the person's account.

/// The issuer and its permanent identifier of the person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Subject(String);

impl Subject {
    /// `sub` is the claim of that name, unique at its issuer.
    pub(in crate::sign_in) fn new(issuer: &str, sub: &str) -> Self {
        // No issuer's URL contains a space.
        Self(format!("{issuer} {sub}"))
    }

    pub(in crate::sign_in) fn as_str(&self) -> &str {
        &self.0
    }
}
