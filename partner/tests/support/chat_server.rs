//! A chat server for relayed connections, driven by the test over real sockets.

use super::Partner;
use futures::{SinkExt, StreamExt};
use reqwest::header;
use std::{net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::timeout,
};
use tokio_tungstenite::{
    WebSocketStream, accept_hdr_async, client_async,
    tungstenite::{
        Error, Message,
        client::IntoClientRequest,
        handshake::server::{Request, Response},
        http::HeaderMap,
    },
};

/// Longer than any successful operation here takes.
pub(crate) const LONG: Duration = Duration::from_secs(20);

pub(crate) type Socket = WebSocketStream<TcpStream>;

/// A listener for relayed connections.
pub(crate) struct ChatServer {
    listener: TcpListener,
    pub(crate) addr: SocketAddr,
}

impl ChatServer {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self { addr: listener.local_addr().unwrap(), listener }
    }

    /// Accepts the next connection.
    pub(crate) async fn stream(&self) -> TcpStream {
        timeout(LONG, self.listener.accept()).await.expect("no connection").unwrap().0
    }

    /// Accepts the next connection as a WebSocket; returns the headers of its handshake, too.
    pub(crate) async fn socket(&self) -> (Socket, HeaderMap) {
        accept(self.stream().await).await
    }

    /// Whether no connection is waiting to be accepted.
    pub(crate) async fn is_quiet(&self) -> bool {
        timeout(Duration::ZERO, self.listener.accept()).await.is_err()
    }
}

#[expect(clippy::result_large_err, reason = "the crate's own type for a refused handshake")]
pub(crate) async fn accept<S: AsyncRead + AsyncWrite + Unpin>(stream: S) -> (WebSocketStream<S>, HeaderMap) {
    let mut headers = HeaderMap::new();
    let keep = |request: &Request, response: Response| {
        headers = request.headers().clone();
        assert_eq!(request.uri().path(), "/ws/chat");
        Ok(response)
    };
    let socket = timeout(LONG, accept_hdr_async(stream, keep)).await.expect("no handshake").unwrap();
    (socket, headers)
}

/// Opens a WebSocket to the relay as the server's own page does.
pub(crate) async fn connect(partner: &Partner, cookie: &str) -> Socket {
    try_connect(partner, cookie, Some(&partner.url(""))).await.unwrap()
}

pub(crate) async fn try_connect(partner: &Partner, cookie: &str, origin: Option<&str>) -> Result<Socket, Error> {
    let stream = TcpStream::connect(partner.running.addr).await.unwrap();
    let mut request = format!("ws://{}/relay", partner.running.addr).into_client_request().unwrap();
    let headers = request.headers_mut();
    headers.insert(header::COOKIE, cookie.parse().unwrap());
    headers.extend(origin.map(|origin| (header::ORIGIN, origin.parse().unwrap())));
    Ok(timeout(LONG, client_async(request, stream)).await.expect("no response")?.0)
}

/// A client that performs only the handshake and answers no ping.
pub(crate) async fn connect_raw(partner: &Partner, cookie: &str) -> TcpStream {
    let mut stream = TcpStream::connect(partner.running.addr).await.unwrap();
    let head = format!(
        "GET /relay HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: {}\r\nCookie: {cookie}\r\n\r\n",
        partner.url("")
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(stream.read_u8().await.unwrap());
    }
    assert!(answer.starts_with(b"HTTP/1.1 101 "), "{}", String::from_utf8_lossy(&answer));
    stream
}

pub(crate) async fn send<S: AsyncRead + AsyncWrite + Unpin>(socket: &mut WebSocketStream<S>, bytes: &[u8]) {
    timeout(LONG, socket.send(Message::binary(bytes.to_vec()))).await.expect("not sent").unwrap();
}

/// The next data or close message.
pub(crate) async fn receive<S: AsyncRead + AsyncWrite + Unpin>(socket: &mut WebSocketStream<S>) -> Option<Message> {
    loop {
        match timeout(LONG, socket.next()).await.expect("no message")? {
            Ok(Message::Ping(_) | Message::Pong(_)) => {}
            Ok(message) => return Some(message),
            Err(_) => return None,
        }
    }
}

/// The code of the close frame that must come next; `None` if the connection ends without one.
pub(crate) async fn closed<S: AsyncRead + AsyncWrite + Unpin>(socket: &mut WebSocketStream<S>) -> Option<u16> {
    match receive(socket).await {
        Some(Message::Close(frame)) => frame.map(|frame| frame.code.into()),
        None => None,
        Some(other) => panic!("{other:?}"),
    }
}

/// Reads to the end of a stream.
pub(crate) async fn to_end(stream: &mut (impl AsyncRead + Unpin)) -> Vec<u8> {
    let mut bytes = Vec::new();
    // A reset is an end, too.
    let _ = timeout(LONG, stream.read_to_end(&mut bytes)).await.expect("no end");
    bytes
}
