//! The chat relay between real sockets.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::as_conversions,
    reason = "tests fail by panicking"
)]

mod ends;
mod enlistment;
mod obligations;
#[path = "../support/mod.rs"]
mod support;

use reqwest::header;
use std::{net::SocketAddr, sync::Arc};
use support::{
    Partner,
    chat_server::{ChatServer, LONG, accept, closed, connect, receive, send, try_connect},
    refused,
};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::tungstenite::{Error, Message};

/// A partner server that relays to `server`: a WebSocket, or a byte stream.
async fn with_relay(server: &ChatServer, scheme: &str, change: impl FnOnce(&mut causeway_partner::Config)) -> Partner {
    let path = if scheme == "ws" { "/ws/chat" } else { "" };
    let upstream = format!("{scheme}://{}{path}", server.addr);
    Partner::with(|config| {
        config.relay.upstream = Some(upstream);
        config.limits.token_burst = 1_000;
        change(config);
    })
    .await
}

async fn websocket() -> (ChatServer, Partner, String) {
    let server = ChatServer::start().await;
    let partner = with_relay(&server, "ws", |_| {}).await;
    let cookie = partner.account("alice").await;
    (server, partner, cookie)
}

#[tokio::test]
async fn the_relay_requires_the_own_page_and_a_session() {
    let (server, partner, cookie) = websocket().await;
    let own = partner.url("");
    let status = async |cookie: &str, origin: Option<&str>| match try_connect(&partner, cookie, origin).await {
        Err(Error::Http(response)) => response.status().as_u16(),
        other => panic!("{other:?}"),
    };
    assert_eq!(status("x=1", Some(&own)).await, 401);
    assert_eq!(status(&cookie, None).await, 403);
    assert_eq!(status(&cookie, Some("https://other.example")).await, 403);
    assert_eq!(status(&cookie, Some("null")).await, 403);
    let plain = |origin: &str| {
        partner.http.get(partner.url("/relay")).header(header::COOKIE, &cookie).header(header::ORIGIN, origin).send()
    };
    refused(plain(&own).await.unwrap(), 426, "upgrade_required").await;
    let none = Partner::start().await;
    let cookie = none.account("alice").await;
    let origin = none.url("");
    assert!(matches!(try_connect(&none, &cookie, Some(&origin)).await, Err(Error::Http(r)) if r.status() == 404));
    assert!(server.is_quiet().await, "no refused connection reached the chat server");
}

#[tokio::test]
async fn the_number_of_connections_is_bounded() {
    let server = ChatServer::start().await;
    let partner = with_relay(&server, "ws", |config| config.relay.connections = 1).await;
    let (alice, bob) = (partner.account("alice").await, partner.account("bob").await);
    let mut client = connect(&partner, &alice).await;
    let _upstream = server.socket().await;
    let own = partner.url("");
    let full = try_connect(&partner, &bob, Some(&own)).await;
    assert!(matches!(full, Err(Error::Http(response)) if response.status() == 503));
    client.close(None).await.unwrap();
    while try_connect(&partner, &bob, Some(&own)).await.is_err() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn the_relay_works_over_http_2() {
    let (server, partner, cookie) = websocket().await;
    let stream = TcpStream::connect(partner.running.addr).await.unwrap();
    let io = hyper_util::rt::TokioIo::new(stream);
    let executor = hyper_util::rt::TokioExecutor::new();
    let (mut sender, connection) = hyper::client::conn::http2::handshake(executor, io).await.unwrap();
    tokio::spawn(connection);
    let origin = partner.url("");
    let request = || {
        let mut request = axum::http::Request::connect(partner.url("/relay"))
            .header("sec-websocket-version", "13")
            .header(header::ORIGIN, &origin)
            .header(header::COOKIE, &cookie)
            .body(axum::body::Body::empty())
            .unwrap();
        request.extensions_mut().insert(hyper::ext::Protocol::from_static("websocket"));
        request
    };
    // The server's setting for extended CONNECT arrives with its first frame.
    let health = axum::http::Request::get(partner.url("/health")).body(axum::body::Body::empty()).unwrap();
    assert_eq!(sender.send_request(health).await.unwrap().status(), 200);
    let mut response = sender.send_request(request()).await.unwrap();
    assert_eq!(response.status(), 200);
    let upgraded = hyper_util::rt::TokioIo::new(hyper::upgrade::on(&mut response).await.unwrap());
    let role = tokio_tungstenite::tungstenite::protocol::Role::Client;
    let mut client = tokio_tungstenite::WebSocketStream::from_raw_socket(upgraded, role, None).await;
    let (mut upstream, _) = server.socket().await;
    send(&mut client, b"up").await;
    assert_eq!(receive(&mut upstream).await, Some(Message::binary("up")));
    send(&mut upstream, b"down").await;
    assert_eq!(receive(&mut client).await, Some(Message::binary("down")));
    drop(client);
    assert_eq!(closed(&mut upstream).await, Some(1001), "a reset stream ends the connection");
}

#[tokio::test]
async fn the_certificate_of_the_chat_server_is_verified() {
    let certificate = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (ours, other) = (folder.path().join("ours.pem"), folder.path().join("other.pem"));
    std::fs::write(&ours, certificate.cert.pem()).unwrap();
    let stranger = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(&other, stranger.cert.pem()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let key = rustls::pki_types::PrivateKeyDer::try_from(certificate.signing_key.serialize_der()).unwrap();
    let tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.cert.der().clone()], key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(tls));
    let server = ChatServer::start().await;
    for (roots, trusted) in [(ours, true), (other, false)] {
        let upstream = format!("wss://localhost:{}/ws/chat", server.addr.port());
        let partner = Partner::with(|config| {
            config.relay.upstream = Some(upstream);
            config.relay.ca_file = Some(roots);
        })
        .await;
        let cookie = partner.account("alice").await;
        let mut client = connect(&partner, &cookie).await;
        let shaken = timeout(LONG, acceptor.accept(server.stream().await)).await.unwrap();
        if trusted {
            let (mut upstream, _) = accept(shaken.unwrap()).await;
            send(&mut client, b"over TLS").await;
            assert_eq!(receive(&mut upstream).await, Some(Message::binary("over TLS")));
            drop(client);
            assert_eq!(closed(&mut upstream).await, Some(1001));
        } else {
            assert!(shaken.is_err());
            assert_eq!(closed(&mut client).await, Some(1011));
        }
    }
}

/// The sandbox's chat server, over its WebSocket and its byte stream: sends the first message of the Noise handshake
/// and receives the response.
#[tokio::test]
async fn the_sandboxs_noise_handshake_passes_through_the_relay() {
    let data = tempfile::tempdir().unwrap();
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let mut config =
        causeway_gatekeeper::Config { listen: any, tcp_listen: any, push_listen: any, ..Default::default() };
    config.data = data.path().to_owned();
    let gatekeeper = causeway_gatekeeper::Gatekeeper::start(config).await.unwrap();
    for upstream in [format!("ws://{}/ws/chat", gatekeeper.http_addr), format!("tcp://{}", gatekeeper.tcp_addr)] {
        let partner = Partner::with(|config| {
            config.relay.upstream = Some(upstream.clone());
            // The sandbox does not support the PROXY protocol.
            config.relay.client_address = Some("none".to_owned());
        })
        .await;
        let cookie = partner.account("alice").await;
        let mut client = connect(&partner, &cookie).await;
        // "WA" and the version, then a frame: HandshakeMessage { client_hello { ephemeral } }.
        let hello = [&[0x12, 34, 0x0A, 32][..], &[9; 32]].concat();
        send(&mut client, &[b"WA\x06\x03\x00\x00".as_slice(), &[u8::try_from(hello.len()).unwrap()], &hello].concat())
            .await;
        let mut answer = receive(&mut client).await.unwrap().into_data().to_vec();
        while answer.len() < 4 {
            answer.extend(receive(&mut client).await.unwrap().into_data());
        }
        assert_eq!(answer[3], 0x1A, "HandshakeMessage {{ server_hello }} from {upstream}");
    }
    gatekeeper.stop().await;
}
