//! Two people whose sessions are in full flow, always the same two: a target must behave alike for the same bytes.
//!
//! Knows no target. Both sides are made with a seeded generator; nothing here is secret.

use causeway_proto::signal::{
    Envelope, IdentityKeyPair, KeyPair, LocalIdentity, PreKeyBundle, PreKeyPair, PreKeys, SessionRecord,
    SignedPreKeyPair,
};
use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;

/// One side of the conversation.
pub(crate) struct Person {
    /// Her identity.
    pub(crate) identity: IdentityKeyPair,
    /// Her session with the other.
    pub(crate) record: SessionRecord,
    prekey: PreKeyPair,
    signed: SignedPreKeyPair,
}

impl Person {
    fn new(rng: &mut ChaCha8Rng) -> Self {
        let identity = IdentityKeyPair::generate(rng);
        let signed = SignedPreKeyPair::generate(7, &identity, 1_700_000_000, rng);
        Self { record: SessionRecord::default(), prekey: PreKeyPair::generate(42, rng), signed, identity }
    }

    /// As the ratchet wants her.
    pub(crate) fn local(&self) -> LocalIdentity<'_> {
        LocalIdentity { pair: &self.identity, registration_id: 1234 }
    }

    fn bundle(&self) -> PreKeyBundle {
        PreKeyBundle {
            registration_id: 1234,
            identity: self.identity.public(),
            signed_prekey_id: self.signed.id,
            signed_prekey: self.signed.pair.public(),
            signed_prekey_signature: self.signed.signature,
            prekey: Some((self.prekey.id, self.prekey.pair.public())),
        }
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

/// A generator that draws the same for the same number.
pub(crate) fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// Alice has written four times and heard once; Bob has read the first and the last, so keys are skipped on his side.
/// The envelopes are what Bob has not read yet: one skipped, one new.
pub(crate) fn conversation() -> (Person, Person, Vec<Envelope>) {
    let mut rng = rng(1);
    let (mut alice, mut bob) = (Person::new(&mut rng), Person::new(&mut rng));
    let local = LocalIdentity { pair: &alice.identity, registration_id: 1234 };
    alice.record.initiate(&local, &bob.bundle(), &mut rng).expect("the bundle is sound");
    let first = alice.record.encrypt(&local, b"first").expect("there is a session");
    read(&mut bob, &first, &mut rng);
    let answer_local = LocalIdentity { pair: &bob.identity, registration_id: 1234 };
    let answer = bob.record.encrypt(&answer_local, b"answer").expect("there is a session");
    read(&mut alice, &answer, &mut rng);
    let local = LocalIdentity { pair: &alice.identity, registration_id: 1234 };
    let mut later = Vec::new();
    for text in [b"second", b"third ", b"fourth"] {
        later.push(alice.record.encrypt(&local, text).expect("there is a session"));
    }
    read(&mut bob, &later.remove(1), &mut rng);
    later.push(first);
    (alice, bob, later)
}

fn read(person: &mut Person, envelope: &Envelope, rng: &mut ChaCha8Rng) {
    let mut record = person.record.clone();
    record.decrypt(&person.local(), envelope, &*person, rng).expect("the envelope is sound");
    person.record = record;
}
