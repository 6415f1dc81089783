//! The wire protocol between a Partner's client and WhatsApp: everything that both ends must agree on.
//!
//! Pure and synchronous: no clock, no randomness, no I/O, no async; time and randomness are arguments. It imports none
//! of our other crates. Every parser takes hostile bytes and returns a typed error; none can panic, and every
//! allocation and loop is bounded.
//!
//! Received bytes pass the modules in this order: [`frame`] splits the stream into frames, [`noise`] decrypts them,
//! [`node`] decodes them into trees, [`stanza`] parses the trees into types, and [`signal`] decrypts the messages of
//! peers into [`content`].
#![warn(missing_docs)]

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
