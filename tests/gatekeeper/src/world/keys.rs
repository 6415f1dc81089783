//! The key directory: what each account has published, and who must hear when an identity changes.

use super::{Event, JournalError, Keys, OneTimeKey, SignedKey, World};
use causeway_proto::jid::Jid;
use sha2::{Digest as _, Sha256};

/// One-time prekeys held per account at most: the largest upload in the field is 812.
const MAX_ONE_TIME: usize = 5_000;

/// What a key fetch hands out.
pub(crate) struct Bundle {
    pub(crate) registration: u32,
    pub(crate) identity: [u8; 32],
    pub(crate) signed: SignedKey,
    /// Absent when exhausted.
    pub(crate) one_time: Option<OneTimeKey>,
}

impl World {
    /// One-time prekeys that are left.
    pub(crate) fn prekey_count(&self, who: &Jid) -> usize {
        self.accounts.get(who).and_then(|account| account.keys.as_ref()).map_or(0, |keys| keys.one_time.len())
    }

    /// Stores an upload. Returns those who must hear that the identity key has changed.
    pub(crate) fn upload(
        &mut self,
        who: &Jid,
        registration: u32,
        identity: [u8; 32],
        signed: SignedKey,
        mut one_time: Vec<OneTimeKey>,
    ) -> Result<Vec<Jid>, JournalError> {
        one_time.truncate(MAX_ONE_TIME.saturating_sub(self.prekey_count(who)));
        let affected = self.contacts_if_changed(who, &identity);
        self.commit(vec![Event::Uploaded { who: who.clone(), registration, identity, signed, one_time }])?;
        Ok(affected)
    }

    /// Replaces the signed prekey. `false` when there are no keys to rotate.
    pub(crate) fn rotate(&mut self, who: &Jid, signed: SignedKey) -> Result<bool, JournalError> {
        let known = self.keys_mut(who).is_some();
        if known {
            self.commit(vec![Event::Rotated { who: who.clone(), signed }])?;
        }
        Ok(known)
    }

    /// Hands out a bundle to `by`; its one-time prekey is gone for good. `None` when `of` has published nothing.
    pub(crate) fn hand_out(&mut self, of: &Jid, by: &Jid) -> Result<Option<Bundle>, JournalError> {
        let Some(keys) = self.accounts.get(of).and_then(|account| account.keys.as_ref()) else {
            return Ok(None);
        };
        let one_time = keys.one_time.first_key_value().map(|(id, value)| OneTimeKey { id: *id, value: *value });
        let bundle =
            Bundle { registration: keys.registration, identity: keys.identity, signed: keys.signed.clone(), one_time };
        let mut events = vec![Event::Met { a: of.clone(), b: by.clone() }];
        if let Some(key) = &bundle.one_time {
            events.push(Event::HandedOut { who: of.clone(), id: key.id });
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

    /// Short text that changes with a blocklist (wire.md §5.13).
    pub(crate) fn blocklist_hash(&self, who: &Jid) -> String {
        let mut hash = Sha256::new();
        for jid in self.accounts.get(who).iter().flat_map(|account| &account.blocked) {
            hash.update(jid.to_string());
            hash.update([0]);
        }
        crate::hex::encode(&hash.finalize()[..8])
    }
}
