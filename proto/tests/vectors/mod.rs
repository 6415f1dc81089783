//! Reads `tests/vectors/vectors.json`, and plays an RNG whose draws are known.
#![allow(dead_code, reason = "each test file uses its own part")]

use causeway_proto::secret::Secret;
use core::convert::Infallible;
use rand_core::{TryCryptoRng, TryRng};
use serde_json::Value;
use std::sync::LazyLock;

static VECTORS: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../../tests/vectors/vectors.json")).unwrap());

fn at(pointer: &str) -> &'static Value {
    VECTORS.pointer(pointer).unwrap_or_else(|| panic!("no vector at {pointer}"))
}

/// A string of the vectors.
pub(crate) fn text(pointer: &str) -> &'static str {
    at(pointer).as_str().unwrap_or_else(|| panic!("no string at {pointer}"))
}

/// A byte string of the vectors.
pub(crate) fn bytes(pointer: &str) -> Vec<u8> {
    hex(text(pointer))
}

/// The length of a list of the vectors.
pub(crate) fn list(pointer: &str) -> usize {
    at(pointer).as_array().unwrap_or_else(|| panic!("no list at {pointer}")).len()
}

/// Lower-case hex to bytes.
pub(crate) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.chars().map(|digit| digit.to_digit(16).unwrap().try_into().unwrap()).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// A secret key of the vectors.
pub(crate) fn secret(pointer: &str) -> Secret<32> {
    Secret::from_slice(&bytes(pointer)).unwrap()
}

/// Hands the given bytes out, and panics when they are used up.
pub(crate) struct Draws(Vec<u8>);

impl Draws {
    /// These bytes, first to last.
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// How many are left.
    pub(crate) fn left(&self) -> usize {
        self.0.len()
    }
}

impl TryRng for Draws {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes).map(|()| u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes).map(|()| u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, dest: &mut [u8]) -> Result<(), Infallible> {
        assert!(dest.len() <= self.0.len(), "{} random bytes wanted, {} left", dest.len(), self.0.len());
        dest.copy_from_slice(&self.0.drain(..dest.len()).collect::<Vec<_>>());
        Ok(())
    }
}

impl TryCryptoRng for Draws {}
