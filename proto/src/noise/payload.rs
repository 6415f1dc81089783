//! The client payload of the last handshake message: the account and the Partner's identity token
//! (docs/spec/wire.md §2.8).
//!
//! Which fields an interoperating client must send is known only under NDA (docs/spec/wire.md §10 rows 2 and 3).
//! Everything that could differ comes from the profile. It does not know how the token was got, nor whether it is still
//! good.

use crate::profile::Profile;
use crate::schema::client_payload::{AppVersion, ClientPayload, InteropData, UserAgent};
use prost::Message;

/// `connectType`: the generic value, to reveal nothing about the network.
const WIFI_UNKNOWN: i32 = 1;
/// `connectReason`: a person is there.
const USER_ACTIVATED: i32 = 1;

/// The login of an enlisted user: a serialized `ClientPayload`.
///
/// `account_id` is the number behind the dash of the login JID, `token` the Partner's compact JWT.
pub fn login(profile: &Profile, account_id: u64, token: &str) -> Vec<u8> {
    let [primary, secondary, tertiary] = profile.version;
    let app_version = AppVersion {
        primary: Some(primary),
        secondary: Some(secondary),
        tertiary: Some(tertiary),
        ..AppVersion::default()
    };
    let payload = ClientPayload {
        passive: Some(false),
        pull: Some(true),
        user_agent: Some(UserAgent {
            platform: Some(profile.platform),
            app_version: Some(app_version),
            ..UserAgent::default()
        }),
        connect_type: Some(WIFI_UNKNOWN),
        connect_reason: Some(USER_ACTIVATED),
        product: Some(profile.product),
        interop_data: Some(InteropData {
            account_id: Some(account_id),
            token: Some(token.as_bytes().to_vec()),
            enable_read_receipts: Some(profile.read_receipts),
        }),
        ..ClientPayload::default()
    };
    payload.encode_to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_names_the_account_and_carries_the_token() {
        let profile = Profile { read_receipts: true, ..Profile::default() };
        let payload = ClientPayload::decode(login(&profile, 10_853_634_039_893, "a.b.c").as_slice()).unwrap();
        let interop = payload.interop_data.unwrap();
        assert_eq!(interop.account_id, Some(10_853_634_039_893));
        assert_eq!(interop.token.as_deref(), Some(b"a.b.c".as_slice()));
        assert_eq!(interop.enable_read_receipts, Some(true));
        assert_eq!((payload.product, payload.passive, payload.pull), (Some(2), Some(false), Some(true)));
        let agent = payload.user_agent.unwrap();
        assert_eq!(agent.platform, Some(profile.platform));
        let version = agent.app_version.unwrap();
        assert_eq!((version.primary, version.secondary, version.tertiary), (Some(2), Some(3000), Some(0)));
    }

    #[test]
    fn nothing_claims_to_be_an_ordinary_account_or_whatsapp_web() {
        let payload = ClientPayload::decode(login(&Profile::default(), 1, "t").as_slice()).unwrap();
        assert_eq!((payload.username, payload.device), (None, None));
        assert_ne!(payload.user_agent.unwrap().platform, Some(14), "14 is WEB");
    }
}
