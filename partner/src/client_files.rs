//! The files of the client's build with their compressed copies: read once at the start and held in memory.
//!
//! No path of a request reaches the file system, and a half-copied build is never served: replace the folder, then
//! restart the server. What this module does not know: requests, and what the files contain.

use axum::{body::Bytes, http::HeaderValue};
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

/// The client's folder cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// A file or folder cannot be read.
    #[error("the client's files: {}: {source}", path.display())]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The folder is too large for a client's build.
    #[error("the client's files: {} has more than {MAX_FILES} files, {MAX_TOTAL_BYTES} bytes or {MAX_DEPTH} levels. Is client_dir the build's folder?", path.display())]
    TooBig {
        /// The configured folder.
        path: PathBuf,
    },
}

/// One file in all encodings that the build contains.
pub(crate) struct File {
    pub(crate) kind: &'static str,
    pub(crate) immutable: bool,
    pub(crate) plain: Body,
    pub(crate) brotli: Option<Body>,
    pub(crate) gzip: Option<Body>,
}

pub(crate) struct Body {
    pub(crate) bytes: Bytes,
    pub(crate) etag: HeaderValue,
}

/// All files by path, with a leading slash.
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
        Ok(Self::attach_encodings(bodies))
    }

    /// Attaches `name.br` and `name.gz` to `name`.
    fn attach_encodings(mut bodies: HashMap<String, Body>) -> Self {
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

    /// The file with exactly this path.
    pub(crate) fn get(&self, path: &str) -> Option<&File> {
        self.0.get(path)
    }
}

impl Body {
    fn new(bytes: Vec<u8>) -> Self {
        let hash = URL_SAFE_NO_PAD.encode(Sha256::digest(&bytes));
        // Base64url is valid in a header; the fallback only avoids a panic.
        let etag = HeaderValue::try_from(format!("\"{hash}\"")).unwrap_or(HeaderValue::from_static("\"\""));
        Self { bytes: bytes.into(), etag }
    }
}

/// Whether the name contains a content hash: `-` and 16 hex digits before `_` or `.`. Trunk omits leading zeros, so 12
/// digits suffice.
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
            "/client-1a2b3c4d5e6f7a8b.page.wasm",
            "/client-1a2b3c4d5e6f7a8b.pieces.js",
            "/x/tokens-af5df712538825e.css",
        ] {
            assert!(has_hash(name), "{name}");
        }
        for name in ["/index.html", "/boot.js", "/causeway-web.js", "/a-1a2b3c4d.js", "/a-1a2b3c4d5e6f7a8bz.js"] {
            assert!(!has_hash(name), "{name}");
        }
    }

    #[test]
    fn a_folder_that_is_not_a_build_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("1/2/3/4/5/6/7/8/9/10")).unwrap();
        fs::write(folder.path().join("1/2/3/4/5/6/7/8/9/10/file"), "x").unwrap();
        assert!(matches!(ClientFiles::read(folder.path()), Err(ClientError::TooBig { .. })));
        assert!(matches!(ClientFiles::read(Path::new("/nowhere")), Err(ClientError::Unreadable { .. })));
    }
}
