//! How a relayed connection ends: close codes, backpressure, time limits, eviction, shutdown.

use crate::{
    support::chat_server::{ChatServer, LONG, closed, connect, connect_raw, receive, send, to_end},
    websocket, with_relay,
};
use futures::StreamExt;
use reqwest::header;
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::timeout,
};
use tokio_tungstenite::tungstenite::{
    Message,
    protocol::{CloseFrame, frame::coding::CloseCode},
};

#[tokio::test]
async fn close_codes_are_forwarded() {
    let (server, partner, cookie) = websocket().await;
    for from_client in [true, false] {
        let mut client = connect(&partner, &cookie).await;
        let (mut upstream, _) = server.socket().await;
        let frame = CloseFrame { code: CloseCode::Library(4_321), reason: "because".into() };
        let (closing, other) = if from_client { (&mut client, &mut upstream) } else { (&mut upstream, &mut client) };
        closing.close(Some(frame.clone())).await.unwrap();
        assert_eq!(receive(other).await, Some(Message::Close(Some(frame.clone()))));
        // The response is sent when the other end is polled again.
        let (answer, end) = tokio::join!(receive(closing), receive(other));
        assert_eq!((answer, end), (Some(Message::Close(Some(frame))), None));
        assert_eq!(receive(closing).await, None);
    }
    // A chat server that closes its connection, and one that cannot be reached.
    let mut client = connect(&partner, &cookie).await;
    drop(server.socket().await);
    assert_eq!(closed(&mut client).await, Some(1011));
    drop(server);
    let mut client = connect(&partner, &cookie).await;
    assert_eq!(closed(&mut client).await, Some(1011));
}

#[tokio::test]
async fn the_end_of_a_byte_stream_is_a_normal_close() {
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
async fn backpressure_is_propagated() {
    let (server, partner, cookie) = websocket().await;
    let client = connect_raw(&partner, &cookie).await;
    let (upstream, _) = server.socket().await;
    let mut upstream = upstream.into_inner();
    // The client reads nothing: the chat server can send only what the socket buffers and the relay's buffer hold.
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
    // The other direction is not blocked.
    let (mut reader, mut writer) = client.into_split();
    writer.write_all(&[0x82, 0x81, 0, 0, 0, 0, b'x']).await.unwrap();
    let mut head = [0; 7];
    timeout(LONG, upstream.read_exact(&mut head)).await.unwrap().unwrap();
    // When the client reads again, all bytes arrive.
    let mut taken = 0;
    let mut buffer = vec![0; 1 << 16];
    while taken < sent {
        taken += timeout(LONG, reader.read(&mut buffer)).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn slow_and_silent_clients_are_disconnected() {
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
    let received = to_end(&mut silent).await;
    assert!(received.starts_with(b"\x89\x05relay\x88"), "a ping, then a close frame: {received:?}");

    // A client that answers pings may be idle indefinitely, and the chat server does not see the pings.
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

    // Signing out ends the connection, too.
    let sign_out = partner.http.delete(partner.url("/api/session")).header(header::COOKIE, &cookie).send();
    assert_eq!(sign_out.await.unwrap().status(), 204);
    assert_eq!(closed(&mut second).await, Some(4002));
    assert_eq!(closed(&mut second_up).await, Some(1001));
}

#[tokio::test]
async fn a_shutdown_sends_close_frames() {
    let (server, partner, cookie) = websocket().await;
    let mut client = connect(&partner, &cookie).await;
    let (mut upstream, _) = server.socket().await;
    let stopping = tokio::spawn(partner.running.stop());
    assert_eq!(closed(&mut client).await, Some(1001));
    assert_eq!(closed(&mut upstream).await, Some(1001));
    timeout(LONG, stopping).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_client_that_disconnects_during_the_upstream_handshake_closes_it() {
    let (server, partner, cookie) = websocket().await;
    let client = connect_raw(&partner, &cookie).await;
    // Connected, but the handshake is not completed.
    let mut upstream = server.stream().await;
    drop(client);
    let asked = to_end(&mut upstream).await;
    assert!(asked.starts_with(b"GET /ws/chat HTTP/1.1\r\n"));
}
