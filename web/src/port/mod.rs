//! The edges to the browser: the only files that name `web_sys` and `js_sys`.
//!
//! Each file wraps one browser API and returns plain values and typed errors. None of them knows the
//! engine's decisions, and none panics on what the browser answers.

pub mod badge;
pub mod boot;
pub mod channel;
pub mod clock;
pub mod events;
pub mod file;
pub mod http;
pub mod idb;
pub mod key;
pub mod locale;
pub mod lock;
pub mod notification;
pub mod offer;
pub mod passkey;
pub mod rng;
pub mod service;
pub mod socket;
pub mod storage;
pub mod tab;
pub mod window;
pub mod worker;

/// Runs a future beside everything else, for as long as this page or worker lives.
pub fn spawn(future: impl Future<Output = ()> + 'static) {
    wasm_bindgen_futures::spawn_local(future);
}
