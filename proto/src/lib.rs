//! The wire protocol between a Partner's client and WhatsApp: everything that both ends must agree on.
//!
//! Pure and synchronous: no clock, no randomness, no I/O, no async; time and randomness are arguments. It imports none
//! of our other crates but `causeway-primitives`, its part that runs for every byte. Every parser takes hostile bytes and
//! returns a typed error; none can panic, and every allocation and loop is bounded.
//!
//! Received bytes pass the modules in this order: [`frame`] splits the stream into frames, [`noise`] decrypts them,
//! [`node`] decodes them into trees, [`stanza`] parses the trees into types, and [`signal`] decrypts the messages of
//! peers into [`content`].
#![warn(missing_docs)]

pub mod content;
pub mod noise;
mod protobuf;
pub mod schema;
pub mod signal;
pub mod stanza;

pub use causeway_primitives::{curve, frame, gcm, jid, node, profile, secret, width};
