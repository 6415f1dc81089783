//! A short fixed run of every fuzz target, on stable and the same each time: seeds, then seeds that were damaged.
//!
//! The long runs are libFuzzer's (`tests/fuzz`), which share the targets. What this test does not know: coverage. Bytes
//! that broke a target once go to `tests/fuzz/found/TARGET/`, and are tried first from then on.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::as_conversions,
    reason = "tests fail by panicking"
)]

#[path = "fuzz/damage.rs"]
mod damage;
#[path = "fuzz/src/fixture.rs"]
mod fixture;
#[path = "fuzz/seeds.rs"]
mod seeds;
#[expect(unreachable_pub, reason = "public in tests/fuzz, which shares the file")]
#[path = "fuzz/src/targets.rs"]
mod targets;

use damage::Damager;
use std::{fs, path::Path};

/// The input under test, printed as hex if the target panics.
struct Shown<'a>(&'static str, &'a [u8]);

impl Drop for Shown<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let hex: String = self.1.iter().map(|byte| format!("{byte:02x}")).collect();
            eprintln!("target {} broke on {} bytes, to keep in tests/fuzz/found/{0}/: {hex}", self.0, self.1.len());
        }
    }
}

fn run(name: &'static str, target: fn(&[u8]), seeds: Vec<Vec<u8>>, rounds: u32) {
    let attempt = |bytes: &[u8]| {
        let _shown = Shown(name, bytes);
        target(bytes);
    };
    let found = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/found").join(name);
    for entry in fs::read_dir(found).into_iter().flatten() {
        attempt(&fs::read(entry.unwrap().path()).unwrap());
    }
    assert!(!seeds.is_empty(), "{name} has no seeds");
    seeds.iter().for_each(|seed| attempt(seed));
    let mut damager = Damager::new(name, seeds);
    for _ in 0..rounds {
        attempt(damager.damaged());
    }
}

macro_rules! fuzz {
    ($($target:ident: $rounds:literal,)*) => {$(
        #[test]
        fn $target() {
            run(stringify!($target), targets::$target, seeds::$target(), $rounds);
        }
    )*};
}

// Rounds are chosen so that each target takes a few seconds of a debug build.
fuzz! {
    frame: 60_000,
    node: 120_000,
    document: 60_000,
    xml: 60_000,
    protobuf: 30_000,
    envelope: 100_000,
    session: 10_000,
    record: 60_000,
    sealed_row: 2_000,
    backup: 20_000,
}

/// A seed that its own target refuses teaches nothing: these must be read, so that damage starts from sound bytes.
#[test]
fn seeds_are_sound() {
    use causeway_proto::{content, node, signal::SessionRecord};
    assert!(seeds::node().iter().all(|seed| node::decode(seed).is_ok()));
    assert!(seeds::document().iter().all(|seed| node::document::decode(seed, 1 << 16).is_ok()));
    assert!(seeds::xml().iter().all(|seed| node::xml::parse(str::from_utf8(seed).unwrap()).is_ok()));
    assert!(seeds::record().iter().all(|seed| SessionRecord::from_bytes(seed).is_ok()));
    assert!(seeds::protobuf().iter().filter(|seed| seed[0] == 0).all(|seed| content::parse(&seed[1..]).is_ok()));
}

/// The session target distinguishes a sound envelope from a damaged one; otherwise it could not fail.
#[test]
fn sound_envelopes_decrypt() {
    let (_, mut bob, envelopes) = fixture::conversation();
    let mut read = 0;
    for envelope in &envelopes {
        let mut record = bob.record.clone();
        if record.decrypt(&bob.local(), envelope, &bob, &mut fixture::rng(9)).is_ok() {
            bob.record = record;
            read += 1;
        }
    }
    assert_eq!((read, envelopes.len()), (2, 3), "two are new; the first was read before");
}
