//! Connects to the chat server and forwards the client's address to it.
//!
//! What this module does not know: what is sent, and for how long.

use super::handshake;
use axum::http::HeaderValue;
use ppp::v2::{Builder, Command, Protocol, Version};
use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    time,
};
use tokio_rustls::{
    TlsConnector,
    rustls::{ClientConfig, pki_types::ServerName},
};

/// Time limit for opening a connection to the chat server.
const CONNECT: Duration = Duration::from_secs(10);

/// How the client's address is forwarded to the chat server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClientAddress {
    /// PROXY protocol version 2, before the first byte.
    ProxyV2,
    /// `X-Forwarded-For` in the WebSocket handshake.
    Header,
    /// Not forwarded.
    None,
}

/// Address and protocol of the chat server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    /// Host and port to connect to.
    pub(crate) host: String,
    pub(crate) port: u16,
    /// Path and query of the WebSocket; `None` for a plain byte stream.
    pub(crate) websocket: Option<String>,
    pub(crate) tls: bool,
}

/// The client's address and the server address that it connected to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Caller {
    pub(crate) client: IpAddr,
    /// `None` if a proxy in front of this server does not forward it.
    pub(crate) client_port: Option<u16>,
    pub(crate) server: SocketAddr,
}

pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Opens connections to the chat server.
#[derive(Clone)]
pub(super) struct Upstream {
    target: Arc<Target>,
    address: ClientAddress,
    tls: TlsConnector,
}

impl Upstream {
    pub(super) fn new(target: Target, address: ClientAddress, tls: Arc<ClientConfig>) -> Self {
        Self { target: Arc::new(target), address, tls: TlsConnector::from(tls) }
    }

    /// Whether the chat server expects WebSocket frames, as the client sends.
    pub(super) fn is_websocket(&self) -> bool {
        self.target.websocket.is_some()
    }

    /// Opens a connection for one client. Cancel-safe: dropping the future closes it.
    pub(super) async fn connect(&self, caller: Caller) -> io::Result<Box<dyn Stream>> {
        time::timeout(CONNECT, self.open(caller)).await.map_err(|_| io::ErrorKind::TimedOut)?
    }

    async fn open(&self, caller: Caller) -> io::Result<Box<dyn Stream>> {
        let target = &self.target;
        let mut tcp = TcpStream::connect((target.host.as_str(), target.port)).await?;
        // Messages are small and latency matters more than packet count.
        tcp.set_nodelay(true)?;
        if self.address == ClientAddress::ProxyV2 {
            tcp.write_all(&proxy_header(caller)?).await?;
        }
        if target.tls {
            let name = ServerName::try_from(target.host.clone()).map_err(io::Error::other)?;
            let tls = self.tls.connect(name, tcp).await?;
            self.upgrade(tls, caller).await
        } else {
            self.upgrade(tcp, caller).await
        }
    }

    async fn upgrade<S: Stream + 'static>(&self, stream: S, caller: Caller) -> io::Result<Box<dyn Stream>> {
        let target = &self.target;
        let Some(path) = &target.websocket else { return Ok(Box::new(stream)) };
        let authority = format!("{}:{}", target.host, target.port);
        let forwarded = match self.address {
            ClientAddress::Header => Some(forwarded(caller)?),
            ClientAddress::ProxyV2 | ClientAddress::None => None,
        };
        Ok(Box::new(handshake::open(stream, &authority, path, forwarded).await?))
    }
}

/// The value of `X-Forwarded-For`: the client's address, without its port.
pub(crate) fn forwarded(caller: Caller) -> io::Result<HeaderValue> {
    HeaderValue::try_from(caller.client.to_canonical().to_string()).map_err(io::Error::other)
}

/// PROXY protocol header, version 2. Both addresses must have one family; if they differ, IPv6.
fn proxy_header(caller: Caller) -> io::Result<Vec<u8>> {
    let plain = |address: SocketAddr| SocketAddr::new(address.ip().to_canonical(), address.port());
    let wide = |address: SocketAddr, other: SocketAddr| match (address, other) {
        (SocketAddr::V4(v4), SocketAddr::V6(_)) => SocketAddr::new(v4.ip().to_ipv6_mapped().into(), v4.port()),
        _ => address,
    };
    // The header has no form for an unknown port; servers take 0 for one.
    let client = SocketAddr::new(caller.client, caller.client_port.unwrap_or(0));
    let (client, server) = (plain(client), plain(caller.server));
    let addresses = (wide(client, server), wide(server, client));
    Builder::with_addresses(Version::Two | Command::Proxy, Protocol::Stream, addresses).build()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ppp::v2::{Addresses, Header};

    fn header(client: &str, server: &str) -> Addresses {
        let client: SocketAddr = client.parse().unwrap();
        let caller = Caller { client: client.ip(), client_port: Some(client.port()), server: server.parse().unwrap() };
        Header::try_from(proxy_header(caller).unwrap().as_slice()).unwrap().addresses
    }

    #[test]
    fn both_addresses_are_of_one_family() {
        for (client, server) in [("192.0.2.7:5000", "198.51.100.1:443"), ("[2001:db8::7]:5000", "[2001:db8::1]:443")] {
            let expected: (SocketAddr, SocketAddr) = (client.parse().unwrap(), server.parse().unwrap());
            assert_eq!(header(client, server), Addresses::from(expected));
        }
        let mixed = ("[2001:db8::7]:5000".parse::<SocketAddr>().unwrap(), "[::ffff:198.51.100.1]:443".parse().unwrap());
        assert_eq!(header("[2001:db8::7]:5000", "198.51.100.1:443"), Addresses::from(mixed));
        let mapped = ("192.0.2.7:5000".parse::<SocketAddr>().unwrap(), "198.51.100.1:443".parse().unwrap());
        assert_eq!(header("[::ffff:192.0.2.7]:5000", "[::ffff:198.51.100.1]:443"), Addresses::from(mapped));
    }
}
