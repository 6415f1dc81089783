//! Passkeys created and used by an independent software authenticator, and every way in which one is refused.

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

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use passkey::{
    authenticator::{Authenticator, UiHint, UserCheck, UserValidationMethod},
    client::{Client, DefaultClientData},
    crypto::rust_crypto::RustCryptoBackend,
    types::{
        Passkey,
        ctap2::{Aaguid, Ctap2Error},
        webauthn::{CredentialCreationOptions, CredentialRequestOptions},
    },
};
use reqwest::{Response, header};
use serde_json::{Value, json};
use support::{Partner, postgres, refused};
use url::Url;

const ORIGIN: &str = "https://messenger.example";

/// The person with the device, whom the device verifies or not.
struct Holder {
    owner: bool,
}

#[async_trait::async_trait]
impl UserValidationMethod for Holder {
    type PasskeyItem = Passkey;

    async fn check_user<'a>(
        &self,
        _: UiHint<'a, Passkey>,
        presence: bool,
        verification: bool,
    ) -> Result<UserCheck, Ctap2Error> {
        Ok(UserCheck { presence, verification: verification && self.owner })
    }

    fn is_presence_enabled(&self) -> bool {
        true
    }

    fn is_verification_enabled(&self) -> Option<bool> {
        Some(true)
    }
}

/// A device and its browser, on the server's own page.
#[derive(Clone, Default)]
struct Device {
    passkey: Option<Passkey>,
}

impl Device {
    async fn create(&mut self, options: &Value, owner: bool) -> Value {
        let request: CredentialCreationOptions = serde_json::from_value(json!({ "publicKey": options })).unwrap();
        let mut authenticator = Authenticator::new(Aaguid::new_empty(), None, Holder { owner }, RustCryptoBackend);
        authenticator.set_make_credentials_with_signature_counter(true);
        let mut client = Client::new(authenticator);
        let origin: Url = ORIGIN.parse().unwrap();
        let made = client.register(&origin, request, DefaultClientData).await.unwrap();
        self.passkey.clone_from(client.authenticator().store());
        as_browsers_write(serde_json::to_value(made).unwrap())
    }

    async fn get(&mut self, options: &Value, owner: bool) -> Value {
        let request: CredentialRequestOptions = serde_json::from_value(json!({ "publicKey": options })).unwrap();
        let authenticator =
            Authenticator::new(Aaguid::new_empty(), self.passkey.clone(), Holder { owner }, RustCryptoBackend);
        let mut client = Client::new(authenticator);
        let origin: Url = ORIGIN.parse().unwrap();
        let proved = client.authenticate(&origin, request, DefaultClientData).await.unwrap();
        self.passkey.clone_from(client.authenticator().store());
        as_browsers_write(serde_json::to_value(proved).unwrap())
    }
}

/// `PublicKeyCredential.toJSON()` encodes bytes as base64url; the library encodes lists of numbers.
fn as_browsers_write(value: Value) -> Value {
    match value {
        Value::Object(fields) => fields.into_iter().map(|(name, value)| (name, as_browsers_write(value))).collect(),
        Value::Array(items) if !items.is_empty() && items.iter().all(Value::is_u64) => {
            let bytes: Vec<u8> = items.iter().map(|item| item.as_u64().unwrap().try_into().unwrap()).collect();
            json!(URL_SAFE_NO_PAD.encode(bytes))
        }
        other => other,
    }
}

async fn partner() -> Partner {
    Partner::with(|config| config.public_url = Some(ORIGIN.to_owned())).await
}

/// The cookie of this name that a response sets.
fn cookie(response: &Response, name: &str) -> String {
    let cookies = response.headers().get_all(header::SET_COOKIE).iter().map(|cookie| cookie.to_str().unwrap());
    let pair = cookies.filter_map(|cookie| cookie.split(';').next()).find(|pair| pair.starts_with(name));
    pair.unwrap_or_else(|| panic!("no cookie {name}")).to_owned()
}

fn session(response: &Response) -> String {
    cookie(response, "__Host-causeway_session=")
}

async fn post(partner: &Partner, path: &str, cookies: &[&str], body: Option<&Value>) -> Response {
    let request = partner.http.post(partner.url(path)).header(header::COOKIE, cookies.join("; "));
    match body {
        Some(body) => request.json(body),
        None => request,
    }
    .send()
    .await
    .unwrap()
}

/// The options of a challenge, and the cookie for its response.
async fn start(partner: &Partner, path: &str, cookies: &[&str], name: &str) -> (Value, String) {
    let response = post(partner, path, cookies, None).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
    let set = cookie(&response, name);
    (response.json().await.unwrap(), set)
}

async fn start_new(partner: &Partner, session: &str) -> (Value, String) {
    start(partner, "/api/passkey/register/start", &[session], "__Host-causeway_new_passkey=").await
}

async fn start_sign_in(partner: &Partner) -> (Value, String) {
    start(partner, "/api/passkey/sign-in/start", &[], "__Host-causeway_passkey=").await
}

async fn finish_new(partner: &Partner, session: &str, begun: &str, answer: &Value) -> Response {
    post(partner, "/api/passkey/register/finish", &[session, begun], Some(answer)).await
}

async fn finish_sign_in(partner: &Partner, begun: &str, answer: &Value) -> Response {
    post(partner, "/api/passkey/sign-in/finish", &[begun], Some(answer)).await
}

/// A device with a passkey of this account.
async fn device_of(partner: &Partner, session: &str) -> Device {
    let mut device = Device::default();
    let (options, begun) = start_new(partner, session).await;
    let answer = device.create(&options, true).await;
    assert_eq!(finish_new(partner, session, &begun, &answer).await.status(), 204);
    device
}

async fn listed(partner: &Partner, session: &str) -> Vec<Value> {
    let request = partner.http.get(partner.url("/api/passkey")).header(header::COOKIE, session);
    request.send().await.unwrap().json().await.unwrap()
}

#[tokio::test]
async fn a_passkey_signs_its_owner_in_without_a_name() {
    let partner = partner().await;
    let alice = partner.account("alice").await;
    let mut device = device_of(&partner, &alice).await;
    assert_eq!(listed(&partner, &alice).await[0]["used"], 0);
    for _ in 0..2 {
        let (options, begun) = start_sign_in(&partner).await;
        assert!(options["allowCredentials"].as_array().is_none_or(Vec::is_empty), "{options}");
        let answer = device.get(&options, true).await;
        let response = finish_sign_in(&partner, &begun, &answer).await;
        assert_eq!(response.status(), 204);
        assert_eq!(cookie(&response, "__Host-causeway_passkey="), "__Host-causeway_passkey=");
        let about = partner.about(&session(&response)).await.text().await.unwrap();
        assert!(about.starts_with("identifier=alice&"), "{about}");
    }
    assert_ne!(listed(&partner, &alice).await[0]["used"], 0);
}

#[tokio::test]
async fn a_challenge_is_valid_once_and_only_for_its_browser() {
    let partner = partner().await;
    let alice = partner.account("alice").await;
    let mut device = device_of(&partner, &alice).await;
    let (options, begun) = start_sign_in(&partner).await;
    let (_, other) = start_sign_in(&partner).await;
    let answer = device.get(&options, true).await;
    refused(post(&partner, "/api/passkey/sign-in/finish", &[], Some(&answer)).await, 400, "challenge_over").await;
    refused(finish_sign_in(&partner, &other, &answer).await, 401, "bad_credentials").await;
    assert_eq!(finish_sign_in(&partner, &begun, &answer).await.status(), 204);
    refused(finish_sign_in(&partner, &begun, &answer).await, 400, "challenge_over").await;

    let bob = partner.account("bob").await;
    let (options, begun) = start_new(&partner, &alice).await;
    let answer = Device::default().create(&options, true).await;
    refused(finish_new(&partner, &bob, &begun, &answer).await, 422, "passkey_invalid").await;
    refused(finish_new(&partner, &alice, &begun, &answer).await, 400, "challenge_over").await;
    assert!(listed(&partner, &bob).await.is_empty());
}

#[tokio::test]
async fn a_modified_response_is_refused() {
    let partner = partner().await;
    let alice = partner.account("alice").await;
    let mut device = device_of(&partner, &alice).await;
    let foreign = {
        let bob = partner.account("bob").await;
        let (options, begun) = start_new(&partner, &bob).await;
        let handle = options["user"]["id"].clone();
        let answer = Device::default().create(&options, true).await;
        assert_eq!(finish_new(&partner, &bob, &begun, &answer).await.status(), 204);
        handle
    };
    let changed = |answer: &Value, field: &str| {
        let mut answer = answer.clone();
        let text = answer["response"][field].as_str().unwrap();
        let flipped = if text.as_bytes()[20] == b'A' { "B" } else { "A" };
        answer["response"][field] = json!(format!("{}{flipped}{}", &text[..20], &text[21..]));
        answer
    };
    for field in ["signature", "authenticatorData", "clientDataJSON"] {
        let (options, begun) = start_sign_in(&partner).await;
        let answer = changed(&device.get(&options, true).await, field);
        refused(finish_sign_in(&partner, &begun, &answer).await, 401, "bad_credentials").await;
    }
    let (options, begun) = start_sign_in(&partner).await;
    let mut answer = device.get(&options, true).await;
    answer["response"]["userHandle"] = foreign;
    refused(finish_sign_in(&partner, &begun, &answer).await, 401, "bad_credentials").await;
    let (_, begun) = start_sign_in(&partner).await;
    refused(finish_sign_in(&partner, &begun, &json!({"id": 1})).await, 400, "form_invalid").await;
}

#[tokio::test]
async fn a_page_of_another_site_cannot_use_the_challenge() {
    let partner = partner().await;
    let alice = partner.account("alice").await;
    let mut device = device_of(&partner, &alice).await;
    let (options, begun) = start_sign_in(&partner).await;
    // A browser would not let another site use this relying party; a program can sign anything.
    let request: CredentialRequestOptions = serde_json::from_value(json!({ "publicKey": options })).unwrap();
    let authenticator =
        Authenticator::new(Aaguid::new_empty(), device.passkey.take(), Holder { owner: true }, RustCryptoBackend);
    let elsewhere: Url = "https://evil.messenger.example".parse().unwrap();
    let proved = Client::new(authenticator).authenticate(&elsewhere, request, DefaultClientData).await.unwrap();
    let answer = as_browsers_write(serde_json::to_value(proved).unwrap());
    refused(finish_sign_in(&partner, &begun, &answer).await, 401, "bad_credentials").await;
}

#[tokio::test]
async fn user_verification_is_required() {
    let partner = partner().await;
    let alice = partner.account("alice").await;
    let mut device = device_of(&partner, &alice).await;
    // A page cannot avoid user verification by not requesting it.
    let (mut options, begun) = start_sign_in(&partner).await;
    options["userVerification"] = json!("discouraged");
    let answer = device.get(&options, false).await;
    refused(finish_sign_in(&partner, &begun, &answer).await, 401, "bad_credentials").await;
    let (mut options, begun) = start_new(&partner, &alice).await;
    options["authenticatorSelection"]["userVerification"] = json!("discouraged");
    options["excludeCredentials"] = json!([]);
    let answer = Device::default().create(&options, false).await;
    refused(finish_new(&partner, &alice, &begun, &answer).await, 422, "passkey_invalid").await;
}

#[tokio::test]
async fn a_cloned_authenticator_with_an_older_counter_is_refused() {
    let partner = partner().await;
    let alice = partner.account("alice").await;
    let mut device = device_of(&partner, &alice).await;
    let mut copy = device.clone();
    for _ in 0..2 {
        let (options, begun) = start_sign_in(&partner).await;
        let answer = device.get(&options, true).await;
        assert_eq!(finish_sign_in(&partner, &begun, &answer).await.status(), 204);
    }
    let (options, begun) = start_sign_in(&partner).await;
    let answer = copy.get(&options, true).await;
    refused(finish_sign_in(&partner, &begun, &answer).await, 401, "bad_credentials").await;
}

#[tokio::test]
async fn a_deleted_passkey_cannot_sign_in_and_only_its_owner_can_delete_it() {
    let partner = partner().await;
    let (alice, bob) = (partner.account("alice").await, partner.account("bob").await);
    let mut device = device_of(&partner, &alice).await;
    let id = listed(&partner, &alice).await[0]["id"].as_str().unwrap().to_owned();
    let end = |cookie: String| {
        let url = partner.url(&format!("/api/passkey/{id}"));
        partner.http.delete(url).header(header::COOKIE, cookie).send()
    };
    assert_eq!(end(bob).await.unwrap().status(), 204);
    assert_eq!(listed(&partner, &alice).await.len(), 1);
    assert_eq!(end(alice).await.unwrap().status(), 204);
    let (options, begun) = start_sign_in(&partner).await;
    let answer = device.get(&options, true).await;
    refused(finish_sign_in(&partner, &begun, &answer).await, 401, "bad_credentials").await;
}

#[tokio::test]
async fn requests_require_the_own_page_and_a_session_and_are_rate_limited() {
    let partner = Partner::with(|config| {
        config.public_url = Some(ORIGIN.to_owned());
        config.limits.address_burst = 3;
    })
    .await;
    refused(post(&partner, "/api/passkey/register/start", &[], None).await, 401, "not_signed_in").await;
    refused(partner.get("/api/passkey").await, 401, "not_signed_in").await;
    let forged = partner.http.post(partner.url("/api/passkey/sign-in/start")).header("origin", "https://evil.example");
    refused(forged.send().await.unwrap(), 403, "cross_site").await;
    for _ in 0..3 {
        start_sign_in(&partner).await;
    }
    let response = post(&partner, "/api/passkey/sign-in/start", &[], None).await;
    assert!(response.headers().contains_key(header::RETRY_AFTER));
    refused(response, 429, "rate_limited").await;
}

#[tokio::test]
async fn passkeys_are_disabled_where_browsers_do_not_support_them() {
    let partner = Partner::start().await;
    let profile = partner.get("/api/profile").await.text().await.unwrap();
    assert!(profile.contains("sign_in=built-in") && profile.contains("passkeys=false"), "{profile}");
    refused(post(&partner, "/api/passkey/sign-in/start", &[], None).await, 404, "not_found").await;
    let named = self::partner().await;
    let profile = named.get("/api/profile").await.text().await.unwrap();
    assert!(profile.contains("passkeys=true"), "{profile}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_begun_by_one_instance_is_finished_by_another() {
    let url = postgres::database().await;
    let instance = || {
        Partner::with(|config| {
            config.public_url = Some(ORIGIN.to_owned());
            config.database_url = Some(url.clone().into());
            config.secret = Some("ab".repeat(32).into());
        })
    };
    let (one, other) = (instance().await, instance().await);
    let alice = one.account("alice").await;
    let mut device = Device::default();
    let (options, begun) = start_new(&one, &alice).await;
    let answer = device.create(&options, true).await;
    assert_eq!(finish_new(&other, &alice, &begun, &answer).await.status(), 204);
    let (options, begun) = start_sign_in(&other).await;
    let answer = device.get(&options, true).await;
    assert_eq!(finish_sign_in(&one, &begun, &answer).await.status(), 204);
}
