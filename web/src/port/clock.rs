//! The device's clock and timers, in pages and workers alike.

use crate::number;
use causeway::io::{Millis, UnixMillis};
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use futures::channel::oneshot;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::prelude::wasm_bindgen;

/// Browsers keep the delay in 31 bits; a longer one would fire at once.
const LONGEST_DELAY: Millis = Millis(0x7fff_ffff);

#[wasm_bindgen]
extern "C" {
    /// Also in workers, where there is no `window`.
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(callback: &Closure<dyn FnMut()>, delay: i32) -> i32;
    #[wasm_bindgen(js_name = clearTimeout)]
    fn clear_timeout(timer: i32);
}

/// The time as the device has it. May jump either way.
pub fn now() -> UnixMillis {
    // Whole, positive, and far below 2^53; the cast saturates should a device think otherwise.
    UnixMillis(number::from_js(js_sys::Date::now()))
}

/// Waits on the browser's own timer, which does not jump with the clock. The timer is cleared on drop.
pub struct Sleep {
    timer: i32,
    elapsed: oneshot::Receiver<()>,
    /// Kept alive until the timer fires or is cleared.
    _callback: Closure<dyn FnMut()>,
}

/// Sleeps for at least this long; in a tab in the background it may be much longer.
pub fn sleep(delay: Millis) -> Sleep {
    let (sender, elapsed) = oneshot::channel();
    let mut sender = Some(sender);
    let callback = Closure::<dyn FnMut()>::new(move || {
        if let Some(sender) = sender.take() {
            let _ = sender.send(());
        }
    });
    let timer = set_timeout(&callback, i32::try_from(delay.min(LONGEST_DELAY).0).unwrap_or(i32::MAX));
    Sleep { timer, elapsed, _callback: callback }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.elapsed).poll(context).map(|_| ())
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        clear_timeout(self.timer);
    }
}
