//! The context of one input: time, randomness, rows in memory, and the group commit. Every module works through it.

use crate::id::SocketId;
use crate::iq::{PendingIqs, Purpose};
use crate::model::StanzaId;
use crate::store::group_commit::GroupCommit;
use crate::store::records::Records;
use crate::time::UnixMillis;
use crate::trace::{Event, Trace};
use causeway_proto::node::Node;
use rand_core::CryptoRng;

/// What a module may use while one input is handled.
pub(crate) struct Context<'a> {
    pub(crate) now: UnixMillis,
    pub(crate) rng: &'a mut dyn CryptoRng,
    pub(crate) records: &'a mut Records,
    pub(crate) group_commit: &'a mut GroupCommit,
    pub(crate) iqs: &'a mut PendingIqs,
    pub(crate) trace: &'a mut Trace,
    /// The current socket; a stanza is sent on no other.
    pub(crate) socket: SocketId,
}

impl Context<'_> {
    /// Sends a stanza when everything changed so far is durable.
    pub(crate) fn transmit(&mut self, node: Node) {
        self.group_commit.transmit(self.socket, node);
    }

    /// The stanza id of an IQ for this purpose, which the caller sends; `None` if too many are in flight.
    pub(crate) fn begin_iq(&mut self, purpose: Purpose) -> Option<StanzaId> {
        let id = self.stanza_id();
        self.iqs.insert(id.clone(), purpose, self.now).then_some(id)
    }

    /// Records what happened, for support.
    pub(crate) fn note(&mut self, event: Event) {
        self.trace.note(self.now, event);
    }

    /// A random stanza id of 16 hex digits.
    pub(crate) fn stanza_id(&mut self) -> StanzaId {
        StanzaId::new(format!("{:016x}", self.rng.next_u64()))
    }
}
