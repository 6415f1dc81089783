//! WhatsApp's public keys: fetched on first use, cached, fetched again for an unknown key id.
//!
//! What this module does not know: what is signed. Callers can trigger fetches with arbitrary key ids, so there is a
//! minimum pause between fetches, independent of the number of callers.

use crate::push::service;
use jsonwebtoken::{
    DecodingKey,
    jwk::{AlgorithmParameters, Jwk, KeyAlgorithm, PublicKeyUse},
};
use reqwest::{Client, StatusCode};
use serde::Deserialize;
use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant},
};
use tokio::sync::Mutex;
use url::Url;

/// Limits of a key set, in bytes and in keys.
const MAX_BYTES: usize = 256 * 1_024;
const MAX_KEYS: usize = 64;
/// Length of a modulus in base64url: 2048 to 8192 bits.
const MODULUS: std::ops::RangeInclusive<usize> = 342..=1_366;
/// Maximum age of a cached set while fetching fails, so that a key that WhatsApp has withdrawn expires.
const LAST_GOOD: Duration = Duration::from_secs(86_400);
/// Pause after a failure while no set is cached, so that two servers that start together find each other quickly.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// The id of one of WhatsApp's keys, as a token or a key set names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct WhatsAppKeyId(String);

impl WhatsAppKeyId {
    pub(super) fn new(text: String) -> Self {
        Self(text)
    }
}

/// The result of a lookup.
pub(super) enum Lookup {
    Found(Arc<DecodingKey>),
    /// WhatsApp publishes no such key.
    Unknown,
    /// No key set is available.
    Unavailable {
        wait: Duration,
    },
}

struct Known {
    keys: HashMap<WhatsAppKeyId, Arc<DecodingKey>>,
    at: Instant,
}

/// The cached keys and their URL.
pub(crate) struct KeySource {
    client: Client,
    url: Url,
    /// Maximum age of a set before it is fetched again.
    fresh: Duration,
    /// Minimum pause between fetches.
    pause: Duration,
    known: RwLock<Option<Arc<Known>>>,
    /// When the last fetch began; locked during a fetch.
    tried: Mutex<Option<Instant>>,
}

#[derive(Deserialize)]
struct Set {
    keys: Vec<serde_json::Value>,
}

impl KeySource {
    pub(crate) fn new(client: Client, url: Url, fresh: Duration, pause: Duration) -> Self {
        Self { client, url, fresh, pause, known: RwLock::default(), tried: Mutex::default() }
    }

    pub(super) async fn key(&self, kid: &WhatsAppKeyId) -> Lookup {
        if let Some(key) = self.held(kid, self.fresh) {
            return Lookup::Found(key);
        }
        let mut tried = match (self.tried.try_lock(), self.held(kid, LAST_GOOD)) {
            (Ok(tried), _) => tried,
            // Another task is fetching: an older set is used meanwhile.
            (Err(_), Some(key)) => return Lookup::Found(key),
            (Err(_), None) => self.tried.lock().await,
        };
        // The previous holder of the lock may have fetched the key.
        if let Some(key) = self.held(kid, self.fresh) {
            return Lookup::Found(key);
        }
        let pause = if self.known().is_some() { self.pause } else { self.pause.min(FIRST_PAUSE) };
        let elapsed = tried.map(|at| at.elapsed());
        if elapsed.is_none_or(|elapsed| elapsed >= pause) {
            *tried = Some(Instant::now());
            match self.fetch().await {
                Ok(keys) => {
                    let known = Some(Arc::new(Known { keys, at: Instant::now() }));
                    *self.known.write().unwrap_or_else(PoisonError::into_inner) = known;
                }
                Err(problem) => tracing::warn!(problem, "WhatsApp's keys cannot be fetched"),
            }
        }
        match (self.held(kid, LAST_GOOD), self.known()) {
            (Some(key), _) => Lookup::Found(key),
            (None, Some(known)) if known.at.elapsed() < LAST_GOOD => Lookup::Unknown,
            _ => Lookup::Unavailable { wait: pause },
        }
    }

    fn known(&self) -> Option<Arc<Known>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn held(&self, kid: &WhatsAppKeyId, no_older_than: Duration) -> Option<Arc<DecodingKey>> {
        let known = self.known()?;
        (known.at.elapsed() < no_older_than).then(|| known.keys.get(kid).cloned()).flatten()
    }

    async fn fetch(&self) -> Result<HashMap<WhatsAppKeyId, Arc<DecodingKey>>, &'static str> {
        let response = self.client.get(self.url.clone()).send().await.map_err(|_| "no answer")?;
        if response.status() != StatusCode::OK {
            return Err("another status than 200");
        }
        let body = service::body(response, MAX_BYTES).await.ok_or("too large, or broken off")?;
        read(&body).ok_or("no set of RSA keys")
    }
}

/// The usable keys of a set; `None` if there are none.
fn read(body: &[u8]) -> Option<HashMap<WhatsAppKeyId, Arc<DecodingKey>>> {
    let set: Set = serde_json::from_slice(body).ok()?;
    let keys: HashMap<_, _> = set.keys.into_iter().take(MAX_KEYS).filter_map(usable).collect();
    (!keys.is_empty()).then_some(keys)
}

fn usable(value: serde_json::Value) -> Option<(WhatsAppKeyId, Arc<DecodingKey>)> {
    let jwk: Jwk = serde_json::from_value(value).ok()?;
    let signs = jwk.common.public_key_use.is_none_or(|purpose| purpose == PublicKeyUse::Signature);
    let rs256 = jwk.common.key_algorithm.is_none_or(|algorithm| algorithm == KeyAlgorithm::RS256);
    let AlgorithmParameters::RSA(rsa) = &jwk.algorithm else { return None };
    if !(signs && rs256 && MODULUS.contains(&rsa.n.len())) {
        return None;
    }
    let key = DecodingKey::from_rsa_components(&rsa.n, &rsa.e).ok()?;
    Some((WhatsAppKeyId::new(jwk.common.key_id?), Arc::new(key)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(entries: &str) -> Vec<String> {
        let mut kids: Vec<_> = read(format!(r#"{{"keys":[{entries}]}}"#).as_bytes())
            .unwrap_or_default()
            .into_keys()
            .map(|id| id.0)
            .collect();
        kids.sort();
        kids
    }

    #[test]
    fn only_keys_that_may_sign_rs256_are_used() {
        let n = "A".repeat(342);
        let key = |kid: &str, rest: &str| format!(r#"{{"kid":"{kid}","kty":"RSA","n":"{n}","e":"AQAB"{rest}}}"#);
        assert_eq!(set(&[key("a", ""), key("b", r#","use":"sig","alg":"RS256""#)].join(",")), ["a", "b"]);
        for bad in [
            key("a", r#","use":"enc""#),
            key("a", r#","alg":"RS384""#),
            key("a", r#","alg":"HS256""#),
            key("a", "").replace(&n, n.strip_prefix("AA").unwrap()),
            key("a", "").replace(&n, &"A".repeat(1_368)),
            key("a", "").replace(r#""kid":"a","#, ""),
            r#"{"kid":"a","kty":"oct","k":"AAAA"}"#.to_owned(),
            "7".to_owned(),
        ] {
            assert!(set(&bad).is_empty(), "{bad}");
            assert_eq!(set(&format!("{bad},{}", key("b", ""))), ["b"], "one bad key does not invalidate the others");
        }
        assert!(read(b"[]").is_none() && read(b"").is_none() && read(br#"{"keys":7}"#).is_none());
    }
}
