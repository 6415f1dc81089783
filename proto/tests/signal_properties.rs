//! Sessions under random schedules: crossing, lost, doubled and late messages, new sessions,
//! reinstallation, restarts at any moment. The oracle: what is delivered to the one it was written to is read exactly
//! once, and no message key is used twice.
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
use causeway_proto::signal::{DecryptError, Envelope, PublicKey};
use party::Party;
use proptest::prelude::*;
use prost::Message as _;

/// One move of the schedule, of one of the two sides. `pick` chooses among the messages.
#[derive(Clone, Copy, Debug)]
enum Move {
    Send,
    Receive { pick: u8 },
    ReceiveAgain { pick: u8 },
    Lose { pick: u8 },
    Initiate,
    Reload,
    Reinstall,
}

fn schedule() -> impl Strategy<Value = Vec<(usize, Move)>> {
    let pick = any::<u8>();
    let one = prop_oneof![
        10 => Just(Move::Send),
        10 => pick.prop_map(|pick| Move::Receive { pick }),
        3 => pick.prop_map(|pick| Move::ReceiveAgain { pick }),
        1 => pick.prop_map(|pick| Move::Lose { pick }),
        1 => Just(Move::Initiate),
        2 => Just(Move::Reload),
        1 => Just(Move::Reinstall),
    ];
    prop::collection::vec((0..2_usize, one), 1..100)
}

#[derive(Clone)]
struct Letter {
    envelope: Envelope,
    text: Vec<u8>,
    /// The base key of the session that it was encrypted with.
    session: PublicKey,
    /// The ratchet key that names the chain.
    chain: Vec<u8>,
}

struct Side {
    party: Party,
    /// Number of reinstallations.
    installation: u32,
    inbox: Vec<Letter>,
    read: Vec<Letter>,
    /// The chains of each session from which something was read, in the order of their first message.
    chains: HashMap<PublicKey, Vec<Vec<u8>>>,
}

impl Side {
    fn new(seed: u64, installation: u32, inbox: Vec<Letter>) -> Self {
        Self { party: Party::new(seed), installation, inbox, read: Vec::new(), chains: HashMap::new() }
    }

    /// Whether five newer chains have pushed the letter's chain out.
    fn is_too_late(&self, letter: &Letter) -> bool {
        let chains = self.chains.get(&letter.session);
        let place = chains.and_then(|chains| chains.iter().position(|chain| *chain == letter.chain));
        place.zip(chains).is_some_and(|(place, chains)| chains.len() - place > 5)
    }
}

struct World {
    sides: [Side; 2],
    /// The installations between which each session was built.
    sessions: HashMap<PublicKey, [u32; 2]>,
    /// What names every message key that was ever used: ratchet key and counter.
    used: HashSet<(Vec<u8>, u32)>,
    texts: u32,
    seeds: u64,
}

impl World {
    fn new() -> Self {
        let sides = [Side::new(1, 0, Vec::new()), Side::new(2, 0, Vec::new())];
        Self { sides, sessions: HashMap::new(), used: HashSet::new(), texts: 0, seeds: 2 }
    }

    fn run(&mut self, side: usize, step: Move) {
        match step {
            Move::Send => self.send(side),
            Move::Receive { pick } => self.receive(side, pick),
            Move::ReceiveAgain { pick } => self.receive_again(side, pick),
            Move::Lose { pick } => {
                let inbox = &mut self.sides[side].inbox;
                if !inbox.is_empty() {
                    inbox.swap_remove(usize::from(pick) % inbox.len());
                }
            }
            Move::Initiate => self.initiate(side),
            Move::Reload => self.sides[side].party.reload(),
            Move::Reinstall => {
                self.seeds += 1;
                let old = &mut self.sides[side];
                *old = Side::new(self.seeds, old.installation + 1, core::mem::take(&mut old.inbox));
            }
        }
    }

    fn initiate(&mut self, side: usize) {
        let bundle = self.sides[1 - side].party.bundle(self.seeds.is_multiple_of(2));
        let party = &mut self.sides[side].party;
        party.initiate(&bundle);
        let session = party.record.base_key().unwrap();
        self.sessions.insert(session, self.sides.each_ref().map(|side| side.installation));
    }

    fn send(&mut self, side: usize) {
        if !self.sides[side].party.record.has_session() {
            self.initiate(side);
        }
        self.texts += 1;
        let text = self.texts.to_be_bytes().to_vec();
        let party = &mut self.sides[side].party;
        let envelope = party.send(&text);
        let message = message_of(&envelope);
        let (chain, counter) = (message.ratchet_key().to_vec(), message.counter());
        let letter = Letter { envelope, text, session: party.record.base_key().unwrap(), chain: chain.clone() };
        self.sides[1 - side].inbox.push(letter);
        assert!(self.used.insert((chain, counter)), "a message key was used twice");
    }

    fn receive(&mut self, side: usize, pick: u8) {
        let reader = &mut self.sides[side];
        if reader.inbox.is_empty() {
            return;
        }
        let letter = reader.inbox.swap_remove(usize::from(pick) % reader.inbox.len());
        let before = reader.party.record.base_key();
        let result = reader.party.receive(&letter.envelope);
        if self.sessions[&letter.session][side] != reader.installation {
            // Written to an installation that is gone.
            result.expect_err("nobody else can read it");
        } else if reader.is_too_late(&letter) {
            assert_eq!(result.unwrap_err(), DecryptError::BadMac);
        } else {
            assert_eq!(*result.expect("what was written to us is readable").plaintext, letter.text);
            let now = reader.party.record.base_key();
            let writer = |session: PublicKey| self.sessions[&session][1 - side];
            // Late mail of another installation is read, and need not bring that installation back.
            let late = before.is_some_and(|before| writer(before) != writer(letter.session)) && now == before;
            assert!(late || now == Some(letter.session), "its session is the current one");
            let chains = reader.chains.entry(letter.session).or_default();
            if !chains.contains(&letter.chain) {
                chains.push(letter.chain.clone());
            }
            reader.read.push(letter);
        }
    }

    fn receive_again(&mut self, side: usize, pick: u8) {
        let reader = &mut self.sides[side];
        if reader.read.is_empty() {
            return;
        }
        let letter = reader.read[usize::from(pick) % reader.read.len()].clone();
        let error = reader.party.receive(&letter.envelope).expect_err("it was read before");
        if reader.is_too_late(&letter) {
            assert_eq!(error, DecryptError::BadMac);
        } else {
            assert!(matches!(error, DecryptError::DuplicateMessage { .. }), "{error:?}");
        }
    }
}

/// The message inside an envelope, as the generated protobuf code reads it.
fn message_of(envelope: &Envelope) -> SignalMessage {
    let plain = |bytes: &[u8]| SignalMessage::decode(&bytes[1..bytes.len() - 8]).unwrap();
    match envelope {
        Envelope::Plain(_) => plain(envelope.as_bytes()),
        Envelope::PreKey(_) => plain(PreKeySignalMessage::decode(&envelope.as_bytes()[1..]).unwrap().message()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_delivered_is_read_exactly_once(schedule in schedule()) {
        let mut world = World::new();
        for (side, step) in schedule {
            world.run(side, step);
        }
        for side in [0, 1] {
            while !world.sides[side].inbox.is_empty() {
                world.run(side, Move::Receive { pick: 0 });
            }
            for pick in 0..u8::try_from(world.sides[side].read.len()).unwrap() {
                world.run(side, Move::ReceiveAgain { pick });
            }
        }
        // Whatever happened, a new session heals everything.
        world.run(0, Move::Initiate);
        for side in [0, 1, 0, 1] {
            world.run(side, Move::Send);
            world.run(1 - side, Move::Receive { pick: 0 });
        }
    }
}
