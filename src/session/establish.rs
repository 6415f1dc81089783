//! New sessions, and the identity keys that come with them.

use crate::context::Context;
use crate::model::{DeviceAddress, DeviceNumber, PeerId};
use crate::peer;
use crate::store::account::AccountKeys;
use crate::store::paged::NotLoaded;
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

/// Moves the sessions with a person's devices that were kept under another address of theirs to the person.
///
/// # Errors
/// [`NotLoaded`], before anything has changed.
pub(crate) fn join(cx: &mut Context<'_>, id: &PeerId, alias: &PeerId) -> Result<(), NotLoaded> {
    let devices =
        cx.records.peers.get(id.as_str().as_bytes()).map(|peer| peer.devices.iter().map(|known| known.number));
    let mut rows = vec![(alias.to_string().into_bytes(), id.to_string().into_bytes())];
    for device in devices.into_iter().flatten().filter(|device| *device != DeviceNumber::PHONE) {
        let key = |peer: &PeerId| row_key::session(&DeviceAddress { peer: peer.clone(), device });
        rows.push((key(alias), key(id)));
    }
    let sessions = &mut cx.records.sessions;
    for (from, to) in &rows {
        sessions.want(from);
        sessions.want(to);
    }
    for (from, to) in &rows {
        sessions.get(from)?;
        sessions.get(to)?;
    }
    for (from, to) in rows {
        if let Some(other) = sessions.peek(&from).cloned() {
            sessions.delete(&from);
            let mut session = sessions.peek(&to).cloned().unwrap_or_default();
            session.absorb(other);
            sessions.put(to, session);
        }
    }
    Ok(())
}

pub(super) fn local(keys: &AccountKeys) -> LocalIdentity<'_> {
    LocalIdentity { pair: &keys.identity, registration_id: keys.registration_id.0 }
}
