//! The four obligations of a proxy (docs/spec/enlistment.md §2.2).

use crate::{
    support::chat_server::{ChatServer, LONG, accept, connect, connect_raw, receive, send, to_end},
    websocket, with_relay,
};
use futures::{SinkExt, StreamExt};
use ppp::v2::{Addresses, Header};
use reqwest::header;
use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_tungstenite::tungstenite::Message;

/// Obligation 1: a single connection to WhatsApp for each client.
#[tokio::test]
async fn each_client_has_one_connection_to_whatsapp() {
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

/// Obligation 2: the connection to WhatsApp lives as long as the client's, whatever the reason of the end.
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
            // Bytes in both directions first: the connection is established.
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
        // The chat server closes first.
        let mut client = connect_raw(&partner, &cookie).await;
        drop(server.stream().await);
        to_end(&mut client).await;
        partner.running.stop().await;
    }
}

/// Obligation 3: the client's address is forwarded to WhatsApp.
#[tokio::test]
async fn the_clients_address_is_forwarded_to_whatsapp() {
    let server = ChatServer::start().await;
    let forwarded = "203.0.113.9";
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
                 X-Forwarded-For: 198.51.100.1, {forwarded}\r\nCookie: {cookie}\r\n\r\n",
                partner.url("")
            );
            client.write_all(head.as_bytes()).await.unwrap();
            let mut upstream = server.stream().await;
            let own = client.local_addr().unwrap();
            let expected = if behind_proxy { SocketAddr::new(forwarded.parse().unwrap(), 0) } else { own };
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

/// Obligation 4: nothing is decrypted: every byte arrives unchanged, and none is added.
#[tokio::test]
async fn nothing_is_decrypted_and_every_byte_arrives_unchanged() {
    let (server, partner, cookie) = websocket().await;
    let mut client = connect(&partner, &cookie).await;
    let (mut upstream, _) = server.socket().await;
    let mut seed = 1_u64;
    let mut noise = |length: usize| -> Vec<u8> {
        (0..length)
            .map(|_| {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                seed.to_be_bytes()[0]
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
    // Text remains text, and pings are answered by the chat server.
    client.send(Message::text("plain")).await.unwrap();
    assert_eq!(receive(&mut upstream).await.unwrap(), Message::text("plain"));
    client.send(Message::Ping("are you there".into())).await.unwrap();
    assert_eq!(timeout(LONG, upstream.next()).await.unwrap().unwrap().unwrap(), Message::Ping("are you there".into()));

    // A byte stream: the bytes in order, without frames.
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
    // Here the relay answers pings.
    client.send(Message::Ping("relay?".into())).await.unwrap();
    assert_eq!(timeout(LONG, client.next()).await.unwrap().unwrap().unwrap(), Message::Pong("relay?".into()));
    let mut upstream = echo.await.unwrap();
    client.close(None).await.unwrap();
    assert_eq!(to_end(&mut upstream).await, b"", "no byte that the client did not send");
}
