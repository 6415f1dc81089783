//! One push call: `POST {Partner's URL}/push` with the identifier and a token that WhatsApp signed (seed 001 §3.2.2).
//!
//! A Partner that does not answer, or says that it cannot now, is asked again a few times. What this module does not
//! know: when a call is due.

use super::keys::SigningKeys;
use super::{Outcome, PushKeyError};
use crate::hex;
use crate::random;
use crate::sandbox::Sandbox;
use causeway_proto::jid::Jid;
use serde_json::json;
use std::time::Duration;

/// `iss` of the tokens (seed 001 §3.2.2).
const ISSUER: &str = "WHATSAPP";
/// Lifetime of a token in seconds, as in the seed's sample.
const LIFETIME: u64 = 3600;
/// For one attempt, connecting included.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Attempts of one call.
const ATTEMPTS: u32 = 5;
/// Before the second attempt; doubled before each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// Nothing of an answer's body is used; so much is read to keep the connection.
const MAX_ANSWER: usize = 4096;

/// Follows no redirect: a token is for one server.
pub(super) fn client() -> Result<reqwest::Client, reqwest::Error> {
    reqwest::Client::builder().timeout(TIMEOUT).redirect(reqwest::redirect::Policy::none()).no_proxy().build()
}

/// Makes one call and notes how it ended.
pub(super) async fn push(sandbox: &Sandbox, who: &Jid) {
    let known = sandbox.config.integrators.iter().find(|integrator| integrator.id == who.integrator);
    let identifier = sandbox.world().account(who).and_then(|account| account.identifier.clone());
    let (Some(integrator), Some(identifier)) = (known, identifier) else {
        tracing::warn!(%who, "a push is due for somebody who is of no Partner");
        return;
    };
    let note = |outcome| sandbox.pushes.note(who, outcome, sandbox.clock.now_ms());
    let fault = sandbox.faults.push(who);
    tokio::time::sleep(fault.delay).await;
    if fault.off {
        return note(Outcome::Lost);
    }
    let mut pause = FIRST_PAUSE;
    for attempt in 1..=ATTEMPTS {
        let outcome = match attempt_once(sandbox, &integrator.url, &identifier).await {
            Ok(outcome) => outcome,
            Err(error) => return tracing::error!(%error, "a push token could not be signed"),
        };
        let again = match &outcome {
            Outcome::Status(status) => *status == 429 || *status >= 500,
            Outcome::Unreachable(_) => true,
            Outcome::Lost => false,
        };
        tracing::debug!(%who, attempt, ?outcome, "a push call");
        note(outcome);
        if !again || attempt == ATTEMPTS {
            return;
        }
        tokio::time::sleep(pause).await;
        pause *= 2;
    }
}

async fn attempt_once(sandbox: &Sandbox, base: &str, identifier: &str) -> Result<Outcome, PushKeyError> {
    // The Partner judges dates by the machine's clock.
    let token = token(&sandbox.pushes.keys(), base, sandbox.clock.machine_secs())?;
    let _place = sandbox.pushes.places.acquire().await;
    let request = sandbox
        .pushes
        .http
        .post(format!("{}/push", base.trim_end_matches('/')))
        .bearer_auth(token)
        .header("content-type", "application/json")
        .body(json!({ "to": identifier }).to_string());
    let mut answer = match request.send().await {
        Ok(answer) => answer,
        // The address is the Partner's own; the reason is what a developer needs.
        Err(error) => return Ok(Outcome::Unreachable(reason(&error))),
    };
    let mut read = 0;
    while let Ok(Some(chunk)) = answer.chunk().await {
        read += chunk.len();
        if read > MAX_ANSWER {
            break;
        }
    }
    Ok(Outcome::Status(answer.status().as_u16()))
}

/// The whole chain of causes: the outermost only says that something went wrong.
fn reason(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}

/// A token for the Partner that calls itself `audience`, with an id that no other has.
fn token(keys: &SigningKeys, audience: &str, now: u64) -> Result<String, PushKeyError> {
    let id = hex::encode(&random::bytes::<16>());
    keys.sign(&json!({ "iss": ISSUER, "aud": audience, "iat": now, "exp": now + LIFETIME, "jti": id }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jsonwebtoken::jwk::JwkSet;
    use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
    use serde_json::Value;

    #[test]
    fn a_token_verifies_against_the_published_keys_before_and_after_a_rotation() {
        let folder = tempfile::tempdir().unwrap();
        let mut keys = SigningKeys::open(folder.path()).unwrap();
        let now = jsonwebtoken::get_current_timestamp();
        let before = token(&keys, "http://127.0.0.1:8100", now).unwrap();
        keys.rotate().unwrap();
        let after = token(&keys, "http://127.0.0.1:8100", now).unwrap();
        let published: JwkSet = serde_json::from_value(keys.jwks()).unwrap();
        let mut ids = Vec::new();
        for token in [before, after] {
            let kid = decode_header(&token).unwrap().kid.unwrap();
            let key = DecodingKey::from_jwk(published.find(&kid).unwrap()).unwrap();
            let mut rules = Validation::new(Algorithm::RS256);
            rules.set_audience(&["http://127.0.0.1:8100"]);
            rules.set_issuer(&["WHATSAPP"]);
            let claims = decode::<Value>(&token, &key, &rules).unwrap().claims;
            assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), 3600);
            ids.push((kid, claims["jti"].clone()));
        }
        assert!(ids[0].0 != ids[1].0 && ids[0].1 != ids[1].1, "{ids:?}");
    }
}
