//! The chat relay between real sockets: seed 001's four obligations of a proxy, who may use it, and how it ends.

mod common;

use common::{
    Partner,
    chat_server::{ChatServer, LONG, accept, closed, connect, connect_raw, receive, send, to_end, try_connect},
    refused,
};
use futures::{SinkExt, StreamExt};
use ppp::v2::{Addresses, Header};
use reqwest::header;
use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::timeout,
};
use tokio_tungstenite::tungstenite::{
    Error, Message,
    protocol::{CloseFrame, frame::coding::CloseCode},
};

/// A partner server whose relay leads to `server`: a WebSocket, or a bare stream.
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

/// Obligation 1: a single connection to WhatsApp for each client.
#[tokio::test]
async fn there_is_one_connection_to_whatsapp_for_each_client() {
    let (server, partner, _) = websocket().await;
    assert!(server.is_quiet().await, "none without a client");
    let mut pairs = Vec::new();
    for name in ["bob", "carol", "dave"] {
        let cookie = partner.account(name).await;
        let client = connect(&partner, &cookie).await;
        pairs.push((client, server.socket().await.0));
        assert!(server.is_quiet().await);
    }
    for (at, (client, upstream)) in pairs.iter_mut().enumerate() {
        for text in [format!("first of {at}"), format!("second of {at}")] {
            send(client, text.as_bytes()).await;
            assert_eq!(receive(upstream).await.unwrap().into_data(), text.as_bytes());
            send(upstream, text.as_bytes()).await;
            assert_eq!(receive(client).await.unwrap().into_data(), text.as_bytes());
        }
    }
    assert!(server.is_quiet().await, "messages open no further connection");
}

/// Obligation 2: the connection to WhatsApp lives as long as the client's, however the client goes.
#[tokio::test]
async fn the_connection_to_whatsapp_lives_as_long_as_the_clients() {
    let server = ChatServer::start().await;
    for scheme in ["ws", "tcp"] {
        let partner = with_relay(&server, scheme, |config| config.relay.client_address = Some("none".to_owned())).await;
        let cookie = partner.account("alice").await;
        for way in ["close frame", "reset", "half-close", "broken frame"] {
            let mut client = connect_raw(&partner, &cookie).await;
            let mut upstream = server.stream().await;
            if scheme == "ws" {
                (upstream, _) = {
                    let (socket, headers) = accept(upstream).await;
                    (socket.into_inner(), headers)
                };
            }
            // Bytes in both directions first: the connection stands.
            client.write_all(&[0x82, 0x81, 0, 0, 0, 0, b'x']).await.unwrap();
            let mut head = vec![0; if scheme == "ws" { 7 } else { 1 }];
            timeout(LONG, upstream.read_exact(&mut head)).await.unwrap().unwrap();
            match way {
                "close frame" => client.write_all(&[0x88, 0x82, 0, 0, 0, 0, 0x03, 0xE8]).await.unwrap(),
                "reset" => {
                    client.set_zero_linger().unwrap();
                    drop(client);
                    let began = Instant::now();
                    to_end(&mut upstream).await;
                    assert!(began.elapsed() < Duration::from_secs(5), "{scheme}, {way}");
                    continue;
                }
                "half-close" => client.shutdown().await.unwrap(),
                _ => client.write_all(&[0x82, 0x01, b'x']).await.unwrap(),
            }
            let began = Instant::now();
            to_end(&mut upstream).await;
            assert!(began.elapsed() < Duration::from_secs(5), "{scheme}, {way}");
            drop(upstream);
            to_end(&mut client).await;
        }
        // And the other way round.
        let mut client = connect_raw(&partner, &cookie).await;
        drop(server.stream().await);
        to_end(&mut client).await;
        partner.running.stop().await;
    }
}

/// Obligation 3: WhatsApp learns the client's address.
#[tokio::test]
async fn whatsapp_learns_the_clients_address() {
    let server = ChatServer::start().await;
    let told = "203.0.113.9";
    for (scheme, how) in [("ws", "header"), ("ws", "proxy-v2"), ("tcp", "proxy-v2"), ("ws", "none")] {
        for behind_proxy in [false, true] {
            let partner = with_relay(&server, scheme, |config| {
                config.behind_proxy = behind_proxy;
                config.relay.client_address = Some(how.to_owned());
            })
            .await;
            let cookie = partner.account("alice").await;
            let mut client = TcpStream::connect(partner.running.addr).await.unwrap();
            let head = format!(
                "GET /relay HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                 Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: {}\r\n\
                 X-Forwarded-For: 198.51.100.1, {told}\r\nCookie: {cookie}\r\n\r\n",
                partner.url("")
            );
            client.write_all(head.as_bytes()).await.unwrap();
            let mut upstream = server.stream().await;
            let own = client.local_addr().unwrap();
            let expected = if behind_proxy { SocketAddr::new(told.parse().unwrap(), 0) } else { own };
            if how == "proxy-v2" {
                let mut header = vec![0; 28];
                timeout(LONG, upstream.read_exact(&mut header)).await.unwrap().unwrap();
                let found = Header::try_from(header.as_slice()).unwrap();
                assert_eq!(found.addresses, Addresses::from((expected, partner.running.addr)));
            }
            if scheme == "ws" {
                let (_socket, headers) = accept(upstream).await;
                let found = headers.get("x-forwarded-for").map(|value| value.to_str().unwrap().to_owned());
                assert_eq!(found, (how == "header").then(|| expected.ip().to_string()));
                assert!(!headers.contains_key(header::COOKIE) && !headers.contains_key(header::ORIGIN));
            }
        }
    }
}

/// Obligation 4: nothing is decrypted: every byte arrives as it was sent, and none is added or looked into.
#[tokio::test]
async fn nothing_is_decrypted_and_every_byte_arrives_as_it_was_sent() {
    let (server, partner, cookie) = websocket().await;
    let mut client = connect(&partner, &cookie).await;
    let (mut upstream, _) = server.socket().await;
    let mut seed = 1_u64;
    let mut noise = |length: usize| -> Vec<u8> {
        (0..length)
            .map(|_| {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (seed >> 56) as u8
            })
            .collect()
    };
    for length in [0, 1, 125, 126, 1_000, 65_535, 65_536, 1 << 20] {
        let bytes = noise(length);
        let (sent, received) = tokio::join!(client.send(Message::binary(bytes.clone())), receive(&mut upstream));
        sent.unwrap();
        assert_eq!(received.unwrap(), Message::binary(bytes.clone()));
        let (sent, received) = tokio::join!(upstream.send(Message::binary(bytes.clone())), receive(&mut client));
        sent.unwrap();
        assert_eq!(received.unwrap(), Message::binary(bytes));
    }
    // Text stays text, and pings are the other end's to answer.
    client.send(Message::text("plain")).await.unwrap();
    assert_eq!(receive(&mut upstream).await.unwrap(), Message::text("plain"));
    client.send(Message::Ping("are you there".into())).await.unwrap();
    assert_eq!(timeout(LONG, upstream.next()).await.unwrap().unwrap().unwrap(), Message::Ping("are you there".into()));

    // A bare stream: the bytes in order, and no frame around them.
    let partner = with_relay(&server, "tcp", |config| config.relay.client_address = Some("none".to_owned())).await;
    let cookie = partner.account("alice").await;
    let mut client = connect(&partner, &cookie).await;
    let mut upstream = server.stream().await;
    let bytes = noise(300_000);
    let (up, down) = (bytes.clone(), bytes.clone());
    let echo = tokio::spawn(async move {
        let mut read = vec![0; up.len()];
        timeout(LONG, upstream.read_exact(&mut read)).await.unwrap().unwrap();
        assert!(read == up);
        upstream.write_all(&read).await.unwrap();
        upstream
    });
    for piece in bytes.chunks(7_001) {
        send(&mut client, piece).await;
    }
    let mut read = Vec::new();
    while read.len() < down.len() {
        read.extend(receive(&mut client).await.unwrap().into_data());
    }
    assert!(read == down);
    // Here a ping is the relay's to answer.
    client.send(Message::Ping("relay?".into())).await.unwrap();
    assert_eq!(timeout(LONG, client.next()).await.unwrap().unwrap().unwrap(), Message::Pong("relay?".into()));
    let mut upstream = echo.await.unwrap();
    client.close(None).await.unwrap();
    assert_eq!(to_end(&mut upstream).await, b"", "no byte that the client did not send");
}

#[tokio::test]
async fn only_our_own_page_and_only_who_is_signed_in() {
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
    assert!(server.is_quiet().await, "nobody who was refused reached the chat server");
}

#[tokio::test]
async fn close_codes_are_handed_on() {
    let (server, partner, cookie) = websocket().await;
    for from_client in [true, false] {
        let mut client = connect(&partner, &cookie).await;
        let (mut upstream, _) = server.socket().await;
        let frame = CloseFrame { code: CloseCode::Library(4_321), reason: "because".into() };
        let (closing, other) = if from_client { (&mut client, &mut upstream) } else { (&mut upstream, &mut client) };
        closing.close(Some(frame.clone())).await.unwrap();
        assert_eq!(receive(other).await, Some(Message::Close(Some(frame.clone()))));
        // The answer leaves when the other end is driven on.
        let (answer, end) = tokio::join!(receive(closing), receive(other));
        assert_eq!((answer, end), (Some(Message::Close(Some(frame))), None));
        assert_eq!(receive(closing).await, None);
    }
    // A chat server that cannot be reached, and one that breaks off.
    let mut client = connect(&partner, &cookie).await;
    drop(server.socket().await);
    assert_eq!(closed(&mut client).await, Some(1011));
    drop(server);
    let mut client = connect(&partner, &cookie).await;
    assert_eq!(closed(&mut client).await, Some(1011));
}

#[tokio::test]
async fn the_end_of_a_bare_stream_is_an_ordinary_close() {
    let server = ChatServer::start().await;
    let partner = with_relay(&server, "tcp", |_| {}).await;
    let cookie = partner.account("alice").await;
    let mut client = connect(&partner, &cookie).await;
    let mut upstream = server.stream().await;
    let mut header = [0; 28];
    upstream.read_exact(&mut header).await.unwrap();
    upstream.write_all(b"last words").await.unwrap();
    drop(upstream);
    assert_eq!(receive(&mut client).await.unwrap().into_data().as_ref(), b"last words");
    assert_eq!(closed(&mut client).await, Some(1000));
}

#[tokio::test]
async fn whoever_does_not_take_stops_whoever_sends() {
    let (server, partner, cookie) = websocket().await;
    let client = connect_raw(&partner, &cookie).await;
    let (upstream, _) = server.socket().await;
    let mut upstream = upstream.into_inner();
    // The client reads nothing. What the chat server can send is what the two sockets' buffers and the relay's take.
    let total: usize = 256 << 20;
    let mut sent = 0;
    let frame = [&[0x82, 126, 0x10, 0x00][..], &[7; 0x1000]].concat();
    while sent < total {
        match timeout(Duration::from_secs(1), upstream.write_all(&frame)).await {
            Ok(written) => written.unwrap(),
            Err(_) => break,
        }
        sent += frame.len();
    }
    assert!(sent < total / 4, "{sent} bytes are in flight");
    // The other direction is free meanwhile.
    let (mut reader, mut writer) = client.into_split();
    writer.write_all(&[0x82, 0x81, 0, 0, 0, 0, b'x']).await.unwrap();
    let mut head = [0; 7];
    timeout(LONG, upstream.read_exact(&mut head)).await.unwrap().unwrap();
    // And when the client takes again, everything comes.
    let mut taken = 0;
    let mut buffer = vec![0; 1 << 16];
    while taken < sent {
        taken += timeout(LONG, reader.read(&mut buffer)).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn slow_and_silent_clients_are_dropped() {
    let server = ChatServer::start().await;
    let partner = with_relay(&server, "ws", |config| config.relay.write_seconds = 1).await;
    let cookie = partner.account("alice").await;
    let _client = connect_raw(&partner, &cookie).await;
    let (upstream, _) = server.socket().await;
    let mut upstream = upstream.into_inner();
    let frame = [&[0x82, 126, 0x10, 0x00][..], &[7; 0x1000]].concat();
    let dropped = async { while upstream.write_all(&frame).await.is_ok() {} };
    timeout(LONG, dropped).await.expect("a client that takes nothing is kept");

    let partner = with_relay(&server, "ws", |config| config.relay.idle_seconds = 1).await;
    let cookie = partner.account("alice").await;
    let mut silent = connect_raw(&partner, &cookie).await;
    let (mut upstream, _) = server.socket().await;
    assert_eq!(closed(&mut upstream).await, Some(1001));
    let heard = to_end(&mut silent).await;
    assert!(heard.starts_with(b"\x89\x05relay\x88"), "a ping, then a goodbye: {heard:?}");

    // Whoever answers pings may be quiet for as long as they like, and the chat server hears nothing of it.
    let mut quiet = connect(&partner, &cookie).await;
    let (mut upstream, _) = server.socket().await;
    let mut pings = 0;
    while pings < 3 {
        match timeout(LONG, quiet.next()).await.unwrap().unwrap().unwrap() {
            Message::Ping(_) => pings += 1,
            other => panic!("{other:?}"),
        }
    }
    send(&mut quiet, b"still here").await;
    assert_eq!(timeout(LONG, upstream.next()).await.unwrap().unwrap().unwrap(), Message::binary("still here"));
}

#[tokio::test]
async fn a_second_connection_of_an_account_ends_the_first_before_it_begins() {
    let (server, partner, cookie) = websocket().await;
    let mut first = connect(&partner, &cookie).await;
    let (mut first_up, _) = server.socket().await;
    let mut second = connect(&partner, &cookie).await;
    assert_eq!(closed(&mut first).await, Some(4001));
    assert_eq!(closed(&mut first_up).await, Some(1001));
    let (mut second_up, _) = server.socket().await;
    send(&mut second, b"hello").await;
    assert_eq!(receive(&mut second_up).await, Some(Message::binary("hello")));

    // Signing out ends it, too.
    let sign_out = partner.http.delete(partner.url("/api/session")).header(header::COOKIE, &cookie).send();
    assert_eq!(sign_out.await.unwrap().status(), 204);
    assert_eq!(closed(&mut second).await, Some(4002));
    assert_eq!(closed(&mut second_up).await, Some(1001));
}

#[tokio::test]
async fn no_more_connections_than_configured() {
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
async fn a_server_that_stops_says_so() {
    let (server, partner, cookie) = websocket().await;
    let mut client = connect(&partner, &cookie).await;
    let (mut upstream, _) = server.socket().await;
    let stopping = tokio::spawn(partner.running.stop());
    assert_eq!(closed(&mut client).await, Some(1001));
    assert_eq!(closed(&mut upstream).await, Some(1001));
    timeout(LONG, stopping).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_client_that_goes_while_the_chat_server_is_slow_leaves_nothing_behind() {
    let (server, partner, cookie) = websocket().await;
    let client = connect_raw(&partner, &cookie).await;
    // Connected, but the handshake stands.
    let mut upstream = server.stream().await;
    drop(client);
    let asked = to_end(&mut upstream).await;
    assert!(asked.starts_with(b"GET /ws/chat HTTP/1.1\r\n"));
}

#[tokio::test]
async fn over_http_2() {
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
    // The server's permission for extended CONNECT comes with its first frame.
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
    assert_eq!(closed(&mut upstream).await, Some(1001), "a stream that is reset is a client that is gone");
}

#[tokio::test]
async fn a_chat_server_over_tls_must_prove_who_it_is() {
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

#[tokio::test]
async fn an_enlistment_is_handed_on_with_its_answer() {
    let whatsapp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/3p/interop_reg", whatsapp.local_addr().unwrap());
    let partner = Partner::with(|config| config.relay.enlist_url = Some(url)).await;
    let cookie = partner.account("alice").await;
    let post = |cookie: &str, kind: &str, body: Vec<u8>| {
        let request = partner.http.post(partner.url("/relay/enlist")).header(header::COOKIE, cookie);
        request.header(header::CONTENT_TYPE, kind.to_owned()).body(body).send()
    };
    let form = "application/x-www-form-urlencoded";
    let answering = tokio::spawn(async move {
        let (mut stream, _) = whatsapp.accept().await.unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"user_identifier=alice") {
            request.push(stream.read_u8().await.unwrap());
        }
        let answer = "{\"status\":\"ok\"}";
        let head = format!("HTTP/1.1 418 x\r\nContent-Length: {}\r\nSet-Cookie: a=b\r\n\r\n{answer}", answer.len());
        stream.write_all(head.as_bytes()).await.unwrap();
        drop(stream);
        // The second answer is larger than any that is handed on.
        let (mut stream, _) = whatsapp.accept().await.unwrap();
        let mut head = [0; 4];
        stream.read_exact(&mut head).await.unwrap();
        let endless = [b"HTTP/1.1 200 OK\r\n\r\n".as_slice(), &[b'x'; 70_000]].concat();
        let _ = stream.write_all(&endless).await;
        String::from_utf8(request).unwrap()
    });
    let answer = post(&cookie, form, b"user_identifier=alice".to_vec()).await.unwrap();
    assert_eq!(answer.status(), 418);
    assert_eq!(answer.headers()[header::CONTENT_TYPE], "application/json");
    assert!(!answer.headers().contains_key(header::SET_COOKIE));
    assert_eq!(answer.text().await.unwrap(), "{\"status\":\"ok\"}");
    refused(post(&cookie, form, b"a=b".to_vec()).await.unwrap(), 502, "bad_gateway").await;
    let request = answering.await.unwrap().to_ascii_lowercase();
    assert!(request.contains("\r\nx-forwarded-for: 127.0.0.1\r\n"), "{request}");
    assert!(!request.contains("cookie"), "{request}");
    refused(post("x=1", form, b"a=b".to_vec()).await.unwrap(), 401, "not_signed_in").await;
    refused(post(&cookie, "text/plain", b"a=b".to_vec()).await.unwrap(), 400, "form_invalid").await;
    assert_eq!(post(&cookie, form, vec![b'x'; 17 * 1_024]).await.unwrap().status(), 413);
    let none = Partner::start().await;
    let cookie = none.account("alice").await;
    let post = none.http.post(none.url("/relay/enlist")).header(header::COOKIE, cookie).send().await.unwrap();
    refused(post, 404, "not_found").await;
}

#[tokio::test]
async fn clients_are_told_to_use_it() {
    let server = ChatServer::start().await;
    let partner = with_relay(&server, "ws", |config| {
        config.relay.enlist_url = Some("https://v.example/3p/interop_reg".to_owned());
    })
    .await;
    let own = partner.running.addr;
    let profile = partner.get("/api/profile").await;
    let policy = profile.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains(&format!("connect-src 'self' ws://{own} http://{own};")), "{policy}");
    let text = profile.text().await.unwrap();
    let pairs: Vec<(String, String)> = url::form_urlencoded::parse(text.as_bytes()).into_owned().collect();
    for (name, value) in
        [("chat_url", format!("ws://{own}/relay")), ("enlist_url", format!("http://{own}/relay/enlist"))]
    {
        assert!(pairs.contains(&(name.to_owned(), value)), "{text}");
    }
}

/// The sandbox's chat server, over its WebSocket and its bare stream: the first message of Noise goes there, and the
/// answer comes back.
#[tokio::test]
async fn the_sandbox_greets_through_the_relay() {
    let data = tempfile::tempdir().unwrap();
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let mut config =
        causeway_gatekeeper::Config { listen: any, tcp_listen: any, push_listen: any, ..Default::default() };
    config.data = data.path().to_owned();
    let gatekeeper = causeway_gatekeeper::Gatekeeper::start(config).await.unwrap();
    for upstream in [format!("ws://{}/ws/chat", gatekeeper.http_addr), format!("tcp://{}", gatekeeper.tcp_addr)] {
        let partner = Partner::with(|config| {
            config.relay.upstream = Some(upstream.clone());
            // The sandbox knows no PROXY protocol.
            config.relay.client_address = Some("none".to_owned());
        })
        .await;
        let cookie = partner.account("alice").await;
        let mut client = connect(&partner, &cookie).await;
        // "WA" and the version, then a frame: HandshakeMessage { client_hello { ephemeral } }.
        let hello = [&[0x12, 34, 0x0A, 32][..], &[9; 32]].concat();
        send(&mut client, &[b"WA\x06\x03\x00\x00".as_slice(), &[hello.len() as u8], &hello].concat()).await;
        let mut answer = receive(&mut client).await.unwrap().into_data().to_vec();
        while answer.len() < 4 {
            answer.extend(receive(&mut client).await.unwrap().into_data());
        }
        assert_eq!(answer[3], 0x1A, "HandshakeMessage {{ server_hello }} from {upstream}");
    }
    gatekeeper.stop().await;
}
