//! A partner server on a free port with a cheap password hash, and an HTTP client for it.

#![allow(dead_code, reason = "each test binary uses its part")]

pub(crate) mod chat_server;
pub(crate) mod postgres;
pub(crate) mod push_fixture;
pub(crate) mod push_service;
pub(crate) mod whatsapp;

use causeway_partner::{Config, Running, Server};
use reqwest::{Client, Response, header};
use tempfile::TempDir;

pub(crate) const ROOT_KEY: &str = "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a";
pub(crate) const DEVICE: &str = "00112233445566778899aabbccddeeff";
/// The sealing secret for a shared database.
pub(crate) const SECRET: &str = "0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d";
pub(crate) const PASSWORD: &str = "correct horse";

pub(crate) struct Partner {
    pub(crate) running: Running,
    pub(crate) http: Client,
    pub(crate) data: TempDir,
}

/// The defaults on a free port, with rate limits that ordinary tests do not reach.
pub(crate) fn config(data: &TempDir) -> Config {
    let mut config = Config::default();
    config.listen.set_port(0);
    config.data_dir = data.path().join("partner");
    config.whatsapp.root_key = Some(ROOT_KEY.to_owned());
    config.sign_in.hash_memory_kib = 7_168;
    config.sign_in.hash_passes = 1;
    config.limits.address_burst = 1_000;
    config
}

impl Partner {
    pub(crate) async fn start() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let data = tempfile::tempdir().unwrap();
        let mut config = config(&data);
        change(&mut config);
        let running = Server::start(config).await.unwrap();
        Self { running, http: Client::builder().no_proxy().build().unwrap(), data }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.running.addr)
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.http.get(self.url(path)).send().await.unwrap()
    }

    pub(crate) async fn credentials(&self, path: &str, identifier: &str, password: &str) -> Response {
        let form = [("identifier", identifier), ("password", password)];
        self.http.post(self.url(path)).form(&form).send().await.unwrap()
    }

    /// Creates an account; returns the `Cookie` header of its session.
    pub(crate) async fn account(&self, identifier: &str) -> String {
        let response = self.credentials("/api/account", identifier, PASSWORD).await;
        assert_eq!(response.status(), 204);
        session_of(&response)
    }

    /// Requests a token for the first device.
    pub(crate) async fn token(&self, cookie: &str) -> Response {
        self.with_device("/api/token", cookie, DEVICE).await
    }

    /// Claims a device, or requests its token.
    pub(crate) async fn with_device(&self, path: &str, cookie: &str, device: &str) -> Response {
        let request = self.http.post(self.url(path)).header(header::COOKIE, cookie);
        request.form(&[("device", device)]).send().await.unwrap()
    }

    /// Requests `GET /api/account`.
    pub(crate) async fn about(&self, cookie: &str) -> Response {
        self.http.get(self.url("/api/account")).header(header::COOKIE, cookie).send().await.unwrap()
    }
}

/// The `name=value` of the cookie that a response sets.
pub(crate) fn session_of(response: &Response) -> String {
    let cookie = response.headers()[header::SET_COOKIE].to_str().unwrap();
    cookie.split(';').next().unwrap().to_owned()
}

pub(crate) async fn refused(response: Response, status: u16, word: &str) {
    assert_eq!(response.status(), status);
    assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
    assert_eq!(response.text().await.unwrap(), word);
}
