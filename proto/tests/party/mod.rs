//! A person with one device, for the tests of sessions: identity, prekeys, and a record of the other person.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::collections::HashMap;

use causeway_proto::signal::{
    DecryptError, Decrypted, Envelope, KeyPair, LocalIdentity, PreKeyBundle, PreKeyPair, PreKeys, SessionRecord,
    SignedPreKeyPair,
};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

/// The prekeys that a party has not used up.
#[derive(Default)]
pub(crate) struct PreKeyRing {
    pub(crate) signed: HashMap<u32, SignedPreKeyPair>,
    pub(crate) one_time: HashMap<u32, KeyPair>,
}

impl PreKeys for PreKeyRing {
    fn prekey(&self, id: u32) -> Option<&KeyPair> {
        self.one_time.get(&id)
    }

    fn signed_prekey(&self, id: u32) -> Option<&KeyPair> {
        self.signed.get(&id).map(|prekey| &prekey.pair)
    }
}

pub(crate) struct Party {
    pub(crate) identity: KeyPair,
    pub(crate) registration_id: u32,
    pub(crate) prekeys: PreKeyRing,
    /// The sessions with the other party.
    pub(crate) record: SessionRecord,
    pub(crate) rng: ChaCha20Rng,
    next_prekey: u32,
}

impl Party {
    pub(crate) fn new(seed: u64) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let identity = KeyPair::generate(&mut rng);
        let mut prekeys = PreKeyRing::default();
        prekeys.signed.insert(1, SignedPreKeyPair::generate(1, &identity, 0, &mut rng));
        let registration_id = 1 + u32::try_from(seed % 16_380).unwrap();
        Self { identity, registration_id, prekeys, record: SessionRecord::default(), rng, next_prekey: 1 }
    }

    /// What the server would hand out of this party, with a fresh one-time prekey or without.
    pub(crate) fn bundle(&mut self, one_time: bool) -> PreKeyBundle {
        let signed = &self.prekeys.signed[&1];
        let prekey = one_time.then(|| {
            let PreKeyPair { id, pair } = PreKeyPair::generate(self.next_prekey, &mut self.rng);
            self.next_prekey += 1;
            let public = pair.public();
            self.prekeys.one_time.insert(id, pair);
            (id, public)
        });
        PreKeyBundle {
            registration_id: self.registration_id,
            identity: self.identity.public(),
            signed_prekey_id: signed.id,
            signed_prekey: signed.pair.public(),
            signed_prekey_signature: signed.signature,
            prekey,
        }
    }

    pub(crate) fn initiate(&mut self, bundle: &PreKeyBundle) {
        let local = LocalIdentity { pair: &self.identity, registration_id: self.registration_id };
        self.record.initiate(&local, bundle, &mut self.rng).unwrap();
    }

    /// Encrypts, and takes the way over the wire: what comes back was parsed from bytes.
    pub(crate) fn send(&mut self, plaintext: &[u8]) -> Envelope {
        let local = LocalIdentity { pair: &self.identity, registration_id: self.registration_id };
        let envelope = self.record.encrypt(&local, plaintext).unwrap();
        let parsed = Envelope::parse(envelope.kind(), envelope.as_bytes()).unwrap();
        assert_eq!(parsed, envelope);
        let bytes = envelope.into_bytes();
        assert_eq!(bytes.capacity(), bytes.len(), "an envelope is written into one buffer of the right size");
        parsed
    }

    /// Decrypts, and does what a caller must: deletes the used prekey, and only upon success. On failure the record
    /// must not have changed.
    pub(crate) fn receive(&mut self, envelope: &Envelope) -> Result<Decrypted, DecryptError> {
        let before = self.record.to_bytes();
        let local = LocalIdentity { pair: &self.identity, registration_id: self.registration_id };
        let decrypted = self.record.decrypt(&local, envelope, &self.prekeys, &mut self.rng);
        match &decrypted {
            Ok(Decrypted { used_prekey: Some(id), .. }) => assert!(self.prekeys.one_time.remove(id).is_some()),
            Ok(_) => {}
            Err(_) => assert_eq!(self.record.to_bytes(), before, "a failure changed the record"),
        }
        decrypted
    }

    /// Decrypts what must decrypt.
    pub(crate) fn read(&mut self, envelope: &Envelope) -> Vec<u8> {
        self.receive(envelope).unwrap().plaintext.to_vec()
    }

    /// The record takes the way through the store.
    pub(crate) fn reload(&mut self) {
        let bytes = self.record.to_bytes();
        self.record = SessionRecord::from_bytes(&bytes).unwrap();
        assert_eq!(self.record.to_bytes(), bytes);
    }
}

/// Two parties of whom the first has a session that the second answered.
pub(crate) fn acquainted() -> (Party, Party) {
    let (mut alice, mut bob) = (Party::new(1), Party::new(2));
    alice.initiate(&bob.bundle(true));
    let hello = alice.send(b"hello");
    assert_eq!(bob.read(&hello), b"hello");
    let answer = bob.send(b"hello yourself");
    assert_eq!(alice.read(&answer), b"hello yourself");
    (alice, bob)
}
