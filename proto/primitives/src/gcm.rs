//! AES-256-GCM in place, with the tag apart. Frames, rows at rest and backups share this one instance of the cipher's code.
//!
//! What this module does not know: nonces. A caller must never use one twice under a key.

use aes_gcm::aead::AeadInOut;
use aes_gcm::{Aes256Gcm, KeyInit};
use core::fmt;

/// Bytes of a nonce.
pub const NONCE_LEN: usize = 12;
/// Bytes of a tag.
pub const TAG_LEN: usize = 16;

/// More than AES-GCM takes under one nonce (64 GiB). The buffer is untouched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("AES-GCM takes at most 64 GiB under one nonce")]
pub struct TooLong;

/// The tag does not match. The buffer holds ciphertext still.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the tag does not authenticate the ciphertext")]
pub struct BadTag;

/// An expanded key. Zeroized on drop by the `aes` crate.
pub struct Gcm(Aes256Gcm);

impl Gcm {
    /// Expands a key.
    pub fn new(key: &[u8; 32]) -> Self {
        Self(Aes256Gcm::new(key.into()))
    }

    /// Encrypts the buffer in place and returns the tag over it and the associated data.
    ///
    /// # Errors
    /// [`TooLong`].
    #[inline(never)]
    pub fn seal(
        &self,
        nonce: &[u8; NONCE_LEN],
        associated: &[u8],
        buffer: &mut [u8],
    ) -> Result<[u8; TAG_LEN], TooLong> {
        let tag = self.0.encrypt_inout_detached(nonce.into(), associated, buffer.into()).map_err(|_| TooLong)?;
        Ok(tag.into())
    }

    /// Checks the tag, then decrypts the buffer in place.
    ///
    /// # Errors
    /// [`BadTag`].
    #[inline(never)]
    pub fn open(
        &self,
        nonce: &[u8; NONCE_LEN],
        associated: &[u8],
        buffer: &mut [u8],
        tag: &[u8; TAG_LEN],
    ) -> Result<(), BadTag> {
        self.0.decrypt_inout_detached(nonce.into(), associated, buffer.into(), tag.into()).map_err(|_| BadTag)
    }
}

impl fmt::Debug for Gcm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gcm").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_tag_nonce_or_associated_byte_is_refused_and_leaves_the_ciphertext() {
        let gcm = Gcm::new(&[7; 32]);
        let mut buffer = *b"plaintext";
        let tag = gcm.seal(&[1; NONCE_LEN], b"data", &mut buffer).unwrap();
        let ciphertext = buffer;
        for (nonce, associated, tag) in [
            ([2; NONCE_LEN], &b"data"[..], tag),
            ([1; NONCE_LEN], &b"datb"[..], tag),
            ([1; NONCE_LEN], &b"data"[..], [0; TAG_LEN]),
        ] {
            assert_eq!(gcm.open(&nonce, associated, &mut buffer, &tag), Err(BadTag));
            assert_eq!(buffer, ciphertext);
        }
        gcm.open(&[1; NONCE_LEN], b"data", &mut buffer, &tag).unwrap();
        assert_eq!(&buffer, b"plaintext");
    }
}
