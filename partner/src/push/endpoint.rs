//! Names a subscription: the URL to which its push service takes pushes.
//!
//! What this module does not know: which services are allowed ([`super::subscription`]).

use std::fmt;
use url::Url;

/// Maximum length in bytes; endpoints are index keys.
const MAX_BYTES: usize = 2_048;

/// The URL in the form in which it is stored and compared. `Debug` does not show it: it allows sending pushes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Endpoint(String);

impl Endpoint {
    /// `None` if the text is no URL of a host, holds a password or a fragment, or is too long.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        url(text).map(|url| Self(url.into()))
    }

    /// Takes a text from a row as it is.
    pub(super) fn stored(text: String) -> Self {
        Self(text)
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// `None` only for a row that this program did not write.
    pub(super) fn url(&self) -> Option<Url> {
        url(&self.0)
    }

    /// The host, the only part that may be shown or logged.
    pub(crate) fn host(&self) -> Option<String> {
        self.url()?.host_str().map(str::to_owned)
    }

    /// Scheme, host and port of the service.
    pub(super) fn origin(&self) -> Option<String> {
        self.url().map(|url| url.origin().ascii_serialization())
    }
}

fn url(text: &str) -> Option<Url> {
    if text.len() > MAX_BYTES {
        return None;
    }
    let url = Url::parse(text).ok()?;
    let plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    (plain && url.has_host() && url.as_str().len() <= MAX_BYTES).then_some(url)
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Endpoint({}/…)", self.origin().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_has_one_form() {
        let form = |text: &str| Endpoint::parse(text).map(|endpoint| endpoint.0);
        assert_eq!(form("HTTPS://Push.example:443/a b").as_deref(), Some("https://push.example/a%20b"));
        let long = format!("https://push.example/{}", "x".repeat(MAX_BYTES));
        let grows = format!("https://push.example/{}", " ".repeat(1_000) + "x");
        for bad in ["", "nonsense", "https://user@push.example/", "https://push.example/#x", &long, &grows] {
            assert_eq!(form(bad), None, "{bad}");
        }
    }

    #[test]
    fn debug_output_does_not_allow_sending() {
        let endpoint = Endpoint::parse("https://push.example:8443/secret?token=secret").unwrap();
        assert_eq!(format!("{endpoint:?}"), "Endpoint(https://push.example:8443/…)");
        assert_eq!(endpoint.host().as_deref(), Some("push.example"));
    }
}
