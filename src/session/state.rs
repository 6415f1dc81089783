//! What the session module keeps between inputs: key fetches and uploads in progress, announced identities.

use crate::context::Context;
use crate::peer;
use crate::store::paged::{Found, NotLoaded};
use crate::store::records::Records;
use crate::store::row_key;
use crate::view::Issue;
use causeway_proto::jid::Jid;
use causeway_proto::signal::SessionRecord;

/// Largest number of peers with an announced identity whose keys are still to be fetched. Further ones are fetched as
/// usual.
const MAX_RENEWED: usize = 1_000;

/// Peers whose keys are being fetched, and whether keys of ours are being uploaded.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    pub(super) fetching: Vec<Jid>,
    pub(super) uploading: bool,
    pub(super) renewed: Vec<Jid>,
}

/// What a response means for the outbox.
#[derive(Debug)]
pub(crate) enum IqOutcome {
    /// Nothing.
    Nothing,
    /// These peers cannot be written to.
    Unreachable(Vec<(Jid, Issue)>),
    /// The server is busy: try again later.
    Busy,
}

impl Sessions {
    /// The connection is gone: no response will arrive.
    pub(crate) fn lost(&mut self) {
        let renewed = std::mem::take(&mut self.renewed);
        *self = Self { renewed, ..Self::default() };
    }

    /// The server announced a new identity of a peer: the next message needs new keys.
    pub(crate) fn identity_announced(&mut self, cx: &mut Context<'_>, plan: IdentityPlan) {
        let Some((peer, found)) = plan.0 else { return };
        if let Some(session) = cx.records.sessions.change(&found) {
            session.retire_current();
        }
        if self.renewed.len() < MAX_RENEWED && !self.renewed.contains(&peer) {
            self.renewed.push(peer);
        }
    }
}

/// Whose identity changed, and the session with their phone; `None` for an address of no person.
pub(crate) struct IdentityPlan(Option<(Jid, Found<SessionRecord>)>);

impl IdentityPlan {
    /// Looks up the session with the phone of a peer.
    ///
    /// # Errors
    /// [`NotLoaded`] while it is not in memory.
    pub(crate) fn plan(records: &Records, peer: &Jid) -> Result<Self, NotLoaded> {
        let peer = peer.to_bare();
        let Some(address) = peer::device_of(records, &peer) else { return Ok(Self(None)) };
        let found = records.sessions.find(row_key::session(&address))?;
        Ok(Self(Some((peer, found))))
    }
}
