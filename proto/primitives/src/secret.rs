//! Fixed-size secrets that clean up after themselves.
//!
//! What this module does not know: what any secret is for. Zeroising in wasm shortens exposure only; the page's
//! content security policy is the wall.

use core::fmt;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// `N` secret bytes on the heap: zeroised on drop, compared in constant time, never printed.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Secret<const N: usize>(Box<[u8; N]>);

impl<const N: usize> Secret<N> {
    /// Takes the bytes over; the caller's copy is overwritten.
    pub fn new(mut bytes: [u8; N]) -> Self {
        let mut boxed = Box::new([0; N]);
        boxed.copy_from_slice(&bytes);
        bytes.zeroize();
        Self(boxed)
    }

    /// Draws `N` random bytes.
    pub fn random(rng: &mut dyn rand_core::CryptoRng) -> Self {
        let mut boxed = Box::new([0; N]);
        rng.fill_bytes(boxed.as_mut_slice());
        Self(boxed)
    }

    /// Copies the bytes of a slice that must be exactly `N` long.
    ///
    /// # Errors
    /// [`WrongLength`] with the expected and actual length.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, WrongLength> {
        let mut boxed = Box::new([0; N]);
        if bytes.len() != N {
            return Err(WrongLength { expected: N, got: bytes.len() });
        }
        boxed.copy_from_slice(bytes);
        Ok(Self(boxed))
    }

    /// The bytes. Every call of this is a place where a secret can leak: keep the borrow short.
    pub fn expose(&self) -> &[u8; N] {
        &self.0
    }
}

impl<const N: usize> PartialEq for Secret<N> {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_slice().ct_eq(other.0.as_slice()).into()
    }
}

impl<const N: usize> Eq for Secret<N> {}

impl<const N: usize> fmt::Debug for Secret<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret<{N}>")
    }
}

/// A key or other fixed-size value of the wrong length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected} bytes, got {got}")]
pub struct WrongLength {
    /// Bytes that the value must have.
    pub expected: usize,
    /// Bytes that came.
    pub got: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_never_prints_the_bytes() {
        assert_eq!(format!("{:?}", Secret::new([0xAB; 32])), "Secret<32>");
    }

    #[test]
    fn equal_only_when_every_byte_is() {
        let mut other = [7; 32];
        other[31] = 8;
        assert_eq!(Secret::new([7; 32]), Secret::new([7; 32]));
        assert_ne!(Secret::new([7; 32]), Secret::new(other));
    }

    #[test]
    fn a_slice_of_another_length_is_refused() {
        assert_eq!(Secret::<32>::from_slice(&[0; 31]), Err(WrongLength { expected: 32, got: 31 }));
    }
}
