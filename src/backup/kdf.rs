//! Key derivation from a passphrase: Argon2id.
//!
//! What this module does not know: what the keys encrypt, and the strength of the passphrase.

use argon2::{Algorithm, Argon2, Block, Params, Version};
use causeway_proto::secret::Secret;
use zeroize::{Zeroize, Zeroizing};

/// Bytes of the salt.
pub const SALT: usize = 16;
/// Most memory that a file may require, in KiB: 256 MiB. A browser's worker has that much; a file that requires more
/// was not written by us.
pub const MOST_MEMORY: u32 = 256 * 1024;
/// Most passes that a file may require.
pub const MOST_PASSES: u8 = 10;
/// Most lanes that a file may require. Ours have one: a browser's worker computes them one after the other anyway.
pub const MOST_LANES: u8 = 4;

/// Cost parameters of Argon2id: the price of one guess at a passphrase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Argon2Cost {
    /// Memory in KiB.
    pub memory: u32,
    /// Passes over it.
    pub passes: u8,
    /// Lanes.
    pub lanes: u8,
}

/// About 0.8 s in Chromium's wasm on a desktop, a few seconds on a phone, and memory that a phone has. Above the second
/// recommendation of RFC 9106 (64 MiB, 3 passes).
impl Default for Argon2Cost {
    fn default() -> Self {
        Self { memory: 64 * 1024, passes: 8, lanes: 1 }
    }
}

/// What keys are derived from. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Derivation {
    /// The passphrase.
    pub passphrase: Zeroizing<String>,
    /// Makes the keys those of one file.
    pub salt: [u8; SALT],
    /// What it costs.
    pub cost: Argon2Cost,
}

impl core::fmt::Debug for Derivation {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Self { passphrase: _, salt: _, cost } = self;
        write!(f, "Derivation {{ cost: {cost:?} }}")
    }
}

/// The keys derived from a passphrase and a salt.
#[derive(Debug)]
pub struct Keys {
    /// Key of the chunks.
    pub chunks: Secret<32>,
    /// Stored in the file. It reveals nothing about the other key, and commits the file to it: no file opens under two
    /// passphrases, and a wrong one is noticed before anything is opened.
    pub check: Secret<32>,
}

/// Why no key was derived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KdfError {
    /// Out of the bounds of this format.
    #[error("expected at most {MOST_MEMORY} KiB, {MOST_PASSES} passes and {MOST_LANES} lanes, got {0:?}")]
    Cost(Argon2Cost),
    /// This device cannot spare the memory.
    #[error("{memory} KiB of memory are needed, and are not there")]
    Memory {
        /// What is needed, in KiB.
        memory: u32,
    },
}

/// Derives the keys. Takes about a second, by design.
///
/// # Errors
/// [`KdfError`] for a cost that is out of bounds, and for a device without the memory.
pub fn derive(derivation: &Derivation) -> Result<Keys, KdfError> {
    const BOTH: usize = 64;
    let Derivation { passphrase, salt, cost } = derivation;
    let Argon2Cost { memory, passes, lanes } = *cost;
    let refused = KdfError::Cost(*cost);
    if memory > MOST_MEMORY || passes > MOST_PASSES || lanes > MOST_LANES {
        return Err(refused);
    }
    let params = Params::new(memory, passes.into(), lanes.into(), Some(BOTH)).map_err(|_| refused)?;
    let mut blocks = Vec::new();
    blocks.try_reserve_exact(params.block_count()).map_err(|_| KdfError::Memory { memory })?;
    blocks.resize(params.block_count(), Block::new());
    let mut both = Zeroizing::new([0; BOTH]);
    let derived = Argon2::new(Algorithm::Argon2id, Version::V0x13, params).hash_password_into_with_memory(
        passphrase.as_bytes(),
        salt,
        both.as_mut_slice(),
        &mut blocks,
    );
    blocks.zeroize();
    derived.map_err(|_| refused)?;
    let (chunks, check) = both.split_at(BOTH / 2);
    match (Secret::from_slice(chunks), Secret::from_slice(check)) {
        (Ok(chunks), Ok(check)) => Ok(Keys { chunks, check }),
        _ => Err(refused),
    }
}

#[cfg(test)]
mod tests {
    use super::{Argon2Cost, Derivation, KdfError, Keys, MOST_LANES, MOST_MEMORY, MOST_PASSES, SALT, Zeroizing};

    const LIGHT: Argon2Cost = Argon2Cost { memory: 8, passes: 1, lanes: 1 };

    fn derive(passphrase: &str, salt: &[u8; SALT], cost: Argon2Cost) -> Result<Keys, KdfError> {
        super::derive(&Derivation { passphrase: Zeroizing::new(passphrase.to_owned()), salt: *salt, cost })
    }

    #[test]
    fn every_part_changes_both_keys() {
        let one = derive("passphrase", &[1; SALT], LIGHT).unwrap();
        let others = [
            derive("passphrasf", &[1; SALT], LIGHT),
            derive("passphrase", &[2; SALT], LIGHT),
            derive("passphrase", &[1; SALT], Argon2Cost { passes: 2, ..LIGHT }),
            derive("passphrase", &[1; SALT], Argon2Cost { memory: 16, ..LIGHT }),
        ];
        for other in others.map(Result::unwrap) {
            assert!(other.chunks != one.chunks && other.check != one.check);
        }
        assert!(one.chunks != one.check);
    }

    /// Against the reference implementation in C.
    #[test]
    fn the_function_is_argon2id() {
        let keys = derive("password", b"somesalt-16bytes", Argon2Cost { memory: 64, passes: 1, lanes: 1 }).unwrap();
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let chunks = "875dda1d59084fd447a627d2f985adfa20437e193e61728793916192fe15d943";
        let check = "0a6a8c3651023a44702cae2d2dfce8934a787f885c7f7f195b935fe9321193bf";
        assert_eq!((hex(keys.chunks.expose()).as_str(), hex(keys.check.expose()).as_str()), (chunks, check));
    }

    #[test]
    fn a_cost_out_of_bounds_is_refused_before_anything_is_allocated() {
        for wrong in [
            Argon2Cost { memory: MOST_MEMORY + 1, ..LIGHT },
            Argon2Cost { memory: u32::MAX, ..LIGHT },
            Argon2Cost { passes: MOST_PASSES + 1, ..LIGHT },
            Argon2Cost { lanes: MOST_LANES + 1, memory: 1024, ..LIGHT },
            Argon2Cost { memory: 7, ..LIGHT },
            Argon2Cost { passes: 0, ..LIGHT },
            Argon2Cost { lanes: 0, ..LIGHT },
        ] {
            assert_eq!(derive("p", &[0; SALT], wrong).unwrap_err(), KdfError::Cost(wrong));
        }
    }
}
