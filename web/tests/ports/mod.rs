//! The tests that every kind of browser context runs: each file of `tests/` beside this folder names one context.

mod boot;
mod carried_commands;
mod channel;
mod driver;
mod faults;
mod http;
mod key;
mod leader;
mod lock;
mod passkey;
mod releases;
mod service;
mod socket;
mod store;

use js_sys::{Function, Promise};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

/// A name that no other test, and no earlier run, has used.
fn unique(name: &str) -> String {
    format!("{name}-{:016x}", causeway_web::port::rng::tag().expect("browsers have randomness"))
}

/// Runs JavaScript: a function expression, called with one argument. Only for what a port must not be able to do.
fn script(function: &str, argument: impl Into<JsValue>) -> JsValue {
    let function: Function = js_sys::eval(function).expect("the script parses").unchecked_into();
    function.call1(&JsValue::UNDEFINED, &argument.into()).expect("the script runs")
}

/// The same with an `async` function.
async fn async_script(function: &str, argument: impl Into<JsValue>) -> JsValue {
    let promise: Promise = script(function, argument).unchecked_into();
    JsFuture::from(promise).await.expect("the script succeeds")
}

/// Waits until somebody is in the line for the lock of this name.
async fn queued(lock: &str) {
    async_script(
        "async (name) => {
            for (;;) {
                const { pending } = await navigator.locks.query();
                if (pending.some((request) => request.name === name)) return;
                await new Promise((again) => setTimeout(again, 1));
            }
        }",
        lock,
    )
    .await;
}
