//! The partner server of tests, for one account: the signed-in user and the account's device.

use super::ok;
use causeway::io::{HttpFailure, HttpRequest, HttpResponse, Method};

/// Of the clock of the world that this server is in.
type Millis = u64;

/// What the partner server and the enlistment API answer.
pub(crate) struct Servers {
    /// The answer to a token request of the current device.
    pub(crate) token: Result<HttpResponse, HttpFailure>,
    pub(crate) enlist: Result<HttpResponse, HttpFailure>,
    /// The answer to a password.
    pub(crate) account: u16,
    /// The signed-in user; the cookie of this browser.
    pub(crate) signed_in: Option<String>,
    /// The account's device and since when, and the one before it.
    pub(crate) device: (String, Millis),
    pub(crate) previous: (String, Millis),
    /// The server carries out device requests, and its answers are lost.
    pub(crate) swallow: bool,
    /// Answer about the account in place of the true one.
    pub(crate) about: Option<Result<HttpResponse, HttpFailure>>,
}

impl Default for Servers {
    fn default() -> Self {
        Self {
            token: ok(200, "header.claims.signature"),
            enlist: ok(200, r#"{"login":"1-10853634039893@interop","status":"ok"}"#),
            account: 204,
            signed_in: None,
            device: Default::default(),
            previous: Default::default(),
            swallow: false,
            about: None,
        }
    }
}

impl Servers {
    /// Another browser becomes the account's.
    pub(crate) fn claim(&mut self, device: &str, now: Millis) {
        if self.device.0 != device {
            self.previous = std::mem::replace(&mut self.device, (device.to_owned(), now));
        }
    }

    pub(super) fn answer(&mut self, request: &HttpRequest, now: Millis) -> Result<HttpResponse, HttpFailure> {
        let field = |name: &str| {
            let form = request.form.as_ref().map_or("", |form| form.as_str());
            form_urlencoded::parse(form.as_bytes())
                .find(|(field, _)| field == name)
                .map(|(_, value)| value.into_owned())
        };
        let named = || {
            let device = field("device").expect("a form that names a device");
            assert!(device.len() == 32 && device.bytes().all(|byte| b"0123456789abcdef".contains(&byte)), "{device}");
            device
        };
        match (request.method, request.url.as_str()) {
            (Method::Get, "/api/account") => match (&self.about, &self.signed_in) {
                (Some(said), _) => said.clone(),
                (None, Some(who)) => {
                    ok(200, &format!("identifier={who}&device={}&since={}", self.device.0, self.device.1))
                }
                (None, None) => ok(204, ""),
            },
            (Method::Post, "/api/account" | "/api/session") => {
                if self.account == 204 {
                    self.signed_in = field("identifier");
                }
                ok(self.account, "")
            }
            (Method::Delete, "/api/session") => {
                self.signed_in = None;
                ok(204, "")
            }
            (Method::Post, "/api/device" | "/api/token") if self.signed_in.is_none() => ok(401, ""),
            (Method::Post, "/api/device") => {
                self.claim(&named(), now);
                match self.swallow {
                    true => Err(HttpFailure::Unreachable),
                    false => ok(200, &format!("previous={}&since={}", self.previous.0, self.previous.1)),
                }
            }
            (Method::Post, "/api/token") => {
                let device = named();
                if self.device.0.is_empty() {
                    self.device = (device.clone(), now);
                }
                match self.device.0 == device {
                    true => self.token.clone(),
                    false => ok(409, "other_device"),
                }
            }
            (method, url) => panic!("{method:?} {url}"),
        }
    }
}
