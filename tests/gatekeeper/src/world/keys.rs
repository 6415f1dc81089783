//! The key directory: what each account has published, and whom to notify when an identity changes.

use super::event::{Event, OneTimeKey, SignedKey};
use super::journal::JournalError;
use super::{Keys, World};
use crate::hex;
use causeway_peer::stanza::keys::SignedPreKey;
use causeway_proto::jid::Jid;
use causeway_proto::signal::{PreKeyBundle, PublicKey};
use sha2::{Digest as _, Sha256};

/// One-time prekeys held per account at most: the largest upload in the field is 812.
const MAX_ONE_TIME: usize = 5_000;

impl World {
    /// One-time prekeys that are left.
    pub(crate) fn prekey_count(&self, who: &Jid) -> usize {
        self.accounts.get(who).and_then(|account| account.keys.as_ref()).map_or(0, |keys| keys.one_time.len())
    }

    /// Stores an upload. Returns the users to notify of a changed identity key.
    pub(crate) fn upload(
        &mut self,
        who: &Jid,
        bundle: &PreKeyBundle,
        one_time: &[(u32, PublicKey)],
    ) -> Result<Vec<Jid>, JournalError> {
        let space = MAX_ONE_TIME.saturating_sub(self.prekey_count(who));
        let one_time = one_time.iter().take(space).map(|(id, key)| OneTimeKey { id: *id, value: key.0 }).collect();
        let affected = self.contacts_if_changed(who, &bundle.identity.0);
        self.commit(vec![Event::Uploaded {
            who: who.clone(),
            registration: bundle.registration_id,
            identity: bundle.identity.0,
            signed: SignedKey::of(bundle),
            one_time,
        }])?;
        Ok(affected)
    }

    /// Replaces the signed prekey. `false` when there are no keys to rotate.
    pub(crate) fn rotate(&mut self, who: &Jid, signed: &SignedPreKey) -> Result<bool, JournalError> {
        let known = self.keys_mut(who).is_some();
        if known {
            self.commit(vec![Event::Rotated { who: who.clone(), signed: signed.into() }])?;
        }
        Ok(known)
    }

    /// Hands out a bundle to `by`; its one-time prekey is gone for good. `None` when `of` has published nothing.
    pub(crate) fn hand_out(&mut self, of: &Jid, by: &Jid) -> Result<Option<PreKeyBundle>, JournalError> {
        let Some(keys) = self.accounts.get(of).and_then(|account| account.keys.as_ref()) else {
            return Ok(None);
        };
        let bundle = PreKeyBundle {
            registration_id: keys.registration,
            identity: PublicKey(keys.identity),
            signed_prekey_id: keys.signed.id,
            signed_prekey: keys.signed.key(),
            signed_prekey_signature: keys.signed.signature,
            prekey: keys.one_time.first_key_value().map(|(id, value)| (*id, PublicKey(*value))),
        };
        let mut events = vec![Event::Met { a: of.clone(), b: by.clone() }];
        if let Some((id, _)) = bundle.prekey {
            events.push(Event::HandedOut { who: of.clone(), id });
        }
        self.commit(events)?;
        Ok(Some(bundle))
    }

    /// What an account has published.
    pub(crate) fn keys(&self, who: &Jid) -> Option<&Keys> {
        self.accounts.get(who)?.keys.as_ref()
    }

    pub(super) fn contacts_if_changed(&self, who: &Jid, identity: &[u8; 32]) -> Vec<Jid> {
        let Some(account) = self.accounts.get(who) else { return Vec::new() };
        match &account.keys {
            Some(keys) if keys.identity != *identity => account.contacts.iter().cloned().collect(),
            _ => Vec::new(),
        }
    }

    /// Short text that changes with a blocklist (docs/spec/wire.md §5.13).
    pub(crate) fn blocklist_hash(&self, who: &Jid) -> String {
        let mut hash = Sha256::new();
        for jid in self.accounts.get(who).iter().flat_map(|account| &account.blocked) {
            hash.update(jid.to_string());
            hash.update([0]);
        }
        let hash = hash.finalize();
        hex::encode(hash.first_chunk::<8>().map_or(&[], |short| short))
    }
}
