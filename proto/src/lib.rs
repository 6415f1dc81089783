//! The wire between a Partner's client and WhatsApp's side: what both ends must agree on.
//!
//! Pure and synchronous. No clock, no randomness of its own, no I/O, no async: time and randomness are arguments. It
//! imports none of our other crates. Every parser here takes hostile bytes and answers with a typed error; none can
//! panic, and every allocation and loop is bounded.
//!
//! Bytes travel through the modules in this order: [`frame`] cuts the socket's bytes into records, [`noise`] opens
//! them, [`node`] turns them into trees, [`stanza`] gives the trees meaning, and [`signal`] opens what a peer sealed
//! into [`content`].
#![warn(missing_docs)]
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)
)]

pub mod content;
pub mod curve;
pub mod frame;
pub mod jid;
pub mod node;
pub mod noise;
pub mod profile;
pub mod schema;
pub mod secret;
pub mod signal;
pub mod stanza;
pub mod width;
