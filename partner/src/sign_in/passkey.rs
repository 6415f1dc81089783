//! Passkeys: discoverable WebAuthn credentials with user verification.
//!
//! What this module does not know: HTTP, and where challenges and passkeys are stored ([`super::passkey_repository`]).

use crate::account_id::AccountId;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use std::num::NonZeroU32;
use url::Url;
use webauthn_rs::prelude::{
    CreationChallengeResponse, DiscoverableAuthentication, Passkey, PasskeyRegistration, PublicKeyCredential,
    RegisterPublicKeyCredential, Uuid, Webauthn, WebauthnBuilder, WebauthnError,
};

/// Why an attempt failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PasskeyError {
    /// The library's verification failed.
    #[error("the passkey is refused: {0}")]
    Refused(#[from] WebauthnError),
    /// The challenge was issued to another account.
    #[error("the challenge was issued to another account")]
    OtherAccount,
    /// The stored state or key cannot be decoded or encoded.
    #[error("the stored state of a passkey is invalid: {0}")]
    Stored(#[from] serde_json::Error),
}

/// The options for the browser, and the state to store until it responds.
pub(crate) struct Challenge {
    /// For `PublicKeyCredential.parseCreationOptionsFromJSON` or `parseRequestOptionsFromJSON`.
    pub(crate) options: Value,
    pub(crate) state: String,
}

/// The id of a credential, in base64url.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct PasskeyId(String);

impl PasskeyId {
    /// Takes a text from a row or a request as it is.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    fn of(credential: &[u8]) -> Self {
        Self(URL_SAFE_NO_PAD.encode(credential))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// A passkey as stored in the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredPasskey {
    pub(crate) id: PasskeyId,
    /// Public key and properties, JSON.
    pub(crate) key: String,
    /// The authenticator's signature counter; `None` if it does not count.
    pub(crate) counter: Option<NonZeroU32>,
}

/// The stored state of a registration.
#[derive(Serialize, Deserialize)]
struct NewPasskey {
    handle: Uuid,
    registration: PasskeyRegistration,
}

/// Issues challenges and verifies responses.
pub(crate) struct Passkeys(Webauthn);

impl Passkeys {
    /// For pages of `origin`. `None` for an IP address: browsers support passkeys for domain names only.
    pub(crate) fn new(origin: &str, partner_name: &str) -> Option<Self> {
        let url = Url::parse(origin).ok()?;
        let builder = WebauthnBuilder::new(url.domain()?, &url).ok()?;
        builder.rp_name(partner_name).timeout(super::auth_attempt::LIFETIME).build().ok().map(Self)
    }

    /// Begins the registration of a passkey. `handle` is the account's WebAuthn user handle; `known` are the ids of its
    /// passkeys, so that a device does not register twice.
    pub(crate) fn begin_new(
        &self,
        handle: Uuid,
        account: &AccountId,
        known: &[PasskeyId],
    ) -> Result<Challenge, PasskeyError> {
        let known = known.iter().filter_map(|id| URL_SAFE_NO_PAD.decode(id.as_str()).ok()).collect();
        let begun = self.0.start_passkey_registration(handle, account.as_str(), account.as_str(), Some(known))?;
        let (CreationChallengeResponse { public_key }, state) = begun;
        let mut options = serde_json::to_value(public_key)?;
        // A sign-in with a passkey starts without a name: the credential must be discoverable.
        let selection =
            options.as_object_mut().map(|options| options.entry("authenticatorSelection").or_insert(json!({})));
        if let Some(Value::Object(selection)) = selection {
            selection.insert("residentKey".to_owned(), json!("required"));
            selection.insert("requireResidentKey".to_owned(), json!(true));
        }
        Ok(Challenge { options, state: write(&NewPasskey { handle, registration: state })? })
    }

    /// Verifies the response of a registration for the account with this handle.
    pub(crate) fn finish_new(
        &self,
        answer: &RegisterPublicKeyCredential,
        state: &str,
        handle: Uuid,
    ) -> Result<StoredPasskey, PasskeyError> {
        let begun: NewPasskey = read(state)?;
        if begun.handle != handle {
            return Err(PasskeyError::OtherAccount);
        }
        kept(&self.0.finish_passkey_registration(answer, &begun.registration)?, None)
    }

    /// Begins a sign-in with any passkey that the browser has.
    pub(crate) fn begin_sign_in(&self) -> Result<Challenge, PasskeyError> {
        let (challenge, state) = self.0.start_discoverable_authentication()?;
        Ok(Challenge { options: serde_json::to_value(challenge.public_key)?, state: write(&state)? })
    }

    /// The user handle and credential id that a response claims.
    pub(crate) fn claimed(&self, answer: &PublicKeyCredential) -> Result<(Uuid, PasskeyId), PasskeyError> {
        let (handle, id) = self.0.identify_discoverable_authentication(answer)?;
        Ok((handle, PasskeyId::of(id)))
    }

    /// Verifies the response of a sign-in; returns the updated passkey to store.
    pub(crate) fn finish_sign_in(
        &self,
        answer: &PublicKeyCredential,
        state: &str,
        known: &StoredPasskey,
    ) -> Result<StoredPasskey, PasskeyError> {
        let state: DiscoverableAuthentication = read(state)?;
        let mut passkey: Passkey = read(&known.key)?;
        let result = self.0.finish_discoverable_authentication_v2(answer, state, &passkey)?;
        passkey.update_credential(&result);
        kept(&passkey, NonZeroU32::new(result.counter()))
    }
}

fn kept(passkey: &Passkey, counter: Option<NonZeroU32>) -> Result<StoredPasskey, PasskeyError> {
    Ok(StoredPasskey { id: PasskeyId::of(passkey.cred_id()), key: write(passkey)?, counter })
}

fn read<T: DeserializeOwned>(text: &str) -> Result<T, PasskeyError> {
    Ok(serde_json::from_str(text)?)
}

fn write(value: &impl Serialize) -> Result<String, PasskeyError> {
    Ok(serde_json::to_string(value)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passkeys_are_for_domain_names_not_for_ip_addresses() {
        for (origin, expected) in [
            ("https://messenger.example", true),
            ("http://localhost:8100", true),
            ("http://127.0.0.1:8100", false),
            ("http://[::1]:8100", false),
        ] {
            assert_eq!(Passkeys::new(origin, "Partner").is_some(), expected, "{origin}");
        }
    }

    #[test]
    fn options_require_a_discoverable_key_and_user_verification() {
        let passkeys = Passkeys::new("https://messenger.example", "Partner").unwrap();
        let options = passkeys
            .begin_new(Uuid::from_u128(7), &AccountId::new("alice"), &[PasskeyId::new("AAAA")])
            .unwrap()
            .options;
        assert_eq!(options["rp"], json!({"id": "messenger.example", "name": "Partner"}));
        assert_eq!(options["authenticatorSelection"]["residentKey"], "required");
        assert_eq!(options["authenticatorSelection"]["userVerification"], "required");
        assert_eq!(options["excludeCredentials"][0]["id"], "AAAA");
        let options = passkeys.begin_sign_in().unwrap().options;
        assert_eq!((&options["rpId"], &options["userVerification"]), (&json!("messenger.example"), &json!("required")));
    }
}
