//! AES-256-GCM for the frames after the handshake, one key and one counter a direction (docs/spec/wire.md §2.9).
//!
//! It works in place, and the key schedule lives as long as the connection. It does not know what a frame holds, nor
//! how long one may be. `snow`'s own transport phase is not used because it refuses more than 65 535 bytes.

use crate::gcm::Gcm;
use core::fmt;

pub use crate::gcm::TAG_LEN;

/// Why a frame was not sealed or opened. Every one of these ends the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CipherError {
    /// 2^32 frames went one way: the next would reuse a nonce.
    #[error("the channel's counter is used up after 2^32 frames: connect again")]
    Exhausted,
    /// The frame was altered, replayed or reordered, or is from another connection.
    #[error("frame {counter} of {len} bytes does not authenticate: close the connection")]
    BadTag {
        /// Number of the frame in its direction, from 0.
        counter: u32,
        /// Its length, tag included.
        len: usize,
    },
    /// An earlier frame failed. Continuing would let an attacker drop frames unnoticed.
    #[error("an earlier frame did not authenticate: the connection should be closed by now")]
    Dead,
    /// Shorter than a tag.
    #[error("a frame needs at least {TAG_LEN} bytes, got {got}")]
    TooShort {
        /// Bytes that came.
        got: usize,
    },
    /// The caller asked to seal from beyond the buffer's end, or more than AES-GCM takes under one nonce.
    #[error("cannot seal from byte {from} of {len}")]
    OutOfRange {
        /// First byte to seal.
        from: usize,
        /// Bytes in the buffer.
        len: usize,
    },
}

/// Hands out each nonce once: 8 zero bytes, then the counter, big-endian.
struct Nonces {
    next: u64,
}

impl Nonces {
    fn take(&mut self) -> Result<(u32, [u8; 12]), CipherError> {
        let counter = u32::try_from(self.next).map_err(|_| CipherError::Exhausted)?;
        self.next += 1;
        let [a, b, c, d] = counter.to_be_bytes();
        Ok((counter, [0, 0, 0, 0, 0, 0, 0, 0, a, b, c, d]))
    }
}

/// Seals what we send.
pub struct SealingCipher {
    gcm: Gcm,
    nonces: Nonces,
}

impl SealingCipher {
    /// The cipher at its first frame.
    pub fn new(key: &[u8; 32]) -> Self {
        Self { gcm: Gcm::new(key), nonces: Nonces { next: 0 } }
    }

    /// Encrypts `buf[from..]` in place and appends the 16-byte tag; what stands before `from` is left alone.
    ///
    /// # Errors
    /// [`CipherError::Exhausted`], or [`CipherError::OutOfRange`] with the buffer untouched.
    pub fn seal(&mut self, buf: &mut Vec<u8>, from: usize) -> Result<(), CipherError> {
        let out_of_range = CipherError::OutOfRange { from, len: buf.len() };
        let body = buf.get_mut(from..).ok_or(out_of_range)?;
        let (_, nonce) = self.nonces.take()?;
        let tag = self.gcm.seal(&nonce, &[], body).map_err(|_| out_of_range)?;
        buf.extend_from_slice(&tag);
        Ok(())
    }
}

/// Opens what the server sends.
pub struct OpeningCipher {
    gcm: Gcm,
    nonces: Nonces,
    dead: bool,
}

impl OpeningCipher {
    /// The cipher at its first frame.
    pub fn new(key: &[u8; 32]) -> Self {
        Self { gcm: Gcm::new(key), nonces: Nonces { next: 0 }, dead: false }
    }

    /// Decrypts the frame in `buf` in place and cuts its tag off.
    ///
    /// # Errors
    /// Any [`CipherError`] but `OutOfRange`. After the first failure every further call returns
    /// [`CipherError::Dead`]; the buffer then holds ciphertext still.
    pub fn open(&mut self, buf: &mut Vec<u8>) -> Result<(), CipherError> {
        if self.dead {
            return Err(CipherError::Dead);
        }
        let result = self.open_next(buf);
        self.dead = result.is_err();
        result
    }

    fn open_next(&mut self, buf: &mut Vec<u8>) -> Result<(), CipherError> {
        let len = buf.len();
        let (body, tag) = buf.split_last_chunk_mut::<TAG_LEN>().ok_or(CipherError::TooShort { got: len })?;
        let (counter, nonce) = self.nonces.take()?;
        self.gcm.open(&nonce, &[], body, tag).map_err(|_| CipherError::BadTag { counter, len })?;
        buf.truncate(len - TAG_LEN);
        Ok(())
    }
}

impl fmt::Debug for SealingCipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealingCipher").field("next", &self.nonces.next).finish_non_exhaustive()
    }
}

impl fmt::Debug for OpeningCipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpeningCipher").field("next", &self.nonces.next).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KEY: [u8; 32] = [7; 32];

    fn sealed(cipher: &mut SealingCipher, plaintext: &[u8]) -> Vec<u8> {
        let mut buf = plaintext.to_vec();
        cipher.seal(&mut buf, 0).unwrap();
        buf
    }

    #[test]
    fn sealing_leaves_the_frame_header_alone_and_adds_sixteen_bytes() {
        let mut buf = vec![0, 0, 21, b'h', b'e', b'l', b'l', b'o'];
        SealingCipher::new(&KEY).seal(&mut buf, 3).unwrap();
        assert_eq!((&buf[..3], buf.len()), (&[0, 0, 21][..], 3 + 5 + TAG_LEN));
        let mut frame = buf.split_off(3);
        OpeningCipher::new(&KEY).open(&mut frame).unwrap();
        assert_eq!(frame, b"hello");
    }

    #[test]
    fn a_replayed_frame_is_refused_and_so_is_everything_after_it() {
        let (mut seal, mut open) = (SealingCipher::new(&KEY), OpeningCipher::new(&KEY));
        let first = sealed(&mut seal, b"one");
        let mut second = sealed(&mut seal, b"two");
        open.open(&mut first.clone()).unwrap();
        let mut replayed = first.clone();
        assert_eq!(open.open(&mut replayed), Err(CipherError::BadTag { counter: 1, len: 19 }));
        assert_eq!(replayed, first, "nothing was decrypted");
        assert_eq!(open.open(&mut second), Err(CipherError::Dead));
    }

    #[test]
    fn a_skipped_frame_is_noticed() {
        let mut seal = SealingCipher::new(&KEY);
        drop(sealed(&mut seal, b"lost"));
        let mut second = sealed(&mut seal, b"two");
        assert_eq!(OpeningCipher::new(&KEY).open(&mut second), Err(CipherError::BadTag { counter: 0, len: 19 }));
    }

    #[test]
    fn a_frame_shorter_than_its_tag_is_refused() {
        let mut open = OpeningCipher::new(&KEY);
        assert_eq!(open.open(&mut vec![0; 15]), Err(CipherError::TooShort { got: 15 }));
    }

    #[test]
    fn an_empty_frame_is_a_tag_alone() {
        let mut frame = sealed(&mut SealingCipher::new(&KEY), b"");
        assert_eq!(frame.len(), TAG_LEN);
        OpeningCipher::new(&KEY).open(&mut frame).unwrap();
        assert!(frame.is_empty());
    }

    #[test]
    fn sealing_from_beyond_the_end_costs_no_nonce() {
        let mut seal = SealingCipher::new(&KEY);
        assert_eq!(seal.seal(&mut vec![1, 2], 3), Err(CipherError::OutOfRange { from: 3, len: 2 }));
        assert_eq!(sealed(&mut seal, b"x"), sealed(&mut SealingCipher::new(&KEY), b"x"));
    }

    #[test]
    fn the_last_nonce_is_used_and_none_after_it() {
        let (mut seal, mut open) = (SealingCipher::new(&KEY), OpeningCipher::new(&KEY));
        seal.nonces.next = u64::from(u32::MAX);
        open.nonces.next = u64::from(u32::MAX);
        let mut last = sealed(&mut seal, b"last");
        let mut more = b"more".to_vec();
        assert_eq!(seal.seal(&mut more, 0), Err(CipherError::Exhausted));
        assert_eq!(more, b"more", "never sent under a used nonce");
        open.open(&mut last).unwrap();
        assert_eq!(last, b"last");
        assert_eq!(open.open(&mut vec![0; 20]), Err(CipherError::Exhausted));
    }

    proptest! {
        #[test]
        fn an_altered_bit_anywhere_is_noticed(
            plaintext in proptest::collection::vec(any::<u8>(), 0..200), at in any::<prop::sample::Index>(), bit in 0..8_u32
        ) {
            let mut frame = sealed(&mut SealingCipher::new(&KEY), &plaintext);
            let len = frame.len();
            frame[at.index(len)] ^= 1_u8 << bit;
            prop_assert_eq!(OpeningCipher::new(&KEY).open(&mut frame), Err(CipherError::BadTag { counter: 0, len }));
        }

        #[test]
        fn hostile_bytes_never_panic(mut frame in proptest::collection::vec(any::<u8>(), 0..100)) {
            prop_assert!(OpeningCipher::new(&KEY).open(&mut frame).is_err());
        }
    }
}
