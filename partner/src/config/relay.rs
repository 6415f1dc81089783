//! The options of the chat relay, and their checks.
//!
//! What this module does not know: sockets.

use super::checker::Checker;
use crate::relay::{ClientAddress, RelaySettings, Target};
use rustls::pki_types::{CertificateDer, pem::PemObject};
use serde::Deserialize;
use std::{path::PathBuf, time::Duration};
use url::Url;

/// The chat relay, for browsers that cannot reach WhatsApp themselves.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RelayConfig {
    /// URL of the chat server: `wss://`, `ws://` or `tcp://host:port`. Without one, no relay.
    pub upstream: Option<String>,
    /// How the client's address is forwarded: `proxy-v2`, `header` or `none`.
    pub client_address: Option<String>,
    /// Trusted root certificates (PEM) instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// WhatsApp's enlistment API, if clients enlist through this server.
    pub enlist_url: Option<String>,
    /// Maximum number of relayed connections.
    pub connections: u32,
    /// Seconds of silence after which a client is pinged, and then disconnected.
    pub idle_seconds: u64,
    /// Seconds without write progress after which either side is disconnected.
    pub write_seconds: u64,
}

impl Default for RelayConfig {
    fn default() -> Self {
        Self {
            upstream: None,
            client_address: None,
            ca_file: None,
            enlist_url: None,
            connections: 10_000,
            idle_seconds: 60,
            write_seconds: 30,
        }
    }
}

/// Checks the options; `None` without a relay.
pub(super) fn check(checker: &mut Checker, config: &RelayConfig) -> Option<RelaySettings> {
    checker.within("relay.connections", config.connections.into(), 1, 1 << 20);
    checker.within("relay.idle_seconds", config.idle_seconds, 1, 3_600);
    checker.within("relay.write_seconds", config.write_seconds, 1, 3_600);
    let target = target(checker, config.upstream.as_deref()?)?;
    let client_address = match config.client_address.as_deref() {
        // The seed requires a proxy to forward the address: omitting it must be explicit.
        None if target.websocket.is_some() => ClientAddress::Header,
        None | Some("proxy-v2") => ClientAddress::ProxyV2,
        Some("header") if target.websocket.is_some() => ClientAddress::Header,
        Some("header") => {
            checker.problem("relay.client_address", "a tcp:// upstream has no header; use \"proxy-v2\"");
            return None;
        }
        Some("none") => ClientAddress::None,
        Some(other) => {
            checker.problem(
                "relay.client_address",
                format_args!("is {other:?}; it must be \"proxy-v2\", \"header\" or \"none\""),
            );
            return None;
        }
    };
    let roots = match &config.ca_file {
        None => None,
        Some(path) => match certificates(path) {
            Ok(certificates) => Some(certificates),
            Err(error) => {
                checker.problem("relay.ca_file", format_args!("{}: {error}", path.display()));
                return None;
            }
        },
    };
    Some(RelaySettings {
        target,
        client_address,
        roots,
        connections: config.connections,
        idle: Duration::from_secs(config.idle_seconds),
        write: Duration::from_secs(config.write_seconds),
    })
}

fn certificates(path: &PathBuf) -> Result<Vec<CertificateDer<'static>>, String> {
    let certificates: Result<Vec<_>, _> =
        CertificateDer::pem_file_iter(path).and_then(Iterator::collect).map_err(|error| error.to_string());
    let certificates = certificates?;
    if certificates.is_empty() { Err("has no certificate in PEM".to_owned()) } else { Ok(certificates) }
}

fn target(checker: &mut Checker, text: &str) -> Option<Target> {
    const OPTION: &str = "relay.upstream";
    let url = checker.address(OPTION, text, "wss")?;
    // A byte stream carries only Noise, which needs no TLS; a WebSocket also carries the address.
    let (tls, plain_port) = match url.scheme() {
        "tcp" => (false, None),
        scheme => {
            checker.secured(OPTION, &url, "wss", "ws");
            (scheme == "wss", Some(if scheme == "wss" { 443 } else { 80 }))
        }
    };
    let Some(port) = url.port().or(plain_port) else {
        checker.problem(OPTION, "needs a port, such as tcp://chat.example:5222");
        return None;
    };
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        checker.problem(OPTION, "must have no user, password or fragment");
        return None;
    }
    let websocket = plain_port.map(|_| path_and_query(&url));
    // IPv6 addresses have brackets in URLs only.
    let host = url.host_str()?.trim_start_matches('[').trim_end_matches(']').to_owned();
    Some(Target { host, port, websocket, tls })
}

fn path_and_query(url: &Url) -> String {
    match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    }
}
