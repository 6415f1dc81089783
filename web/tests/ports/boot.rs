//! After a panic, boot.js takes over: it is handed the reason.

use super::script;
use causeway_web::port::boot;
use wasm_bindgen_test::wasm_bindgen_test;

#[wasm_bindgen_test]
fn the_reason_of_a_failure_reaches_the_function_of_boot_js() {
    script("() => { globalThis.causewayFailed = (reason) => { globalThis.keptReason = reason; }; }", 0);
    boot::cover_page("panicked at a.rs:1");
    let kept = script("() => { delete globalThis.causewayFailed; return globalThis.keptReason; }", 0);
    assert_eq!(kept.as_string().as_deref(), Some("panicked at a.rs:1"));
    // Without boot.js there is nothing to call, and nothing to trap on.
    boot::cover_page("again");
}
