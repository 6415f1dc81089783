//! New sessions, and the identity keys that come with them.

use crate::context::Context;
use crate::model::{DeviceAddress, DeviceNumber, PeerId};
use crate::peer;
use crate::store::account::AccountKeys;
use crate::store::paged::{Found, NotLoaded};
use crate::store::records::Records;
use crate::store::row_key;
use causeway_proto::signal::prekey::PreKeyBundle;
use causeway_proto::signal::{LocalIdentity, SessionRecord};

/// Starts a session with a device from a bundle, in its session row, and records the peer's identity. Returns false,
/// without a change, if the bundle's signature is invalid.
pub(crate) fn begin(
    cx: &mut Context<'_>,
    address: &DeviceAddress,
    found: &Found<SessionRecord>,
    bundle: &PreKeyBundle,
) -> bool {
    let Some(local) = cx.records.account.get(row_key::ACCOUNT).and_then(|account| account.keys.as_ref()).map(local)
    else {
        return false;
    };
    let mut session = cx.records.sessions.row(found).cloned().unwrap_or_default();
    if session.initiate(&local, bundle, cx.rng).is_err() {
        return false;
    }
    cx.records.sessions.set(found, session);
    peer::note_identity(cx, address, bundle.identity);
    true
}

/// The sessions with each device of a person: under another address of theirs, and under the person's.
pub(crate) struct JoinPlan(Vec<(Found<SessionRecord>, Found<SessionRecord>)>);

impl JoinPlan {
    /// Looks up the sessions.
    ///
    /// # Errors
    /// [`NotLoaded`] while one is not in memory.
    pub(crate) fn plan(records: &Records, id: &PeerId, alias: &PeerId) -> Result<Self, NotLoaded> {
        let devices =
            records.peers.get(id.as_str().as_bytes()).map(|peer| peer.devices.iter().map(|known| known.number));
        let mut keys = vec![(alias.to_string().into_bytes(), id.to_string().into_bytes())];
        for device in devices.into_iter().flatten().filter(|device| *device != DeviceNumber::PHONE) {
            let key = |peer: &PeerId| row_key::session(&DeviceAddress { peer: peer.clone(), device });
            keys.push((key(alias), key(id)));
        }
        let sessions = &records.sessions;
        for (from, to) in &keys {
            sessions.want(from);
            sessions.want(to);
        }
        let mut found = Vec::new();
        for (from, to) in keys {
            found.push((sessions.find(from)?, sessions.find(to)?));
        }
        Ok(Self(found))
    }

    /// Moves the sessions to the person.
    pub(crate) fn apply(self, records: &mut Records) {
        let sessions = &mut records.sessions;
        for (from, to) in self.0 {
            if let Some(other) = sessions.take(&from) {
                let mut session = sessions.take(&to).unwrap_or_default();
                session.absorb(other);
                sessions.set(&to, session);
            }
        }
    }
}

pub(super) fn local(keys: &AccountKeys) -> LocalIdentity<'_> {
    LocalIdentity { pair: &keys.identity, registration_id: keys.registration_id.0 }
}
