//! The client's files, the headers of every response, both versions of HTTP, health, start and shutdown.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::as_conversions,
    reason = "tests fail by panicking"
)]

mod support;

use causeway_partner::Server;
use reqwest::{Client, StatusCode, Version, header};
use std::{fs, path::Path};
use support::{Partner, chat_server::LONG, refused};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const SCRIPT: &str = "/causeway-web-1a2b3c4d5e6f7a8b.js";
const WASM: &str = "/causeway-web-1a2b3c4d5e6f7a8b_bg.wasm";

fn build(folder: &Path) {
    for (name, content) in [
        ("index.html", "<!doctype html>page"),
        ("boot.js", "boot"),
        ("service-worker.js", "service worker"),
        (&SCRIPT[1..], "script"),
        (&WASM[1..], "\0asm"),
        ("causeway-web-1a2b3c4d5e6f7a8b_bg.wasm.br", "brotli"),
        ("causeway-web-1a2b3c4d5e6f7a8b_bg.wasm.gz", "gzip"),
        ("icons/app.svg", "<svg/>"),
        ("app.webmanifest", "{}"),
    ] {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
}

async fn with_client() -> (TempDir, Partner) {
    let folder = tempfile::tempdir().unwrap();
    build(folder.path());
    let path = folder.path().to_owned();
    (folder, Partner::with(|config| config.client_dir = Some(path)).await)
}

#[tokio::test]
async fn files_have_their_type_and_a_cache_policy_by_name() {
    let (_folder, partner) = with_client().await;
    for (path, kind, cache) in [
        ("/", "text/html; charset=utf-8", "no-cache"),
        ("/index.html", "text/html; charset=utf-8", "no-cache"),
        ("/boot.js", "text/javascript; charset=utf-8", "no-cache"),
        ("/service-worker.js", "text/javascript; charset=utf-8", "no-cache"),
        (SCRIPT, "text/javascript; charset=utf-8", "public, max-age=31536000, immutable"),
        (WASM, "application/wasm", "public, max-age=31536000, immutable"),
        ("/icons/app.svg", "image/svg+xml", "no-cache"),
        ("/app.webmanifest", "application/manifest+json", "no-cache"),
    ] {
        let response = partner.get(path).await;
        assert_eq!(response.status(), 200, "{path}");
        assert_eq!(response.headers()[header::CONTENT_TYPE], kind, "{path}");
        assert_eq!(response.headers()[header::CACHE_CONTROL], cache, "{path}");
        assert!(response.headers().contains_key(header::ETAG), "{path}");
    }
}

#[tokio::test]
async fn compressed_copies_are_chosen_by_accept_encoding() {
    let (_folder, partner) = with_client().await;
    let ask = |accept: &'static str| partner.http.get(partner.url(WASM)).header(header::ACCEPT_ENCODING, accept).send();
    for (accept, coding, body) in [
        ("gzip, deflate, br, zstd", Some("br"), "brotli"),
        ("gzip", Some("gzip"), "gzip"),
        ("br;q=0, gzip;q=0.5", Some("gzip"), "gzip"),
        ("identity", None, "\0asm"),
    ] {
        let response = ask(accept).await.unwrap();
        assert_eq!(response.headers().get(header::CONTENT_ENCODING).map(|value| value.to_str().unwrap()), coding);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/wasm");
        assert_eq!(response.headers()[header::VARY], "accept-encoding");
        assert_eq!(response.text().await.unwrap(), body);
    }
    refused(partner.get("/causeway-web-1a2b3c4d5e6f7a8b_bg.wasm.br").await, 404, "not_found").await;
}

#[tokio::test]
async fn an_unchanged_file_is_not_sent_again() {
    let (_folder, partner) = with_client().await;
    let first = partner.get("/index.html").await;
    let etag = first.headers()[header::ETAG].clone();
    let ask = |etag: &str| partner.http.get(partner.url("/")).header(header::IF_NONE_MATCH, etag.to_owned()).send();
    let again = ask(etag.to_str().unwrap()).await.unwrap();
    assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
    assert_eq!(again.headers()[header::ETAG], etag);
    assert_eq!(again.text().await.unwrap(), "");
    assert_eq!(ask("\"another\"").await.unwrap().status(), 200);
}

#[tokio::test]
async fn the_index_page_is_served_for_views_only() {
    let (_folder, partner) = with_client().await;
    let navigate = |path: &str| partner.http.get(partner.url(path)).header("sec-fetch-mode", "navigate").send();
    assert_eq!(navigate("/chats/1").await.unwrap().text().await.unwrap(), "<!doctype html>page");
    let old = partner.http.get(partner.url("/settings")).header(header::ACCEPT, "text/html,*/*;q=0.8").send().await;
    assert_eq!(old.unwrap().status(), 200);
    for path in ["/missing.js", "/api/missing", "/api/"] {
        refused(navigate(path).await.unwrap(), 404, "not_found").await;
    }
    refused(partner.get("/chats/1").await, 404, "not_found").await;
    refused(partner.http.post(partner.url("/index.html")).send().await.unwrap(), 405, "method_not_allowed").await;
    for path in ["/../partner.db", "/%2e%2e/partner.db", "/icons/../../partner.db", "/icons/", "//etc/passwd"] {
        assert_eq!(raw(&partner, &format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n")).await, "404", "{path}");
    }
}

/// The status line for a request that no HTTP client would send.
async fn raw(partner: &Partner, request: &str) -> String {
    let mut stream = TcpStream::connect(partner.running.addr).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer[9..]).into_owned()
}

#[tokio::test]
async fn every_response_has_the_security_headers() {
    let (_folder, partner) = with_client().await;
    let policy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; \
                  connect-src 'self' ws://127.0.0.1:8200 http://127.0.0.1:8200; worker-src 'self'; \
                  manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
                  require-trusted-types-for 'script'; trusted-types default";
    let paths =
        ["/", SCRIPT, WASM, "/missing", "/api/profile", "/api/session", "/health", "/.well-known/oauth/openid/jwks"];
    for path in paths {
        let response = partner.get(path).await;
        let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(header("content-security-policy"), policy, "{path}");
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("x-frame-options"), "DENY");
        assert_eq!(header("referrer-policy"), "no-referrer");
        assert_eq!(header("cross-origin-opener-policy"), "same-origin");
        assert_eq!(header("cross-origin-resource-policy"), "same-origin");
        assert!(header("permissions-policy").contains("camera=()"));
        assert!(!response.headers().contains_key("strict-transport-security"), "not over http");
    }
    let secure = Partner::with(|config| {
        config.public_url = Some("https://messenger.example".to_owned());
        config.whatsapp.chat_url = Some("wss://chat.example:5222/ws".to_owned());
        config.whatsapp.enlist_url = Some("https://v.example/3p/interop_reg".to_owned());
    })
    .await;
    let response = secure.get("/health").await;
    assert_eq!(response.headers()["strict-transport-security"], "max-age=31536000");
    let policy = response.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("connect-src 'self' wss://chat.example:5222 https://v.example; "), "{policy}");
}

#[tokio::test]
async fn http_1_and_2_are_served_on_one_port() {
    let (_folder, partner) = with_client().await;
    assert_eq!(partner.get("/health").await.version(), Version::HTTP_11);
    let second = Client::builder().no_proxy().http2_prior_knowledge().build().unwrap();
    for path in ["/health", "/", "/api/profile", "/.well-known/oauth/openid/jwks"] {
        let response = second.get(partner.url(path)).send().await.unwrap();
        assert_eq!((response.version(), response.status()), (Version::HTTP_2, StatusCode::OK), "{path}");
    }
}

#[tokio::test]
async fn slow_requests_time_out() {
    let partner = Partner::with(|config| config.limits.request_seconds = 1).await;
    // Headers that never end: the connection is closed.
    let mut stream = TcpStream::connect(partner.running.addr).await.unwrap();
    stream.write_all(b"GET /health HTTP/1.1\r\nHost: x\r\n").await.unwrap();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
    // A body that never comes: an error response.
    let head = "POST /api/account HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\
                Content-Type: application/x-www-form-urlencoded\r\n\r\nid";
    assert_eq!(raw(&partner, head).await, "503");
}

#[tokio::test]
async fn a_client_that_does_not_read_is_disconnected() {
    let folder = tempfile::tempdir().unwrap();
    build(folder.path());
    // More than the socket buffers hold.
    fs::write(folder.path().join("boot.js"), vec![b' '; 32 << 20]).unwrap();
    let path = folder.path().to_owned();
    let partner = Partner::with(|config| {
        config.client_dir = Some(path);
        config.limits.write_seconds = 1;
        config.limits.connections = 1;
    })
    .await;
    let mut silent = TcpStream::connect(partner.running.addr).await.unwrap();
    silent.write_all(b"GET /boot.js HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    silent.readable().await.unwrap();
    // The only connection permit is taken.
    let health = tokio::time::timeout(LONG, partner.get("/health")).await;
    assert_eq!(health.expect("the place is free again").status(), 200);
}

#[tokio::test]
async fn without_a_client_only_the_api_is_served() {
    let partner = Partner::start().await;
    refused(partner.get("/").await, 404, "not_found").await;
    let health = partner.get("/health").await;
    assert_eq!((health.status().as_u16(), health.text().await.unwrap().as_str()), (200, "ok"));
}

#[tokio::test]
async fn stopping_lets_a_request_finish_and_frees_the_port() {
    let partner = Partner::start().await;
    let addr = partner.running.addr;
    let body = "identifier=alice&password=correct+horse";
    let mut stream = TcpStream::connect(addr).await.unwrap();
    let head = format!(
        "POST /api/account HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: {}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    // "100 Continue" is sent when the handler begins to read the body: from now on the request is pending.
    let mut answer = [0; 25];
    stream.read_exact(&mut answer).await.unwrap();
    let stopping = tokio::spawn(partner.running.stop());
    while TcpStream::connect(addr).await.is_ok() {
        tokio::task::yield_now().await;
    }
    stream.write_all(body.as_bytes()).await.unwrap();
    let mut rest = String::new();
    stream.read_to_string(&mut rest).await.unwrap();
    assert!(rest.starts_with("HTTP/1.1 204"), "{rest}");
    stopping.await.unwrap();
    let mut again = support::config(&partner.data);
    again.listen = addr;
    Server::start(again).await.unwrap().stop().await;
}

#[tokio::test]
async fn a_port_in_use_and_an_unusable_folder_are_explained() {
    let partner = Partner::start().await;
    let data = tempfile::tempdir().unwrap();
    let mut taken = support::config(&data);
    taken.listen = partner.running.addr;
    let error = Server::start(taken).await.unwrap_err().to_string();
    assert!(error.contains("Is another server running there?"), "{error}");

    let mut nowhere = support::config(&data);
    fs::write(data.path().join("file"), "").unwrap();
    nowhere.data_dir = data.path().join("file/partner");
    let error = Server::start(nowhere).await.unwrap_err().to_string();
    assert!(error.contains("Change `data_dir`"), "{error}");
}
