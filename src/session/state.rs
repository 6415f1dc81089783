//! What the session module keeps between inputs: key fetches and uploads in progress, announced identities.

use crate::context::Context;
use crate::peer;
use crate::store::paged::NotLoaded;
use crate::store::row_key;
use crate::view::Issue;
use causeway_proto::jid::Jid;

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
    pub(crate) fn identity_announced(&mut self, cx: &mut Context<'_>, peer: &Jid) -> Result<(), NotLoaded> {
        let peer = peer.to_bare();
        let Some(address) = peer::device_of(cx.records, &peer) else { return Ok(()) };
        if let Some(session) = cx.records.sessions.change(&row_key::session(&address))? {
            session.retire_current();
        }
        if self.renewed.len() < MAX_RENEWED && !self.renewed.contains(&peer) {
            self.renewed.push(peer);
        }
        Ok(())
    }
}
