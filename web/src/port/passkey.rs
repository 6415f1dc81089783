//! Passkeys: the browser's authenticator, and the two exchanges with the partner server around it.
//!
//! Their messages pass through here as JSON and are not parsed.
//!
//! What this module does not know: whose passkey it is, and what a session is good for.

use super::clock;
use causeway::io::Millis;
use core::pin::pin;
use futures::future::{Either, select};
use gloo_net::http::{Request, Response};
use js_sys::{Function, JSON, Object, Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{RequestCredentials, RequestRedirect};

/// Longest answer of the partner server, in bytes.
const LONGEST_OPTIONS: usize = 16 * 1024;
/// Time-out of one exchange, in milliseconds. The person may take as long as the browser lets them.
const EXCHANGE_TIMEOUT: Millis = 30_000;

/// There was no passkey.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasskeyError {
    /// The person declined, or has none here, or the authenticator failed: browsers do not say which.
    #[error("no passkey was given")]
    NotGiven,
    /// The partner server did not answer.
    #[error("the partner server did not answer")]
    Unreachable,
    /// The partner server did not accept it.
    #[error("the partner server refused: {0}")]
    Refused(u16),
}

fn class() -> Option<JsValue> {
    let class = Reflect::get(&js_sys::global(), &"PublicKeyCredential".into()).ok()?;
    let reads = Reflect::get(&class, &"parseRequestOptionsFromJSON".into()).ok()?;
    reads.is_function().then_some(class)
}

/// This browser has passkeys, and speaks of them in JSON.
pub fn is_supported() -> bool {
    class().is_some()
}

/// Signs in: after this the browser has a session.
///
/// # Errors
/// [`PasskeyError`].
pub async fn sign_in() -> Result<(), PasskeyError> {
    auth_attempt("sign-in", "get", "parseRequestOptionsFromJSON").await
}

/// Makes a passkey for the account that is signed in.
///
/// # Errors
/// [`PasskeyError`].
pub async fn register() -> Result<(), PasskeyError> {
    auth_attempt("register", "create", "parseCreationOptionsFromJSON").await
}

async fn auth_attempt(what: &str, deed: &str, parse: &str) -> Result<(), PasskeyError> {
    let options = post(&format!("/api/passkey/{what}/start"), "{}").await?;
    let options = options.text().await.map_err(|_| PasskeyError::Unreachable)?;
    let options = Some(options).filter(|text| text.len() <= LONGEST_OPTIONS).ok_or(PasskeyError::Unreachable)?;
    let promise = begin(&options, deed, parse).map_err(|_| PasskeyError::NotGiven)?;
    let given = JsFuture::from(promise).await.map_err(|_| PasskeyError::NotGiven)?;
    let answer = JSON::stringify(&given).map_err(|_| PasskeyError::NotGiven)?;
    post(&format!("/api/passkey/{what}/finish"), &String::from(answer)).await.map(drop)
}

/// Asks the browser. Not through `web_sys`, whose bindings know no JSON.
fn begin(options: &str, deed: &str, parse: &str) -> Result<Promise, JsValue> {
    let class = class().ok_or(JsValue::UNDEFINED)?;
    let parse: Function = Reflect::get(&class, &parse.into())?.dyn_into()?;
    let wanted = Object::new();
    Reflect::set(&wanted, &"publicKey".into(), &parse.call1(&class, &JSON::parse(options)?)?)?;
    let navigator = Reflect::get(&js_sys::global(), &"navigator".into())?;
    let credentials = Reflect::get(&navigator, &"credentials".into())?;
    let deed: Function = Reflect::get(&credentials, &deed.into())?.dyn_into()?;
    deed.call1(&credentials, &wanted)?.dyn_into()
}

async fn post(url: &str, json: &str) -> Result<Response, PasskeyError> {
    let request = Request::post(url)
        .credentials(RequestCredentials::SameOrigin)
        .redirect(RequestRedirect::Error)
        .header("content-type", "application/json")
        .body(json)
        .map_err(|_| PasskeyError::Unreachable)?;
    match select(pin!(request.send()), clock::sleep(EXCHANGE_TIMEOUT)).await {
        Either::Left((Ok(response), _)) if response.ok() => Ok(response),
        Either::Left((Ok(response), _)) => Err(PasskeyError::Refused(response.status())),
        _ => Err(PasskeyError::Unreachable),
    }
}
