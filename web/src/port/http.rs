//! One HTTP exchange through `fetch`, in pages and workers alike.
//!
//! What this module does not know: what the answers mean. Cookies go to our own origin only, redirects are refused (no
//! API of ours redirects, and a form may hold a password), and an answer is read only up to the size that was agreed.
//! `gloo_net` reads answers whole or not at all, so the stream that enforces the size is the browser's own. It also
//! ends a query, where the URL has one, with an `&`.

use super::clock;
use causeway::io::{HttpFailure, HttpRequest, HttpResponse, Method, Millis};
use core::pin::pin;
use futures::future::{Either, select};
use gloo_net::http::{Request, Response};
use js_sys::{Reflect, Uint8Array};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    AbortController, ReadableStreamDefaultReader, ReferrerPolicy, RequestCache, RequestCredentials, RequestRedirect,
};

/// Time-out of one exchange, in milliseconds.
const EXCHANGE_TIMEOUT: Millis = Millis(30_000);

/// Sends the request and reads the answer, whatever its status.
///
/// # Errors
/// [`HttpFailure::Unreachable`] when no answer came within thirty seconds, for whatever reason;
/// [`HttpFailure::TooLarge`] when it is larger than agreed.
pub async fn exchange(request: &HttpRequest) -> Result<HttpResponse, HttpFailure> {
    let controller = AbortController::new().map_err(unreachable)?;
    let outcome = match select(pin!(attempt(request, &controller)), clock::sleep(EXCHANGE_TIMEOUT)).await {
        Either::Left((outcome, _)) => outcome,
        Either::Right(_) => Err(HttpFailure::Unreachable),
    };
    // Stops what may still be coming; after a whole answer it does nothing.
    controller.abort();
    outcome
}

fn unreachable<E>(_: E) -> HttpFailure {
    HttpFailure::Unreachable
}

async fn attempt(request: &HttpRequest, controller: &AbortController) -> Result<HttpResponse, HttpFailure> {
    let HttpRequest { method, url, form, max_answer } = request;
    let builder = match method {
        Method::Get => Request::get(url),
        Method::Post => Request::post(url),
        Method::Delete => Request::delete(url),
    }
    .credentials(RequestCredentials::SameOrigin)
    .redirect(RequestRedirect::Error)
    .cache(RequestCache::NoStore)
    .referrer_policy(ReferrerPolicy::NoReferrer)
    .abort_signal(Some(&controller.signal()));
    let request = match form {
        Some(form) => {
            let form = Uint8Array::from(form.as_bytes());
            let kind = "application/x-www-form-urlencoded;charset=UTF-8";
            let request = builder.header("content-type", kind).body(&form);
            // The request has taken a copy of its own, which is beyond our reach.
            form.fill(0, 0, form.length());
            request
        }
        None => builder.build(),
    };
    let response = request.map_err(unreachable)?.send().await.map_err(unreachable)?;
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
        if body.len().saturating_add(usize::try_from(bytes.length()).unwrap_or(usize::MAX)) > max_answer {
            return Err(HttpFailure::TooLarge);
        }
        body.extend_from_slice(&bytes.to_vec());
    }
}
