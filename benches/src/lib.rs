//! The contests of `make bench`: each of our operations against the work it cannot do without, or against a peer.
//!
//! One source for two places: `bin/native.rs` runs it on the machine, `page.rs` in a browser. What this crate does not
//! know: how a clock is read (an argument), transfer sizes and page loads (`benches/run.mjs`), and what a figure should
//! be (`docs/BENCH.md`).

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a contest that cannot be measured ends by panicking; times are floating-point numbers"
)]

mod codec;
mod contest;
mod curve;
mod noise;
mod ratchet;
mod session;
mod vectors;

#[cfg(target_arch = "wasm32")]
pub mod page;

pub use codec::{Sample, decode, encode, sample};
pub use contest::{Clock, Effort};

use contest::{Contest, Figures};

/// Runs every contest; the answer is a JSON list of figures, as documented in `docs/BENCH.md`.
pub fn figures(clock: &Clock<'_>, effort: Effort) -> String {
    let contests: [fn() -> Vec<Contest>; 5] =
        [codec::contests, noise::contests, curve::contests, session::contests, ratchet::contests];
    let figures = contests.iter().flat_map(|contests| contests());
    let figures: Vec<_> = figures.map(|contest| Figures::measure(contest, clock, effort).to_json()).collect();
    serde_json::Value::from(figures).to_string()
}
