//! The responder's half of Noise, written out by hand, and frames: what every chat server in miniature stands on. Shares no
//! Noise code with the client or the sandbox.
//!
//! What this module does not know: what is said once the channel is open.

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use causeway_proto::frame;
use causeway_proto::node::{Node, document};
use causeway_proto::profile::Profile;
use causeway_proto::schema::handshake::{CertChain, CertificateDetails, NoiseCertificate};
use causeway_proto::secret::Secret;
use causeway_proto::signal::{KeyPair, PublicKey};
use hkdf::Hkdf;
use prost::Message;
use rand_core::CryptoRng;
use sha2::{Digest, Sha256};

/// The server's certificates: a leaf for `key` under a fresh intermediate, which `signer` signs. Dates are unix seconds.
pub(crate) fn certificates(
    key: &KeyPair,
    signer: &KeyPair,
    not_before: u64,
    not_after: u64,
    rng: &mut dyn CryptoRng,
) -> Vec<u8> {
    let intermediate = KeyPair::generate(rng);
    let sign = |signer: &KeyPair, serial, issuer, key: PublicKey, rng: &mut dyn CryptoRng| {
        let details = CertificateDetails {
            serial: Some(serial),
            issuer_serial: Some(issuer),
            key: Some(key.0.to_vec()),
            not_before: Some(not_before),
            not_after: Some(not_after),
        }
        .encode_to_vec();
        let signature = signer.sign(&details, rng).to_vec();
        NoiseCertificate { details: Some(details), signature: Some(signature) }
    };
    CertChain {
        leaf: Some(sign(&intermediate, 2, 1, key.public(), rng)),
        intermediate: Some(sign(signer, 1, 0, intermediate.public(), rng)),
    }
    .encode_to_vec()
}

/// A key as it stands in a handshake message.
pub(crate) fn key(bytes: Option<Vec<u8>>) -> PublicKey {
    PublicKey::from_slice(&bytes.expect("a key")).expect("32 bytes")
}

/// A payload with its length before it.
pub(crate) fn framed(payload: &[u8]) -> Vec<u8> {
    let mut bytes = frame::header(payload.len()).expect("small").to_vec();
    bytes.extend_from_slice(payload);
    bytes
}

/// One direction of the open channel.
pub(crate) struct Cipher {
    cipher: Aes256Gcm,
    counter: u32,
}

impl Cipher {
    fn nonce(&mut self) -> Nonce<aes_gcm::aead::consts::U12> {
        let mut nonce = [0; 12];
        nonce[8..].copy_from_slice(&self.counter.to_be_bytes());
        self.counter += 1;
        nonce.into()
    }

    pub(crate) fn frame(&mut self, node: &Node) -> Vec<u8> {
        let mut plain = Vec::new();
        document::encode(node, &Profile::default(), &mut plain).expect("encodes");
        let nonce = self.nonce();
        framed(&self.cipher.encrypt(&nonce, plain.as_slice()).expect("seals"))
    }

    pub(crate) fn open(&mut self, sealed: &[u8]) -> Vec<u8> {
        let nonce = self.nonce();
        self.cipher.decrypt(&nonce, sealed).expect("the client's frames open")
    }
}

/// The symmetric state of Noise, as wire.md §2.2 writes it.
pub(crate) struct Symmetric {
    hash: [u8; 32],
    chaining: [u8; 32],
    cipher: Option<Cipher>,
}

impl Symmetric {
    pub(crate) fn new(prologue: &[u8]) -> Self {
        let mut name = [0; 32];
        name[..28].copy_from_slice(b"Noise_XX_25519_AESGCM_SHA256");
        let mut state = Self { hash: name, chaining: name, cipher: None };
        state.mix_hash(prologue);
        state
    }

    pub(crate) fn mix_hash(&mut self, data: &[u8]) {
        self.hash = Sha256::new().chain_update(self.hash).chain_update(data).finalize().into();
    }

    pub(crate) fn mix_key(&mut self, secret: &Secret<32>) {
        let [chaining, key] = self.derive(secret.expose());
        self.chaining = chaining;
        self.cipher = Some(Cipher { cipher: Aes256Gcm::new(&key.into()), counter: 0 });
    }

    fn derive(&self, secret: &[u8]) -> [[u8; 32]; 2] {
        let mut both = [[0; 32]; 2];
        let mut okm = [0; 64];
        Hkdf::<Sha256>::new(Some(&self.chaining), secret).expand(&[], &mut okm).expect("64 bytes");
        both[0].copy_from_slice(&okm[..32]);
        both[1].copy_from_slice(&okm[32..]);
        both
    }

    pub(crate) fn encrypt(&mut self, plain: &[u8]) -> Vec<u8> {
        let aad = self.hash;
        let cipher = self.cipher.as_mut().expect("keyed");
        let nonce = cipher.nonce();
        let sealed = cipher.cipher.encrypt(&nonce, Payload { msg: plain, aad: &aad }).expect("seals");
        self.mix_hash(&sealed);
        sealed
    }

    pub(crate) fn decrypt(&mut self, sealed: &[u8]) -> Vec<u8> {
        let aad = self.hash;
        let cipher = self.cipher.as_mut().expect("keyed");
        let nonce = cipher.nonce();
        let plain = cipher.cipher.decrypt(&nonce, Payload { msg: sealed, aad: &aad }).expect("opens");
        self.mix_hash(sealed);
        plain
    }

    /// Client to server, server to client.
    pub(crate) fn split(&self) -> (Cipher, Cipher) {
        let [to_server, to_client] = self.derive(&[]);
        let cipher = |key: [u8; 32]| Cipher { cipher: Aes256Gcm::new(&key.into()), counter: 0 };
        (cipher(to_server), cipher(to_client))
    }
}
