//! Message keys: what encrypts and authenticates exactly one message.
//!
//! What this module does not know: chains, counters and the layout of the envelope that the result travels in.

use aes::Aes256;
use aes::cipher::{Array, Block, BlockModeDecrypt, BlockModeEncrypt, KeyIvInit, block_padding::Pkcs7};
use hmac::Mac;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::kdf;
use super::key::PublicKey;

const INFO: &[u8] = b"WhisperMessageKeys";

const BLOCK: usize = 16;

/// Bytes of the truncated authenticator at the end of a message.
pub const MAC_LEN: usize = 8;

/// What a chain gives for one message: from it the message's keys are derived.
pub struct MessageSeed(Zeroizing<[u8; 32]>);

impl MessageSeed {
    /// A seed that a chain key gave, or that was stored.
    pub fn new(seed: [u8; 32]) -> Self {
        Self(Zeroizing::new(seed))
    }

    /// The bytes, for storing.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

/// The keys of one message: cipher key, MAC key, and the block whose first half is the initialisation vector.
pub struct MessageKeys(Zeroizing<[[u8; 32]; 3]>);

impl MessageKeys {
    /// Cipher key, MAC key and IV, by HKDF.
    pub fn derive(seed: &MessageSeed) -> Self {
        Self(kdf::derive(None, seed.expose(), INFO))
    }

    /// Appends the AES-256-CBC ciphertext of `plaintext`: [`ciphertext_len`] bytes.
    pub fn encrypt(&self, plaintext: &[u8], out: &mut Vec<u8>) {
        let start = out.len();
        let fill = BLOCK - plaintext.len() % BLOCK;
        out.extend_from_slice(plaintext);
        // PKCS#7: 1 to 16 bytes, each with the value of their number.
        let [fill_byte, ..] = fill.to_le_bytes();
        out.resize(start + plaintext.len() + fill, fill_byte);
        let (_, body) = out.split_at_mut(start);
        let (blocks, _) = Block::<Aes256>::slice_as_chunks_mut(body);
        let [key, _, vector] = &*self.0;
        cbc::Encryptor::<Aes256>::new(key.into(), &initialisation_vector(vector)).encrypt_blocks(blocks);
    }

    /// The plaintext of an AES-256-CBC ciphertext, or `None` if its length or fill is wrong. Check the MAC first.
    pub fn decrypt(&self, ciphertext: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let mut plaintext = Zeroizing::new(ciphertext.to_vec());
        let [key, _, vector] = &*self.0;
        let len = cbc::Decryptor::<Aes256>::new(key.into(), &initialisation_vector(vector))
            .decrypt_padded::<Pkcs7>(&mut plaintext)
            .ok()?
            .len();
        plaintext.truncate(len);
        Some(plaintext)
    }

    /// The authenticator of `message` (version byte and body). The parts are hashed where they are, never joined.
    pub fn mac(&self, direction: &Direction, message: &[u8]) -> [u8; MAC_LEN] {
        let Direction { sender, receiver } = direction;
        let [_, key, _] = &*self.0;
        let mac =
            kdf::hmac(key).chain_update(sender.serialize()).chain_update(receiver.serialize()).chain_update(message);
        let [a, b, c, d, e, f, g, h, ..] = kdf::finish(mac);
        [a, b, c, d, e, f, g, h]
    }

    /// Whether `mac` is the authenticator that [`mac`](Self::mac) gives, in constant time.
    pub fn verify(&self, direction: &Direction, message: &[u8], mac: &[u8; MAC_LEN]) -> bool {
        self.mac(direction, message).ct_eq(mac).into()
    }
}

/// From whom to whom a message goes: two identities that its authenticator binds.
pub struct Direction {
    /// Identity of the sender.
    pub sender: PublicKey,
    /// Identity of the receiver.
    pub receiver: PublicKey,
}

/// Bytes of the ciphertext of `plaintext_len` bytes: always at least one byte of fill.
pub fn ciphertext_len(plaintext_len: usize) -> usize {
    plaintext_len + (BLOCK - plaintext_len % BLOCK)
}

fn initialisation_vector(block: &[u8; 32]) -> Array<u8, aes::cipher::consts::U16> {
    let mut vector = Array::default();
    let (head, _) = block.split_at(BLOCK);
    vector.copy_from_slice(head);
    vector
}
