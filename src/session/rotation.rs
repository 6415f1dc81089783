//! Signed prekeys: a new one each week, the old ones kept while mail that was encrypted to them may still come.
//!
//! ```text
//!   in use ── a week old, mailbox read ──▶ a new one is durable ── server has it ──▶ the new one is in use
//!     │
//!     └── replaced 35 days ago, mailbox read ──▶ gone
//! ```
//!
//! A new key is durable before it is uploaded, and stays the candidate until the server confirms it, across restarts.
//! What this module does not know: which peer used which key.

use super::prekeys::signed_prekey;
use super::state::Sessions;
use crate::context::Context;
use crate::id::PreKeyId;
use crate::iq::Purpose;
use crate::store::account::AccountKeys;
use crate::store::prekeys::SignedPreKeyRow;
use crate::store::records::Records;
use crate::store::row_key;
use crate::time::{Seconds, UnixSeconds};
use causeway_proto::stanza::prekeys as stanzas;

/// Seconds in a day.
const DAY: u64 = 86_400;
/// Time that a signed prekey is in use. A stolen one exposes the first messages of that time.
const LIFETIME: Seconds = Seconds(7 * DAY);
/// The mailbox holds mail for 30 days (docs/spec/wire.md §5.5, §5.7), and clocks differ.
const RETENTION: Seconds = Seconds(35 * DAY);

impl Sessions {
    /// The mailbox has been read: queued messages to old keys have been decrypted.
    pub(crate) fn mailbox_read(&mut self, cx: &mut Context<'_>) {
        prune(cx);
        self.rotate(cx);
    }

    /// Starts a rotation if the key in use is old, or continues one that was not confirmed.
    pub(super) fn rotate(&mut self, cx: &mut Context<'_>) {
        if cx.iqs.any(|purpose| matches!(purpose, Purpose::SignedPreKey(_))) {
            return;
        }
        let Some(candidate) = candidate(cx) else { return };
        let Some(id) = cx.begin_iq(Purpose::SignedPreKey(candidate)) else { return };
        let Some(row) = cx.records.signed_prekeys.get(&row_key::prekey(candidate)) else { return };
        let request = stanzas::rotate_request(id.as_str(), &row.key);
        cx.transmit(request);
    }
}

/// Id of the next key, which is created if the key in use is old.
fn candidate(cx: &mut Context<'_>) -> Option<PreKeyId> {
    let now = cx.now.seconds();
    let account = cx.records.account.get(row_key::ACCOUNT)?;
    let own = account.keys.as_ref()?;
    let held = |id| cx.records.signed_prekeys.get(&row_key::prekey(id));
    if let Some(candidate) = own.next_signed_prekey_id.filter(|&id| held(id).is_some()) {
        return Some(candidate);
    }
    // A key in use whose row is damaged opens nothing: it is replaced at once.
    if held(own.signed_prekey_id).is_some_and(|current| now < UnixSeconds(current.key.created).after(LIFETIME)) {
        return None;
    }
    let id = free_id(cx.records, own.signed_prekey_id);
    let key = signed_prekey(id, &own.identity, now, cx.rng);
    cx.records.signed_prekeys.put(row_key::prekey(id), SignedPreKeyRow { key, replaced: None });
    change_keys(cx)?.next_signed_prekey_id = Some(id);
    Some(id)
}

/// The first id after this one that no row has, not even a damaged one: a peer may hold the key that was under it.
pub(crate) fn free_id(records: &Records, mut id: PreKeyId) -> PreKeyId {
    // Bounded: there are fewer rows than ids, by far.
    loop {
        id = id.next();
        if records.signed_prekeys.is_absent(&row_key::prekey(id)) {
            return id;
        }
    }
}

/// The server has confirmed the new key.
pub(super) fn rotated(cx: &mut Context<'_>, id: PreKeyId) {
    let now = cx.now.seconds();
    let Some(own) = change_keys(cx) else { return };
    if own.next_signed_prekey_id != Some(id) {
        return;
    }
    own.next_signed_prekey_id = None;
    let replaced = std::mem::replace(&mut own.signed_prekey_id, id);
    if let Some(row) = cx.records.signed_prekeys.change(&row_key::prekey(replaced)) {
        row.replaced = Some(now);
    }
}

/// Deletes keys that no queued message can need.
fn prune(cx: &mut Context<'_>) {
    let now = cx.now.seconds();
    let old = |row: &SignedPreKeyRow| row.replaced.is_some_and(|at| at.after(RETENTION) < now);
    let gone: Vec<Vec<u8>> =
        cx.records.signed_prekeys.iter().filter(|(_, row)| old(row)).map(|(key, _)| key.to_vec()).collect();
    for key in gone {
        cx.records.signed_prekeys.delete(&key);
    }
}

fn change_keys<'a>(cx: &'a mut Context<'_>) -> Option<&'a mut AccountKeys> {
    cx.records.change_account().keys.as_mut()
}
