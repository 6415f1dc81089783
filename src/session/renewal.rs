//! New prekeys after a restore from an older copy: the server must hand out only keys whose secret halves are here.
//!
//! The previous browser may have uploaded prekeys whose secret halves are lost. Therefore the next log-in uploads a
//! fresh set and a fresh signed prekey, under ids that the previous browser cannot have reached. A peer that used a
//! lost key gets a retry receipt. What this module does not know: how old the copy is, and the state of sessions.

use super::prekeys::signed_prekey;
use crate::context::Context;
use crate::id::PreKeyId;
use crate::store::prekeys::SignedPreKeyRow;
use crate::store::row_key;

/// More ids than any browser uses between a backup and a restore.
const ID_DISTANCE: u32 = 1 << 16;

/// Moves the next ids far from the old ones, by a random distance, so that two restores of one file differ.
pub(crate) fn renew(cx: &mut Context<'_>) {
    let now = cx.now.seconds();
    let account = cx.records.change_account();
    account.next_prekey_id = far_from(account.next_prekey_id, cx.rng.next_u32());
    account.prekeys_on_server = None;
    // Any of these may have been handed out since the copy was made: none is uploaded again.
    let here: Vec<Vec<u8>> = cx.records.prekeys.iter().map(|(key, _)| key.to_vec()).collect();
    for key in here {
        if let Some(row) = cx.records.prekeys.change(&key) {
            row.uploaded = true;
        }
    }
    let random = cx.rng.next_u32();
    let Some(own) = cx.records.change_account().keys.as_mut() else { return };
    let id = far_from(own.signed_prekey_id, random);
    let replaced = own.next_signed_prekey_id.replace(id);
    let key = signed_prekey(id, &own.identity, now, cx.rng);
    if let Some(replaced) = replaced
        && let Some(row) = cx.records.signed_prekeys.change(&row_key::prekey(replaced))
    {
        row.replaced = Some(now);
    }
    cx.records.signed_prekeys.put(row_key::prekey(id), SignedPreKeyRow { key, replaced: None });
}

/// An id at least [`ID_DISTANCE`] after `id` and as much before it, going round.
fn far_from(id: PreKeyId, random: u32) -> PreKeyId {
    let PreKeyId(last) = PreKeyId::LAST;
    let ahead = ID_DISTANCE + random % (last - 2 * ID_DISTANCE);
    PreKeyId((id.0.min(last) + ahead) % last + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAST_ID: u32 = PreKeyId::LAST.0;

    #[test]
    fn a_far_id_is_an_id_and_far() {
        for id in [0, 1, 800, ID_DISTANCE, LAST_ID - 1, LAST_ID] {
            for random in [0, 1, 12_345_678, LAST_ID - 2 * ID_DISTANCE - 1, u32::MAX] {
                let far = far_from(PreKeyId(id), random).0;
                assert!((1..=LAST_ID).contains(&far));
                assert!(
                    far.abs_diff(id) >= ID_DISTANCE - 1 && far.abs_diff(id) <= LAST_ID - ID_DISTANCE + 1,
                    "{id} {far}"
                );
            }
        }
    }
}
