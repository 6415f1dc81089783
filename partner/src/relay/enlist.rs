//! Relays enlistment requests, for browsers to which WhatsApp's enlistment API gives no CORS headers.
//!
//! What this module does not know: the contents of the form and of the response; both pass unchanged.

use axum::{
    body::Bytes,
    http::{HeaderValue, StatusCode, header},
};
use futures::StreamExt;
use reqwest::{Client, Url, redirect};
use std::time::Duration;

/// Maximum size of a relayed response in bytes.
const MAX_ANSWER: usize = 64 * 1_024;
/// Time limit for WhatsApp's response; shorter than a browser's.
const TIMEOUT: Duration = Duration::from_secs(12);

/// There is no response that can be relayed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EnlistError {
    #[error("{0}")]
    Http(#[from] reqwest::Error),
    #[error("the answer has more than {MAX_ANSWER} bytes")]
    TooLarge,
}

/// A client of WhatsApp's enlistment API.
pub(crate) struct Enlistment {
    http: Client,
    url: Url,
}

impl Enlistment {
    pub(crate) fn new(url: Url) -> Result<Self, reqwest::Error> {
        let http = Client::builder().no_proxy().redirect(redirect::Policy::none()).timeout(TIMEOUT).build()?;
        Ok(Self { http, url })
    }

    /// Sends a form and returns status and body of the response. `forwarded` is the client's address, if WhatsApp is to
    /// receive it.
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
