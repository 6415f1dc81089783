//! A BroadcastChannel of byte strings, between every page and worker of this origin.
//!
//! What this module does not know: what the bytes mean. Whoever runs script in this origin can send here, and so can
//! another build of this program: the receiver parses with that in mind.

use js_sys::Uint8Array;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{BroadcastChannel, MessageEvent};

/// Larger messages are ignored, so that a runaway sender cannot fill our memory.
const LONGEST_MESSAGE: u32 = 16 * 1024 * 1024;

/// The browser has no BroadcastChannel, or refuses one (an opaque origin).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this browser does not let the tabs of a site talk to each other")]
pub struct ChannelError;

/// One end of a channel. Closed on drop.
pub struct Channel {
    inner: BroadcastChannel,
    /// Kept alive for as long as messages may come.
    _listener: Closure<dyn FnMut(MessageEvent)>,
}

impl Channel {
    /// Joins the channel of this name. `on_message` gets what every *other* end of it sends, in the sender's order.
    ///
    /// # Errors
    /// [`ChannelError`] when the browser has no such thing.
    pub fn open(name: &str, mut on_message: impl FnMut(Vec<u8>) + 'static) -> Result<Self, ChannelError> {
        let inner = BroadcastChannel::new(name).map_err(|_| ChannelError)?;
        let listener = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            if let Ok(bytes) = event.data().dyn_into::<Uint8Array>()
                && bytes.length() <= LONGEST_MESSAGE
            {
                on_message(bytes.to_vec());
            }
        });
        inner.set_onmessage(Some(listener.as_ref().unchecked_ref()));
        Ok(Self { inner, _listener: listener })
    }

    /// Sends to every other end. A channel that the browser has closed drops the message: then there is nobody to tell.
    pub fn send(&self, message: &[u8]) {
        let _ = self.inner.post_message(&Uint8Array::from(message));
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        self.inner.set_onmessage(None);
        self.inner.close();
    }
}
