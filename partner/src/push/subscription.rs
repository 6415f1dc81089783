//! Validates subscriptions: the server will send requests to a URL that a user supplies.
//!
//! What this module does not know: whose subscription it is.

use super::endpoint::Endpoint;
use crate::loopback::is_loopback;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use url::{Host, Url};
use web_push_native::p256::PublicKey;

/// The push services of today's browsers, in the syntax of `push.services`.
pub(crate) const DEFAULT_SERVICES: [&str; 4] =
    ["fcm.googleapis.com", "updates.push.services.mozilla.com", "*.push.apple.com", "*.notify.windows.com"];
const PUBLIC_KEY_BYTES: usize = 65;
const AUTH_BYTES: usize = 16;

/// One entry of `push.services`.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Service {
    /// A host, over https on the default port.
    Host(String),
    /// Every host below a domain.
    Below(String),
    /// Exactly this scheme, host and port.
    Origin(String),
}

/// The allowed push services. Without this list, anyone with an account could make the server send requests to any
/// machine that it can reach.
#[derive(Debug, Clone)]
pub(crate) struct Services(Vec<Service>);

/// An invalid entry of `push.services`.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ServiceError {
    #[error("{0:?} is no host such as push.example, *.push.example, or https://push.example:8443")]
    Shape(String),
    #[error(
        "{0:?} is plain http, which only this machine's push service may have, and only while public_url is this machine's"
    )]
    Plain(String),
}

impl Services {
    /// Parses the configured list. `local`: whether this server itself is reachable on this machine only.
    pub(crate) fn read(entries: &[String], local: bool) -> Result<Self, ServiceError> {
        entries.iter().map(|entry| Service::read(entry, local)).collect::<Result<_, _>>().map(Self)
    }

    /// Whether requests may be sent to the endpoint.
    pub(crate) fn allow(&self, endpoint: &Endpoint) -> bool {
        endpoint.url().is_some_and(|url| self.allow_url(&url))
    }

    fn allow_url(&self, url: &Url) -> bool {
        let Some(Host::Domain(host)) = url.host() else {
            // IP addresses are allowed only if they are listed with scheme and port.
            return self.0.iter().any(|service| *service == Service::Origin(origin(url)));
        };
        self.0.iter().any(|service| match service {
            Service::Host(name) => ordinary(url) && host == name,
            Service::Below(domain) => {
                let below = host.strip_suffix(domain.as_str()).and_then(|rest| rest.strip_suffix('.'));
                ordinary(url) && below.is_some_and(|name| !name.is_empty())
            }
            Service::Origin(listed) => *listed == origin(url),
        })
    }
}

impl Service {
    fn read(entry: &str, local: bool) -> Result<Self, ServiceError> {
        let shape = || ServiceError::Shape(entry.to_owned());
        if entry.contains("://") {
            let url = Url::parse(entry).map_err(|_| shape())?;
            let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
            if !bare || !url.username().is_empty() || url.password().is_some() {
                return Err(shape());
            }
            return match url.scheme() {
                "https" => Ok(Self::Origin(origin(&url))),
                "http" if local && is_loopback(&url) => Ok(Self::Origin(origin(&url))),
                "http" => Err(ServiceError::Plain(entry.to_owned())),
                _ => Err(shape()),
            };
        }
        let (name, below) = entry.strip_prefix("*.").map_or((entry, false), |domain| (domain, true));
        match Host::parse(name) {
            Ok(Host::Domain(host)) if host.contains('.') => {
                Ok(if below { Self::Below(host) } else { Self::Host(host) })
            }
            _ => Err(shape()),
        }
    }
}

/// Https on the default port.
fn ordinary(url: &Url) -> bool {
    url.scheme() == "https" && url.port().is_none()
}

pub(super) fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// Endpoint and encryption keys. Not `Debug`: the endpoint allows sending pushes.
#[derive(Clone)]
pub(crate) struct Subscription {
    pub(super) endpoint: Endpoint,
    pub(super) url: Url,
    pub(super) public_key: PublicKey,
    pub(super) auth: [u8; AUTH_BYTES],
}

impl Subscription {
    /// Parses the keys that the browser supplies: two byte strings in base64url without padding. `None` if a key is
    /// invalid or the service is not allowed.
    pub(crate) fn read(endpoint: &Endpoint, p256dh: &str, auth: &str, services: &Services) -> Option<Self> {
        let url = endpoint.url().filter(|url| services.allow_url(url))?;
        let key = URL_SAFE_NO_PAD.decode(p256dh).ok().filter(|key| key.len() == PUBLIC_KEY_BYTES)?;
        let auth = URL_SAFE_NO_PAD.decode(auth).ok()?.try_into().ok()?;
        Some(Self { endpoint: endpoint.clone(), url, public_key: PublicKey::from_sec1_bytes(&key).ok()?, auth })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "BLn9b-VR0ca83knDNZ32dCHGyjJp-1riX9ZTN40MqV8K_LpQmLqxC_DoHvqvFXO_nGdAB4W9dogZb_sM-uV4JbY";
    const AUTH: &str = "_ordMnz7uTCmrpBTeUV4Bw";

    fn services(entries: &[&str], local: bool) -> Result<Services, ServiceError> {
        let entries: Vec<_> = entries.iter().map(|entry| (*entry).to_owned()).collect();
        Services::read(&entries, local)
    }

    fn allowed(services: &Services, endpoint: &str) -> bool {
        Endpoint::parse(endpoint).is_some_and(|endpoint| services.allow(&endpoint))
    }

    #[test]
    fn only_the_listed_services_are_allowed() {
        let services = services(&DEFAULT_SERVICES, false).unwrap();
        for good in [
            "https://fcm.googleapis.com/fcm/send/abc:def",
            "https://FCM.googleapis.com:443/wp/x",
            "https://updates.push.services.mozilla.com/wpush/v2/gAAA",
            "https://web.push.apple.com/QK",
            "https://wns2-par02p.notify.windows.com/w/?token=BQ",
        ] {
            assert!(allowed(&services, good), "{good}");
        }
        for bad in [
            "http://fcm.googleapis.com/fcm/send/abc",
            "https://fcm.googleapis.com:8443/x",
            "https://fcm.googleapis.com.evil.example/x",
            "https://evilfcm.googleapis.com/x",
            "https://push.apple.com/x",
            "https://.push.apple.com/x",
            "https://evilpush.apple.com/x",
            "https://user@fcm.googleapis.com/x",
            "https://fcm.googleapis.com@127.0.0.1/x",
            "https://127.0.0.1/x",
            "https://[::1]/x",
            "https://169.254.169.254/latest",
            "https://localhost/x",
            "file:///etc/passwd",
            "ftp://fcm.googleapis.com/x",
            "fcm.googleapis.com",
            "",
        ] {
            assert!(!allowed(&services, bad), "{bad}");
        }
    }

    #[test]
    fn a_service_with_a_port_is_listed_with_it() {
        let services = services(&["https://push.example:8443", "http://127.0.0.1:8202"], true).unwrap();
        assert!(allowed(&services, "https://push.example:8443/x") && allowed(&services, "http://127.0.0.1:8202/x"));
        for bad in
            ["https://push.example/x", "http://push.example:8443/x", "http://127.0.0.1/x", "https://127.0.0.1:8202/"]
        {
            assert!(!allowed(&services, bad), "{bad}");
        }
    }

    #[test]
    fn plain_http_is_for_services_and_servers_on_this_machine() {
        assert!(matches!(services(&["http://127.0.0.1:8202"], false), Err(ServiceError::Plain(_))));
        assert!(matches!(services(&["http://push.example"], true), Err(ServiceError::Plain(_))));
        for bad in [
            "",
            "*",
            "*.com",
            "com",
            "127.0.0.1",
            "push.example/x",
            "https://push.example/x",
            "ftp://push.example",
            "a b.example",
        ] {
            assert!(matches!(services(&[bad], true), Err(ServiceError::Shape(_))), "{bad:?}");
        }
    }

    #[test]
    fn keys_have_their_lengths_and_lie_on_the_curve() {
        let services = services(&["push.example"], false).unwrap();
        let endpoint = Endpoint::parse("https://push.example/x").unwrap();
        let read = |key: &str, auth: &str| Subscription::read(&endpoint, key, auth, &services).is_some();
        assert!(read(KEY, AUTH));
        let off_curve = URL_SAFE_NO_PAD.encode([4; 65]);
        let compressed = URL_SAFE_NO_PAD.encode([2; 33]);
        let wrong_form = KEY.replacen("BL", "BK", 1);
        for bad in ["", KEY.strip_prefix('B').unwrap(), &format!("{KEY}="), &off_curve, &compressed, &wrong_form, "?"] {
            assert!(!read(bad, AUTH), "{bad}");
        }
        for bad in ["", AUTH.strip_suffix("Bw").unwrap(), &format!("{AUTH}=="), &format!("{AUTH}AAAA"), "!"] {
            assert!(!read(KEY, bad), "{bad}");
        }
    }
}
