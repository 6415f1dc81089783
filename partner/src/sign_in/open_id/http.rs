//! The HTTP client for the OpenID provider: no redirects, bounded responses, and no fallback from TLS.
//!
//! What this module does not know: what is requested.

use super::error::OpenIdError;
use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};
use std::{future::Future, pin::Pin, time::Duration};
use url::{Host, Url};

/// Time limit of one request, including the connection.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Maximum response body in bytes.
const MAX_ANSWER: usize = 256 * 1_024;

/// Sends requests to one provider.
pub(super) struct Http {
    client: reqwest::Client,
    /// Whether the provider is on this machine and used without TLS.
    plain: bool,
}

impl Http {
    pub(super) fn new(issuer: &str) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder().timeout(TIMEOUT).redirect(reqwest::redirect::Policy::none()).no_proxy();
        Ok(Self { client: client.build()?, plain: issuer.starts_with("http://") })
    }

    /// Allows https URLs; http only on this machine, for a provider without TLS.
    pub(super) fn permit(&self, url: &Url) -> Result<(), OpenIdError> {
        let here = match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        if url.scheme() == "https" || (self.plain && url.scheme() == "http" && here) {
            return Ok(());
        }
        Err(OpenIdError::Provider("it names a URL that is not https".to_owned()))
    }

    pub(super) async fn fetch(&self, request: HttpRequest) -> Result<HttpResponse, OpenIdError> {
        // URLs of requests may contain secrets.
        let failed = |error: reqwest::Error| OpenIdError::Provider(error.without_url().to_string());
        let request = reqwest::Request::try_from(request).map_err(failed)?;
        self.permit(request.url())?;
        let mut answer = self.client.execute(request).await.map_err(failed)?;
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > MAX_ANSWER {
                return Err(OpenIdError::Provider(format!("an answer exceeds {MAX_ANSWER} bytes")));
            }
            body.extend_from_slice(&chunk);
        }
        let mut response = HttpResponse::new(body);
        *response.status_mut() = answer.status();
        *response.headers_mut() = std::mem::take(answer.headers_mut());
        Ok(response)
    }
}

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = OpenIdError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, OpenIdError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.fetch(request))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_with_tls_cannot_lead_to_urls_without_it() {
        let allowed = |issuer: &str, url: &str| Http::new(issuer).unwrap().permit(&url.parse().unwrap()).is_ok();
        assert!(allowed("https://accounts.example", "https://keys.example/jwks"));
        assert!(!allowed("https://accounts.example", "http://accounts.example/token"));
        assert!(!allowed("https://accounts.example", "http://127.0.0.1:5432/"));
        assert!(allowed("http://127.0.0.1:9000", "http://127.0.0.1:9001/token"));
        assert!(!allowed("http://127.0.0.1:9000", "http://accounts.example/token"));
        assert!(!allowed("http://127.0.0.1:9000", "file:///etc/passwd"));
    }
}
