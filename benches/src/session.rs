//! Setting a session up, from a bundle and from a first message, against the curve arithmetic in it.

use crate::contest::{Clock, Contest, Entrant};
use crate::ratchet::Person;
use causeway_proto::signal::{KeyPair, SessionRecord};
use curve25519_dalek::MontgomeryPoint;
use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;
use std::hint::black_box;

/// `base` multiplications of the base point, `other` of another point, and one signature check if `verify`.
fn arithmetic(base: usize, other: usize, verify: bool) -> impl FnMut() -> bool {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let pair = KeyPair::generate(&mut rng);
    let signature = pair.sign(b"a signed prekey, 33 bytes of it..", &mut rng);
    let point = MontgomeryPoint(pair.public().0);
    move || {
        for _ in 0..base {
            black_box(MontgomeryPoint::mul_base_clamped(black_box([6; 32])));
        }
        for _ in 0..other {
            black_box(black_box(&point).mul_clamped([6; 32]));
        }
        !verify || pair.public().verify(b"a signed prekey, 33 bytes of it..", &signature)
    }
}

pub(crate) fn contests() -> Vec<Contest> {
    let mut rng = ChaCha8Rng::seed_from_u64(6);
    let (alice, bob) = (Person::new(&mut rng), Person::new(&mut rng));
    let bundle = bob.bundle();
    let initiate = Entrant::plain("ours", move || {
        let mut record = SessionRecord::default();
        record.initiate(&alice.local(), &bundle, &mut rng).expect("the bundle is sound");
        record
    });
    // Base key and ratchet key; four agreements and a ratchet step; the signed prekey's signature.
    let limit = Entrant::plain("2 + 5 multiplications, 1 signature", arithmetic(2, 5, true));
    let initiated = Contest { name: "session: set up from a bundle", entrants: vec![initiate, limit] };

    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let (mut alice, bob) = (Person::new(&mut rng), Person::new(&mut rng));
    alice.write_to(&bob, &mut rng);
    let first = alice.encrypt(b"first");
    let answer = Entrant::new("ours", move |times, clock: &Clock<'_>| {
        clock.time(|| {
            for _ in 0..times {
                let mut record = SessionRecord::default();
                record.decrypt(&bob.local(), &first, &bob, &mut rng).expect("the message is sound");
                black_box(record);
            }
        })
    });
    // A ratchet key; four agreements and two ratchet steps.
    let limit = Entrant::plain("1 + 6 multiplications", arithmetic(1, 6, false));
    vec![initiated, Contest { name: "session: set up from a first message", entrants: vec![answer, limit] }]
}
