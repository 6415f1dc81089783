//! A phone's secrets: identity, prekeys, Noise key, and the sessions that grew from them.
//!
//! One JSON file a phone, replaced as a whole: written before anything that stands on it is sent. What it does not
//! know: messages and connections.

use crate::{hex, random};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use causeway_proto::jid::Jid;
use causeway_proto::secret::Secret;
use causeway_proto::signal::{KeyPair, LocalIdentity, PreKeys, SessionRecord, SignedPreKeyPair};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Registration ids are 14 bits (wire.md §6.1).
const MAX_REGISTRATION: u64 = 16_380;
/// Prekey ids are 24 bits and wrap before the last.
const MAX_PREKEY: u32 = 0xFF_FFFE;

/// All secrets of one installation.
pub(super) struct Keyring {
    pub(super) noise: KeyPair,
    pub(super) identity: KeyPair,
    pub(super) registration: u32,
    pub(super) signed: SignedPreKeyPair,
    one_time: BTreeMap<u32, KeyPair>,
    next_prekey: u32,
    sessions: BTreeMap<Jid, SessionRecord>,
}

impl Keyring {
    /// Keys of a fresh installation at `now` (unix seconds).
    pub(super) fn generate(now: u64) -> Self {
        let rng = &mut random::rng();
        let identity = KeyPair::generate(rng);
        let signed = SignedPreKeyPair::generate(1, &identity, now, rng);
        Self {
            noise: KeyPair::generate(rng),
            registration: u32::try_from(random::up_to(MAX_REGISTRATION)).unwrap_or(1),
            identity,
            signed,
            one_time: BTreeMap::new(),
            next_prekey: 1,
            sessions: BTreeMap::new(),
        }
    }

    /// Who this installation is to others.
    pub(super) fn local(&self) -> LocalIdentity<'_> {
        LocalIdentity { pair: &self.identity, registration_id: self.registration }
    }

    /// New one-time prekeys: id and public key each.
    pub(super) fn more_prekeys(&mut self, count: usize) -> Vec<(u32, [u8; 32])> {
        let mut made = Vec::with_capacity(count);
        for _ in 0..count {
            let (id, pair) = (self.next_prekey, KeyPair::generate(&mut random::rng()));
            self.next_prekey = if id >= MAX_PREKEY { 1 } else { id + 1 };
            made.push((id, pair.public().0));
            self.one_time.insert(id, pair);
        }
        made
    }

    /// Deletes a one-time prekey that was used.
    pub(super) fn spend(&mut self, id: u32) {
        self.one_time.remove(&id);
    }

    /// A copy of the sessions with somebody; change it and [`keep`](Self::keep) it.
    pub(super) fn session(&self, with: &Jid) -> SessionRecord {
        self.sessions.get(with).cloned().unwrap_or_default()
    }

    pub(super) fn keep(&mut self, with: &Jid, record: SessionRecord) {
        self.sessions.insert(with.clone(), record);
    }

    /// Puts the current session with somebody aside, so that the next message needs a new one.
    pub(super) fn archive(&mut self, with: &Jid) {
        if let Some(record) = self.sessions.get_mut(with) {
            record.archive_current();
        }
    }

    pub(super) fn store(&self) -> StoredKeyring {
        let secret = |pair: &KeyPair| hex::encode(pair.secret().expose());
        StoredKeyring {
            noise: secret(&self.noise),
            identity: secret(&self.identity),
            registration: self.registration,
            signed_id: self.signed.id,
            signed: secret(&self.signed.pair),
            signature: hex::encode(&self.signed.signature),
            signed_created: self.signed.created,
            one_time: self.one_time.iter().map(|(id, pair)| (*id, secret(pair))).collect(),
            next_prekey: self.next_prekey,
            sessions: self.sessions.iter().map(|(jid, s)| (jid.to_string(), BASE64.encode(&*s.to_bytes()))).collect(),
        }
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

/// A keyring as it lies on disk.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredKeyring {
    noise: String,
    identity: String,
    registration: u32,
    signed_id: u32,
    signed: String,
    signature: String,
    signed_created: u64,
    one_time: BTreeMap<u32, String>,
    next_prekey: u32,
    sessions: BTreeMap<String, String>,
}

impl StoredKeyring {
    /// `None` when any part is not what [`Keyring::store`] wrote.
    pub(super) fn open(self) -> Option<Keyring> {
        let pair = |text: &String| hex::decode::<32>(text).map(|bytes| KeyPair::from_secret(Secret::new(bytes)));
        let signed = SignedPreKeyPair {
            id: self.signed_id,
            pair: pair(&self.signed)?,
            signature: hex::decode(&self.signature)?,
            created: self.signed_created,
        };
        let one_time = self.one_time.iter().map(|(id, text)| Some((*id, pair(text)?))).collect::<Option<_>>()?;
        let session = |(jid, text): (&String, &String)| {
            Some((jid.parse().ok()?, SessionRecord::from_bytes(&BASE64.decode(text).ok()?).ok()?))
        };
        Some(Keyring {
            noise: pair(&self.noise)?,
            identity: pair(&self.identity)?,
            registration: self.registration,
            signed,
            one_time,
            next_prekey: self.next_prekey,
            sessions: self.sessions.iter().map(session).collect::<Option<_>>()?,
        })
    }
}
