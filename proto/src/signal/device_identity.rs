//! What vouches for a second device of a person (docs/spec/wire.md §5.19): the primary device's identity key signs the
//! identity key of the second, and the second signs back.
//!
//! A device belongs to a person if [`SignedDeviceIdentity::verify`] says so for the identity key that is known of the
//! person's primary device and the identity key of the session. What this module does not know: addresses, sessions,
//! and which devices were revoked.

use super::key::PublicKey;
use crate::protobuf::{Field, FieldError, Fields};

/// Longest one that is read, in bytes. Those in the field have some 150.
const MAX_BYTES: usize = 1024;

/// What the signatures of an account begin with, so that none can be taken for another.
struct Prefixes {
    account: [u8; 2],
    device: [u8; 2],
}

const ENCRYPTED: Prefixes = Prefixes { account: [6, 0], device: [6, 1] };
const HOSTED: Prefixes = Prefixes { account: [6, 5], device: [6, 6] };

/// `ADVSignedDeviceIdentity`, read and not verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedDeviceIdentity {
    details: Vec<u8>,
    account_key: Option<[u8; 32]>,
    account_signature: [u8; 64],
    device_signature: [u8; 64],
}

/// `ADVDeviceIdentity`, verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceIdentity {
    /// Number of the account's list of devices.
    pub raw_id: u32,
    /// When the primary device signed it, unix seconds.
    pub timestamp: u64,
    /// Place in the account's list of devices.
    pub key_index: u32,
    /// Who runs the account.
    pub account: AccountType,
}

/// Who runs an account's devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountType {
    /// The person.
    Encrypted,
    /// Also a provider: what is sent to the account is not end-to-end encrypted in the usual sense.
    Hosted,
}

impl AccountType {
    fn prefixes(self) -> &'static Prefixes {
        match self {
            Self::Encrypted => &ENCRYPTED,
            Self::Hosted => &HOSTED,
        }
    }
}

impl SignedDeviceIdentity {
    /// Reads the content of `<device-identity>`. Nothing may be in it that is not covered by a signature: an unknown or
    /// a repeated field is refused.
    ///
    /// # Errors
    /// Longer than 1 KiB, no protobuf, a field that is missing, unknown, repeated or of another length.
    pub fn parse(bytes: &[u8]) -> Result<Self, DeviceIdentityError> {
        if bytes.len() > MAX_BYTES {
            return Err(DeviceIdentityError::TooLong { most: MAX_BYTES, got: bytes.len() });
        }
        let (mut details, mut account_key, mut account_signature, mut device_signature) = (None, None, None, None);
        for field in Fields::of(bytes) {
            let (field, found) = match field? {
                (1, Field::Bytes { value, .. }) => (1, details.replace(value)),
                (2, Field::Bytes { value, .. }) => (2, account_key.replace(value)),
                (3, Field::Bytes { value, .. }) => (3, account_signature.replace(value)),
                (4, Field::Bytes { value, .. }) => (4, device_signature.replace(value)),
                (field, _) => return Err(DeviceIdentityError::UnknownField { field }),
            };
            if found.is_some() {
                return Err(DeviceIdentityError::Repeated { field });
            }
        }
        Ok(Self {
            details: details.ok_or(DeviceIdentityError::Missing { field: 1 })?.to_vec(),
            account_key: account_key.map(|key| exactly(2, key)).transpose()?,
            account_signature: exactly(3, account_signature.ok_or(DeviceIdentityError::Missing { field: 3 })?)?,
            device_signature: exactly(4, device_signature.ok_or(DeviceIdentityError::Missing { field: 4 })?)?,
        })
    }

    /// Whether the device with the identity key `device` is one of the person whose primary device has the identity key
    /// `primary`: both signatures hold for exactly these keys.
    ///
    /// # Errors
    /// The first thing that is wrong; then nothing about the device is known.
    pub fn verify(&self, primary: &PublicKey, device: &PublicKey) -> Result<DeviceIdentity, DeviceIdentityError> {
        if self.account_key.is_some_and(|key| key != primary.0) {
            return Err(DeviceIdentityError::OtherAccount);
        }
        let identity = DeviceIdentity::parse(&self.details)?;
        let prefixes = identity.account.prefixes();
        let signed = [&prefixes.account[..], &self.details, &device.0].concat();
        if !primary.verify(&signed, &self.account_signature) {
            return Err(DeviceIdentityError::AccountSignature);
        }
        let signed = [&prefixes.device[..], &self.details, &device.0, &primary.0].concat();
        if !device.verify(&signed, &self.device_signature) {
            return Err(DeviceIdentityError::DeviceSignature);
        }
        Ok(identity)
    }
}

impl DeviceIdentity {
    /// Fields that are unknown here are signed like the others, and mean nothing.
    fn parse(details: &[u8]) -> Result<Self, DeviceIdentityError> {
        let mut identity = Self { raw_id: 0, timestamp: 0, key_index: 0, account: AccountType::Encrypted };
        for field in Fields::of(details) {
            match field? {
                (1, Field::Varint(value)) => identity.raw_id = number(1, value)?,
                (2, Field::Varint(value)) => identity.timestamp = value,
                (3, Field::Varint(value)) => identity.key_index = number(3, value)?,
                (4, Field::Varint(value)) => {
                    identity.account = match value {
                        0 => AccountType::Encrypted,
                        1 => AccountType::Hosted,
                        got => return Err(DeviceIdentityError::UnknownAccountType { got }),
                    };
                }
                _ => {}
            }
        }
        Ok(identity)
    }
}

fn number(field: u64, value: u64) -> Result<u32, DeviceIdentityError> {
    u32::try_from(value).map_err(|_| DeviceIdentityError::TooLarge { field, got: value })
}

fn exactly<const N: usize>(field: u64, value: &[u8]) -> Result<[u8; N], DeviceIdentityError> {
    let got = value.len();
    value.try_into().map_err(|_| DeviceIdentityError::WrongLength { field, expected: N, got })
}

/// Why nothing vouches for a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DeviceIdentityError {
    /// Longer than any that is read.
    #[error("a device identity may have {most} bytes, got {got}")]
    TooLong {
        /// Most that is read.
        most: usize,
        /// What came.
        got: usize,
    },
    /// Not a protobuf.
    #[error("the device identity is not readable: {0}")]
    Malformed(#[from] FieldError),
    /// A field that must be there.
    #[error("field {field} of the device identity is missing")]
    Missing {
        /// Its number.
        field: u64,
    },
    /// A field that no signature covers.
    #[error("field {field} of the device identity is unknown")]
    UnknownField {
        /// Its number.
        field: u64,
    },
    /// A field that is there twice.
    #[error("field {field} of the device identity is repeated")]
    Repeated {
        /// Its number.
        field: u64,
    },
    /// A key or signature of another length.
    #[error("field {field} of the device identity should have {expected} bytes, got {got}")]
    WrongLength {
        /// Its number.
        field: u64,
        /// Bytes that it must have.
        expected: usize,
        /// Bytes that it has.
        got: usize,
    },
    /// A number of more than 32 bits.
    #[error("field {field} of the details goes up to 4294967295, got {got}")]
    TooLarge {
        /// Its number.
        field: u64,
        /// What came.
        got: u64,
    },
    /// An account of a kind that does not exist here.
    #[error("account type {got} is unknown")]
    UnknownAccountType {
        /// What came.
        got: u64,
    },
    /// It names another primary key than the one that is known.
    #[error("the device identity is of another account")]
    OtherAccount,
    /// The primary device has not signed this.
    #[error("the account's signature does not hold")]
    AccountSignature,
    /// The second device has not signed this.
    #[error("the device's signature does not hold")]
    DeviceSignature,
}
