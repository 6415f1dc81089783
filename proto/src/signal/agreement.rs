//! X3DH: agreement on a secret between two parties of which one is offline (docs/spec/wire.md §6.2).
//!
//! What this module does not know: what the secret is used for, and where keys come from.

use zeroize::Zeroizing;

use super::chain_key::ChainKey;
use super::kdf;
use super::key::{KeyPair, PublicKey, WeakPublicKey};
use super::prekey::PreKeyBundle;
use super::root_key::RootKey;
use crate::secret::Secret;

const INFO: &[u8] = b"WhisperText";

/// A bundle or a first message with which no secret can be agreed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AgreementError {
    /// The signed prekey is not the identity's.
    #[error("the signature of the other side's prekey is wrong; fetch their keys again before writing to them")]
    BadSignature,
    /// One of the keys would make the secret guessable.
    #[error(transparent)]
    WeakPublicKey(#[from] WeakPublicKey),
}

/// What X3DH gives both sides: the first root key and the responder's first sending chain.
pub(super) struct Agreed {
    pub(super) root: RootKey,
    pub(super) responder_chain: ChainKey,
}

/// The initiator: our keys, and the peer's from a bundle whose signature is checked here.
pub(super) fn initiate(identity: &KeyPair, base: &KeyPair, remote: &PreKeyBundle) -> Result<Agreed, AgreementError> {
    if !remote.is_signed() {
        return Err(AgreementError::BadSignature);
    }
    let one_time = remote.prekey.as_ref().map(|(_, remote_prekey)| base.agree(remote_prekey)).transpose()?;
    Ok(derive([
        Some(identity.agree(&remote.signed_prekey)?),
        Some(base.agree(&remote.identity)?),
        Some(base.agree(&remote.signed_prekey)?),
        one_time,
    ]))
}

/// Our keys that the first message names.
pub(super) struct Responder<'a> {
    pub(super) identity: &'a KeyPair,
    pub(super) signed_prekey: &'a KeyPair,
    pub(super) prekey: Option<&'a KeyPair>,
}

/// The responder: our keys that were used, and the initiator's keys from the first message.
pub(super) fn respond(
    ours: &Responder<'_>,
    remote_identity: &PublicKey,
    remote_base: &PublicKey,
) -> Result<Agreed, AgreementError> {
    let one_time = ours.prekey.map(|prekey| prekey.agree(remote_base)).transpose()?;
    Ok(derive([
        Some(ours.signed_prekey.agree(remote_identity)?),
        Some(ours.identity.agree(remote_base)?),
        Some(ours.signed_prekey.agree(remote_base)?),
        one_time,
    ]))
}

/// The master secret is 32 times 0xFF (a value that no curve point has), then the agreements in the given order.
fn derive(agreements: [Option<Secret<32>>; 4]) -> Agreed {
    let mut master = Zeroizing::new(Vec::with_capacity(5 * 32));
    master.extend_from_slice(&[0xFF; 32]);
    for agreement in agreements.iter().flatten() {
        master.extend_from_slice(agreement.expose());
    }
    let parts = kdf::derive::<2>(None, &master, INFO);
    let [root, chain] = &*parts;
    Agreed { root: RootKey::new(Secret::new(*root)), responder_chain: ChainKey::new(Secret::new(*chain)) }
}
