//! One HTTP exchange through `fetch`, in pages and workers alike.
//!
//! What this module does not know: what the answers mean. Cookies go to our own origin only, redirects are refused (no API
//! of ours redirects, and a form may hold a password), and an answer is read only up to the size that was agreed.

use super::clock;
use causeway::io::{HttpFailure, HttpRequest, HttpResponse, Method, Millis};
use core::pin::pin;
use futures::future::{Either, select};
use js_sys::{Promise, Reflect, Uint8Array};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    AbortController, ReadableStreamDefaultReader, ReferrerPolicy, Request, RequestCache, RequestCredentials,
    RequestInit, RequestRedirect, Response,
};

/// An exchange that takes longer has failed.
const PATIENCE: Millis = 30_000;

#[wasm_bindgen]
extern "C" {
    /// Also in workers, where there is no `window`.
    #[wasm_bindgen(js_name = fetch)]
    fn fetch(request: &Request) -> Promise;
}

/// Sends the request and reads the answer, whatever its status.
///
/// # Errors
/// [`HttpFailure::Unreachable`] when no answer came within thirty seconds, for whatever reason;
/// [`HttpFailure::TooLarge`] when it is larger than agreed.
pub async fn exchange(request: &HttpRequest) -> Result<HttpResponse, HttpFailure> {
    let controller = AbortController::new().map_err(unreachable)?;
    let outcome = match select(pin!(attempt(request, &controller)), clock::sleep(PATIENCE)).await {
        Either::Left((outcome, _)) => outcome,
        Either::Right(_) => Err(HttpFailure::Unreachable),
    };
    // Stops what may still be coming; after a whole answer it does nothing.
    controller.abort();
    outcome
}

fn unreachable(_: JsValue) -> HttpFailure {
    HttpFailure::Unreachable
}

async fn attempt(request: &HttpRequest, controller: &AbortController) -> Result<HttpResponse, HttpFailure> {
    let HttpRequest { method, url, form, max_answer } = request;
    let init = RequestInit::new();
    init.set_method(match method {
        Method::Get => "GET",
        Method::Post => "POST",
        Method::Delete => "DELETE",
    });
    init.set_credentials(RequestCredentials::SameOrigin);
    init.set_redirect(RequestRedirect::Error);
    init.set_cache(RequestCache::NoStore);
    init.set_referrer_policy(ReferrerPolicy::NoReferrer);
    init.set_signal(Some(&controller.signal()));
    let form = form.as_ref().map(|form| Uint8Array::from(form.as_bytes()));
    if let Some(form) = &form {
        init.set_body(form);
    }
    let sent = Request::new_with_str_and_init(url, &init).map_err(unreachable)?;
    // `Request` has taken a copy of its own, which is beyond our reach.
    if let Some(form) = form {
        form.fill(0, 0, form.length());
        let kind = "application/x-www-form-urlencoded;charset=UTF-8";
        sent.headers().set("content-type", kind).map_err(unreachable)?;
    }
    let response: Response =
        JsFuture::from(fetch(&sent)).await.map_err(unreachable)?.dyn_into().map_err(unreachable)?;
    Ok(HttpResponse { status: response.status(), body: read(&response, *max_answer).await? })
}

async fn read(response: &Response, max_answer: usize) -> Result<Vec<u8>, HttpFailure> {
    let mut body = Vec::new();
    let Some(stream) = response.body() else { return Ok(body) };
    let reader = ReadableStreamDefaultReader::new(&stream).map_err(unreachable)?;
    loop {
        let part = JsFuture::from(reader.read()).await.map_err(unreachable)?;
        let done = Reflect::get(&part, &"done".into()).map_err(unreachable)?;
        if done.is_truthy() {
            return Ok(body);
        }
        let bytes = Uint8Array::new(&Reflect::get(&part, &"value".into()).map_err(unreachable)?);
        if body.len().saturating_add(bytes.length() as usize) > max_answer {
            return Err(HttpFailure::TooLarge);
        }
        body.extend_from_slice(&bytes.to_vec());
    }
}
