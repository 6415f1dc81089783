//! Encryption of rows at rest: AES-256-GCM under the data key, bound to the table and the row key.
//!
//! A sealed row is `0x01 ‖ nonce (12 random bytes) ‖ ciphertext ‖ tag (16)`. The associated data is the version byte,
//! the table's number and the row's key, so a row moved elsewhere does not open. What this module does not know: where
//! the data key comes from (the driver unwraps it), and what rows mean.

use super::changes::Table;
use causeway_proto::gcm::{Gcm, NONCE_LEN as NONCE, TAG_LEN as TAG};
use causeway_proto::secret::Secret;
use rand_core::CryptoRng;
use zeroize::Zeroizing;

const VERSION: u8 = 1;

/// Seals and opens rows.
pub struct Sealer(Gcm);

impl Sealer {
    /// Creates a sealer from the data key.
    pub fn new(data_key: &Secret<32>) -> Self {
        Self(Gcm::new(data_key.expose()))
    }

    /// Seals a row.
    ///
    /// # Errors
    /// [`SealError::TooLarge`] past AES-GCM's own limit of 64 GiB.
    pub fn seal(&self, table: Table, key: &[u8], row: &[u8], rng: &mut dyn CryptoRng) -> Result<Vec<u8>, SealError> {
        let mut nonce = [0; NONCE];
        rng.fill_bytes(&mut nonce);
        let mut sealed = Vec::with_capacity(1 + NONCE + row.len() + TAG);
        sealed.push(VERSION);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(row);
        let (_, body) = sealed.split_at_mut(1 + NONCE);
        let tag = self.0.seal(&nonce, &associated(table, key), body).map_err(|_| SealError::TooLarge)?;
        sealed.extend_from_slice(&tag);
        Ok(sealed)
    }

    /// Opens a row.
    ///
    /// # Errors
    /// [`SealError::Truncated`], [`SealError::UnknownVersion`], and [`SealError::Damaged`] for a row that was altered,
    /// moved, or sealed under another key.
    pub fn open(&self, table: Table, key: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let truncated = SealError::Truncated { got: sealed.len() };
        let (&version, rest) = sealed.split_first().ok_or(truncated)?;
        if version != VERSION {
            return Err(SealError::UnknownVersion { got: version });
        }
        let (nonce, rest) = rest.split_first_chunk::<NONCE>().ok_or(truncated)?;
        let (body, tag) = rest.split_last_chunk::<TAG>().ok_or(truncated)?;
        let mut row = Zeroizing::new(body.to_vec());
        self.0.open(nonce, &associated(table, key), &mut row, tag).map_err(|_| SealError::Damaged)?;
        Ok(row)
    }
}

fn associated(table: Table, key: &[u8]) -> Vec<u8> {
    let mut data = Vec::with_capacity(2 + key.len());
    data.push(VERSION);
    data.push(table.number());
    data.extend_from_slice(key);
    data
}

/// Why a row could not be sealed or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Shorter than an empty sealed row.
    #[error("a sealed row has at least {} bytes, got {got}", 1 + NONCE + TAG)]
    Truncated {
        /// Bytes that the store gave.
        got: usize,
    },
    /// Written by a later build, or not a sealed row.
    #[error("expected a row sealed as version {VERSION}, got {got}")]
    UnknownVersion {
        /// The version byte.
        got: u8,
    },
    /// The tag does not match.
    #[error("the row was altered, moved, or sealed under another key")]
    Damaged,
    /// Too large to seal.
    #[error("the row is too large to seal")]
    TooLarge,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::SeedableRng;

    fn sealed(row: &[u8]) -> (Sealer, Vec<u8>) {
        let sealer = Sealer::new(&Secret::new([3; 32]));
        let bytes = sealer.seal(Table::Chat, b"k", row, &mut ChaCha8Rng::seed_from_u64(1)).unwrap();
        (sealer, bytes)
    }

    #[test]
    fn a_row_opens_only_where_it_was_put() {
        let (sealer, bytes) = sealed(b"row");
        assert_eq!(sealer.open(Table::Chat, b"k", &bytes).unwrap().as_slice(), b"row");
        assert_eq!(sealer.open(Table::Message, b"k", &bytes), Err(SealError::Damaged));
        assert_eq!(sealer.open(Table::Chat, b"l", &bytes), Err(SealError::Damaged));
        let other = Sealer::new(&Secret::new([4; 32]));
        assert_eq!(other.open(Table::Chat, b"k", &bytes), Err(SealError::Damaged));
    }

    #[test]
    fn a_later_version_is_named() {
        let (sealer, mut bytes) = sealed(b"row");
        bytes[0] = 9;
        assert_eq!(sealer.open(Table::Chat, b"k", &bytes), Err(SealError::UnknownVersion { got: 9 }));
    }

    proptest! {
        #[test]
        fn any_flipped_bit_is_noticed(row in proptest::collection::vec(any::<u8>(), 0..64), at in any::<proptest::sample::Index>(), bit in 0u8..8) {
            let (sealer, mut bytes) = sealed(&row);
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            prop_assert!(sealer.open(Table::Chat, b"k", &bytes).is_err());
        }

        #[test]
        fn any_bytes_end_in_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            prop_assert!(Sealer::new(&Secret::new([3; 32])).open(Table::Chat, b"k", &bytes).is_err());
        }
    }
}
