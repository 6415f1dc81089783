//! Where a request comes from: this server's own page or another site, and the client's address.
//!
//! What this module does not know: who is signed in.

use super::api_error::ApiError;
use crate::{app::App, relay::Caller, serve::ConnectionAddresses};
use axum::{
    extract::{FromRequestParts, Request, State},
    http::{HeaderMap, Method, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use std::{
    net::{IpAddr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

/// Refuses unsafe requests that a browser sends for another site. The session cookie's `SameSite=Strict` has the same
/// effect; this also covers signing in, which needs no cookie.
pub(super) async fn refuse_other_sites(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if safe || is_own_page(request.headers(), &app.settings.public_origin) {
        next.run(request).await
    } else {
        ApiError::CrossSite.into_response()
    }
}

/// Browsers send at least one of the two headers with unsafe requests; a program that sends neither carries no cookies
/// of another person.
fn is_own_page(headers: &HeaderMap, public_origin: &str) -> bool {
    match (headers.get("sec-fetch-site"), headers.get(header::ORIGIN)) {
        (Some(site), _) => site == "same-origin",
        (None, Some(origin)) => origin == public_origin,
        (None, None) => true,
    }
}

/// The network that rate limits count: an IPv4 address, or a /64 of IPv6, which one household or machine has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Network(IpAddr);

impl Network {
    fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V6(v6) => Self(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64).into()),
            v4 => Self(v4),
        }
    }
}

impl FromRequestParts<Arc<App>> for Network {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        let Remote(caller) = Remote::from_request_parts(parts, app).await?;
        Ok(Self::of(caller.client))
    }
}

/// The addresses of the connection; behind a proxy the client's address comes from a header and has no port.
pub(super) struct Remote(pub(super) Caller);

impl FromRequestParts<Arc<App>> for Remote {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        // Every request that a connection brings has them.
        let addresses = parts.extensions.get::<ConnectionAddresses>().copied().ok_or(ApiError::Internal)?;
        let ConnectionAddresses { peer, local } = addresses;
        let forwarded = app.settings.behind_proxy.then(|| forwarded(&parts.headers)).flatten();
        let (client, client_port) = forwarded.map_or((peer.ip(), Some(peer.port())), |address| (address, None));
        Ok(Self(Caller { client, client_port, server: local }))
    }
}

/// The last entry of the last `X-Forwarded-For`: the only one that this server's proxy wrote.
fn forwarded(headers: &HeaderMap) -> Option<IpAddr> {
    let last = headers.get_all("x-forwarded-for").iter().next_back()?.to_str().ok()?.rsplit(',').next()?.trim();
    last.parse().ok().or_else(|| last.parse().ok().map(|address: SocketAddr| address.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str = "https://messenger.example";

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn unsafe_requests_must_come_from_the_servers_own_page() {
        let cases: [(&[(&'static str, &str)], bool); 8] = [
            (&[("sec-fetch-site", "same-origin")], true),
            (&[("sec-fetch-site", "same-origin"), ("origin", "http://127.0.0.1:8080")], true),
            (&[("sec-fetch-site", "cross-site"), ("origin", OURS)], false),
            (&[("sec-fetch-site", "same-site")], false),
            (&[("origin", OURS)], true),
            (&[("origin", "https://messenger.example.evil.example")], false),
            (&[("origin", "null")], false),
            (&[], true),
        ];
        for (pairs, expected) in cases {
            assert_eq!(is_own_page(&headers(pairs), OURS), expected, "{pairs:?}");
        }
    }

    #[test]
    fn only_the_last_forwarded_address_counts() {
        let two = headers(&[("x-forwarded-for", "198.51.100.1"), ("x-forwarded-for", "203.0.113.9, 192.0.2.7")]);
        assert_eq!(forwarded(&two), Some("192.0.2.7".parse().unwrap()));
        assert_eq!(forwarded(&headers(&[("x-forwarded-for", "[2001:db8::1]:443")])), "2001:db8::1".parse().ok());
        assert_eq!(forwarded(&headers(&[("x-forwarded-for", "unknown")])), None);
    }

    #[test]
    fn an_ipv6_network_counts_as_one_caller() {
        let network = |text: &str| Network::of(text.parse().unwrap());
        assert_eq!(network("2001:db8::1"), network("2001:db8::ffff:1"));
        assert_ne!(network("2001:db8::1"), network("2001:db8:0:1::1"));
        assert_eq!(network("::ffff:192.0.2.7"), network("192.0.2.7"));
    }
}
