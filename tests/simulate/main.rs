//! The simulator: the engine, its store, the servers and the people under one seeded scheduler, clock and source of
//! chance, with everything going wrong that can. docs/SIMULATION.md says what it models, and how to replay a seed.

mod agenda;
mod browser;
mod dice;
mod directory;
mod disk;
mod faults;
mod link;
mod mirror;
mod network;
mod options;
mod oracle;
mod page;
#[allow(dead_code, reason = "the simulator uses a part of it")]
#[path = "../support/partner.rs"]
mod partner;
mod people;
mod phone;
mod promises;
mod runner;
mod server;
#[allow(
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "the page's own model, of which the simulator uses a part"
)]
mod state;
mod trace;
mod witness;
mod worker;
mod world;

pub(crate) use browser::status as ok;
use causeway_proto::jid::Jid;
use std::process::ExitCode;

/// The user part of Alice's JID.
pub(crate) const ALICE: &str = "10853634039893";

/// What the servers call Alice.
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
