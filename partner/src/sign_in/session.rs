//! The session token and its cookie.
//!
//! What this module does not know: whose session it is. The database stores only the token's hash, so that a copy of
//! the database grants no access.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use std::time::Duration;
use zeroize::Zeroizing;

/// Names a session: the hash of its token, which grants no access.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct SessionId(String);

impl SessionId {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// The 256-bit random secret of a session.
pub(crate) struct SessionToken(Zeroizing<[u8; 32]>);

impl SessionToken {
    /// Fails only if the operating system has no randomness.
    pub(crate) fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = Zeroizing::new([0; 32]);
        getrandom::fill(bytes.as_mut_slice())?;
        Ok(Self(bytes))
    }

    /// Decodes the base64url form.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut bytes = Zeroizing::new([0; 32]);
        let length = URL_SAFE_NO_PAD.decode_slice(text, bytes.as_mut_slice()).ok()?;
        (length == bytes.len()).then_some(Self(bytes))
    }

    /// Encodes as base64url.
    pub(super) fn text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0.as_slice())
    }

    /// The session that begins with this token.
    pub(crate) fn id(&self) -> SessionId {
        SessionId(self.hash())
    }

    /// A hash in base64url, from which the token cannot be found.
    pub(super) fn hash(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(self.0.as_slice()))
    }

    /// Parses the token from a request's `Cookie` header; of several the last one is used.
    pub(crate) fn from_cookies(header: &str, secure: bool) -> Option<Self> {
        let value =
            header.split(';').rev().find_map(|pair| pair.trim().strip_prefix(name(secure))?.strip_prefix('='))?;
        Self::parse(value)
    }

    /// The `Set-Cookie` header that begins a session of `lifetime`.
    pub(crate) fn cookie(&self, lifetime: Duration, secure: bool) -> String {
        set_cookie(&self.text(), lifetime, secure)
    }

    /// The `Set-Cookie` header that removes the cookie.
    pub(crate) fn clear_cookie(secure: bool) -> String {
        set_cookie("", Duration::ZERO, secure)
    }
}

/// The prefix `__Host-` makes browsers require `Secure`, `Path=/` and no `Domain`.
fn name(secure: bool) -> &'static str {
    if secure { "__Host-causeway_session" } else { "causeway_session" }
}

fn set_cookie(value: &str, lifetime: Duration, secure: bool) -> String {
    let flag = if secure { "; Secure" } else { "" };
    let seconds = lifetime.as_secs();
    format!("{}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{flag}", name(secure))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn the_token_is_read_back_from_its_cookie() {
        for secure in [false, true] {
            let token = SessionToken::random().unwrap();
            let cookie = token.cookie(MINUTE, secure);
            let pair = cookie.split(';').next().unwrap();
            let back = SessionToken::from_cookies(&format!("other=1; {pair}"), secure).unwrap();
            assert_eq!(back.id(), token.id());
        }
    }

    #[test]
    fn the_cookie_has_the_expected_flags() {
        let token = SessionToken::random().unwrap();
        let secure = token.cookie(MINUTE, true);
        assert!(secure.starts_with("__Host-causeway_session="));
        assert!(secure.ends_with("; Path=/; Max-Age=60; HttpOnly; SameSite=Strict; Secure"), "{secure}");
        assert!(token.cookie(MINUTE, false).ends_with("; HttpOnly; SameSite=Strict"));
        assert_eq!(
            SessionToken::clear_cookie(false),
            "causeway_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict"
        );
    }

    #[test]
    fn malformed_cookies_contain_no_token() {
        let long = format!("causeway_session={}", "A".repeat(10_000));
        for header in
            ["", "causeway_session", "causeway_session=", "causeway_session=AAAA", "x=1; causeway_session=!!", &long]
        {
            assert!(SessionToken::from_cookies(header, false).is_none(), "{header}");
        }
    }

    #[test]
    fn the_cookie_without_prefix_is_ignored_where_secure_ones_are_set() {
        let token = SessionToken::random().unwrap();
        let cookie = token.cookie(MINUTE, false);
        assert!(SessionToken::from_cookies(cookie.split(';').next().unwrap(), true).is_none());
    }
}
