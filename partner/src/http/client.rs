//! Serves the client's files.
//!
//! What this module does not know: how they were read ([`crate::client_files`]).

use super::api_error::ApiError;
use crate::{
    app::App,
    client_files::{ClientFiles, File},
};
use axum::{
    http::{HeaderMap, HeaderValue, Method, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};

const INDEX: &str = "/index.html";

/// Serves `GET` requests outside the API.
pub(super) fn serve(app: &App, request: &Parts) -> Response {
    let path = request.uri.path();
    let file = app
        .client
        .as_ref()
        .filter(|_| !path.starts_with("/api/"))
        .and_then(|files| find(files, path, &request.headers));
    match (file, &request.method) {
        (None, _) => ApiError::NotFound.into_response(),
        (Some(file), &Method::GET | &Method::HEAD) => answer(file, &request.headers),
        (Some(_), _) => ApiError::MethodNotAllowed.into_response(),
    }
}

/// The file for a path; the index page for a path that is one of its views.
fn find<'a>(files: &'a ClientFiles, path: &str, headers: &HeaderMap) -> Option<&'a File> {
    let path = if path == "/" { INDEX } else { path };
    files.get(path).or_else(|| files.get(INDEX).filter(|_| is_view(path, headers)))
}

fn answer(file: &File, request: &HeaderMap) -> Response {
    let choice = [("br", file.brotli.as_ref()), ("gzip", file.gzip.as_ref())]
        .into_iter()
        .find_map(|(coding, body)| body.filter(|_| accepts(request, coding)).map(|body| (Some(coding), body)));
    let (coding, body) = choice.unwrap_or((None, &file.plain));
    let cache = if file.immutable { "public, max-age=31536000, immutable" } else { "no-cache" };
    let known = request.get(header::IF_NONE_MATCH).is_some_and(|list| matches_etag(list, &body.etag));
    let mut response =
        if known { StatusCode::NOT_MODIFIED.into_response() } else { body.bytes.clone().into_response() };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(file.kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    headers.insert(header::ETAG, body.etag.clone());
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if let Some(coding) = coding.filter(|_| !known) {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
    }
    response
}

/// Whether a request is a navigation to one of the page's routes, not a request for a missing file.
fn is_view(path: &str, headers: &HeaderMap) -> bool {
    let file = path.rsplit('/').next().is_some_and(|last| last.contains('.'));
    let navigates = match headers.get("sec-fetch-mode") {
        Some(mode) => mode == "navigate",
        None => headers.get(header::ACCEPT).is_some_and(|accept| accept.as_bytes().starts_with(b"text/html")),
    };
    navigates && !file
}

fn accepts(headers: &HeaderMap, coding: &str) -> bool {
    headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok()).any(|list| {
        list.split(',').any(|item| {
            let mut parts = item.split(';').map(str::trim);
            let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(coding));
            named && !parts.any(|quality| matches!(quality, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
        })
    })
}

fn matches_etag(list: &HeaderValue, etag: &HeaderValue) -> bool {
    let (Ok(list), Ok(etag)) = (list.to_str(), etag.to_str()) else { return false };
    list.split(',').map(str::trim).any(|known| known == "*" || known.trim_start_matches("W/") == etag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_coding_with_quality_zero_is_not_accepted() {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip, br;q=0"));
        assert!(accepts(&headers, "gzip"));
        assert!(!accepts(&headers, "br"));
        assert!(!accepts(&headers, "zstd"));
    }
}
