//! The opening handshake of a WebSocket: with a client over HTTP/1.1 (RFC 6455 §4) or HTTP/2 (RFC 8441), with a chat
//! server over HTTP/1.1. No extension and no subprotocol is negotiated, so that frames can pass unchanged between both
//! sides.
//!
//! What this module does not know: who the client is, and what follows the handshake.

use aws_lc_rs::digest;
use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Version, header},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use hyper::{
    ext::Protocol,
    upgrade::{OnUpgrade, Upgraded},
};
use hyper_util::rt::TokioIo;
use std::io;
use tokio::io::{AsyncRead, AsyncWrite};

/// RFC 6455 §1.3.
const MAGIC: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The request is not a valid WebSocket handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NoUpgrade;

/// Validates a client's handshake; returns the response to send and the future of the upgraded connection.
pub(crate) fn accept(request: &mut Request<Body>) -> Result<(Response<Body>, OnUpgrade), NoUpgrade> {
    let headers = request.headers();
    if headers.get(header::SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
        return Err(NoUpgrade);
    }
    let mut response = Response::new(Body::empty());
    if request.version() == Version::HTTP_2 {
        let is_websocket = request.extensions().get::<Protocol>().is_some_and(|name| name.as_str() == "websocket");
        if request.method() != Method::CONNECT || !is_websocket {
            return Err(NoUpgrade);
        }
    } else {
        let key = headers.get(header::SEC_WEBSOCKET_KEY).map(|key| accept_key(key.as_bytes()));
        let asked = lists(headers, &header::CONNECTION, "upgrade") && lists(headers, &header::UPGRADE, "websocket");
        let (true, Some(Ok(key)), &Method::GET) = (asked, key.map(HeaderValue::try_from), request.method()) else {
            return Err(NoUpgrade);
        };
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, key);
    }
    let upgrade = request.extensions_mut().remove::<OnUpgrade>().ok_or(NoUpgrade)?;
    Ok((response, upgrade))
}

/// Opens a WebSocket on `stream`. `authority` and `path` come from a checked URL.
pub(super) async fn open<S>(
    stream: S,
    authority: &str,
    path: &str,
    forwarded: Option<HeaderValue>,
) -> io::Result<TokioIo<Upgraded>>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let mut nonce = [0; 16];
    getrandom::fill(&mut nonce).map_err(io::Error::other)?;
    let key = STANDARD.encode(nonce);
    let mut request = Request::get(path)
        .header(header::HOST, authority)
        .header(header::CONNECTION, "Upgrade")
        .header(header::UPGRADE, "websocket")
        .header(header::SEC_WEBSOCKET_VERSION, "13")
        .header(header::SEC_WEBSOCKET_KEY, &key);
    if let Some(address) = forwarded {
        request = request.header("x-forwarded-for", address);
    }
    let request = request.body(Body::empty()).map_err(io::Error::other)?;
    let (mut sender, connection) = hyper::client::conn::http1::Builder::new()
        .max_buf_size(16 * 1_024)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(io::Error::other)?;
    // The connection must be polled until it hands over the socket; dropping this future drops both.
    let exchange = async move {
        let mut response = sender.send_request(request).await.map_err(io::Error::other)?;
        let accepted = response.headers().get(header::SEC_WEBSOCKET_ACCEPT);
        let agreed = response.headers().contains_key(header::SEC_WEBSOCKET_EXTENSIONS);
        if response.status() != StatusCode::SWITCHING_PROTOCOLS
            || agreed
            || accepted.is_none_or(|value| value != accept_key(key.as_bytes()).as_str())
        {
            return Err(io::Error::other(format!(
                "the chat server answered {} instead of a WebSocket",
                response.status()
            )));
        }
        hyper::upgrade::on(&mut response).await.map_err(io::Error::other)
    };
    let (upgraded, _) =
        tokio::try_join!(exchange, async { connection.with_upgrades().await.map_err(io::Error::other) })?;
    Ok(TokioIo::new(upgraded))
}

/// `Sec-WebSocket-Accept` (RFC 6455 §4.2.2). The use of SHA-1 has no security relevance.
fn accept_key(key: &[u8]) -> String {
    let hash = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &[key, MAGIC].concat());
    STANDARD.encode(hash)
}

fn lists(headers: &HeaderMap, name: &header::HeaderName, word: &str) -> bool {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|list| list.split(',')).any(|item| item.trim().eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_accept_key_of_the_rfcs_example() {
        assert_eq!(accept_key(b"dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn an_incomplete_handshake_is_refused() {
        let request = |headers: &[(&str, &str)]| {
            let mut request = Request::get("/relay");
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            accept(&mut request.body(Body::empty()).unwrap()).map(drop)
        };
        let version = ("sec-websocket-version", "13");
        let key = ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
        assert_eq!(request(&[]), Err(NoUpgrade));
        assert_eq!(request(&[version, key]), Err(NoUpgrade));
        assert_eq!(request(&[version, key, ("upgrade", "h2c"), ("connection", "upgrade")]), Err(NoUpgrade));
        // A complete handshake on a connection that cannot be upgraded.
        assert_eq!(request(&[version, key, ("upgrade", "WebSocket"), ("connection", "x, Upgrade")]), Err(NoUpgrade));
    }
}
