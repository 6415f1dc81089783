//! Outgoing HTTP requests to push services and to WhatsApp.
//!
//! What this module does not know: what is requested. Redirects are not followed, proxies of the environment are not
//! used, and every request and response body is bounded.

use reqwest::{Client, Proxy, Response, redirect::Policy};
use std::time::Duration;
use url::Url;

const CONNECT: Duration = Duration::from_secs(5);
const WHOLE: Duration = Duration::from_secs(15);

/// The HTTP client cannot be created.
#[derive(Debug, thiserror::Error)]
#[error("requests to other servers cannot be made: {0}. Are the system's certificates installed (ca-certificates)?")]
pub struct OutboundError(#[from] reqwest::Error);

/// Creates the HTTP client; all requests go through `proxy` if there is one.
pub(crate) fn outbound(proxy: Option<&Url>) -> Result<Client, OutboundError> {
    let builder = Client::builder()
        .redirect(Policy::none())
        .connect_timeout(CONNECT)
        .timeout(WHOLE)
        .pool_max_idle_per_host(8)
        .user_agent(concat!("causeway-partner/", env!("CARGO_PKG_VERSION")))
        .no_proxy();
    let builder = match proxy {
        Some(proxy) => builder.proxy(Proxy::all(proxy.clone())?),
        None => builder,
    };
    Ok(builder.build()?)
}

/// The body of a response; `None` if it breaks off or has more than `most` bytes.
pub(super) async fn body(mut response: Response, most: usize) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.ok()? {
        if body.len() + chunk.len() > most {
            return None;
        }
        body.extend_from_slice(&chunk);
    }
    Some(body)
}
