//! A binary WebSocket. A browser gives no reason for a failure, and neither does this.
//!
//! What this module does not know: what the bytes mean, and when to connect again. Message boundaries are kept, though
//! they are not needed here. A browser has no back-pressure: the reader must keep up.

use core::cell::RefCell;
use core::future::poll_fn;
use core::pin::Pin;
use core::task::Poll;
use futures::future::{AbortHandle, abortable};
use futures::{FutureExt, Sink, Stream};
use gloo_net::websocket::futures::WebSocket;
use gloo_net::websocket::{Message, State};
use std::rc::Rc;
use wasm_bindgen_futures::spawn_local;

/// What happens on a socket. After [`SocketEvent::Closed`] nothing does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SocketEvent {
    /// It is open.
    Opened,
    /// Bytes came.
    Received(Vec<u8>),
    /// It closed, or could not be opened.
    Closed,
}

/// An open or opening socket. Closed on drop, and then silent.
pub struct Socket {
    inner: Shared,
    listening: AbortHandle,
}

/// `None` once it is over: dropping the inner socket closes it.
type Shared = Rc<RefCell<Option<WebSocket>>>;

/// The browser refused even to try: the URL is malformed, or the content security policy forbids it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the browser refused to open a connection to this address")]
pub struct SocketError;

impl Socket {
    /// Starts to connect. `on_event` is never called before this returns.
    ///
    /// # Errors
    /// [`SocketError`]; then `on_event` is never called.
    pub fn open(url: &str, on_event: impl Fn(SocketEvent) + 'static) -> Result<Self, SocketError> {
        let inner = Rc::new(RefCell::new(Some(WebSocket::open(url).map_err(|_| SocketError)?)));
        let (events, listening) = abortable(listen(Rc::clone(&inner), on_event));
        spawn_local(events.map(|_| ()));
        Ok(Self { inner, listening })
    }

    /// Sends bytes as one message, in the order of the calls. On a socket that is not open the bytes are lost, as they
    /// would be on the way.
    pub fn send(&self, bytes: &[u8]) {
        // A browser writes an error to the console for bytes on a socket that closes, of which it has not told yet.
        if let Some(socket) = &mut *self.inner.borrow_mut()
            && matches!(socket.state(), State::Open)
        {
            let _ = Pin::new(socket).start_send(Message::Bytes(bytes.to_vec()));
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.listening.abort();
        drop(self.inner.take());
    }
}

/// Reports events until the socket is closed. The socket is not borrowed while the callback runs.
async fn listen(inner: Shared, on_event: impl Fn(SocketEvent)) {
    let opened = poll_fn(|context| match &mut *inner.borrow_mut() {
        Some(socket) => Pin::new(&mut *socket).poll_ready(context).map(|_| matches!(socket.state(), State::Open)),
        None => Poll::Ready(false),
    });
    if opened.await {
        on_event(SocketEvent::Opened);
    }
    let next = || {
        poll_fn(|context| match &mut *inner.borrow_mut() {
            Some(socket) => Pin::new(socket).poll_next(context),
            None => Poll::Ready(None),
        })
    };
    // Text has no place here: the peer speaks another protocol. An error is always followed by the close.
    while let Some(Ok(Message::Bytes(bytes))) = next().await {
        on_event(SocketEvent::Received(bytes));
    }
    drop(inner.take());
    on_event(SocketEvent::Closed);
}
