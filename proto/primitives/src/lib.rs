//! The part of the wire that runs for every byte or every message: JIDs, the node codec, frames, AES-GCM, and the keys and
//! ciphers of the Signal ratchet. `causeway-proto` re-exports what callers need; nobody else depends on this crate.
//!
//! It is a crate of its own because cargo sets the optimisation level for a whole crate: this one is compiled for speed in
//! the browser, the rest of the protocol for size (docs/decisions/0029-primitives-crate.md). Pure and synchronous: time and
//! randomness are arguments.
#![warn(missing_docs)]

pub mod cipher;
pub mod curve;
pub mod frame;
pub mod gcm;
pub mod jid;
pub mod node;
pub mod profile;
pub mod ratchet;
pub mod secret;
pub mod width;
