//! The ports, the driver and the wire in a service worker.
#![cfg(target_arch = "wasm32")]

wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_service_worker);

mod ports;
mod wire;
