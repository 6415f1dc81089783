//! The client core of Causeway: everything that our client decides, and nothing that it touches.
//!
//! [`Engine`](engine::Engine) is one value with two verbs. The world tells it what happened
//! ([`handle`](engine::Engine::handle)), and it says what should happen ([`poll`](engine::Engine::poll)). The contract:
//! *one input, then drain `poll` until it answers [`Output::Idle`](io::Output::Idle); only then the next input.*
//!
//! There is no clock, no randomness, no async and no I/O in this crate. Nothing leaves before what it stands on is
//! durable: the engine withholds every transmission and every update until the transaction that it stands on is
//! committed, so no driver can get the order wrong.
#![warn(missing_docs)]
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)
)]

pub mod backup;
mod channel;
mod chat;
mod context;
pub mod deployment;
pub mod engine;
pub mod enlist;
mod hex;
pub mod id;
mod inbox;
pub mod io;
mod outbox;
mod pending;
mod push;
mod session;
pub mod store;
pub mod time;
mod transient;
pub mod view;
