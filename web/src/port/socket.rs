//! A binary WebSocket. A browser gives no reason for a failure, and neither does this.
//!
//! What this module does not know: what the bytes mean, and when to connect again. Message boundaries are kept, though
//! nobody here needs them. A browser cannot be told to read more slowly: whoever reads must keep up.

use js_sys::{ArrayBuffer, Uint8Array};
use std::rc::Rc;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{BinaryType, Event, MessageEvent, WebSocket};

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
    inner: WebSocket,
    _on_event: Closure<dyn FnMut(Event)>,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
}

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
        let inner = WebSocket::new(url).map_err(|_| SocketError)?;
        inner.set_binary_type(BinaryType::Arraybuffer);
        let on_event = Rc::new(on_event);
        let on_message = Closure::<dyn FnMut(MessageEvent)>::new({
            let (inner, on_event) = (inner.clone(), Rc::clone(&on_event));
            move |event: MessageEvent| match event.data().dyn_into::<ArrayBuffer>() {
                Ok(buffer) => on_event(SocketEvent::Received(Uint8Array::new(&buffer).to_vec())),
                // Text has no place here: the peer speaks another protocol. The close event follows.
                Err(_) => drop(inner.close()),
            }
        });
        let on_event = Closure::<dyn FnMut(Event)>::new(move |event: Event| {
            on_event(if event.type_() == "open" { SocketEvent::Opened } else { SocketEvent::Closed });
        });
        inner.set_onopen(Some(on_event.as_ref().unchecked_ref()));
        // An "error" is always followed by a "close", which alone counts.
        inner.set_onclose(Some(on_event.as_ref().unchecked_ref()));
        inner.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        Ok(Self { inner, _on_event: on_event, _on_message: on_message })
    }

    /// Sends bytes as one message, in the order of the calls. On a socket that is not open the bytes are lost, as they would
    /// be on the way.
    pub fn send(&self, bytes: &[u8]) {
        let _ = self.inner.send_with_u8_array(bytes);
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.inner.set_onopen(None);
        self.inner.set_onclose(None);
        self.inner.set_onmessage(None);
        let _ = self.inner.close();
    }
}
