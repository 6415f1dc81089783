//! TLS, both versions of HTTP on every kind of path, readiness, metrics.

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

use causeway_partner::{Config, Server};
use reqwest::{Certificate, Client, ClientBuilder, StatusCode, Version, header};
use std::{path::Path, sync::Arc};
use support::{Partner, chat_server::LONG, refused};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// One path of each kind: metadata, API, media, relay, the client's files.
const PATHS: [(&str, u16); 8] = [
    ("/health", 200),
    ("/ready", 200),
    ("/api/profile", 200),
    ("/.well-known/oauth/openid/jwks", 200),
    ("/api/session", 401),
    ("/api/media/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 405),
    ("/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 404),
    ("/", 200),
];

/// Writes a new certificate and key; returns the certificate.
fn certificate(folder: &Path) -> Certificate {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(folder.join("cert.pem"), made.cert.pem()).unwrap();
    std::fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    Certificate::from_pem(made.cert.pem().as_bytes()).unwrap()
}

fn client(folder: &TempDir, config: &mut Config) {
    let dist = folder.path().join("dist");
    std::fs::create_dir(&dist).unwrap();
    std::fs::write(dist.join("index.html"), "<!doctype html>page").unwrap();
    config.client_dir = Some(dist);
}

/// A server with TLS, its folder, and its certificate.
async fn with_tls() -> (Partner, TempDir, Certificate) {
    let folder = tempfile::tempdir().unwrap();
    let root = certificate(folder.path());
    let partner = Partner::with(|config| {
        config.tls_cert = Some(folder.path().join("cert.pem"));
        config.tls_key = Some(folder.path().join("key.pem"));
        client(&folder, config);
    })
    .await;
    (partner, folder, root)
}

fn trusting(root: &Certificate) -> ClientBuilder {
    Client::builder().no_proxy().tls_certs_only([root.clone()])
}

#[tokio::test]
async fn every_path_is_served_over_every_version_of_http_with_and_without_tls() {
    let (partner, _folder, root) = with_tls().await;
    let secure = format!("https://localhost:{}", partner.running.addr.port());
    let folder = tempfile::tempdir().unwrap();
    let plain = Partner::with(|config| client(&folder, config)).await;
    let open = plain.url("");
    let first = || Client::builder().no_proxy();
    for (client, base, version) in [
        (first().http1_only(), &open, Version::HTTP_11),
        (first().http2_prior_knowledge(), &open, Version::HTTP_2),
        (trusting(&root).http1_only(), &secure, Version::HTTP_11),
        (trusting(&root), &secure, Version::HTTP_2),
    ] {
        let client = client.build().unwrap();
        for (path, status) in PATHS {
            let response = client.get(format!("{base}{path}")).send().await.unwrap();
            assert_eq!((response.version(), response.status().as_u16()), (version, status), "{base}{path}");
        }
    }
}

#[tokio::test]
async fn only_tls_1_3_is_accepted() {
    let (partner, _folder, root) = with_tls().await;
    let url = format!("https://localhost:{}/health", partner.running.addr.port());
    let old = trusting(&root).tls_version_max(reqwest::tls::Version::TLS_1_2).build().unwrap();
    assert!(old.get(&url).send().await.is_err());
    let new = trusting(&root).tls_version_min(reqwest::tls::Version::TLS_1_3).build().unwrap();
    assert_eq!(new.get(&url).send().await.unwrap().status(), 200);
    assert!(partner.http.get(partner.url("/health")).send().await.is_err(), "plain HTTP on the port of TLS");
}

#[tokio::test]
async fn a_valid_certificate_is_reloaded_without_a_restart_and_an_invalid_one_is_not() {
    let (partner, folder, first) = with_tls().await;
    let url = format!("https://localhost:{}/health", partner.running.addr.port());
    let ask = async |root: &Certificate| trusting(root).build().unwrap().get(&url).send().await.is_ok();
    let second = certificate(folder.path());
    assert!(ask(&first).await && !ask(&second).await);
    partner.running.reload().unwrap();
    assert!(ask(&second).await && !ask(&first).await);
    std::fs::write(folder.path().join("cert.pem"), "nonsense").unwrap();
    assert!(partner.running.reload().unwrap_err().to_string().contains("cert.pem"));
    assert!(ask(&second).await);
}

#[tokio::test]
async fn an_incomplete_handshake_times_out() {
    let folder = tempfile::tempdir().unwrap();
    certificate(folder.path());
    let partner = Partner::with(|config| {
        config.tls_cert = Some(folder.path().join("cert.pem"));
        config.tls_key = Some(folder.path().join("key.pem"));
        config.limits.request_seconds = 1;
    })
    .await;
    let mut stream = TcpStream::connect(partner.running.addr).await.unwrap();
    stream.write_all(&[22, 3, 1]).await.unwrap();
    let mut rest = Vec::new();
    timeout(LONG, stream.read_to_end(&mut rest)).await.expect("kept").unwrap();
    // It does not delay a shutdown.
    let _waiting = TcpStream::connect(partner.running.addr).await.unwrap();
    timeout(LONG, partner.running.stop()).await.unwrap();
}

#[tokio::test]
async fn a_draining_server_is_not_ready_but_responds() {
    let partner = Partner::with(|config| config.limits.drain_seconds = 600).await;
    assert_eq!(partner.get("/ready").await.status(), 200);
    let Partner { running, http, data } = partner;
    let base = format!("http://{}", running.addr);
    let stopping = tokio::spawn(running.stop());
    let ready = async || http.get(format!("{base}/ready")).send().await.unwrap();
    timeout(LONG, async {
        while ready().await.status() != StatusCode::SERVICE_UNAVAILABLE {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
    refused(ready().await, 503, "busy").await;
    assert_eq!(http.get(format!("{base}/health")).send().await.unwrap().status(), 200);
    stopping.abort();
    drop(data);
}

#[tokio::test]
async fn metrics_are_served_on_their_own_port_only() {
    let partner = Partner::with(|config| config.metrics_listen = Some(([127, 0, 0, 1], 0).into())).await;
    let cookie = partner.account("verysecretalice").await;
    let asked = partner.http.get(partner.url("/api/session")).header(header::COOKIE, &cookie).send().await.unwrap();
    assert_eq!(asked.status(), 200);
    refused(partner.get("/metrics").await, 404, "not_found").await;
    let metrics = format!("http://{}", partner.running.metrics_addr.unwrap());
    let response = partner.http.get(format!("{metrics}/metrics")).send().await.unwrap();
    assert!(response.headers()[header::CONTENT_TYPE].to_str().unwrap().starts_with("application/openmetrics-text"));
    let text = response.text().await.unwrap();
    for line in [
        "partner_requests_total{route=\"/api/account\",method=\"POST\",status=\"204\"} 1",
        "partner_requests_total{route=\"/api/session\",method=\"GET\",status=\"200\"} 1",
        "partner_requests_total{route=\"client\",method=\"GET\",status=\"404\"} 1",
        "partner_request_duration_seconds_count{route=\"/api/session\"} 1",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
    }
    assert!(!text.contains("verysecret") && !text.contains("127.0.0.1"), "{text}");
    assert_eq!(partner.http.get(format!("{metrics}/health")).send().await.unwrap().status(), 404);
    let without = Partner::start().await;
    assert!(without.running.metrics_addr.is_none());
}

#[tokio::test]
async fn an_unusable_certificate_is_explained() {
    let folder = tempfile::tempdir().unwrap();
    let data = tempfile::tempdir().unwrap();
    certificate(folder.path());
    let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(folder.path().join("key.pem"), other.signing_key.serialize_pem()).unwrap();
    let mut config = support::config(&data);
    config.tls_cert = Some(folder.path().join("cert.pem"));
    config.tls_key = Some(folder.path().join("key.pem"));
    let error = Arc::new(Server::start(config).await.unwrap_err()).to_string();
    assert!(error.starts_with("tls_cert and tls_key: "), "{error}");
}
