//! All sessions with one remote device: the current one, and older ones that late messages may need.
//!
//! Two devices that write to each other at the same moment establish two sessions. This needs no resolution: each
//! device encrypts with its current session and decrypts with any, and the session of the last received message becomes
//! the current one, if it is with the same remote installation.
//!
//! What this module does not know: chain keys and ratchets (`session`), the address of the device, and storage.

use core::fmt;
use std::collections::VecDeque;

use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::LocalIdentity;
use super::agreement::{AgreementError, Responder};
use super::envelope::{Envelope, PlainEnvelope, PreKeyEnvelope};
use super::error::{DecryptError, EncryptError};
use super::key::PublicKey;
use super::prekey::{PreKeyBundle, PreKeys};
use super::session::{Opened, Session};

/// Largest number of archived sessions; beyond it, the oldest is deleted.
pub(super) const MAX_ARCHIVED: usize = 40;

/// Largest gap of missing messages before one of a likely session.
const MAX_JUMP: u32 = 25_000;

/// Messages that may be missing before one that would begin a new chain of an *archived* session. Lower, because each
/// archived session is tried in turn; no implementation sends a greater gap.
const MAX_JUMP_ARCHIVED: u32 = 2_000;

/// Identities of earlier installations that are remembered; beyond it, the oldest is forgotten.
pub(super) const MAX_RETIRED: usize = 8;

/// The sessions with one remote device.
#[derive(Clone, Debug, Default)]
pub struct SessionRecord {
    pub(super) current: Option<Box<Session>>,
    /// The newest first.
    pub(super) archived: VecDeque<Box<Session>>,
    /// Identities of installations that no longer exist, the newest first. Their late mail is decrypted, but no session
    /// with one of them becomes the current one, until a bundle brings it back.
    pub(super) retired: VecDeque<PublicKey>,
}

/// A decrypted message, and what the caller must store with it.
pub struct Decrypted {
    /// As it was encrypted: still padded.
    pub plaintext: Zeroizing<Vec<u8>>,
    /// Our one-time prekey that the message used. Delete it in the transaction that stores the record.
    pub used_prekey: Option<u32>,
    /// The sender's authenticated identity. Compare it with the stored one.
    pub remote_identity: PublicKey,
}

impl fmt::Debug for Decrypted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { plaintext, used_prekey, remote_identity } = self;
        f.debug_struct("Decrypted")
            .field("plaintext_len", &plaintext.len())
            .field("used_prekey", used_prekey)
            .field("remote_identity", remote_identity)
            .finish()
    }
}

impl SessionRecord {
    /// Whether there is a session to encrypt with.
    pub fn has_session(&self) -> bool {
        self.current.as_ref().is_some_and(|session| !session.frozen)
    }

    /// The identity that [`encrypt`](Self::encrypt) encrypts for.
    pub fn remote_identity(&self) -> Option<PublicKey> {
        self.current.as_ref().map(|session| session.remote.key)
    }

    /// The current session's registration id of the other side. Another one in a receipt means a new installation.
    pub fn remote_registration_id(&self) -> Option<u32> {
        self.current.as_ref().map(|session| session.remote.registration_id)
    }

    /// What names the current session on both sides. It differs from the one before exactly if the session does.
    pub fn base_key(&self) -> Option<PublicKey> {
        self.current.as_ref().map(|session| session.base_key)
    }

    /// Builds a session from a bundle and makes it the current one. The one before is archived.
    ///
    /// # Errors
    /// [`AgreementError`] if the bundle's signature or one of its keys is bad. The record is then unchanged.
    pub fn initiate(
        &mut self,
        local: &LocalIdentity<'_>,
        bundle: &PreKeyBundle,
        rng: &mut dyn CryptoRng,
    ) -> Result<(), AgreementError> {
        let session = Session::initiate(local, bundle, rng)?;
        self.retired.retain(|identity| *identity != bundle.identity);
        self.replace_current(Box::new(session));
        Ok(())
    }

    /// Makes the current session an archived one, so that the next message needs a new session.
    pub fn archive_current(&mut self) {
        if let Some(session) = self.current.take() {
            self.archive(session);
        }
    }

    /// Archives the current session for good: the other side has announced that its installation is replaced.
    pub fn retire_current(&mut self) {
        if let Some(session) = &self.current {
            retire(&mut self.retired, session.remote.key);
            self.archive_current();
        }
    }

    /// Freezes every session of a record restored from an older copy: its sending chains may have advanced since, and a
    /// message key must not be used twice. Late messages are still decrypted. A session sends again after a message
    /// that responds to its newest ratchet key, because that starts a fresh sending chain.
    pub fn forget_sending(&mut self) {
        self.archive_current();
        for session in &mut self.archived {
            session.frozen = true;
        }
    }

    /// Takes the sessions of another record of the same device, which had two addresses. The current one stays.
    pub fn absorb(&mut self, other: Self) {
        if self.current.is_none() && self.archived.is_empty() {
            *self = other;
            return;
        }
        other.retired.into_iter().rev().for_each(|identity| retire(&mut self.retired, identity));
        other.archived.into_iter().rev().chain(other.current).for_each(|session| self.archive(session));
    }

    /// Encrypts a padded message with the current session. Store the record before the envelope leaves: sending from
    /// an older copy of it would use a key twice.
    ///
    /// # Errors
    /// [`EncryptError`] if there is no session to encrypt with. The record is then unchanged.
    pub fn encrypt(&mut self, local: &LocalIdentity<'_>, plaintext: &[u8]) -> Result<Envelope, EncryptError> {
        let session = self.current.as_mut().ok_or(EncryptError::NoSession)?;
        if session.local_identity != local.pair.public() {
            return Err(EncryptError::OtherIdentity);
        }
        session.seal(local.registration_id, plaintext)
    }

    /// Decrypts a message with the session that it belongs to, which becomes the current one if it is with the same
    /// identity, or a new session with an identity that is not retired. Store the record before the message is
    /// acknowledged.
    ///
    /// # Errors
    /// [`DecryptError`]. The record is then unchanged, byte for byte.
    pub fn decrypt(
        &mut self,
        local: &LocalIdentity<'_>,
        envelope: &Envelope,
        prekeys: &dyn PreKeys,
        rng: &mut dyn CryptoRng,
    ) -> Result<Decrypted, DecryptError> {
        match envelope {
            Envelope::PreKey(envelope) => self.decrypt_introduced(local, envelope, prekeys, rng),
            Envelope::Plain(envelope) => self.decrypt_plain(envelope, rng),
        }
    }

    /// A prekey envelope names its session: no other is tried.
    fn decrypt_introduced(
        &mut self,
        local: &LocalIdentity<'_>,
        envelope: &PreKeyEnvelope,
        prekeys: &dyn PreKeys,
        rng: &mut dyn CryptoRng,
    ) -> Result<Decrypted, DecryptError> {
        let known = self.sessions().find(|(_, session)| session.base_key == envelope.base_key());
        if let Some((place, session)) = known {
            if session.remote.key != envelope.identity_key() {
                return Err(DecryptError::IdentityMismatch);
            }
            let opened = session.open(&envelope.message(), MAX_JUMP, rng)?;
            return self.accept(place, opened);
        }

        let signed_prekey_id = envelope.signed_prekey_id();
        let unknown = DecryptError::UnknownSignedPreKey { id: signed_prekey_id };
        let signed_prekey = prekeys.signed_prekey(signed_prekey_id).ok_or(unknown)?;
        let prekey = match envelope.prekey_id() {
            Some(id) => Some(prekeys.prekey(id).ok_or(DecryptError::UnknownPreKey { id })?),
            None => None,
        };
        let ours = Responder { identity: local.pair, signed_prekey, prekey };
        let mut session = Session::respond(&ours, envelope)?;
        let Opened { plaintext, step } = session.open(&envelope.message(), MAX_JUMP, rng)?;
        session.commit(step);
        if self.retired.contains(&envelope.identity_key()) {
            self.archive(Box::new(session));
        } else {
            self.replace_current(Box::new(session));
        }
        Ok(Decrypted { plaintext, used_prekey: envelope.prekey_id(), remote_identity: envelope.identity_key() })
    }

    /// A plain envelope names only a chain. Sessions that know the chain are the only candidates; if none does, the
    /// message begins a new chain, and every session may be the one.
    fn decrypt_plain(&mut self, envelope: &PlainEnvelope, rng: &mut dyn CryptoRng) -> Result<Decrypted, DecryptError> {
        let message = envelope.message();
        let known = self.sessions().any(|(_, session)| session.knows_chain_of(&message));
        let mut first_error = None;
        let mut accepted = None;
        for (place, session) in self.sessions() {
            if known && !session.knows_chain_of(&message) {
                continue;
            }
            let max_jump = if known || place == Place::Current { MAX_JUMP } else { MAX_JUMP_ARCHIVED };
            match session.open(&message, max_jump, &mut *rng) {
                Ok(opened) => {
                    accepted = Some((place, opened));
                    break;
                }
                Err(error) => first_error = first_error.or(Some(error)),
            }
        }
        match accepted {
            Some((place, opened)) => self.accept(place, opened),
            None => Err(first_error.unwrap_or(DecryptError::NoSession)),
        }
    }

    /// Every session with its place, in the order in which they are tried.
    fn sessions(&self) -> impl Iterator<Item = (Place, &Session)> {
        let current = self.current.iter().map(|session| (Place::Current, &**session));
        let archived = self.archived.iter().enumerate().map(|(at, session)| (Place::Archived(at), &**session));
        current.chain(archived)
    }

    /// Commits an opened message to the session at `place`. An archived session with the same installation of the other
    /// side becomes the current one, if it can send. Late mail of another installation does not, because that
    /// installation no longer exists.
    fn accept(&mut self, place: Place, opened: Opened) -> Result<Decrypted, DecryptError> {
        let current = self.remote_identity();
        if let Place::Archived(at) = place {
            let session = self.archived.get_mut(at).ok_or(DecryptError::NoSession)?;
            session.commit(opened.step);
            let remote_identity = session.remote.key;
            if !session.frozen
                && current.is_none_or(|current| current == remote_identity)
                && !self.retired.contains(&remote_identity)
                && let Some(session) = self.archived.remove(at)
            {
                self.replace_current(session);
            }
            return Ok(Decrypted { plaintext: opened.plaintext, used_prekey: None, remote_identity });
        }
        let session = self.current.as_mut().ok_or(DecryptError::NoSession)?;
        session.commit(opened.step);
        Ok(Decrypted { plaintext: opened.plaintext, used_prekey: None, remote_identity: session.remote.key })
    }

    fn archive(&mut self, session: Box<Session>) {
        self.archived.push_front(session);
        self.archived.truncate(MAX_ARCHIVED);
    }

    /// The newest session becomes the current one. If it is with another installation, the one before is retired.
    fn replace_current(&mut self, session: Box<Session>) {
        match self.remote_identity() {
            Some(before) if before != session.remote.key => self.retire_current(),
            _ => self.archive_current(),
        }
        self.current = Some(session);
    }
}

fn retire(retired: &mut VecDeque<PublicKey>, identity: PublicKey) {
    if !retired.contains(&identity) {
        retired.push_front(identity);
        retired.truncate(MAX_RETIRED);
    }
}

/// Where in the record a session is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Current,
    Archived(usize),
}
