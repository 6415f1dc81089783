//! Private keys of this server: stored in the database for all instances, sealed under a secret that is not in the
//! database, and published before and after the time in which they sign.
//!
//! What this module does not know: what is signed ([`crate::identity`], [`crate::push`]).

mod error;
mod key;
mod key_id;
mod key_repository;
mod key_ring;
mod limit;
mod seal;

pub use error::KeyError;
pub(crate) use key::Key;
pub use key_id::KeyId;
pub(crate) use key_ring::{KeyEntry, KeyRing};
pub(crate) use limit::MAX_KEYS;
pub(crate) use seal::{Seal, SealingSecret};
