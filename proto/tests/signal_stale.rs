//! Sessions restored from an older copy, as a backup is: nothing is sent on a chain that the lost copy may have used,
//! what was on its way when the copy was made is still read, and both sides write on.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::as_conversions,
    reason = "tests fail by panicking"
)]

mod party;

use std::collections::{HashMap, HashSet};

use causeway_proto::schema::signal::{PreKeySignalMessage, SignalMessage};
use causeway_proto::signal::{EncryptError, Envelope, KeyPair, LocalIdentity, SessionRecord};
use party::{Party, acquainted};
use proptest::prelude::*;
use prost::Message as _;
use rand_core::SeedableRng;

/// What a backup keeps of a party.
struct Copy {
    record: Vec<u8>,
    one_time: HashMap<u32, KeyPair>,
}

fn copy_of(party: &Party) -> Copy {
    Copy { record: party.record.to_bytes().to_vec(), one_time: party.prekeys.one_time.clone() }
}

/// The browser is lost, and its backup takes over, with randomness of its own.
fn restore(party: &mut Party, copy: &Copy, seed: u64) {
    party.record = SessionRecord::from_bytes(&copy.record).unwrap();
    party.record.forget_sending();
    party.prekeys.one_time.clone_from(&copy.one_time);
    party.rng = rand_chacha::ChaCha20Rng::seed_from_u64(seed);
    party.reload();
}

/// What names a message key: the ratchet key of its chain, and its place there.
fn key_of(envelope: &Envelope) -> (Vec<u8>, u32) {
    let plain = |bytes: &[u8]| SignalMessage::decode(&bytes[1..bytes.len() - 8]).unwrap();
    let message = match envelope {
        Envelope::Plain(_) => plain(envelope.as_bytes()),
        Envelope::PreKey(_) => plain(PreKeySignalMessage::decode(&envelope.as_bytes()[1..]).unwrap().message()),
    };
    (message.ratchet_key().to_vec(), message.counter())
}

#[test]
fn a_restored_session_reads_late_mail_and_sends_nothing() {
    let (mut alice, mut bob) = acquainted();
    let known = alice.send(b"the beginning of a chain");
    bob.read(&known);
    let before = alice.send(b"on its way when the copy was made");
    let copy = copy_of(&bob);
    restore(&mut bob, &copy, 9);
    assert!(!bob.record.has_session());
    assert_eq!(bob.read(&before), b"on its way when the copy was made");
    let after = alice.send(b"later, on the same chain");
    assert_eq!(bob.read(&after), b"later, on the same chain");
    // Bob's newest chain began before the copy. He must not go on with it.
    bob.reload();
    assert!(!bob.record.has_session(), "a message of a known chain proves nothing about ours");
    let local = LocalIdentity { pair: &bob.identity, registration_id: bob.registration_id };
    assert_eq!(bob.record.encrypt(&local, b"x"), Err(EncryptError::NoSession));
}

#[test]
fn a_response_to_the_newest_key_starts_a_fresh_chain() {
    let (mut alice, mut bob) = acquainted();
    let question = bob.send(b"how are you?");
    let copy = copy_of(&bob);
    alice.read(&question);
    restore(&mut bob, &copy, 9);
    let answer = alice.send(b"fine");
    assert_eq!(bob.read(&answer), b"fine");
    assert!(bob.record.has_session());
    let fresh = bob.send(b"glad to hear");
    assert_ne!(key_of(&fresh).0, key_of(&question).0);
    assert_eq!(alice.read(&fresh), b"glad to hear");
}

#[test]
fn late_mail_of_a_restored_session_does_not_displace_a_new_one() {
    let (mut alice, mut bob) = acquainted();
    let known = alice.send(b"the beginning of a chain");
    bob.read(&known);
    let late = alice.send(b"late");
    let copy = copy_of(&bob);
    restore(&mut bob, &copy, 9);
    bob.initiate(&alice.bundle(true));
    let session = bob.record.base_key();
    assert_eq!(bob.read(&late), b"late");
    assert_eq!(bob.record.base_key(), session);
    assert!(bob.record.has_session());
}

#[test]
fn what_was_written_before_sessions_could_be_forgotten_still_reads() {
    let (alice, _) = acquainted();
    let mut record = alice.record.clone();
    let old = record.to_bytes();
    record.forget_sending();
    let forgotten = record.to_bytes();
    assert_eq!(forgotten.len(), old.len() + 2, "a session that was never restored is written as before");
    assert!(SessionRecord::from_bytes(&old).unwrap().has_session());
    assert!(!SessionRecord::from_bytes(&forgotten).unwrap().has_session());
}

#[derive(Clone, Copy, Debug)]
enum Move {
    Write { side: usize },
    Receive { side: usize, pick: u8 },
    Initiate { side: usize },
    Copy,
    Restore,
}

fn schedule() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        10 => (0..2_usize).prop_map(|side| Move::Write { side }),
        10 => (0..2_usize, any::<u8>()).prop_map(|(side, pick)| Move::Receive { side, pick }),
        1 => (0..2_usize).prop_map(|side| Move::Initiate { side }),
        1 => Just(Move::Copy),
        2 => Just(Move::Restore),
    ];
    prop::collection::vec(one, 1..80)
}

struct World {
    /// The first is the one who makes copies of himself and is restored from them.
    parties: [Party; 2],
    inbox: [Vec<(u32, Envelope)>; 2],
    used: HashSet<(Vec<u8>, u32)>,
    /// The copy, and what was on its way to its owner when it was made and could be read then.
    copy: Option<(Copy, Vec<(u32, Envelope)>)>,
    seeds: u64,
    texts: u32,
}

impl World {
    fn new() -> Self {
        let (alice, bob) = acquainted();
        let (parties, inbox) = ([alice, bob], [Vec::new(), Vec::new()]);
        Self { parties, inbox, used: HashSet::new(), copy: None, seeds: 100, texts: 0 }
    }

    fn run(&mut self, step: Move) {
        match step {
            Move::Write { side } => self.write(side),
            Move::Receive { side, pick } => {
                if !self.inbox[side].is_empty() {
                    let at = usize::from(pick) % self.inbox[side].len();
                    let (text, envelope) = self.inbox[side].swap_remove(at);
                    self.receive(side, text, &envelope);
                }
            }
            Move::Initiate { side } => self.initiate(side),
            Move::Copy => {
                let copy = copy_of(&self.parties[0]);
                let mut coming = self.inbox[0].clone();
                coming.retain(|(text, envelope)| self.receive(0, *text, envelope));
                // Only a trial: the party goes on from where it was.
                self.parties[0].record = SessionRecord::from_bytes(&copy.record).unwrap();
                self.parties[0].prekeys.one_time.clone_from(&copy.one_time);
                self.copy = Some((copy, coming));
            }
            Move::Restore => self.restore(),
        }
    }

    fn initiate(&mut self, side: usize) {
        let bundle = self.parties[1 - side].bundle(self.texts.is_multiple_of(2));
        self.parties[side].initiate(&bundle);
    }

    fn write(&mut self, side: usize) {
        if !self.parties[side].record.has_session() {
            self.initiate(side);
        }
        self.texts += 1;
        let envelope = self.parties[side].send(&self.texts.to_be_bytes());
        assert!(self.used.insert(key_of(&envelope)), "a message key was used twice");
        self.inbox[1 - side].push((self.texts, envelope));
    }

    /// Whether it could be read.
    fn receive(&mut self, side: usize, text: u32, envelope: &Envelope) -> bool {
        let read = self.parties[side].receive(envelope);
        if let Ok(read) = &read {
            assert_eq!(*read.plaintext, text.to_be_bytes());
        }
        read.is_ok()
    }

    fn restore(&mut self) {
        let Some((copy, coming)) = self.copy.take() else { return };
        self.seeds += 1;
        restore(&mut self.parties[0], &copy, self.seeds);
        for (text, envelope) in &coming {
            let at = self.inbox[0].iter().position(|(waiting, _)| waiting == text);
            // What the lost browser read and acknowledged does not come again.
            if let Some(at) = at {
                self.inbox[0].remove(at);
                assert!(self.receive(0, *text, envelope), "what was on its way when the copy was made is lost");
            }
        }
        self.copy = Some((copy, coming));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn restored_or_not_no_key_is_used_twice_and_both_write_on(schedule in schedule()) {
        let mut world = World::new();
        world.run(Move::Copy);
        for step in schedule {
            world.run(step);
        }
        world.run(Move::Restore);
        for inbox in &mut world.inbox {
            inbox.clear();
        }
        for side in [0, 1, 0, 1] {
            world.write(side);
            let (text, envelope) = world.inbox[1 - side].remove(0);
            if !world.receive(1 - side, text, &envelope) {
                // What a retry receipt with keys leads to.
                world.initiate(side);
                world.write(side);
                let (text, envelope) = world.inbox[1 - side].remove(0);
                prop_assert!(world.receive(1 - side, text, &envelope), "a new session heals");
            }
        }
    }
}
