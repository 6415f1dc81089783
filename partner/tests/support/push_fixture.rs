//! A partner server between WhatsApp and a push service.

use super::{
    Partner,
    push_service::PushService,
    whatsapp::{SigningKey, Whatsapp},
};
use causeway_partner::Config;
use jsonwebtoken::Algorithm;
use reqwest::{Response, header};
use serde_json::{Value, json};
use sqlx::{Connection, sqlite::SqliteConnectOptions};
use std::{
    sync::LazyLock,
    time::{Duration, SystemTime},
};

pub(crate) static KEY: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::new("1aXf8"));
pub(crate) const DAYS: u64 = 86_400;

/// A partner server with a push service and WhatsApp's key server.
pub(crate) struct PushFixture {
    pub(crate) partner: Partner,
    pub(crate) service: PushService,
    pub(crate) whatsapp: Whatsapp,
}

impl PushFixture {
    pub(crate) async fn start() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let service = PushService::start().await;
        let (whatsapp, url) = Whatsapp::serve(&[&KEY]).await;
        let partner = Partner::with(|config| {
            config.push.services.push(service.origin());
            config.push.jwks_url = url.to_string();
            config.push.contact = Some("mailto:push@messenger.example".to_owned());
            change(config);
        })
        .await;
        Self { partner, service, whatsapp }
    }

    pub(crate) async fn subscribe(&self, cookie: &str, name: &str) {
        assert_eq!(self.post(cookie, "/api/push", &self.service.browser(name)).await.status(), 204);
    }

    pub(crate) async fn post(&self, cookie: &str, path: &str, form: &[(&'static str, String)]) -> Response {
        let request = self.partner.http.post(self.partner.url(path)).header(header::COOKIE, cookie);
        request.form(form).send().await.unwrap()
    }

    pub(crate) async fn key(&self) -> String {
        let response = self.partner.get("/api/push").await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/x-www-form-urlencoded");
        response.text().await.unwrap().strip_prefix("key=").unwrap().to_owned()
    }

    /// WhatsApp's call, with a token that is valid for an hour.
    pub(crate) async fn wake(&self, identifier: &str) -> Response {
        self.call(&token(&self.partner, json!({})), json!({ "to": identifier }).to_string()).await
    }

    pub(crate) async fn call(&self, token: &str, body: String) -> Response {
        let request =
            self.partner.http.post(self.partner.url("/push")).header(header::CONTENT_TYPE, "application/json");
        request.bearer_auth(token).body(body).send().await.unwrap()
    }
}

pub(crate) fn token(partner: &Partner, more: Value) -> String {
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
    let mut claims = json!({"iss": "WHATSAPP", "aud": partner.url(""), "iat": now, "exp": now + 3_600});
    claims.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    KEY.sign(Algorithm::RS256, &claims)
}

pub(crate) async fn ok(response: Response) {
    assert_eq!(response.status(), 200);
    assert_eq!(response.text().await.unwrap(), "");
}

/// Waits until a query of the server's database counts `expected` rows.
pub(crate) async fn until_counted(fixture: &PushFixture, count: &'static str, expected: i64) {
    let file = fixture.partner.data.path().join("partner/partner.db");
    let mut database = sqlx::SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(file)).await.unwrap();
    let counted = async {
        while sqlx::query_scalar::<_, i64>(count).fetch_one(&mut database).await.unwrap() != expected {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), counted).await.expect(count);
}

pub(crate) const QUEUED: &str = "SELECT COUNT(*) FROM pushes";
pub(crate) const SUBSCRIBED: &str = "SELECT COUNT(*) FROM subscriptions";
