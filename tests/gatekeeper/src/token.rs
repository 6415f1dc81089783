//! The Partner's identity tokens: RS256 JWTs, verified against the JWKS that the Partner serves
//! (docs/spec/enlistment.md §1.1, §1.3).
//!
//! Keys are cached and fetched again when a token names a key that is not among them, but not more than once in a short
//! while, so that made-up key ids cannot turn this server against the Partner's. Must not know enlistment.

use crate::config::Integrator;
use crate::time::UnixSeconds;
use jsonwebtoken::jwk::{AlgorithmParameters, JwkSet};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;
use std::collections::HashMap;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// Where a Partner serves its keys (docs/spec/enlistment.md §1.3).
const JWKS_PATH: &str = "/.well-known/oauth/openid/jwks";
/// A token is at most 4 KB (docs/spec/enlistment.md §1.2.2).
pub(crate) const MAX_TOKEN: usize = 4096;
const MAX_JWKS: usize = 64 * 1024;
const MAX_KEYS: usize = 64;
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);
/// Two fetches for unknown key ids are at least this far apart.
const REFETCH_PAUSE: Duration = Duration::from_secs(2);
/// Clocks of Partner and WhatsApp may differ by this much.
const LEEWAY: Duration = Duration::from_secs(60);

/// Why a token is refused. Never carries the token.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TokenError {
    #[error("no Partner has this id")]
    UnknownIntegrator,
    #[error("the token is {got} bytes, at most {MAX_TOKEN} are taken")]
    TooLong { got: usize },
    #[error("the token is no JWT with alg RS256 and a kid")]
    Malformed,
    #[error("the Partner's JWKS could not be fetched: {0}")]
    Unreachable(String),
    #[error("the Partner's JWKS has no key {kid:?}")]
    UnknownKey { kid: String },
    #[error("the signature or a claim is wrong: {0}")]
    Invalid(#[from] jsonwebtoken::errors::Error),
    #[error("the token has expired at {exp}, it is {now}")]
    Expired { exp: UnixSeconds, now: UnixSeconds },
    #[error("the token is not valid yet, it is {now}")]
    NotYetValid { now: UnixSeconds },
    #[error("the token names another user")]
    OtherSubject,
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
    exp: UnixSeconds,
    iat: UnixSeconds,
    nbf: Option<UnixSeconds>,
}

struct Partner {
    integrator: Integrator,
    keys: Mutex<Keys>,
}

#[derive(Default)]
struct Keys {
    by_id: HashMap<String, DecodingKey>,
    tried: Option<Instant>,
}

/// Verifies tokens of all configured Partners.
pub(crate) struct Tokens {
    http: reqwest::Client,
    partners: HashMap<u16, Partner>,
}

impl Tokens {
    pub(crate) fn new(integrators: &[Integrator]) -> Result<Self, reqwest::Error> {
        let http =
            reqwest::Client::builder().timeout(FETCH_TIMEOUT).redirect(reqwest::redirect::Policy::none()).build()?;
        let partners = integrators.iter().map(|integrator| {
            (integrator.id, Partner { integrator: integrator.clone(), keys: Mutex::new(Keys::default()) })
        });
        Ok(Self { http, partners: partners.collect() })
    }

    /// Whether onboarding assigned this id.
    pub(crate) fn knows(&self, integrator: u16) -> bool {
        self.partners.contains_key(&integrator)
    }

    /// Checks that `token` proves, at `now`, that its bearer owns `identifier`.
    pub(crate) async fn verify(
        &self,
        integrator: u16,
        token: &str,
        identifier: &str,
        now: UnixSeconds,
    ) -> Result<(), TokenError> {
        if token.len() > MAX_TOKEN {
            return Err(TokenError::TooLong { got: token.len() });
        }
        let partner = self.partners.get(&integrator).ok_or(TokenError::UnknownIntegrator)?;
        let header = decode_header(token).map_err(|_| TokenError::Malformed)?;
        let kid = header.kid.filter(|_| header.alg == Algorithm::RS256).ok_or(TokenError::Malformed)?;
        let key = self.key(partner, kid).await?;
        let mut rules = Validation::new(Algorithm::RS256);
        rules.set_audience(&[&partner.integrator.audience]);
        // The sandbox has a clock of its own; dates are checked below.
        rules.validate_exp = false;
        rules.validate_nbf = false;
        let claims = decode::<Claims>(token, &key, &rules)?.claims;
        if claims.exp <= now {
            return Err(TokenError::Expired { exp: claims.exp, now });
        }
        if claims.iat.max(claims.nbf.unwrap_or(claims.iat)) > now.after(LEEWAY) {
            return Err(TokenError::NotYetValid { now });
        }
        if claims.sub != identifier {
            return Err(TokenError::OtherSubject);
        }
        Ok(())
    }

    async fn key(&self, partner: &Partner, kid: String) -> Result<DecodingKey, TokenError> {
        let mut keys = partner.keys.lock().await;
        if let Some(key) = keys.by_id.get(&kid) {
            return Ok(key.clone());
        }
        if keys.tried.is_none_or(|tried| tried.elapsed() >= REFETCH_PAUSE) {
            keys.tried = Some(Instant::now());
            keys.by_id = self.fetch(&partner.integrator.url).await?;
        }
        keys.by_id.get(&kid).cloned().ok_or(TokenError::UnknownKey { kid })
    }

    async fn fetch(&self, base: &str) -> Result<HashMap<String, DecodingKey>, TokenError> {
        let unreachable = |error: reqwest::Error| TokenError::Unreachable(error.to_string());
        let url = format!("{}{JWKS_PATH}", base.trim_end_matches('/'));
        let mut answer =
            self.http.get(url).send().await.and_then(|answer| answer.error_for_status()).map_err(unreachable)?;
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(unreachable)? {
            if body.len() + chunk.len() > MAX_JWKS {
                return Err(TokenError::Unreachable(format!("the answer exceeds {MAX_JWKS} bytes")));
            }
            body.extend_from_slice(&chunk);
        }
        let set: JwkSet =
            serde_json::from_slice(&body).map_err(|error| TokenError::Unreachable(format!("no JWKS: {error}")))?;
        let mut keys = HashMap::new();
        for jwk in set.keys.into_iter().take(MAX_KEYS) {
            if let (Some(kid), AlgorithmParameters::RSA(rsa)) = (jwk.common.key_id, jwk.algorithm) {
                keys.insert(kid, DecodingKey::from_rsa_components(&rsa.n, &rsa.e)?);
            }
        }
        Ok(keys)
    }
}
