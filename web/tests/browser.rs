//! The ports, the driver and the wire in a page.
#![cfg(target_arch = "wasm32")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::as_conversions,
    reason = "tests fail by panicking"
)]

wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);

mod pages;
mod ports;
mod wire;
