//! A socket that cannot be opened reports it once. Against an echo server, bytes come back as they went.

use super::script;
use causeway_web::port::socket::{Socket, SocketError, SocketEvent};
use futures::StreamExt;
use futures::channel::mpsc::{UnboundedReceiver, unbounded};
use wasm_bindgen_test::wasm_bindgen_test;

/// Address of a WebSocket server that sends every binary message back: it listens on the port after that of the server of
/// these tests (`tests/toolchain/wasm-test`).
fn echo_server() -> String {
    let address = script("() => `ws://${location.hostname}:${Number(location.port) + 1}/`", "");
    address.as_string().expect("tests are served by a host")
}

fn open(url: &str) -> (Result<Socket, SocketError>, UnboundedReceiver<SocketEvent>) {
    let (sender, receiver) = unbounded();
    (Socket::open(url, move |event| drop(sender.unbounded_send(event))), receiver)
}

#[wasm_bindgen_test]
async fn a_server_that_refuses_closes_the_socket() {
    // The server of these tests speaks HTTP only.
    let here = script("() => location.host", "").as_string().expect("tests are served by a host");
    let (socket, mut events) = open(&format!("ws://{here}/no-such-socket"));
    let socket = socket.expect("the address is one");
    socket.send(b"lost");
    assert_eq!(events.next().await, Some(SocketEvent::Closed));
    drop(socket);
    assert_eq!(events.next().await, None, "a closed socket has nothing more to say");
}

#[wasm_bindgen_test]
fn an_address_that_is_none_is_refused_at_once() {
    assert_eq!(open("mailto:nobody").0.err(), Some(SocketError));
}

#[wasm_bindgen_test]
async fn bytes_come_back_as_they_went() {
    let (socket, mut events) = open(&echo_server());
    let socket = socket.expect("the address is one");
    assert_eq!(events.next().await, Some(SocketEvent::Opened));
    let every_byte: Vec<u8> = (0..=255).collect();
    for message in [&every_byte[..], &[7]] {
        socket.send(message);
        assert_eq!(events.next().await, Some(SocketEvent::Received(message.to_vec())));
    }
}
