//! The browser profile that holds the account: its id, and what the partner server returns about it.
//!
//! Only one encryption identity may be active at a time. The partner server stores the random id of the browser profile
//! that holds the account's keys and issues tokens to no other, so that a replaced browser can never return with stale
//! ratchets. What this module does not know: when a request is sent, and what follows from the response.

use super::identifier;
use crate::hex;
use crate::model::{DeviceId, Identifier};
use crate::time::UnixMillis;
use form_urlencoded::{Serializer, parse};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

/// Bytes of a device id.
const BYTES: usize = 16;

/// Draws a new id: 32 lower-case hex digits.
pub(crate) fn random(rng: &mut dyn CryptoRng) -> DeviceId {
    let mut bytes = [0; BYTES];
    rng.fill_bytes(&mut bytes);
    DeviceId::new(hex::encode(&bytes))
}

/// The form that names a device.
pub(super) fn form(device: Option<&DeviceId>) -> Zeroizing<String> {
    Zeroizing::new(Serializer::new(String::new()).append_pair("device", DeviceId::to_field(device)).finish())
}

/// The signed-in account and the device that holds its keys, from the partner server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AccountDevice {
    /// Who is signed in.
    pub(crate) identifier: Identifier,
    /// The device that holds the account's keys; `None` if none has ever requested a token.
    pub(crate) device: Option<DeviceId>,
    /// Since when.
    pub(crate) since: UnixMillis,
}

impl AccountDevice {
    /// Parses the response to `GET /api/account`; `None` if it is malformed.
    pub(super) fn from_form(body: &[u8]) -> Option<Self> {
        let identifier = field(body, "identifier")?;
        identifier::check(&identifier).ok()?;
        let identifier = Identifier::new(identifier);
        Some(Self {
            identifier,
            device: device(body, "device")?,
            since: UnixMillis(field(body, "since")?.parse().ok()?),
        })
    }

    /// Since when a device other than `own` is the account's; never 0.
    pub(crate) fn elsewhere_since(&self, own: Option<&DeviceId>) -> Option<UnixMillis> {
        (self.device.is_some() && self.device.as_ref() != own).then_some(self.since.max(UnixMillis(1)))
    }
}

/// Parses the response to `POST /api/device`: the previous device, if there was one. `None` if it is malformed.
pub(super) fn previous(body: &[u8]) -> Option<Option<DeviceId>> {
    device(body, "previous")
}

fn device(form: &[u8], name: &str) -> Option<Option<DeviceId>> {
    let hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let id = field(form, name).filter(|id| id.is_empty() || id.len() == 2 * BYTES && id.bytes().all(hex))?;
    Some(DeviceId::from_field(&id))
}

fn field(form: &[u8], name: &str) -> Option<String> {
    parse(form).find(|(field, _)| field == name).map(|(_, value)| value.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::SeedableRng;

    #[test]
    fn an_id_has_thirty_two_digits_and_differs_each_time() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let (one, two) = (random(&mut rng), random(&mut rng));
        assert_eq!(previous(form(Some(&one)).replace("device", "previous").as_bytes()), Some(Some(one.clone())));
        assert_ne!(one, two);
    }

    #[test]
    fn an_account_response_names_the_device_that_holds_the_keys() {
        let id = "0123456789abcdef".repeat(2);
        let own = DeviceId::new(id.clone());
        let read = |form: &str| AccountDevice::from_form(form.as_bytes());
        let reported = read(&format!("later=1&identifier=B%C3%BCro+X&device={id}&since=17")).unwrap();
        assert_eq!(
            (reported.identifier.as_str(), reported.device.clone(), reported.since),
            ("Büro X", Some(own.clone()), UnixMillis(17))
        );
        assert_eq!(reported.elsewhere_since(None), Some(UnixMillis(17)));
        assert_eq!(reported.elsewhere_since(Some(&own)), None);
        let nowhere = read("identifier=a&device=&since=0").unwrap();
        assert_eq!(nowhere.elsewhere_since(Some(&own)), None);
        let undated = AccountDevice { since: UnixMillis(0), ..reported };
        assert_eq!(
            undated.elsewhere_since(Some(&DeviceId::new("other".into()))),
            Some(UnixMillis(1)),
            "elsewhere, whatever the date"
        );
    }

    #[test]
    fn malformed_responses_are_refused() {
        let id = "0123456789abcdef".repeat(2);
        for bad in [
            String::new(),
            format!("device={id}&since=1"),
            format!("identifier=&device={id}&since=1"),
            format!("identifier={}&device={id}&since=1", "a".repeat(41)),
            format!("identifier=a&device={}&since=1", id.to_uppercase()),
            format!("identifier=a&device={}&since=1", id.chars().skip(1).collect::<String>()),
            format!("identifier=a&device={id}&since=-1"),
            format!("identifier=a&device={id}"),
        ] {
            assert_eq!(AccountDevice::from_form(bad.as_bytes()), None, "{bad}");
        }
        assert_eq!(previous(b"since=1"), None);
        assert_eq!(previous(b"previous=x&since=1"), None);
        assert_eq!(previous(b"previous=&since=0"), Some(None));
    }
}
