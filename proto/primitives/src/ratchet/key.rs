//! Curve25519 keys: our own pairs and the public keys of others.
//!
//! What this module does not know: which role a key plays (identity, prekey, ratchet) and where keys are stored.

use core::fmt;

use curve25519_dalek::MontgomeryPoint;
use rand_core::CryptoRng;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::xeddsa;
use crate::curve;
use crate::secret::{Secret, WrongLength};

/// The byte that names the curve in front of a serialized public key.
const CURVE_TYPE: u8 = 0x05;

/// The long-term identity key pair: key agreement and signatures of prekeys.
pub type IdentityKeyPair = KeyPair;

/// A Curve25519 public key: the 32 raw bytes of its u coordinate.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey(pub [u8; 32]);

impl PublicKey {
    /// Bytes of a serialized key: the type byte and the key.
    pub const SERIALIZED_LEN: usize = 33;

    /// The raw 32 bytes, as stanzas carry them.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The 33 bytes that Signal messages carry and that signatures cover: the type byte 0x05 and the key.
    pub fn serialize(&self) -> [u8; Self::SERIALIZED_LEN] {
        let mut bytes = [CURVE_TYPE; Self::SERIALIZED_LEN];
        let (_, key) = bytes.split_at_mut(1);
        key.copy_from_slice(&self.0);
        bytes
    }

    /// Reads what [`serialize`](Self::serialize) writes.
    ///
    /// # Errors
    /// [`KeyError`] unless there are 33 bytes of which the first is 0x05, and the others are a coordinate in its one
    /// canonical form. Honest senders use no other; but if others were accepted, a first message could be replayed with
    /// its base key spelled differently, as if it were new.
    pub fn from_serialized(bytes: &[u8]) -> Result<Self, KeyError> {
        let serialized: &[u8; Self::SERIALIZED_LEN] =
            bytes.try_into().map_err(|_| WrongLength { expected: Self::SERIALIZED_LEN, got: bytes.len() })?;
        match serialized {
            [CURVE_TYPE, key @ ..] if is_canonical(key) => Ok(Self(*key)),
            [CURVE_TYPE, ..] => Err(KeyError::NotCanonical),
            [kind, ..] => Err(KeyError::UnknownType { got: *kind }),
        }
    }

    /// Reads the raw 32 bytes of a key, as stanzas carry them.
    ///
    /// # Errors
    /// [`WrongLength`] for any other number of bytes.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, WrongLength> {
        let key: [u8; 32] = bytes.try_into().map_err(|_| WrongLength { expected: 32, got: bytes.len() })?;
        Ok(Self(key))
    }

    /// Whether `signature` is this key's XEdDSA signature over `message`. Not constant-time: nothing here is secret.
    #[must_use]
    pub fn verify(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        xeddsa::verify(&self.0, message, signature)
    }
}

/// Whether the little-endian number is below the field's prime, 2²⁵⁵ − 19. X25519 itself takes larger ones too.
fn is_canonical(key: &[u8; 32]) -> bool {
    match key {
        [0xED..=0xFF, middle @ .., 0x7F] => middle.iter().any(|byte| *byte != 0xFF),
        [.., last] => *last <= 0x7F,
    }
}

impl From<[u8; 32]> for PublicKey {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for PublicKey {
    /// The first four bytes: enough to distinguish keys in a log, too few to be mistaken for a security code.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, ..] = self.0;
        write!(f, "PublicKey({a:02x}{b:02x}{c:02x}{d:02x}…)")
    }
}

/// A key pair of ours.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyPair {
    secret: Secret<32>,
    public: PublicKey,
}

impl KeyPair {
    /// Draws a new pair.
    pub fn generate(rng: &mut dyn CryptoRng) -> Self {
        Self::from_secret(Secret::random(rng))
    }

    /// The pair of a secret drawn earlier. The bytes need not be clamped: every use of them clamps.
    pub fn from_secret(secret: Secret<32>) -> Self {
        let public = PublicKey(curve::mul_base_clamped(secret.expose()));
        Self { secret, public }
    }

    /// A pair of which both halves were stored, so that loading many pairs costs no curve arithmetic.
    pub fn from_halves(secret: Secret<32>, public: PublicKey) -> Self {
        Self { secret, public }
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        self.public
    }

    /// The secret half; only the store may read it.
    pub fn secret(&self) -> &Secret<32> {
        &self.secret
    }

    /// X25519: the secret that the holders of the two secret halves share.
    ///
    /// # Errors
    /// [`WeakPublicKey`] if `remote` is a point of small order, for which the result is zero whatever our secret is.
    pub fn agree(&self, remote: &PublicKey) -> Result<Secret<32>, WeakPublicKey> {
        let shared = Zeroizing::new(MontgomeryPoint(remote.0).mul_clamped(*self.secret.expose()));
        if bool::from(shared.0.ct_eq(&[0; 32])) {
            return Err(WeakPublicKey);
        }
        Ok(Secret::new(shared.0))
    }

    /// Signs `message` with XEdDSA. Two signatures over one message differ, and both verify.
    pub fn sign(&self, message: &[u8], rng: &mut dyn CryptoRng) -> [u8; 64] {
        let mut randomness = Zeroizing::new([0; 64]);
        rng.fill_bytes(randomness.as_mut_slice());
        xeddsa::sign(self.secret.expose(), message, &randomness)
    }
}

impl fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { secret: _, public } = self;
        f.debug_struct("KeyPair").field("public", public).finish_non_exhaustive()
    }
}

/// Bytes that are not a serialized public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not 33 bytes.
    #[error("a serialized public key has the wrong length: {0}")]
    WrongLength(#[from] WrongLength),
    /// A curve other than Curve25519.
    #[error("a public key is of type {got}, only type 5 (Curve25519) is supported")]
    UnknownType {
        /// The type byte that came.
        got: u8,
    },
    /// A coordinate that is not below the field's prime.
    #[error("a public key is not in canonical form")]
    NotCanonical,
}

/// A remote public key of small order: the shared secret would be publicly known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the other side's public key is weak (of small order); refuse the message or bundle that it came in")]
pub struct WeakPublicKey;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_secret() {
        let pair = KeyPair::from_secret(Secret::new([0x77; 32]));
        let shown = format!("{pair:?}");
        assert!(shown.starts_with("KeyPair { public: PublicKey("), "{shown}");
        assert!(!shown.contains("7777"), "{shown}");
    }

    #[test]
    fn serialized_keys_round_trip_and_others_are_refused() {
        let key = PublicKey([9; 32]);
        assert_eq!(PublicKey::from_serialized(&key.serialize()), Ok(key));
        assert_eq!(
            PublicKey::from_serialized(&[5; 32]),
            Err(KeyError::WrongLength(WrongLength { expected: 33, got: 32 }))
        );
        assert_eq!(PublicKey::from_serialized(&[6; 33]), Err(KeyError::UnknownType { got: 6 }));
    }

    #[test]
    fn each_key_has_one_serialized_form() {
        let prime = {
            let mut prime = [0xFF; 32];
            (prime[0], prime[31]) = (0xED, 0x7F);
            prime
        };
        let read = |change: fn(&mut [u8; 32])| {
            let mut key = prime;
            change(&mut key);
            PublicKey::from_serialized(&PublicKey(key).serialize()).map(drop)
        };
        assert_eq!(read(|_| ()), Err(KeyError::NotCanonical));
        assert_eq!(read(|key| key[0] = 0xFF), Err(KeyError::NotCanonical));
        assert_eq!(read(|key| key[31] = 0x80), Err(KeyError::NotCanonical));
        assert_eq!(read(|key| key[0] = 0xEC), Ok(()));
        assert_eq!(read(|key| key[9] = 0xFE), Ok(()));
        assert_eq!(read(|key| key[31] = 0x7E), Ok(()));
    }

    #[test]
    fn a_point_of_small_order_is_refused() {
        let pair = KeyPair::from_secret(Secret::new([0x77; 32]));
        let mut one = [0; 32];
        one[0] = 1;
        assert_eq!(pair.agree(&PublicKey([0; 32])), Err(WeakPublicKey));
        assert_eq!(pair.agree(&PublicKey(one)), Err(WeakPublicKey));
    }
}
