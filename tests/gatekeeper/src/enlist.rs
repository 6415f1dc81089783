//! The enlistment API, `POST /3p/interop_reg`, as docs/spec/enlistment.md §1.2 describes it.
//!
//! HTTP 200 and a JSON object in both cases, `{"login":"1-…@interop","status":"ok"}` or
//! `{"reason":"…","status":"fail"}`; only `bad_integrator` is a documented reason, the others are the sandbox's choice.
//!
//! A browser posts here directly in the sandbox, so every origin is let in (without credentials). That is the sandbox's
//! courtesy: nothing public says that WhatsApp's own server does the same, and a Partner may have to relay.

use crate::chat;
use crate::config::version;
use crate::sandbox::Sandbox;
use crate::token::{MAX_TOKEN, TokenError};
use crate::world::{Enlistment, SignedKey};
use axum::Json;
use axum::extract::{Form, State, rejection::FormRejection};
use axum::http::header::{ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN};
use axum::response::IntoResponse;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use causeway_proto::signal::PublicKey;
use serde::Serialize;
use std::collections::HashMap;
use std::sync::Arc;

/// `e_keytype`: Curve25519.
const KEY_TYPE: u8 = 5;
/// Characters of an identifier.
const IDENTIFIER: std::ops::RangeInclusive<usize> = 1..=40;

/// Why an enlistment is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Reason {
    /// `integrator_id` is no number from 1 to 999, or nobody has it.
    BadIntegrator,
    /// `user_identifier` is not 1 to 40 characters.
    BadIdentifier,
    /// A field is missing, not base64url without padding, or of the wrong size.
    BadParam,
    /// The signed prekey's signature does not fit the identity key.
    BadSignature,
    /// The token does not prove the identifier.
    BadToken,
    /// The optional `version` is no version.
    BadVersion,
    /// The optional `version` is too old.
    OldVersion,
    /// The sandbox could not record the enlistment.
    Internal,
}

/// The JSON answer.
#[derive(Debug, Serialize)]
#[serde(tag = "status", rename_all = "snake_case")]
enum Answer {
    Ok { login: String },
    Fail { reason: Reason },
}

type Fields = HashMap<String, String>;

/// Handles an enlistment.
pub(crate) async fn enlist(
    State(sandbox): State<Arc<Sandbox>>,
    form: Result<Form<Fields>, FormRejection>,
) -> impl IntoResponse {
    let outcome = match form {
        Ok(Form(fields)) => accept(&sandbox, &fields).await,
        Err(_) => Err(Reason::BadParam),
    };
    let answer = match outcome {
        Ok(login) => Answer::Ok { login },
        Err(reason) => {
            tracing::info!(?reason, "an enlistment was refused");
            Answer::Fail { reason }
        }
    };
    ([(ACCESS_CONTROL_ALLOW_ORIGIN, "*")], Json(answer))
}

/// Lets a browser ask first.
pub(crate) async fn preflight() -> impl IntoResponse {
    [
        (ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (ACCESS_CONTROL_ALLOW_METHODS, "POST"),
        (ACCESS_CONTROL_ALLOW_HEADERS, "content-type"),
    ]
}

async fn accept(sandbox: &Sandbox, fields: &Fields) -> Result<String, Reason> {
    let (new, token) = read(sandbox, fields)?;
    let verified = sandbox.tokens.verify(new.integrator, token, &new.identifier, sandbox.clock.now_secs()).await;
    verified.map_err(|error| {
        tracing::info!(%error, "an enlistment's token was refused");
        match error {
            TokenError::UnknownIntegrator => Reason::BadIntegrator,
            _ => Reason::BadToken,
        }
    })?;
    let enlisted = sandbox.world().enlist(new, sandbox.clock.now_secs());
    let (login, affected) = enlisted.map_err(|error| {
        tracing::error!(%error, "an enlistment could not be recorded");
        Reason::Internal
    })?;
    chat::identity_changed(sandbox, &login, &affected);
    tracing::info!(%login, "enlisted");
    Ok(login.to_string())
}

fn read<'a>(sandbox: &Sandbox, fields: &'a Fields) -> Result<(Enlistment, &'a str), Reason> {
    let integrator = fields.get("integrator_id").and_then(|id| id.parse().ok()).filter(|id| sandbox.tokens.knows(*id));
    let integrator = integrator.ok_or(Reason::BadIntegrator)?;
    if let Some(claimed) = fields.get("version") {
        let claimed = version(claimed).ok_or(Reason::BadVersion)?;
        if claimed < sandbox.min_version() {
            return Err(Reason::OldVersion);
        }
    }
    let identifier = fields.get("user_identifier").ok_or(Reason::BadIdentifier)?;
    if !IDENTIFIER.contains(&identifier.chars().count()) || identifier.chars().any(char::is_control) {
        return Err(Reason::BadIdentifier);
    }
    if binary::<1>(fields, "e_keytype")? != [KEY_TYPE] {
        return Err(Reason::BadParam);
    }
    let [a, b, c] = binary::<3>(fields, "e_skey_id")?;
    let signed = SignedKey {
        id: u32::from_be_bytes([0, a, b, c]),
        value: binary(fields, "e_skey_val")?,
        signature: binary(fields, "e_skey_sig")?,
    };
    let new = Enlistment {
        integrator,
        identifier: identifier.clone(),
        noise: binary(fields, "authkey")?,
        registration: u32::from_be_bytes(binary(fields, "e_regid")?),
        identity: binary(fields, "e_ident")?,
        signed,
    };
    let identity = PublicKey(new.identity);
    if !identity.verify(&PublicKey(new.signed.value).serialize(), &new.signed.signature) {
        return Err(Reason::BadSignature);
    }
    let token = fields.get("token").filter(|token| !token.is_empty() && token.len() <= MAX_TOKEN);
    Ok((new, token.ok_or(Reason::BadToken)?))
}

fn binary<const N: usize>(fields: &Fields, name: &str) -> Result<[u8; N], Reason> {
    let bytes = fields.get(name).and_then(|text| BASE64URL.decode(text).ok()).ok_or(Reason::BadParam)?;
    bytes.try_into().map_err(|_| Reason::BadParam)
}
