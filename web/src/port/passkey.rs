//! Passkeys: the browser's authenticator, and the two exchanges with the partner server around it.
//!
//! Their messages pass through here as JSON and are not parsed. What an extension of the browser gives in place of a
//! credential may not turn into JSON; then its fields are read one by one (WebAuthn §5.1).
//!
//! What this module does not know: whose passkey it is, and what a session is good for.

use super::clock;
use causeway::io::Millis;
use core::pin::pin;
use futures::future::{Either, select};
use gloo_net::http::{Request, Response};
use js_sys::{Function, JSON, Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{RequestCredentials, RequestRedirect};

/// Longest answer of the partner server, in bytes.
const LONGEST_OPTIONS: usize = 16 * 1024;
/// Longest field of a credential, in bytes.
const LONGEST_FIELD: u32 = 16 * 1024;
/// Time-out of one exchange, in milliseconds. The person may take as long as the browser lets them.
const EXCHANGE_TIMEOUT: Millis = Millis(30_000);

/// There was no passkey.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasskeyError {
    /// The person declined, or has none here, or the authenticator failed: browsers do not say which.
    #[error("no passkey was given")]
    NotGiven,
    /// Something was given that lacks what a passkey has.
    #[error("what was given is no passkey")]
    Unreadable,
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
    if !given.is_object() {
        return Err(PasskeyError::NotGiven);
    }
    let answer =
        stringify(&given).filter(|json| is_whole(json)).or_else(|| by_hand(&given).filter(|json| is_whole(json)));
    let answer = answer.ok_or(PasskeyError::Unreadable)?;
    post(&format!("/api/passkey/{what}/finish"), &answer).await.map(drop)
}

/// JSON as the value's own `toJSON` makes it.
fn stringify(value: &JsValue) -> Option<String> {
    // Of what is no value in JSON it makes `undefined`.
    JsValue::from(JSON::stringify(value).ok()?).as_string()
}

/// Whether the bytes are there as texts. Buffers turn into objects.
fn is_whole(json: &str) -> bool {
    let has = |name: &str| json.contains(&format!("\"{name}\":\""));
    has("rawId") && has("clientDataJSON") && (has("attestationObject") || has("signature"))
}

fn field(of: &JsValue, name: &str) -> Option<JsValue> {
    Reflect::get(of, &name.into()).ok().filter(|value| !value.is_undefined() && !value.is_null())
}

/// The same from the credential's fields, as far as they are there.
fn by_hand(given: &JsValue) -> Option<String> {
    let (json, response) = (Object::new(), Object::new());
    let set = |of: &Object, name: &str, value: &JsValue| Reflect::set(of, &name.into(), value).ok();
    let fields = field(given, "response")?;
    for name in ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"] {
        if let Some(text) = field(&fields, name).and_then(|bytes| base64url(&bytes)) {
            set(&response, name, &text)?;
        }
    }
    let id = base64url(&field(given, "rawId")?)?;
    set(&json, "id", &id)?;
    set(&json, "rawId", &id)?;
    set(&json, "type", &"public-key".into())?;
    set(&json, "response", &response)?;
    set(&json, "clientExtensionResults", &Object::new())?;
    stringify(&json)
}

/// Bytes as WebAuthn's JSON has them (RFC 4648 §5, without padding): of a buffer, or of an array of bytes.
fn base64url(bytes: &JsValue) -> Option<JsValue> {
    let length = field(bytes, "byteLength")?.as_f64()?;
    let bytes = Uint8Array::new(bytes);
    if bytes.length() > LONGEST_FIELD || f64::from(bytes.length()) != length {
        return None;
    }
    let characters: String = bytes.to_vec().into_iter().map(char::from).collect();
    let btoa: Function = field(&js_sys::global(), "btoa")?.dyn_into().ok()?;
    let text = btoa.call1(&JsValue::UNDEFINED, &characters.into()).ok()?.as_string()?;
    Some(text.trim_end_matches('=').replace('+', "-").replace('/', "_").into())
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
    // Extensions answer with promises of their own kind, or without one.
    Ok(Promise::resolve(&deed.call1(&credentials, &wanted)?))
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
