//! A BroadcastChannel of byte strings, between every page and worker of this origin.
//!
//! What this module does not know: what the bytes mean. Any script of this origin can send here, and so can
//! another build of this program: the receiver validates each message.

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
    /// Kept alive for as long as messages may come. `None` does not listen.
    listener: Option<Closure<dyn FnMut(MessageEvent)>>,
}

impl Channel {
    /// Joins the channel of this name. `on_message` gets what every *other* end of it sends, in the sender's order.
    ///
    /// # Errors
    /// [`ChannelError`] when the browser has no such thing.
    pub fn open(name: &str, mut on_message: impl FnMut(Vec<u8>) + 'static) -> Result<Self, ChannelError> {
        let mut channel = Self::speaking_only(name)?;
        let listener = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            if let Ok(bytes) = event.data().dyn_into::<Uint8Array>()
                && bytes.length() <= LONGEST_MESSAGE
            {
                let message = bytes.to_vec();
                bytes.fill(0, 0, bytes.length());
                on_message(message);
            }
        });
        channel.inner.set_onmessage(Some(listener.as_ref().unchecked_ref()));
        channel.listener = Some(listener);
        Ok(channel)
    }

    /// Joins without hearing anything: a message may hold a password, and is copied only for who needs it.
    ///
    /// # Errors
    /// [`ChannelError`] when the browser has no such thing.
    pub fn speaking_only(name: &str) -> Result<Self, ChannelError> {
        Ok(Self { inner: BroadcastChannel::new(name).map_err(|_| ChannelError)?, listener: None })
    }

    /// Sends to every other end. A channel that the browser has closed drops the message.
    pub fn send(&self, message: &[u8]) {
        let bytes = Uint8Array::from(message);
        let _ = self.inner.post_message(&bytes);
        // The browser has taken its copy.
        bytes.fill(0, 0, bytes.length());
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        if self.listener.is_some() {
            self.inner.set_onmessage(None);
        }
        self.inner.close();
    }
}
