//! The enlistment request and its response, byte for byte as in docs/spec/enlistment.md §1.2.

use crate::id::AccountNumber;
use crate::model::Identifier;
use crate::store::account::AccountKeys;
use crate::view::Issue;
use base64ct::{Base64UrlUnpadded, Encoding};
use causeway_proto::jid::{Jid, Server};
use causeway_proto::signal::prekey::SignedPreKeyPair;
use form_urlencoded::Serializer;
use miniserde::Deserialize;
use zeroize::Zeroizing;

/// Largest response that is read, in bytes.
pub(crate) const MAX_ANSWER: usize = 16 * 1024;
/// Largest token (docs/spec/enlistment.md §1.2.2).
pub(crate) const MAX_TOKEN: usize = 4096;
/// `e_keytype`: Curve25519.
const KEY_TYPE: u8 = 5;

/// The body of `POST /3p/interop_reg`: exactly the arguments of docs/spec/enlistment.md §1.2.2, binary ones in
/// base64url without padding.
pub(crate) fn request(
    identifier: &Identifier,
    integrator: u16,
    keys: &AccountKeys,
    skey: &SignedPreKeyPair,
    token: &str,
) -> Zeroizing<String> {
    let [_, id @ ..] = skey.id.to_be_bytes();
    let base64 = |bytes: &[u8]| Base64UrlUnpadded::encode_string(bytes);
    let form = Serializer::new(String::new())
        .append_pair("user_identifier", identifier.as_str())
        .append_pair("e_ident", &base64(&keys.identity.public().0))
        .append_pair("e_keytype", &base64(&[KEY_TYPE]))
        .append_pair("e_regid", &base64(&keys.registration_id.0.to_be_bytes()))
        .append_pair("e_skey_id", &base64(&id))
        .append_pair("e_skey_sig", &base64(&skey.signature))
        .append_pair("e_skey_val", &base64(&skey.pair.public().0))
        .append_pair("authkey", &base64(&keys.noise.public()))
        .append_pair("token", token)
        .append_pair("integrator_id", &integrator.to_string())
        .finish();
    Zeroizing::new(form)
}

#[derive(Deserialize)]
struct Answer {
    status: String,
    login: Option<String>,
    reason: Option<String>,
}

/// Parses the login JID from the response.
///
/// # Errors
/// The refusal as an [`Issue`], or [`Issue::EnlistAnswer`] for anything that docs/spec/enlistment.md §1.2.3 does not
/// describe: another status than 200, a body that is no such JSON, a login that is no interop JID of this integrator, or
/// whose user part is no account id.
pub(crate) fn answer(status: u16, body: &[u8], integrator: u16) -> Result<Jid, Issue> {
    let text = core::str::from_utf8(body).map_err(|_| Issue::EnlistAnswer)?;
    let answer: Answer = miniserde::json::from_str(text).map_err(|_| Issue::EnlistAnswer)?;
    match (status, answer.status.as_str(), answer.login, answer.reason) {
        (200, "ok", Some(login), _) => match login.parse::<Jid>() {
            Ok(jid)
                if jid.server == Server::Interop
                    && jid.integrator == integrator
                    && jid.device == 0
                    && account_id(&jid).is_some() =>
            {
                Ok(jid)
            }
            _ => Err(Issue::EnlistAnswer),
        },
        (200, "fail", _, Some(reason)) => Err(refusal(&reason)),
        _ => Err(Issue::EnlistAnswer),
    }
}

/// Only `bad_integrator` is public; the others are the profile's reading (docs/spec/wire.md §10 row 28).
fn refusal(reason: &str) -> Issue {
    match reason {
        "bad_integrator" => Issue::EnlistBadIntegrator,
        "bad_token" | "expired_token" => Issue::EnlistBadToken,
        "bad_identifier" => Issue::EnlistBadIdentifier,
        "bad_signature" | "bad_param" | "bad_key" => Issue::EnlistBadKeys,
        "old_version" | "bad_version" => Issue::EnlistOutdated,
        _ => Issue::EnlistRefused,
    }
}

/// The account id for the login payload: the number after the dash of the login JID (docs/spec/wire.md §2.8). `None`
/// unless it is written in digits, without a sign, a leading zero or a device.
pub(crate) fn account_id(login: &Jid) -> Option<AccountNumber> {
    let number = login.user.parse().ok().filter(|number: &u64| *number > 0 && number.to_string() == login.user);
    number.map(AccountNumber)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_documented_responses() {
        let login = answer(200, br#"{"login":"1-10853634039893@interop", "status":"ok"}"#, 1).unwrap();
        assert_eq!(account_id(&login), Some(AccountNumber(10_853_634_039_893)));
        let refused = answer(200, br#"{"reason":"bad_integrator", "status":"fail"}"#, 1);
        assert_eq!(refused, Err(Issue::EnlistBadIntegrator));
    }

    #[test]
    fn every_other_response_is_refused() {
        for (status, body) in [
            (500, r#"{"login":"1-1@interop","status":"ok"}"#),
            (200, ""),
            (200, "[]"),
            (200, r#"{"status":"ok"}"#),
            (200, r#"{"status":"fail"}"#),
            (200, r#"{"login":"2-1@interop","status":"ok"}"#),
            (200, r#"{"login":"1@s.whatsapp.net","status":"ok"}"#),
            (200, r#"{"login":"1-1@interop","status":"maybe"}"#),
            (200, r#"{"login":"1-alice@interop","status":"ok"}"#),
            (200, r#"{"login":"1-+1@interop","status":"ok"}"#),
            (200, r#"{"login":"1-01@interop","status":"ok"}"#),
            (200, r#"{"login":"1-0@interop","status":"ok"}"#),
            (200, r#"{"login":"1--1@interop","status":"ok"}"#),
            (200, r#"{"login":"1-@interop","status":"ok"}"#),
            (200, r#"{"login":"1-1:2@interop","status":"ok"}"#),
            (200, r#"{"login":"1-18446744073709551616@interop","status":"ok"}"#),
            (200, r#"{"login":"1-1 @interop","status":"ok"}"#),
            (200, r#"{"login":"1@interop","status":"ok"}"#),
            (200, r#"{"login":"","status":"ok"}"#),
        ] {
            assert_eq!(answer(status, body.as_bytes(), 1), Err(Issue::EnlistAnswer), "{body}");
        }
        assert_eq!(answer(200, br#"{"reason":"whatever","status":"fail"}"#, 1), Err(Issue::EnlistRefused));
    }
}
