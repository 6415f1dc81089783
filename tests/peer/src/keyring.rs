//! The Signal state of one installation of a phone: identity, prekeys, and the sessions that grew from them.
//!
//! Must not know what the phone shows, connections, and where the state is stored.

use crate::stanza::{client, keys};
use causeway_proto::jid::Jid;
use causeway_proto::node::Node;
use causeway_proto::signal::{
    DecryptError, EncryptError, Envelope, KeyPair, LocalIdentity, PreKeyBundle, PreKeys, PublicKey, SessionRecord,
    SignedPreKeyPair, padding,
};
use rand_core::CryptoRng;
use std::collections::BTreeMap;

/// Number of times that a message is asked for again, and that one is sent again (docs/spec/wire.md §5.10).
pub const MAX_RETRIES: u32 = 5;

/// Registration ids are 14 bits (docs/spec/wire.md §6.1).
const MAX_REGISTRATION: u32 = 16_380;
/// Prekey ids are 24 bits and wrap before the last.
const MAX_PREKEY: u32 = 0xFF_FFFE;

/// All Signal keys of one installation.
pub struct Keyring {
    /// The identity key.
    pub identity: KeyPair,
    /// The registration id.
    pub registration: u32,
    /// The signed prekey.
    pub signed: SignedPreKeyPair,
    /// One-time prekeys that were not used, by id.
    pub one_time: BTreeMap<u32, KeyPair>,
    /// Id of the next one-time prekey.
    pub next_prekey: u32,
    /// Sessions, by the address of the other device.
    pub sessions: BTreeMap<Jid, SessionRecord>,
}

/// A message that was decrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// The content without padding; empty when the padding is wrong.
    pub plain: Vec<u8>,
    /// The other side has another identity key than before.
    pub identity_changed: bool,
}

/// What a retry receipt asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resend {
    /// Number of the resend, from 1 to [`MAX_RETRIES`].
    pub count: u32,
    /// What became of the session.
    pub session: Renewal,
}

/// What a retry receipt does to the session with its sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renewal {
    /// It goes on.
    Kept,
    /// It was archived: the resend needs a new one.
    Archived,
    /// A new one was started by the keys of the receipt.
    Started {
        /// The other side has another identity key than before.
        identity_changed: bool,
    },
    /// The keys of the receipt are not sound; the session goes on.
    Refused,
}

impl Keyring {
    /// Keys of a fresh installation at `now` (unix seconds), without one-time prekeys.
    pub fn generate(now: u64, rng: &mut dyn CryptoRng) -> Self {
        let identity = KeyPair::generate(rng);
        let registration = rng.next_u64() % u64::from(MAX_REGISTRATION) + 1;
        Self {
            registration: u32::try_from(registration).unwrap_or(1),
            signed: SignedPreKeyPair::generate(1, &identity, now, rng),
            identity,
            one_time: BTreeMap::new(),
            next_prekey: 1,
            sessions: BTreeMap::new(),
        }
    }

    /// What this installation publishes, one-time prekeys aside.
    pub fn bundle(&self) -> PreKeyBundle {
        PreKeyBundle {
            registration_id: self.registration,
            identity: self.identity.public(),
            signed_prekey_id: self.signed.id,
            signed_prekey: self.signed.pair.public(),
            signed_prekey_signature: self.signed.signature,
            prekey: None,
        }
    }

    /// Makes one-time prekeys: id and public key each.
    pub fn more_prekeys(&mut self, count: usize, rng: &mut dyn CryptoRng) -> Vec<(u32, PublicKey)> {
        let mut made = Vec::with_capacity(count);
        for _ in 0..count {
            let (id, pair) = (self.next_prekey, KeyPair::generate(rng));
            self.next_prekey = if id >= MAX_PREKEY { 1 } else { id + 1 };
            made.push((id, pair.public()));
            self.one_time.insert(id, pair);
        }
        made
    }

    /// Whether a message to this device can be encrypted.
    pub fn has_session(&self, with: &Jid) -> bool {
        self.sessions.get(with).is_some_and(SessionRecord::has_session)
    }

    /// Archives the current session with a device, so that the next message to it needs a new one.
    pub fn archive(&mut self, with: &Jid) {
        if let Some(record) = self.sessions.get_mut(with) {
            record.archive_current();
        }
    }

    /// Starts a session with the device that has published `bundle`. Returns whether its identity key is another than
    /// before; `None`, and nothing changed, when the bundle is not sound.
    pub fn start_session(&mut self, with: &Jid, bundle: &PreKeyBundle, rng: &mut dyn CryptoRng) -> Option<bool> {
        let mut record = self.sessions.get(with).cloned().unwrap_or_default();
        let known = record.remote_identity();
        record.initiate(&self.local(), bundle, rng).ok()?;
        let changed = known.is_some() && known != record.remote_identity();
        self.sessions.insert(with.clone(), record);
        Some(changed)
    }

    /// Pads and encrypts a content.
    ///
    /// # Errors
    /// [`EncryptError`] without a session.
    pub fn encrypt(&mut self, to: &Jid, mut plain: Vec<u8>, rng: &mut dyn CryptoRng) -> Result<Envelope, EncryptError> {
        padding::pad(&mut plain, rng);
        let Some(mut record) = self.sessions.remove(to) else { return Err(EncryptError::NoSession) };
        let envelope = record.encrypt(&self.local(), &plain);
        self.sessions.insert(to.clone(), record);
        envelope
    }

    /// Decrypts an envelope. The one-time prekey that it used is deleted.
    ///
    /// # Errors
    /// [`DecryptError`]; sessions and prekeys are as before.
    pub fn decrypt(
        &mut self,
        from: &Jid,
        envelope: &Envelope,
        rng: &mut dyn CryptoRng,
    ) -> Result<Opened, DecryptError> {
        let before = self.sessions.remove(from);
        let (is_known, mut record) = (before.is_some(), before.unwrap_or_default());
        let known = record.remote_identity();
        let decrypted = record.decrypt(&self.local(), envelope, self, rng);
        if is_known || decrypted.is_ok() {
            self.sessions.insert(from.clone(), record);
        }
        let decrypted = decrypted?;
        if let Some(id) = decrypted.used_prekey {
            self.one_time.remove(&id);
        }
        let identity_changed = known.is_some_and(|known| known != decrypted.remote_identity);
        let mut plain = decrypted.plaintext.to_vec();
        if padding::unpad(&mut plain).is_err() {
            plain.clear();
        }
        Ok(Opened { plain, identity_changed })
    }

    /// The retry receipt for a message that could not be decrypted, asked for the `count`-th time. It carries fresh
    /// keys from the second time on, and at once without a session (docs/spec/wire.md §5.10).
    pub fn retry_receipt(
        &mut self,
        message: &Node,
        from: &Jid,
        count: u32,
        error: &DecryptError,
        rng: &mut dyn CryptoRng,
    ) -> Node {
        let with_keys = count >= 2 || !self.has_session(from);
        let prekey = if with_keys { self.more_prekeys(1, rng).pop() } else { None };
        let own = PreKeyBundle { prekey, ..self.bundle() };
        client::retry_receipt(message, count, error.retry_code(), &own, with_keys)
    }

    /// Prepares the resend that a retry receipt asks for: a new session by the keys that it carries; without keys, the
    /// current session is archived from the second time on. `None` when it asks too often.
    pub fn prepare_resend(&mut self, from: &Jid, receipt: &Node, rng: &mut dyn CryptoRng) -> Option<Resend> {
        let count = receipt.child("retry").and_then(|retry| retry.text("count")?.parse().ok()).unwrap_or(1);
        if count > MAX_RETRIES {
            return None;
        }
        let bundle = receipt.child("registration").zip(receipt.child("keys"));
        let bundle = bundle.and_then(|(registration, keys)| keys::read_bundle(registration, keys));
        let session = match bundle {
            Some(bundle) => match self.start_session(from, &bundle, rng) {
                Some(identity_changed) => Renewal::Started { identity_changed },
                None => Renewal::Refused,
            },
            None if count >= 2 => {
                self.archive(from);
                Renewal::Archived
            }
            None => Renewal::Kept,
        };
        Some(Resend { count, session })
    }

    fn local(&self) -> LocalIdentity<'_> {
        LocalIdentity { pair: &self.identity, registration_id: self.registration }
    }
}

impl PreKeys for Keyring {
    fn prekey(&self, id: u32) -> Option<&KeyPair> {
        self.one_time.get(&id)
    }

    fn signed_prekey(&self, id: u32) -> Option<&KeyPair> {
        (self.signed.id == id).then_some(&self.signed.pair)
    }
}

/// The first envelope of a message that can be read; `None` for a message without any.
pub fn envelope(message: &Node) -> Option<Result<Envelope, DecryptError>> {
    message.children().iter().filter(|child| child.tag == "enc").find_map(|enc| {
        let kind = enc.text("type")?.parse().ok()?;
        Some(Envelope::parse(kind, enc.bytes().unwrap_or_default()).map_err(DecryptError::from))
    })
}
