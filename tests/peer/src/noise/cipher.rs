//! The transport phase: AES-256-GCM with a counter in each direction and no additional data (docs/spec/wire.md §2.9).
//!
//! `snow` stops at 65 535 bytes a message, WhatsApp does not; hence the split keys are used directly.

use aes_gcm::aead::{Aead, KeyInit};
use aes_gcm::{Aes256Gcm, Nonce};

/// Why a frame could not be sealed or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CipherError {
    /// 2^32 frames have gone one way; the connection must be opened again.
    #[error("the frame counter is exhausted: connect again")]
    Exhausted,
    /// The tag is wrong: the frame was altered, replayed, out of order, or sealed with another key.
    #[error("a frame failed authentication at counter {counter}")]
    Forged {
        /// Counter that was tried.
        counter: u32,
    },
}

struct Direction {
    cipher: Aes256Gcm,
    counter: Option<u32>,
}

impl Direction {
    fn new(key: &[u8; 32]) -> Self {
        Self { cipher: Aes256Gcm::new(key.into()), counter: Some(0) }
    }

    /// Eight zero bytes and the counter, big-endian (docs/spec/wire.md §2.2).
    fn next(&mut self) -> Result<(u32, [u8; 12]), CipherError> {
        let counter = self.counter.ok_or(CipherError::Exhausted)?;
        self.counter = counter.checked_add(1);
        let mut nonce = [0; 12];
        if let Some(last) = nonce.last_chunk_mut() {
            *last = counter.to_be_bytes();
        }
        Ok((counter, nonce))
    }
}

/// Seals what this end sends.
pub struct SealingCipher(Direction);

/// Opens what the other end sends.
pub struct OpeningCipher(Direction);

impl SealingCipher {
    pub(super) fn new(key: &[u8; 32]) -> Self {
        Self(Direction::new(key))
    }

    /// Ciphertext and tag of the next frame.
    ///
    /// # Errors
    /// [`CipherError::Exhausted`] after 2^32 frames.
    pub fn seal(&mut self, plain: &[u8]) -> Result<Vec<u8>, CipherError> {
        let (counter, nonce) = self.0.next()?;
        self.0.cipher.encrypt(&Nonce::from(nonce), plain).map_err(|_| CipherError::Forged { counter })
    }
}

impl OpeningCipher {
    pub(super) fn new(key: &[u8; 32]) -> Self {
        Self(Direction::new(key))
    }

    /// Plaintext of the next frame. After an error the connection is dead: the counters no longer agree.
    ///
    /// # Errors
    /// [`CipherError::Forged`] on a wrong tag, [`CipherError::Exhausted`] after 2^32 frames.
    pub fn open(&mut self, sealed: &[u8]) -> Result<Vec<u8>, CipherError> {
        let (counter, nonce) = self.0.next()?;
        self.0.cipher.decrypt(&Nonce::from(nonce), sealed).map_err(|_| CipherError::Forged { counter })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_in_order_and_refuses_replay_and_change() {
        let (mut seal, mut open) = (SealingCipher::new(&[7; 32]), OpeningCipher::new(&[7; 32]));
        let first = seal.seal(b"one").unwrap();
        assert_eq!(open.open(&first).unwrap(), b"one");
        assert_eq!(open.open(&first), Err(CipherError::Forged { counter: 1 }));
        let mut altered = SealingCipher::new(&[7; 32]).seal(b"one").unwrap();
        altered[0] ^= 1;
        assert_eq!(OpeningCipher::new(&[7; 32]).open(&altered), Err(CipherError::Forged { counter: 0 }));
    }

    #[test]
    fn the_last_counter_is_usable_and_none_after_it() {
        let mut seal = SealingCipher(Direction { cipher: Aes256Gcm::new(&[7; 32].into()), counter: Some(u32::MAX) });
        assert!(seal.seal(b"last").is_ok());
        assert_eq!(seal.seal(b"one too many"), Err(CipherError::Exhausted));
    }
}
