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

mod alice;
mod browser;
mod clock;
mod completions;
mod directory;
mod disk;
mod event_queue;
mod faults;
mod garbage;
mod invariants;
mod liar;
mod lies;
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
use std::process::ExitCode;

fn main() -> ExitCode {
    match options::read(std::env::args().skip(1)) {
        Ok(options) => runner::run(&options),
        Err(wrong) => {
            eprintln!("{wrong}");
            ExitCode::from(2)
        }
    }
}
