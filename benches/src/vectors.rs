//! Keys and messages of `tests/vectors/vectors.json`, and a generator that draws a given secret.

use core::convert::Infallible;
use rand_core::{TryCryptoRng, TryRng};
use serde_json::Value;
use std::sync::LazyLock;

static VECTORS: LazyLock<Value> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../tests/vectors/vectors.json")).expect("the vectors are JSON")
});

/// The byte string at a JSON pointer.
pub(crate) fn bytes(pointer: &str) -> Vec<u8> {
    let hex = VECTORS.pointer(pointer).and_then(Value::as_str).expect("the vector exists");
    let digit = |at: usize| hex.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
    (0..hex.len()).step_by(2).map(|at| digit(at).expect("vectors are hex")).collect()
}

/// The 32 bytes at a JSON pointer.
pub(crate) fn key(pointer: &str) -> [u8; 32] {
    bytes(pointer).try_into().expect("keys have 32 bytes")
}

/// Draws these 32 bytes, over and over.
pub(crate) struct Draws(pub(crate) [u8; 32]);

impl TryRng for Draws {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let [a, b, c, d, ..] = self.0;
        Ok(u32::from_le_bytes([a, b, c, d]))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.try_next_u32().map(u64::from)
    }

    fn try_fill_bytes(&mut self, dest: &mut [u8]) -> Result<(), Infallible> {
        for (byte, drawn) in dest.iter_mut().zip(self.0.iter().cycle()) {
            *byte = *drawn;
        }
        Ok(())
    }
}

impl TryCryptoRng for Draws {}
