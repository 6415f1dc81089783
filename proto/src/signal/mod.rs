//! The Signal protocol, version 3, as WhatsApp's wire carries it: who we are, who they are, and what is said between.
//!
//! [`key`] holds the curve keys and [`xeddsa`] the signatures that they make.
//!
//! What this module does not know: stanzas, addresses, the store, the clock. Randomness is always an argument.

pub mod key;
mod xeddsa;

pub use key::{IdentityKeyPair, KeyError, KeyPair, PublicKey};
