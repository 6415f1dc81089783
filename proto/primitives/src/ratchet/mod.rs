//! Keys and ciphers of the Signal protocol: curve keys with XEdDSA signatures, HKDF, chain keys, message keys.
//!
//! What this module does not know: sessions, envelopes, and which key is used when (`causeway_proto::signal`).

pub mod chain_key;
pub mod kdf;
pub mod key;
pub mod message_key;
mod xeddsa;
