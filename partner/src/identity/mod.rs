//! Identity tokens: proof to WhatsApp that a client speaks for an identifier (seed 001 §1.1).
//!
//! What this module does not know: how the person proved it to us, and HTTP.

mod keys;
mod token;

pub use keys::KeyError;
pub(crate) use keys::KeyRing;
pub(crate) use token::{Claims, TokenError};
