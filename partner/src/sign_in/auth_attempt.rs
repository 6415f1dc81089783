//! An authentication attempt that spans several requests of one browser: a passkey challenge, or a sign-in at an OpenID
//! provider.
//!
//! A cookie holds a secret, the database its hash and the state, so that any instance can finish the attempt, but only
//! for the same browser, once. What this module does not know: the state.

use super::session::SessionToken;
use std::time::Duration;

/// Time to finish an attempt: as long as browsers wait for a person with a security key.
pub(crate) const LIFETIME: Duration = Duration::from_secs(300);

/// What the attempt is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AuthKind {
    /// Registering a passkey for the signed-in account.
    NewPasskey,
    /// Signing in with a passkey.
    Passkey,
    /// Signing in at the OpenID provider.
    OpenId,
}

impl AuthKind {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::NewPasskey => "new_passkey",
            Self::Passkey => "passkey",
            Self::OpenId => "open_id",
        }
    }

    /// The redirect from the provider is a cross-site navigation, with which browsers send no `Strict` cookies.
    fn same_site(self) -> &'static str {
        if self == Self::OpenId { "Lax" } else { "Strict" }
    }

    /// With `__Host-`, as for the session.
    fn cookie_name(self, secure: bool) -> String {
        let prefix = if secure { "__Host-" } else { "" };
        format!("{prefix}causeway_{}", self.as_str())
    }
}

/// Names an attempt: the hash of its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AttemptId(String);

impl AttemptId {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// The 256-bit random secret of one attempt.
pub(crate) struct AuthAttempt {
    token: SessionToken,
    kind: AuthKind,
}

impl AuthAttempt {
    /// Fails only if the operating system has no randomness.
    pub(crate) fn random(kind: AuthKind) -> Result<Self, getrandom::Error> {
        Ok(Self { token: SessionToken::random()?, kind })
    }

    /// Parses the secret from a request's `Cookie` header.
    pub(crate) fn from_cookies(header: &str, kind: AuthKind, secure: bool) -> Option<Self> {
        let name = kind.cookie_name(secure);
        let value = header.split(';').rev().find_map(|pair| pair.trim().strip_prefix(&name)?.strip_prefix('='))?;
        Some(Self { token: SessionToken::parse(value)?, kind })
    }

    pub(super) fn id(&self) -> AttemptId {
        AttemptId(self.token.hash())
    }

    pub(super) fn kind(&self) -> AuthKind {
        self.kind
    }

    /// The same token as another kind.
    #[cfg(test)]
    pub(super) fn with_kind(&self, kind: AuthKind) -> Option<Self> {
        Some(Self { token: SessionToken::parse(&self.token.text())?, kind })
    }

    /// The `Set-Cookie` header that begins the attempt.
    pub(crate) fn cookie(&self, secure: bool) -> String {
        set_cookie(self.kind, &self.token.text(), LIFETIME, secure)
    }

    /// The `Set-Cookie` header that removes the cookie.
    pub(crate) fn clear_cookie(kind: AuthKind, secure: bool) -> String {
        set_cookie(kind, "", Duration::ZERO, secure)
    }
}

fn set_cookie(kind: AuthKind, value: &str, lifetime: Duration, secure: bool) -> String {
    let flag = if secure { "; Secure" } else { "" };
    let (name, same_site, seconds) = (kind.cookie_name(secure), kind.same_site(), lifetime.as_secs());
    format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite={same_site}{flag}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_is_read_back_for_its_kind_only() {
        for secure in [false, true] {
            let attempt = AuthAttempt::random(AuthKind::Passkey).unwrap();
            let cookie = attempt.cookie(secure);
            let pair = cookie.split(';').next().unwrap();
            let back = AuthAttempt::from_cookies(&format!("a=1; {pair}"), AuthKind::Passkey, secure).unwrap();
            assert_eq!(back.id(), attempt.id());
            assert!(AuthAttempt::from_cookies(pair, AuthKind::OpenId, secure).is_none());
            assert!(AuthAttempt::from_cookies(pair, AuthKind::Passkey, !secure).is_none());
        }
        let lax = AuthAttempt::random(AuthKind::OpenId).unwrap().cookie(true);
        assert!(lax.starts_with("__Host-causeway_open_id="), "{lax}");
        assert!(lax.ends_with("; Path=/; Max-Age=300; HttpOnly; SameSite=Lax; Secure"), "{lax}");
    }
}
