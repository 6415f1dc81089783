//! A provider's own sign-in: an OpenID provider that is not ours (`openid-provider.mjs`), as a process of its own.
//!
//! What this module does not know: the partner server, beyond the settings that name the provider.

use crate::{driver::Driver, ports::free_address};
use anyhow::Result;
use causeway_partner::Config;
use std::net::SocketAddr;

const CLIENT: &str = "messenger";
const SECRET: &str = "a secret that only the two servers know";

/// Where the provider will be: it and the partner server must know each other's address before either is started.
#[derive(Debug, Clone, Copy)]
pub struct Place(SocketAddr);

impl Place {
    /// Chooses a free address.
    ///
    /// # Errors
    /// If no free port is found.
    pub fn find() -> Result<Self> {
        free_address().map(Self)
    }

    /// Configures a partner server to use this provider.
    pub fn configure(self, config: &mut Config) {
        config.oidc.issuer = Some(format!("http://{}", self.0));
        config.oidc.client_id = Some(CLIENT.to_owned());
        config.oidc.client_secret = Some(SECRET.to_owned().into());
    }
}

/// A running provider; ends when dropped.
pub struct Provider(Driver);

impl Provider {
    /// Starts it for the partner server at `url`.
    ///
    /// # Errors
    /// If Node.js or the package is missing, or the place is taken.
    pub async fn start(place: Place, url: &str) -> Result<Self> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/openid-provider.mjs");
        let redirect = format!("{url}api/sign-in/oidc/return");
        let port = place.0.port().to_string();
        Driver::start("node", &[script, &port, &redirect, CLIENT, SECRET], "OpenID provider on port ").await.map(Self)
    }

    /// What it has printed so far.
    pub fn output(&self) -> Vec<String> {
        self.0.output()
    }
}
