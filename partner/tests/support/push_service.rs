//! A push service with its browsers: decrypts by RFC 8291 with another library than the server encrypts with, and
//! authenticates the sender by RFC 8292.

use aws_lc_rs::{
    aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    agreement::{ECDH_P256, PrivateKey, UnparsedPublicKey, agree},
    error::Unspecified,
    hkdf::{HKDF_SHA256, KeyType, Prk, Salt},
};
use axum::{
    Router,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, Uri},
    response::{IntoResponse, Response},
    routing::post,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use serde_json::Value;
use std::{
    collections::{HashMap, VecDeque},
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};
use tokio::{net::TcpListener, sync::mpsc, time};

/// A push as the browser receives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Push {
    /// The browser.
    pub(crate) name: String,
    pub(crate) payload: String,
    pub(crate) ttl: u64,
    pub(crate) urgency: String,
    pub(crate) topic: Option<String>,
    /// The sender's contact.
    pub(crate) sub: String,
    /// The sender's public key.
    pub(crate) key: String,
}

struct Keys {
    private: PrivateKey,
    public: Vec<u8>,
    auth: [u8; 16],
}

#[derive(Default)]
struct Known {
    browsers: HashMap<String, Keys>,
    /// Responses to the next pushes, instead of accepting them: status and headers.
    answers: VecDeque<(u16, Vec<(&'static str, String)>)>,
    /// The VAPID key that a browser subscribed with; pushes under another are refused.
    expected: HashMap<String, String>,
    /// Number of requests, accepted or not.
    requests: usize,
    lost: Vec<String>,
    /// Responses wait until this is unlocked.
    gate: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Clone)]
struct Service {
    known: Arc<Mutex<Known>>,
    taken: mpsc::UnboundedSender<Push>,
    origin: String,
}

/// The push service; each browser has a name.
pub(crate) struct PushService {
    service: Service,
    pushes: mpsc::UnboundedReceiver<Push>,
}

impl PushService {
    pub(crate) async fn start() -> Self {
        Self::start_at("127.0.0.1:0".parse().unwrap()).await
    }

    pub(crate) async fn start_at(address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let (taken, pushes) = mpsc::unbounded_channel();
        let service = Service { known: Arc::default(), taken, origin };
        let router = Router::new().route("/push/{name}", post(receive)).fallback(lose).with_state(service.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { service, pushes }
    }

    /// The entry for `push.services`.
    pub(crate) fn origin(&self) -> String {
        self.service.origin.clone()
    }

    pub(crate) fn endpoint(&self, name: &str) -> String {
        format!("{}/push/{name}", self.service.origin)
    }

    /// Creates a browser; returns the fields of its subscription.
    pub(crate) fn browser(&self, name: &str) -> [(&'static str, String); 3] {
        let private = PrivateKey::generate(&ECDH_P256).unwrap();
        let public = private.compute_public_key().unwrap().as_ref().to_vec();
        let mut auth = [0; 16];
        getrandom::fill(&mut auth).unwrap();
        let form = [
            ("endpoint", self.endpoint(name)),
            ("p256dh", URL_SAFE_NO_PAD.encode(&public)),
            ("auth", URL_SAFE_NO_PAD.encode(auth)),
        ];
        self.service.known.lock().unwrap().browsers.insert(name.to_owned(), Keys { private, public, auth });
        form
    }

    /// Delays all responses until the guard is dropped.
    pub(crate) async fn hold(&self) -> tokio::sync::OwnedMutexGuard<()> {
        let gate = self.service.known.lock().unwrap().gate.clone();
        gate.lock_owned().await
    }

    /// Serves the browsers of a service that no longer runs.
    pub(crate) fn take_over(&self, former: &Self) {
        let browsers = std::mem::take(&mut former.service.known.lock().unwrap().browsers);
        self.service.known.lock().unwrap().browsers.extend(browsers);
    }

    /// Accepts only pushes under this key for one browser, as real services do.
    pub(crate) fn expect_key(&self, name: &str, key: &str) {
        self.service.known.lock().unwrap().expected.insert(name.to_owned(), key.to_owned());
    }

    /// Responds to the next push like this instead of accepting it.
    pub(crate) fn answer_next(&self, status: u16, headers: &[(&'static str, &str)]) {
        let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        self.service.known.lock().unwrap().answers.push_back((status, headers));
    }

    pub(crate) fn requests(&self) -> usize {
        self.service.known.lock().unwrap().requests
    }

    /// Waits for the next accepted push.
    pub(crate) async fn next(&mut self) -> Push {
        time::timeout(Duration::from_secs(60), self.pushes.recv()).await.expect("no push came").unwrap()
    }

    /// Whether no accepted push is unread.
    pub(crate) fn is_quiet(&mut self) -> bool {
        self.pushes.try_recv().is_err()
    }

    /// The requested paths that do not exist.
    pub(crate) fn lost(&self) -> Vec<String> {
        self.service.known.lock().unwrap().lost.clone()
    }

    /// Waits until `count` requests have come.
    pub(crate) async fn until_requests(&self, count: usize) {
        let wait = async {
            while self.requests() < count {
                time::sleep(Duration::from_millis(5)).await;
            }
        };
        time::timeout(Duration::from_secs(60), wait).await.expect("no request came");
    }
}

async fn lose(State(service): State<Service>, uri: Uri) -> StatusCode {
    service.known.lock().unwrap().lost.push(uri.path().to_owned());
    StatusCode::NOT_FOUND
}

async fn receive(
    State(service): State<Service>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let gate = {
        let mut known = service.known.lock().unwrap();
        known.requests += 1;
        known.gate.clone()
    };
    let _open = gate.lock().await;
    let mut known = service.known.lock().unwrap();
    if let Some((status, fields)) = known.answers.pop_front() {
        let mut response = StatusCode::from_u16(status).unwrap().into_response();
        for (name, value) in fields {
            response.headers_mut().insert(name, value.parse().unwrap());
        }
        return response;
    }
    let Some(keys) = known.browsers.get(&name) else { return StatusCode::GONE.into_response() };
    let Some((sub, key)) = sender(&headers, &service.origin) else { return StatusCode::FORBIDDEN.into_response() };
    if known.expected.get(&name).is_some_and(|expected| *expected != key) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let field = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    let Some(payload) = decrypt(&keys.private, &keys.public, &keys.auth, &body) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let (Some(ttl), Some("aes128gcm")) = (field("ttl"), field("content-encoding").as_deref()) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let push = Push {
        name,
        payload: String::from_utf8(payload).unwrap(),
        ttl: ttl.parse().unwrap(),
        urgency: field("urgency").unwrap(),
        topic: field("topic"),
        sub,
        key,
    };
    service.taken.send(push).unwrap();
    (StatusCode::CREATED, [("location", "/message")]).into_response()
}

/// Contact and public key, if the sender's token satisfies RFC 8292.
fn sender(headers: &HeaderMap, origin: &str) -> Option<(String, String)> {
    let value = headers.get("authorization")?.to_str().ok()?.strip_prefix("vapid ")?;
    let mut fields = value.split(',').map(str::trim);
    let (token, key) = (fields.next()?.strip_prefix("t=")?, fields.next()?.strip_prefix("k=")?);
    let point = URL_SAFE_NO_PAD.decode(key).ok().filter(|point| point.len() == 65 && point[0] == 4)?;
    let (x, y) = (URL_SAFE_NO_PAD.encode(&point[1..33]), URL_SAFE_NO_PAD.encode(&point[33..]));
    let mut validation = Validation::new(Algorithm::ES256);
    validation.set_audience(&[origin]);
    validation.set_required_spec_claims(&["aud", "exp", "sub"]);
    let claims = decode::<Value>(token, &DecodingKey::from_ec_components(&x, &y).ok()?, &validation).ok()?.claims;
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
    let exp = claims["exp"].as_u64()?;
    let sub = claims["sub"].as_str()?;
    let fits = exp > now && exp <= now + 86_400 && (sub.starts_with("mailto:") || sub.starts_with("https://"));
    fits.then(|| (sub.to_owned(), key.to_owned()))
}

struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

fn expand(prk: &Prk, info: &[u8], length: usize) -> Vec<u8> {
    let mut out = vec![0; length];
    prk.expand(&[info], Length(length)).unwrap().fill(&mut out).unwrap();
    out
}

/// RFC 8291 §3.4 and RFC 8188 §2, for one record.
pub(crate) fn decrypt(private: &PrivateKey, public: &[u8], auth: &[u8], body: &[u8]) -> Option<Vec<u8>> {
    let (head, content) = body.split_at_checked(86)?;
    let (salt, sender) = (&head[..16], &head[21..]);
    if head[20] != 65 {
        return None;
    }
    let shared = agree(private, UnparsedPublicKey::new(&ECDH_P256, sender), Unspecified, |secret| Ok(secret.to_vec()));
    let info = [b"WebPush: info\0", public, sender].concat();
    let material = expand(&Salt::new(HKDF_SHA256, auth).extract(&shared.ok()?), &info, 32);
    let prk = Salt::new(HKDF_SHA256, salt).extract(&material);
    let key = expand(&prk, b"Content-Encoding: aes128gcm\0", 16);
    let nonce = expand(&prk, b"Content-Encoding: nonce\0", 12);
    let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key).ok()?);
    let mut content = content.to_vec();
    let nonce = Nonce::try_assume_unique_for_key(&nonce).ok()?;
    let plain = key.open_in_place(nonce, Aad::empty(), &mut content).ok()?;
    let end = plain.iter().rposition(|byte| *byte != 0)?;
    (plain[end] == 2).then(|| plain[..end].to_vec())
}
