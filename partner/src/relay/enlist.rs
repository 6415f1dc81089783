//! Enlistment through us, for browsers that WhatsApp's enlistment API gives no CORS headers.
//!
//! What this module does not know: what the form says; it hands on the bytes, and the answer's.

use axum::{
    body::Bytes,
    http::{HeaderValue, StatusCode, header},
};
use futures::StreamExt;
use reqwest::{Client, Url, redirect};
use std::time::Duration;

/// Largest answer that is handed on.
const MAX_ANSWER: usize = 64 * 1_024;
/// How long WhatsApp may take; less than a browser waits.
const TIMEOUT: Duration = Duration::from_secs(12);

/// WhatsApp gave no answer that can be handed on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EnlistError {
    #[error("{0}")]
    Http(#[from] reqwest::Error),
    #[error("the answer has more than {MAX_ANSWER} bytes")]
    TooLarge,
}

/// Where clients enlist.
pub(crate) struct Enlistment {
    http: Client,
    url: Url,
}

impl Enlistment {
    pub(crate) fn new(url: Url) -> Result<Self, reqwest::Error> {
        let http = Client::builder().no_proxy().redirect(redirect::Policy::none()).timeout(TIMEOUT).build()?;
        Ok(Self { http, url })
    }

    /// Hands on a form; `forwarded` is the client's address, if WhatsApp is to have it. The answer as it was.
    pub(crate) async fn enlist(
        &self,
        form: Bytes,
        forwarded: Option<HeaderValue>,
    ) -> Result<(StatusCode, Bytes), EnlistError> {
        let mut request = self.http.post(self.url.clone());
        request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded").body(form);
        if let Some(address) = forwarded {
            request = request.header("x-forwarded-for", address);
        }
        let response = request.send().await.map_err(reqwest::Error::without_url)?;
        let status = response.status();
        let mut answer = Vec::new();
        let mut pieces = response.bytes_stream();
        while let Some(piece) = pieces.next().await {
            let piece = piece.map_err(reqwest::Error::without_url)?;
            if answer.len() + piece.len() > MAX_ANSWER {
                return Err(EnlistError::TooLarge);
            }
            answer.extend_from_slice(&piece);
        }
        Ok((status, answer.into()))
    }
}
