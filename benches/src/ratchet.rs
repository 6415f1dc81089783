//! A message of 200 bytes through the double ratchet, against three HMACs, one HKDF and AES-CBC alone.

use crate::contest::{Clock, Contest, Entrant};
use aes::Aes256;
use aes::cipher::{Block, BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use causeway_proto::signal::{
    Envelope, IdentityKeyPair, KeyPair, LocalIdentity, PreKeyBundle, PreKeyPair, PreKeys, SessionRecord,
    SignedPreKeyPair,
};
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;
use sha2::Sha256;
use std::hint::black_box;

/// A message of 200 bytes: with its fill, 13 blocks of AES.
const PLAINTEXT: [u8; 200] = [7; 200];
const BLOCKS: usize = 13;
/// What the authenticator covers: two identities, the version and the body around the ciphertext.
const AUTHENTICATED: usize = 33 + 33 + 1 + 43 + BLOCKS * 16;

/// Somebody with keys, and a session with somebody else.
pub(crate) struct Person {
    identity: IdentityKeyPair,
    prekey: PreKeyPair,
    signed: SignedPreKeyPair,
    record: SessionRecord,
}

impl Person {
    pub(crate) fn new(rng: &mut ChaCha8Rng) -> Self {
        let identity = IdentityKeyPair::generate(rng);
        let signed = SignedPreKeyPair::generate(7, &identity, 1_700_000_000, rng);
        Self { prekey: PreKeyPair::generate(42, rng), signed, identity, record: SessionRecord::default() }
    }

    pub(crate) fn local(&self) -> LocalIdentity<'_> {
        LocalIdentity { pair: &self.identity, registration_id: 1234 }
    }

    pub(crate) fn bundle(&self) -> PreKeyBundle {
        PreKeyBundle {
            registration_id: 1234,
            identity: self.identity.public(),
            signed_prekey_id: self.signed.id,
            signed_prekey: self.signed.pair.public(),
            signed_prekey_signature: self.signed.signature,
            prekey: Some((self.prekey.id, self.prekey.pair.public())),
        }
    }

    pub(crate) fn write_to(&mut self, other: &Self, rng: &mut ChaCha8Rng) {
        let local = LocalIdentity { pair: &self.identity, registration_id: 1234 };
        self.record.initiate(&local, &other.bundle(), rng).expect("the bundle is sound");
    }

    pub(crate) fn encrypt(&mut self, plaintext: &[u8]) -> Envelope {
        let local = LocalIdentity { pair: &self.identity, registration_id: 1234 };
        self.record.encrypt(&local, plaintext).expect("there is a session")
    }

    fn decrypt(&mut self, envelope: &Envelope, rng: &mut ChaCha8Rng) -> usize {
        let mut record = std::mem::take(&mut self.record);
        let decrypted = record.decrypt(&self.local(), envelope, &*self, rng).expect("the message is sound");
        self.record = record;
        decrypted.plaintext.len()
    }
}

impl PreKeys for Person {
    fn prekey(&self, id: u32) -> Option<&KeyPair> {
        (id == self.prekey.id).then_some(&self.prekey.pair)
    }

    fn signed_prekey(&self, id: u32) -> Option<&KeyPair> {
        (id == self.signed.id).then_some(&self.signed.pair)
    }
}

/// Two who have both written, so that plain envelopes go both ways.
fn pair() -> (Person, Person, ChaCha8Rng) {
    let mut rng = ChaCha8Rng::seed_from_u64(8);
    let (mut alice, mut bob) = (Person::new(&mut rng), Person::new(&mut rng));
    alice.write_to(&bob, &mut rng);
    let first = alice.encrypt(b"first");
    bob.decrypt(&first, &mut rng);
    let answer = bob.encrypt(b"answer");
    alice.decrypt(&answer, &mut rng);
    (alice, bob, rng)
}

/// The primitives that a message cannot do without, as the crates offer them.
struct Bare {
    chain: [u8; 32],
    authenticated: [u8; AUTHENTICATED],
    blocks: [Block<Aes256>; BLOCKS],
}

impl Bare {
    fn new() -> Self {
        Self { chain: [9; 32], authenticated: [8; AUTHENTICATED], blocks: [[7; 16].into(); BLOCKS] }
    }

    /// Steps the chain with two HMACs; derives the keys with HKDF.
    fn keys(&mut self) -> [u8; 96] {
        let seed = hmac(&self.chain, &[1]);
        self.chain = hmac(&self.chain, &[2]);
        let mut keys = [0; 96];
        Hkdf::<Sha256>::new(None, &seed).expand(b"WhisperMessageKeys", &mut keys).expect("96 bytes are few");
        keys
    }

    fn encrypt(&mut self) -> [u8; 32] {
        let keys = self.keys();
        let (key, mac_key, vector) = split(&keys);
        cbc::Encryptor::<Aes256>::new(key.into(), vector.into()).encrypt_blocks(&mut self.blocks);
        hmac(mac_key, &self.authenticated)
    }

    fn decrypt(&mut self) -> [u8; 32] {
        let keys = self.keys();
        let (key, mac_key, vector) = split(&keys);
        let mac = hmac(mac_key, &self.authenticated);
        cbc::Decryptor::<Aes256>::new(key.into(), vector.into()).decrypt_blocks(&mut self.blocks);
        mac
    }
}

fn hmac(key: &[u8; 32], message: &[u8]) -> [u8; 32] {
    let mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key).expect("HMAC takes any key");
    mac.chain_update(message).finalize().into_bytes().into()
}

fn split(keys: &[u8; 96]) -> (&[u8; 32], &[u8; 32], &[u8; 16]) {
    let (key, rest) = keys.split_first_chunk().expect("96 bytes");
    let (mac_key, rest) = rest.split_first_chunk().expect("96 bytes");
    let (vector, _) = rest.split_first_chunk().expect("96 bytes");
    (key, mac_key, vector)
}

pub(crate) fn contests() -> Vec<Contest> {
    let (mut alice, _, _) = pair();
    let encrypt = Entrant::plain("ours", move || alice.encrypt(&PLAINTEXT));
    let mut bare = Bare::new();
    let limit = Entrant::plain("3 HMAC, 1 HKDF, AES-CBC", move || bare.encrypt());
    let encrypted = Contest { name: "ratchet: encrypt 200 bytes", entrants: vec![encrypt, limit] };

    let (mut alice, mut bob, mut rng) = pair();
    let decrypt = Entrant::new("ours", move |times, clock: &Clock<'_>| {
        let envelopes: Vec<Envelope> = (0..times).map(|_| alice.encrypt(&PLAINTEXT)).collect();
        clock.time(|| {
            for envelope in &envelopes {
                black_box(bob.decrypt(envelope, &mut rng));
            }
        })
    });
    let mut bare = Bare::new();
    let limit = Entrant::plain("3 HMAC, 1 HKDF, AES-CBC", move || bare.decrypt());
    vec![encrypted, Contest { name: "ratchet: decrypt 200 bytes", entrants: vec![decrypt, limit] }]
}
