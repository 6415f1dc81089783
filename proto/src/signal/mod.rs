//! The Signal protocol, version 3, as WhatsApp uses it: identities, sessions and encrypted messages.
//!
//! From the bottom up: [`key`] has curve keys and signatures; [`prekey`] the keys that a receiver uploads to the
//! server; an agreement (X3DH) turns a bundle of prekeys into a session; a session (double ratchet) derives message
//! keys from root and chain keys; [`envelope`] is the encoding of a message on the wire; [`record`] holds all sessions
//! with one device and selects one. [`device_identity`] says whether a device is its owner's. [`padding`] and
//! [`security_code()`] are independent of these.
//!
//! A caller needs [`SessionRecord`] for messages, [`KeyPair`] and [`prekey`] for its own keys, and little else.
//!
//! What this module does not know: stanzas, addresses, the store, the clock. Randomness is always an argument.

use core::fmt;

mod agreement;
mod chains;
pub mod device_identity;
pub mod envelope;
mod error;
mod message;
pub mod padding;
pub mod prekey;
pub mod record;
mod root_key;
mod security_code;
mod session;
mod stored;

use causeway_primitives::ratchet::{chain_key, kdf, message_key};

pub use crate::protobuf::FieldError;
pub use agreement::AgreementError;
pub use causeway_primitives::ratchet::key;
pub use device_identity::{AccountType, DeviceIdentity, DeviceIdentityError, SignedDeviceIdentity};
pub use envelope::{Envelope, EnvelopeKind, PlainEnvelope, PreKeyEnvelope, UnknownEnvelopeKind};
pub use error::{DecryptError, EncryptError};
pub use key::{IdentityKeyPair, KeyError, KeyPair, PublicKey, WeakPublicKey};
pub use message::EnvelopeError;
pub use prekey::{PreKeyBundle, PreKeyPair, PreKeys, SignedPreKeyPair};
pub use record::{Decrypted, SessionRecord};
pub use security_code::security_code;
pub use stored::RecordError;

/// The local identity.
#[derive(Clone, Copy)]
pub struct LocalIdentity<'a> {
    /// Identity key pair.
    pub pair: &'a IdentityKeyPair,
    /// Drawn when this client was installed, 1 to 16380.
    pub registration_id: u32,
}

impl fmt::Debug for LocalIdentity<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pair, registration_id } = self;
        f.debug_struct("LocalIdentity")
            .field("public", &pair.public())
            .field("registration_id", registration_id)
            .finish_non_exhaustive()
    }
}

/// The remote identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct RemoteIdentity {
    key: PublicKey,
    /// Drawn when the other client was installed; any 32 bits.
    registration_id: u32,
}
