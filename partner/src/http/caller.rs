//! Who is calling: our own page or another site's, and from which address.
//!
//! What this module does not know: which person it is.

use super::{ApiError, App};
use crate::{relay::Caller, serve::Ends};
use axum::{
    extract::{FromRequestParts, Request, State},
    http::{HeaderMap, Method, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use std::{
    convert::Infallible,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

/// Refuses requests that change something and that a browser sends on behalf of another site. The session cookie's
/// `SameSite=Strict` says the same; this also covers signing in, which needs no cookie.
pub(super) async fn refuse_other_sites(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if safe || is_own_page(request.headers(), &app.settings.public_origin) {
        next.run(request).await
    } else {
        ApiError::CrossSite.into_response()
    }
}

/// Every browser sends one of the two headers with a request that changes something; a program that sends neither
/// carries no other person's cookies.
fn is_own_page(headers: &HeaderMap, public_origin: &str) -> bool {
    match (headers.get("sec-fetch-site"), headers.get(header::ORIGIN)) {
        (Some(site), _) => site == "same-origin",
        (None, Some(origin)) => origin == public_origin,
        (None, None) => true,
    }
}

/// The caller's network: what the limits count by. One household or machine has a whole /64 of IPv6 addresses.
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
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Infallible> {
        let Remote(caller) = Remote::from_request_parts(parts, app).await?;
        Ok(Self::of(caller.client.ip()))
    }
}

/// Where the caller's connection comes from, and where it came in. A proxy in front tells the address, but no port.
pub(super) struct Remote(pub(super) Caller);

impl FromRequestParts<Arc<App>> for Remote {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Infallible> {
        let nowhere = SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), 0);
        let ends = parts.extensions.get::<Ends>().copied().unwrap_or(Ends { peer: nowhere, local: nowhere });
        let told = app.settings.behind_proxy.then(|| forwarded(&parts.headers)).flatten();
        let client = told.map_or(ends.peer, |address| SocketAddr::new(address, 0));
        Ok(Self(Caller { client, server: ends.local }))
    }
}

/// The last entry of the last `X-Forwarded-For`: the only one that our own proxy wrote.
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
    fn only_our_own_page_may_change_things() {
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
    fn one_network_of_ipv6_counts_as_one_caller() {
        let network = |text: &str| Network::of(text.parse().unwrap());
        assert_eq!(network("2001:db8::1"), network("2001:db8::ffff:1"));
        assert_ne!(network("2001:db8::1"), network("2001:db8:0:1::1"));
        assert_eq!(network("::ffff:192.0.2.7"), network("192.0.2.7"));
    }
}
