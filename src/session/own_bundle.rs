//! Our own prekey bundle, for a peer that has lost its session with us.

use super::prekeys;
use crate::context::Context;
use crate::store::prekeys::SignedPreKeyRow;
use crate::store::row_key;
use causeway_proto::signal::prekey::PreKeyBundle;

/// Creates a bundle with a one-time prekey of its own, for a retry receipt. `None` before the enlistment.
pub(crate) fn own_bundle(cx: &mut Context<'_>) -> Option<PreKeyBundle> {
    let one_time = prekeys::make(cx, true);
    let own = cx.records.account.get(row_key::ACCOUNT)?.keys.as_ref()?;
    let SignedPreKeyRow { key: signed, .. } = cx.records.signed_prekeys.get(&row_key::prekey(own.signed_prekey_id))?;
    let one_time = cx.records.prekeys.get(&row_key::prekey(one_time))?;
    Some(PreKeyBundle {
        registration_id: own.registration_id.0,
        identity: own.identity.public(),
        signed_prekey_id: signed.id,
        signed_prekey: signed.pair.public(),
        signed_prekey_signature: signed.signature,
        prekey: Some((one_time.key.id, one_time.key.pair.public())),
    })
}
