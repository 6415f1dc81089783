//! Signed prekeys: a new one each week, the old ones kept while mail that was encrypted to them may still come.
//!
//! ```text
//!   in use ── a week old, mailbox read ──▶ a new one is durable ── server has it ──▶ the new one is in use
//!     │
//!     └── replaced 35 days ago, mailbox read ──▶ gone
//! ```
//!
//! A new key is durable before the server hears of it, and stays the candidate until the server confirms it, over any number
//! of restarts. What this module does not know: who wrote with which key.

use super::prekeys::LAST_ID;
use super::{Asked, Sessions, signed_prekey};
use crate::store::account::Keys;
use crate::store::keys;
use crate::store::prekeys::Signed;
use crate::turn::Turn;
use causeway_proto::stanza::prekeys as stanzas;

/// Seconds in a day.
const DAY: u64 = 86_400;
/// A signed prekey is in use for this long. Whoever steals one can read the first messages of that time.
const IN_USE: u64 = 7 * DAY;
/// The mailbox holds mail for 30 days (wire.md §5.5, §5.7), and clocks differ.
const KEPT: u64 = 35 * DAY;

impl Sessions {
    /// The mailbox has been read: whatever was encrypted to old keys and waited is here.
    pub(crate) fn mailbox_read(&mut self, turn: &mut Turn<'_>) {
        prune(turn);
        self.rotate(turn);
    }

    /// Begins a rotation if it is time, or goes on with one that was not confirmed.
    pub(super) fn rotate(&mut self, turn: &mut Turn<'_>) {
        if self.asked.any(|asked| matches!(asked, Asked::Rotate(_))) {
            return;
        }
        let Some(candidate) = candidate(turn) else { return };
        let id = turn.stanza_id();
        let Some(row) = turn.records.signed_prekeys.peek(&keys::prekey(candidate)) else { return };
        let request = stanzas::rotate_request(&id, &row.key);
        turn.transmit(request);
        self.asked.insert(id, Asked::Rotate(candidate), turn.now);
    }
}

/// The key that is to be used next, made if it is time for one.
fn candidate(turn: &mut Turn<'_>) -> Option<u32> {
    let now = turn.now / 1000;
    let account = turn.records.account.peek(keys::ACCOUNT)?;
    let own = account.keys.as_ref()?;
    if let Some(candidate) = own.next_signed_prekey_id {
        return Some(candidate);
    }
    let current = turn.records.signed_prekeys.peek(&keys::prekey(own.signed_prekey_id))?;
    if now < current.key.created.saturating_add(IN_USE) {
        return None;
    }
    let mut id = own.signed_prekey_id;
    // Bounded: there are fewer rows than ids, by far.
    loop {
        id = if id >= LAST_ID { 1 } else { id + 1 };
        if turn.records.signed_prekeys.peek(&keys::prekey(id)).is_none() {
            break;
        }
    }
    let key = signed_prekey(id, &own.identity, now, turn.rng);
    turn.records.signed_prekeys.put(keys::prekey(id), Signed { key, replaced: 0 });
    change_keys(turn)?.next_signed_prekey_id = Some(id);
    Some(id)
}

/// The server has the new key.
pub(super) fn rotated(turn: &mut Turn<'_>, id: u32) {
    let now = turn.now / 1000;
    let Some(own) = change_keys(turn) else { return };
    if own.next_signed_prekey_id != Some(id) {
        return;
    }
    own.next_signed_prekey_id = None;
    let replaced = std::mem::replace(&mut own.signed_prekey_id, id);
    if let Ok(Some(row)) = turn.records.signed_prekeys.change(&keys::prekey(replaced)) {
        row.replaced = now;
    }
}

/// Removes keys that no mail can need any more.
fn prune(turn: &mut Turn<'_>) {
    let now = turn.now / 1000;
    let old = |row: &Signed| row.replaced > 0 && row.replaced.saturating_add(KEPT) < now;
    let gone: Vec<Vec<u8>> =
        turn.records.signed_prekeys.iter().filter(|(_, row)| old(row)).map(|(key, _)| key.to_vec()).collect();
    for key in gone {
        turn.records.signed_prekeys.delete(&key);
    }
}

fn change_keys<'a>(turn: &'a mut Turn<'_>) -> Option<&'a mut Keys> {
    turn.records.change_account().keys.as_mut()
}
