//! New sessions, and the identity keys that come with them.

use crate::context::Context;
use crate::model::DeviceAddress;
use crate::peer;
use crate::store::account::AccountKeys;
use crate::store::row_key;
use causeway_proto::signal::LocalIdentity;
use causeway_proto::signal::prekey::PreKeyBundle;

/// Starts a session from a bundle and records the peer's identity. Returns false, without a change, if the bundle's
/// signature is invalid. The session row must be in memory.
pub(crate) fn begin(cx: &mut Context<'_>, address: &DeviceAddress, bundle: &PreKeyBundle) -> bool {
    let key = row_key::session(address);
    let Some(local) = cx.records.account.get(row_key::ACCOUNT).and_then(|account| account.keys.as_ref()).map(local)
    else {
        return false;
    };
    let mut session = cx.records.sessions.peek(&key).cloned().unwrap_or_default();
    if session.initiate(&local, bundle, cx.rng).is_err() {
        return false;
    }
    cx.records.sessions.put(key, session);
    peer::note_identity(cx, address, bundle.identity);
    true
}

pub(super) fn local(keys: &AccountKeys) -> LocalIdentity<'_> {
    LocalIdentity { pair: &keys.identity, registration_id: keys.registration_id.0 }
}
