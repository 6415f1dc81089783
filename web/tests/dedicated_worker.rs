//! The ports, the driver and the wire in a dedicated worker, where the engine runs.
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

wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_dedicated_worker);

mod ports;
mod wire;
