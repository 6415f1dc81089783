//! Identity tokens: proof to WhatsApp that a client acts for an identifier (docs/spec/enlistment.md §1.1).
//!
//! What this module does not know: how the person signed in, and HTTP.

mod key_files;
mod token;
mod token_key;

pub(crate) use key_files::key_files;
pub(crate) use token::{Claims, TokenError};
pub(crate) use token_key::{JWKS_MAX_AGE, MAX_LIFETIME, TokenKeys};
