//! Identity tokens: proof to WhatsApp that a client speaks for an identifier (seed 001 §1.1).
//!
//! What this module does not know: how the person proved it to us, and HTTP.

mod files;
mod keys;
mod token;

pub(crate) use files::key_files;
pub(crate) use keys::{JWKS_SECONDS, KeyRing, MAX_LIFETIME_SECONDS};
pub(crate) use token::{Claims, TokenError};
