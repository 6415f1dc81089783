//! Test doubles of WhatsApp's side: the server end of one chat connection, the key directory, a phone's Signal state.
//!
//! One implementation for the integration tests, the simulator and the sandbox (`tests/gatekeeper`); each of them adds
//! its own driving (direct calls, an event queue, sockets) and its own faults. Synchronous and deterministic: time and
//! randomness are arguments, and there is no I/O.
//!
//! It follows the wire documents, not the client: Noise, framing, certificates and the client payload are written again
//! here, so that both ends can't agree on one mistake. Shared with the client are the node codec, the JIDs and the
//! Signal arithmetic of `causeway_proto`. It must not know `causeway_proto::noise` or the client core.
#![warn(missing_docs)]

pub mod certificate;
pub mod channel;
pub mod content;
pub mod device_identity;
pub mod directory;
pub mod frame;
pub mod keyring;
pub mod noise;
pub mod payload;
pub mod server;
pub mod stanza;
