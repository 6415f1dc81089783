//! Stanzas of the chat protocol, as functions from arguments to nodes (docs/spec/wire.md §5). No state, no clock.

pub mod acknowledgement;
pub mod client;
pub mod forward;
pub mod iq;
pub mod keys;
pub mod session;
