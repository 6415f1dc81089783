//! What pages need from the browser's edition of Unicode, its addresses, its text fields and its time zone. Pages only.

mod links;
mod typing;

use js_sys::Function;
use wasm_bindgen::{JsCast, JsValue};

/// Runs JavaScript: a function expression, called with one argument.
fn script(function: &str, argument: &str) -> JsValue {
    let function: Function = js_sys::eval(function).expect("the script parses").unchecked_into();
    function.call1(&JsValue::UNDEFINED, &argument.into()).expect("the script runs")
}
