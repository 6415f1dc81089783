//! The ports, the driver and the wire in a dedicated worker, where the engine runs.
#![cfg(target_arch = "wasm32")]

wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_dedicated_worker);

mod ports;
mod wire;
