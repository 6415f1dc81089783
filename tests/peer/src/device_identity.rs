//! What a phone signs for a second device of its owner (docs/spec/wire.md §5.19).
//!
//! Must not know how a client verifies it.

use causeway_proto::signal::KeyPair;
use prost::Message;
use rand_core::CryptoRng;

#[derive(Clone, PartialEq, Message)]
struct Signed {
    #[prost(bytes = "vec", tag = "1")]
    details: Vec<u8>,
    #[prost(bytes = "vec", optional, tag = "2")]
    account_key: Option<Vec<u8>>,
    #[prost(bytes = "vec", tag = "3")]
    account_signature: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    device_signature: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct Details {
    #[prost(uint32, tag = "1")]
    raw_id: u32,
    #[prost(uint64, tag = "2")]
    timestamp: u64,
    #[prost(uint32, tag = "3")]
    key_index: u32,
    #[prost(uint32, tag = "4")]
    account_type: u32,
}

/// Who runs the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Account {
    /// Its owner.
    Encrypted,
    /// Also a provider.
    Hosted,
}

/// The content of `<device-identity>` of a device with the identity `device`, whose owner's primary device has the
/// identity `primary`; signed at `t` (unix seconds). The primary's key is left out, as the receiver has it.
pub fn sign(primary: &KeyPair, device: &KeyPair, account: Account, t: u64, rng: &mut dyn CryptoRng) -> Vec<u8> {
    let (account_type, by_account, by_device) = match account {
        Account::Encrypted => (0, [6, 0], [6, 1]),
        Account::Hosted => (1, [6, 5], [6, 6]),
    };
    let details = Details { raw_id: 1, timestamp: t, key_index: 1, account_type }.encode_to_vec();
    let (primary_key, device_key) = (primary.public().0, device.public().0);
    let account_signature = primary.sign(&[&by_account[..], &details, &device_key].concat(), rng).to_vec();
    let device_signature = device.sign(&[&by_device[..], &details, &device_key, &primary_key].concat(), rng).to_vec();
    Signed { details, account_key: None, account_signature, device_signature }.encode_to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use causeway_proto::signal::{AccountType, SignedDeviceIdentity};
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng;

    #[test]
    fn the_client_verifies_what_a_phone_signs() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let (primary, device) = (KeyPair::generate(&mut rng), KeyPair::generate(&mut rng));
        for (account, read) in [(Account::Encrypted, AccountType::Encrypted), (Account::Hosted, AccountType::Hosted)] {
            let signed = SignedDeviceIdentity::parse(&sign(&primary, &device, account, 5, &mut rng)).unwrap();
            let verified = signed.verify(&primary.public(), &device.public()).unwrap();
            assert_eq!((verified.account, verified.timestamp), (read, 5));
            assert!(signed.verify(&device.public(), &primary.public()).is_err());
        }
    }
}
