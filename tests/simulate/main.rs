//! The simulator: the engine, its store, the servers and the users under one seeded scheduler, clock and random
//! generator, with faults of every kind. docs/SIMULATION.md describes the model and how to replay a seed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::as_conversions,
    reason = "tests fail by panicking"
)]

mod browser;
mod completions;
mod directory;
mod disk;
mod event_queue;
mod faults;
mod invariants;
mod link;
mod mirror;
mod network;
mod options;
mod oracle;
mod page;
#[allow(dead_code, reason = "the simulator uses a part of it")]
#[path = "../support/partner.rs"]
mod partner;
mod phone;
mod runner;
mod seeded_rng;
mod server;
#[allow(
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "the page's own model, of which the simulator uses a part"
)]
mod state;
mod trace;
mod users;
mod worker;
mod world;

pub(crate) use browser::status as ok;
use causeway_proto::jid::Jid;
use std::process::ExitCode;

/// The user part of Alice's JID.
pub(crate) const ALICE: &str = "10853634039893";

/// Alice's address at the chat server.
pub(crate) fn alice() -> Jid {
    Jid::interop(1, ALICE)
}

fn main() -> ExitCode {
    match options::read(std::env::args().skip(1)) {
        Ok(options) => runner::run(&options),
        Err(wrong) => {
            eprintln!("{wrong}");
            ExitCode::from(2)
        }
    }
}
