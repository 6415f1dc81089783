//! WhatsApp's one deviation from Noise, as a resolver for `snow` (docs/spec/wire.md §2.4 and §2.5).
//!
//! Standard Noise ends message 1 with `MixHash(empty payload)`; WhatsApp leaves that one hash out. A wrapped SHA-256
//! recognises it by its shape: exactly two inputs, the first as long as the hash itself, the second empty. HMAC's inner
//! hash also takes two inputs of which the second may be empty, but its first is a block of 64 bytes.
//!
//! AES-GCM comes from the `aes-gcm` of this workspace: `snow`'s own does not build without ChaCha beside it.

use super::{KEY, TAG};
use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::{Aes256Gcm, Nonce};
use rand_core::CryptoRng;
use snow::params::{CipherChoice, DHChoice, HashChoice};
use snow::resolvers::{CryptoResolver, DefaultResolver};
use snow::types::{Cipher, Dh, Hash, Random};
use zeroize::Zeroizing;

/// The default primitives with the wrapped hash, and the bytes of one ephemeral key in place of a random generator.
pub(super) struct Resolver(Zeroizing<[u8; KEY]>);

impl Resolver {
    /// Draws the bytes of one ephemeral key.
    pub(super) fn new(rng: &mut dyn CryptoRng) -> Self {
        let mut bytes = Zeroizing::new([0; KEY]);
        rng.fill_bytes(bytes.as_mut_slice());
        Self(bytes)
    }
}

/// Gives the bytes of the ephemeral key once. A handshake draws nothing else.
struct Ephemeral(Option<Zeroizing<[u8; KEY]>>);

impl Random for Ephemeral {
    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), snow::Error> {
        let bytes = self.0.take().filter(|bytes| bytes.len() == out.len()).ok_or(snow::Error::Rng)?;
        out.copy_from_slice(bytes.as_slice());
        Ok(())
    }
}

impl CryptoResolver for Resolver {
    fn resolve_rng(&self) -> Option<Box<dyn Random>> {
        Some(Box::new(Ephemeral(Some(self.0.clone()))))
    }

    fn resolve_dh(&self, choice: &DHChoice) -> Option<Box<dyn Dh>> {
        DefaultResolver.resolve_dh(choice)
    }

    fn resolve_hash(&self, choice: &HashChoice) -> Option<Box<dyn Hash>> {
        let inner = DefaultResolver.resolve_hash(choice)?;
        Some(Box::new(SkippingHash { inner, inputs: 0, first: Vec::new(), second_empty: false }))
    }

    fn resolve_cipher(&self, choice: &CipherChoice) -> Option<Box<dyn Cipher>> {
        match choice {
            CipherChoice::AESGCM => Some(Box::new(AesGcm(Aes256Gcm::new(&[0; 32].into())))),
            _ => None,
        }
    }
}

/// AES-256-GCM as Noise uses it: four zero bytes and the counter, big-endian, are the nonce.
struct AesGcm(Aes256Gcm);

impl AesGcm {
    fn nonce(counter: u64) -> Nonce<aes_gcm::aead::consts::U12> {
        let mut nonce = [0; 12];
        if let Some(last) = nonce.last_chunk_mut() {
            *last = counter.to_be_bytes();
        }
        Nonce::from(nonce)
    }
}

impl Cipher for AesGcm {
    fn name(&self) -> &'static str {
        "AESGCM"
    }

    fn set(&mut self, key: &[u8; 32]) {
        self.0 = Aes256Gcm::new(key.into());
    }

    fn encrypt(&self, nonce: u64, authtext: &[u8], plaintext: &[u8], out: &mut [u8]) -> usize {
        let (sealed, rest) = out.split_at_mut(plaintext.len());
        sealed.copy_from_slice(plaintext);
        // AES-GCM refuses only above 64 GiB; a message of this handshake is below 64 KiB. A missing tag fails to open.
        if let Ok(tag) = self.0.encrypt_inout_detached(&Self::nonce(nonce), authtext, sealed.into()) {
            rest.iter_mut().zip(tag).for_each(|(out, byte)| *out = byte);
        }
        plaintext.len() + TAG
    }

    fn decrypt(&self, nonce: u64, authtext: &[u8], ciphertext: &[u8], out: &mut [u8]) -> Result<usize, snow::Error> {
        let length = ciphertext.len().checked_sub(TAG).ok_or(snow::Error::Decrypt)?;
        let (sealed, tag) = ciphertext.split_at(length);
        let opened = out.get_mut(..length).ok_or(snow::Error::Decrypt)?;
        opened.copy_from_slice(sealed);
        let tag = tag.try_into().map_err(|_| snow::Error::Decrypt)?;
        let outcome = self.0.decrypt_inout_detached(&Self::nonce(nonce), authtext, opened.into(), tag);
        outcome.map(|()| length).map_err(|_| snow::Error::Decrypt)
    }
}

/// A hash that returns its first input untouched where WhatsApp would not have hashed at all.
struct SkippingHash {
    inner: Box<dyn Hash>,
    inputs: usize,
    first: Vec<u8>,
    second_empty: bool,
}

impl Hash for SkippingHash {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn block_len(&self) -> usize {
        self.inner.block_len()
    }

    fn hash_len(&self) -> usize {
        self.inner.hash_len()
    }

    fn reset(&mut self) {
        self.inputs = 0;
        self.first.clear();
        self.second_empty = false;
        self.inner.reset();
    }

    fn input(&mut self, data: &[u8]) {
        self.inputs += 1;
        match self.inputs {
            1 => self.first = data.to_vec(),
            2 => self.second_empty = data.is_empty(),
            _ => {}
        }
        self.inner.input(data);
    }

    fn result(&mut self, out: &mut [u8]) {
        let length = self.inner.hash_len();
        if self.inputs == 2 && self.second_empty && self.first.len() == length {
            out.iter_mut().zip(&self.first).for_each(|(out, byte)| *out = *byte);
        } else {
            self.inner.result(out);
        }
    }
}
