//! Encryption and decryption of one message. The ratchet step becomes part of the pending changes.

use super::establish::local;
use super::state::Sessions;
use crate::context::Context;
use crate::id::PreKeyId;
use crate::model::{DeviceAddress, DeviceNumber};
use crate::peer;
use crate::store::paged::Found;
use crate::store::prekeys::{OneTimePreKeyRow, SignedPreKeyRow};
use crate::store::records::Records;
use crate::store::resident::Resident;
use crate::store::row_key;
use causeway_proto::signal::device_identity::SignedDeviceIdentity;
use causeway_proto::signal::envelope::{Envelope, EnvelopeKind};
use causeway_proto::signal::{DecryptError, Decrypted, KeyPair, PreKeys, PublicKey, SessionRecord, padding};
use zeroize::Zeroizing;

impl Sessions {
    /// Encrypts content for a device with its session, and names the identity that it is encrypted for; the ratchet step
    /// joins the pending changes. `None` while keys are being fetched.
    pub(crate) fn encrypt(
        &mut self,
        cx: &mut Context<'_>,
        to: &DeviceAddress,
        found: &Found<SessionRecord>,
        plaintext: &[u8],
    ) -> Option<(Envelope, PublicKey)> {
        let Records { account, sessions, .. } = &mut *cx.records;
        let local = local(account.get(row_key::ACCOUNT)?.keys.as_ref()?);
        let Some(session) = sessions.try_change(found).filter(|session| session.has_session()) else {
            self.fetch(cx, to);
            return None;
        };
        let identity = session.remote_identity()?;
        let mut plaintext = Zeroizing::new(plaintext.to_vec());
        padding::pad(&mut plaintext, cx.rng);
        let envelope = session.encrypt(&local, &plaintext).ok()?;
        sessions.mark(found);
        Some((envelope, identity))
    }
}

/// Why a message was not opened. Nothing has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OpenError {
    /// It could not be decrypted; its sender may send it again.
    Decrypt(DecryptError),
    /// It is of a device that the person's phone does not vouch for: its owner is unknown.
    UnknownDevice,
}

impl From<DecryptError> for OpenError {
    fn from(error: DecryptError) -> Self {
        Self::Decrypt(error)
    }
}

/// Decrypts an envelope of a device with its session; on success the ratchet step joins the pending changes. `voucher`
/// is the device identity that came with the envelope.
pub(crate) fn decrypt(
    cx: &mut Context<'_>,
    from: &DeviceAddress,
    found: &Found<SessionRecord>,
    kind: EnvelopeKind,
    bytes: &[u8],
    voucher: Option<&[u8]>,
) -> Result<Decrypted, OpenError> {
    let envelope = Envelope::parse(kind, bytes).map_err(DecryptError::Malformed)?;
    if !from.is_primary() && !is_vouched_for(cx.records, from, &envelope, voucher) {
        return Err(OpenError::UnknownDevice);
    }
    let Records { account, sessions, prekeys, signed_prekeys, .. } = &mut *cx.records;
    let local = account.get(row_key::ACCOUNT).and_then(|account| account.keys.as_ref()).map(local);
    let local = local.ok_or(DecryptError::NoSession)?;
    let held = Held { prekeys, signed_prekeys };
    let (decrypted, current) = match sessions.try_change(found) {
        Some(session) => {
            let decrypted = session.decrypt(&local, &envelope, &held, cx.rng)?;
            let current = session.remote_identity();
            sessions.mark(found);
            (decrypted, current)
        }
        None => {
            let mut session = SessionRecord::default();
            let decrypted = session.decrypt(&local, &envelope, &held, cx.rng)?;
            let current = session.remote_identity();
            sessions.set(found, session);
            (decrypted, current)
        }
    };
    if let Some(used) = decrypted.used_prekey {
        prekeys.delete(&row_key::prekey(PreKeyId(used)));
    }
    // Late mail of an earlier installation is read, but its identity key is not the current one.
    if current == Some(decrypted.remote_identity) {
        peer::note_identity(cx, from, decrypted.remote_identity);
    }
    Ok(decrypted)
}

/// Whether the person's phone vouches for the identity that an envelope claims: the chat has shown it, or the device
/// identity that came with it verifies. That the claim is true, decrypting shows.
fn is_vouched_for(records: &Records, from: &DeviceAddress, envelope: &Envelope, voucher: Option<&[u8]>) -> bool {
    let known = peer::identity(records, from);
    let Envelope::PreKey(envelope) = envelope else { return known.is_some() };
    let claimed = envelope.identity_key();
    if known == Some(claimed) {
        return true;
    }
    let phone = DeviceAddress { device: DeviceNumber::PHONE, ..from.clone() };
    let (Some(phone), Some(voucher)) = (peer::identity(records, &phone), voucher) else { return false };
    SignedDeviceIdentity::parse(voucher).is_ok_and(|voucher| voucher.verify(&phone, &claimed).is_ok())
}

struct Held<'a> {
    prekeys: &'a Resident<OneTimePreKeyRow>,
    signed_prekeys: &'a Resident<SignedPreKeyRow>,
}

impl PreKeys for Held<'_> {
    fn prekey(&self, number: u32) -> Option<&KeyPair> {
        self.prekeys.get(&row_key::prekey(PreKeyId(number))).map(|row| &row.key.pair)
    }

    fn signed_prekey(&self, number: u32) -> Option<&KeyPair> {
        self.signed_prekeys.get(&row_key::prekey(PreKeyId(number))).map(|row| &row.key.pair)
    }
}
