//! The client's files: read once at the start, compressed copies and all, and served from memory. No path of a request
//! ever reaches the file system, and a half-copied new build is never served: replace the folder, then restart.
//!
//! What this module does not know: what is in the files.

use super::{ApiError, App};
use axum::{
    body::Bytes,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
};

const MAX_FILES: usize = 4_096;
const MAX_TOTAL_BYTES: usize = 128 << 20;
const MAX_DEPTH: usize = 8;
const INDEX: &str = "/index.html";

/// The client's folder cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// A file or folder cannot be read.
    #[error("the client's files: {}: {source}", path.display())]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The folder is no client's build.
    #[error("the client's files: {} has more than {MAX_FILES} files, {MAX_TOTAL_BYTES} bytes or {MAX_DEPTH} levels. Is client_dir the build's folder?", path.display())]
    TooBig {
        /// The configured folder.
        path: PathBuf,
    },
}

/// One file in every encoding that the build left next to it.
struct File {
    kind: &'static str,
    immutable: bool,
    plain: Body,
    brotli: Option<Body>,
    gzip: Option<Body>,
}

struct Body {
    bytes: Bytes,
    etag: HeaderValue,
}

/// Every file by its path, with a leading slash.
pub(crate) struct ClientFiles(HashMap<String, File>);

impl ClientFiles {
    /// Reads the whole folder. Blocking.
    pub(crate) fn read(folder: &Path) -> Result<Self, ClientError> {
        let mut bodies = HashMap::new();
        let mut total = 0;
        let mut folders = vec![(folder.to_owned(), String::from("/"), 0)];
        while let Some((path, prefix, depth)) = folders.pop() {
            let at = |source| ClientError::Unreadable { path: path.clone(), source };
            for entry in fs::read_dir(&path).map_err(at)? {
                let entry = entry.map_err(at)?;
                let Ok(name) = entry.file_name().into_string() else { continue };
                let at = |source| ClientError::Unreadable { path: entry.path(), source };
                let metadata = fs::metadata(entry.path()).map_err(at)?;
                if metadata.is_dir() {
                    folders.push((entry.path(), format!("{prefix}{name}/"), depth + 1));
                } else {
                    total += usize::try_from(metadata.len()).unwrap_or(MAX_TOTAL_BYTES + 1);
                    if total <= MAX_TOTAL_BYTES {
                        bodies.insert(format!("{prefix}{name}"), Body::new(fs::read(entry.path()).map_err(at)?));
                    }
                }
                if depth >= MAX_DEPTH || bodies.len() > MAX_FILES || total > MAX_TOTAL_BYTES {
                    return Err(ClientError::TooBig { path: folder.to_owned() });
                }
            }
        }
        Ok(Self::pair_up(bodies))
    }

    /// Puts `name.br` and `name.gz` beside `name`.
    fn pair_up(mut bodies: HashMap<String, Body>) -> Self {
        let is_copy = |name: &str| {
            let original = name.strip_suffix(".br").or_else(|| name.strip_suffix(".gz"));
            original.is_some_and(|original| bodies.contains_key(original))
        };
        let originals: Vec<_> = bodies.keys().filter(|name| !is_copy(name)).cloned().collect();
        let mut files = HashMap::new();
        for name in originals {
            let (brotli, gzip) = (bodies.remove(&format!("{name}.br")), bodies.remove(&format!("{name}.gz")));
            if let Some(plain) = bodies.remove(&name) {
                let file = File { kind: media_type(&name), immutable: has_hash(&name), plain, brotli, gzip };
                files.insert(name, file);
            }
        }
        Self(files)
    }

    /// The file for a path; the page itself for a path that is one of its views.
    fn find(&self, path: &str, headers: &HeaderMap) -> Option<&File> {
        let path = if path == "/" { INDEX } else { path };
        self.0.get(path).or_else(|| self.0.get(INDEX).filter(|_| is_view(path, headers)))
    }
}

impl Body {
    fn new(bytes: Vec<u8>) -> Self {
        let hash = URL_SAFE_NO_PAD.encode(Sha256::digest(&bytes));
        // The hash's text is plain ASCII; the fallback only spares a panic.
        let etag = HeaderValue::try_from(format!("\"{hash}\"")).unwrap_or(HeaderValue::from_static("\"\""));
        Self { bytes: bytes.into(), etag }
    }
}

/// `GET` of anything that is not the API's.
pub(super) fn serve(app: &App, request: &Parts) -> Response {
    let path = request.uri.path();
    let file = app.client.as_ref().filter(|_| !path.starts_with("/api/")).and_then(|c| c.find(path, &request.headers));
    match (file, &request.method) {
        (None, _) => ApiError::NotFound.into_response(),
        (Some(file), &Method::GET | &Method::HEAD) => answer(file, &request.headers),
        (Some(_), _) => ApiError::MethodNotAllowed.into_response(),
    }
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

/// A navigation to an address that the page's router knows, not a file that is missing.
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

/// Whether the build put a hash of the content into the name: `-` and 16 hex digits before `_` or `.`.
/// Trunk leaves leading zeros out, so somewhat fewer do, too.
fn has_hash(name: &str) -> bool {
    let last = name.rsplit('/').next().unwrap_or_default();
    last.split('-').skip(1).any(|part| {
        let digits = part.bytes().take_while(u8::is_ascii_hexdigit).count();
        digits >= 12 && matches!(part.as_bytes().get(digits), Some(b'.' | b'_'))
    })
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "avif" => "image/avif",
        "css" => "text/css; charset=utf-8",
        "html" => "text/html; charset=utf-8",
        "ico" => "image/x-icon",
        "jpg" | "jpeg" => "image/jpeg",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "json" | "map" => "application/json",
        "mp3" => "audio/mpeg",
        "ogg" => "audio/ogg",
        "png" => "image/png",
        "svg" => "image/svg+xml",
        "txt" => "text/plain; charset=utf-8",
        "wasm" => "application/wasm",
        "webmanifest" => "application/manifest+json",
        "webp" => "image/webp",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_with_a_hash_are_immutable() {
        for name in [
            "/causeway-web-1a2b3c4d5e6f7a8b.js",
            "/causeway-web-1a2b3c4d5e6f7a8b_bg.wasm",
            "/x/tokens-af5df712538825e.css",
        ] {
            assert!(has_hash(name), "{name}");
        }
        for name in ["/index.html", "/boot.js", "/causeway-web.js", "/a-1a2b3c4d.js", "/a-1a2b3c4d5e6f7a8bz.js"] {
            assert!(!has_hash(name), "{name}");
        }
    }

    #[test]
    fn quality_zero_means_no() {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip, br;q=0"));
        assert!(accepts(&headers, "gzip"));
        assert!(!accepts(&headers, "br"));
        assert!(!accepts(&headers, "zstd"));
    }

    #[test]
    fn a_folder_that_is_no_build_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("1/2/3/4/5/6/7/8/9/10")).unwrap();
        fs::write(folder.path().join("1/2/3/4/5/6/7/8/9/10/file"), "x").unwrap();
        assert!(matches!(ClientFiles::read(folder.path()), Err(ClientError::TooBig { .. })));
        assert!(matches!(ClientFiles::read(Path::new("/nowhere")), Err(ClientError::Unreadable { .. })));
    }
}
