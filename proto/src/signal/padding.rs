//! The padding that hides a message's exact length before it is encrypted (docs/spec/wire.md §6.8).
//!
//! What this module does not know: what is padded, and the block fill that the cipher adds on top.

use rand_core::CryptoRng;

/// The most bytes that we add. Others add up to 16, and any number is accepted.
const MAX: u32 = 15;

/// Appends 1 to 15 bytes, each with the value of their number.
pub fn pad(message: &mut Vec<u8>, rng: &mut dyn CryptoRng) {
    // The top bits of a random word, scaled: each number is equally likely to one part in 2²⁸.
    let scaled = (u64::from(rng.next_u32()) * u64::from(MAX)) >> 32;
    let len = 1 + scaled.to_le_bytes()[0];
    message.resize(message.len() + usize::from(len), len);
}

/// Removes what [`pad`] appended.
///
/// # Errors
/// [`PaddingError`] unless the message ends with `n` bytes of value `n`, 1 ≤ `n`.
pub fn unpad(message: &mut Vec<u8>) -> Result<(), PaddingError> {
    let last = *message.last().ok_or(PaddingError::Empty)?;
    let kept = message.len().checked_sub(usize::from(last)).filter(|_| last > 0);
    let kept = kept.ok_or(PaddingError::WrongLength { got: last, message: message.len() })?;
    let (_, padding) = message.split_at(kept);
    if padding.iter().any(|byte| *byte != last) {
        return Err(PaddingError::Uneven);
    }
    message.truncate(kept);
    Ok(())
}

/// A decrypted message that does not end with padding. Its sender is broken, or speaks another version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PaddingError {
    /// Nothing at all.
    #[error("the decrypted message is empty, at least one byte of padding was expected")]
    Empty,
    /// More padding than message, or none.
    #[error("the decrypted message claims {got} bytes of padding, it has {message} bytes in all")]
    WrongLength {
        /// Bytes of padding claimed.
        got: u8,
        /// Bytes of the whole message.
        message: usize,
    },
    /// Padding bytes of different values.
    #[error("the padding of the decrypted message is not of one value")]
    Uneven,
}
