//! The Signal protocol, version 3, as WhatsApp's wire carries it: who we are, who they are, and what is said between.
//!
//! From the bottom up: [`key`] holds curve keys and makes signatures with them; [`prekey`] is what a receiver leaves
//! with the server; an agreement turns a bundle of prekeys into a session; the session ratchets one message key after
//! the other out of root and chain keys; [`envelope`] is what a message looks like on the wire; [`record`] keeps all
//! sessions with one device and finds the right one. [`padding`] and [`security_code()`] stand beside.
//!
//! A caller needs [`SessionRecord`] for messages, [`KeyPair`] and [`prekey`] for its own keys, and little else.
//!
//! What this module does not know: stanzas, addresses, the store, the clock. Randomness is always an argument.

use core::fmt;

mod agreement;
mod chain_key;
mod chains;
pub mod envelope;
mod error;
mod fields;
mod kdf;
pub mod key;
mod message;
mod message_key;
pub mod padding;
pub mod prekey;
pub mod record;
mod root_key;
mod security_code;
mod session;
mod stored;
mod xeddsa;

pub use agreement::AgreementError;
pub use envelope::{Envelope, EnvelopeKind, PlainEnvelope, PreKeyEnvelope, UnknownEnvelopeKind};
pub use error::{DecryptError, EncryptError};
pub use fields::FieldError;
pub use key::{IdentityKeyPair, KeyError, KeyPair, PublicKey, WeakPublicKey};
pub use message::EnvelopeError;
pub use prekey::{PreKeyBundle, PreKeyPair, PreKeys, SignedPreKeyPair};
pub use record::{Decrypted, SessionRecord};
pub use security_code::security_code;
pub use stored::RecordError;

/// Who we are to the other side.
#[derive(Clone, Copy)]
pub struct LocalIdentity<'a> {
    /// Our identity.
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

/// Who the other side is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct RemoteIdentity {
    key: PublicKey,
    /// Drawn when the other client was installed; any 32 bits.
    registration_id: u32,
}
