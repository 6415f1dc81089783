//! What every room of the engine works with during one input: the time, randomness, records, and the ledger.

use crate::id::SocketId;
use crate::store::group_commit::GroupCommit;
use crate::store::records::Records;
use crate::time::Millis;
use causeway_proto::node::Node;
use rand_core::CryptoRng;

/// One input being worked on.
pub(crate) struct Context<'a> {
    pub(crate) now: Millis,
    pub(crate) rng: &'a mut dyn CryptoRng,
    pub(crate) records: &'a mut Records,
    pub(crate) group_commit: &'a mut GroupCommit,
    /// The socket in use; what is sent is meant for it alone.
    pub(crate) socket: SocketId,
}

impl Context<'_> {
    /// Sends once everything that was changed so far is durable.
    pub(crate) fn transmit(&mut self, node: Node) {
        self.group_commit.transmit(self.socket, node);
    }

    /// A stanza id that nobody can guess and that is not used again.
    pub(crate) fn stanza_id(&mut self) -> String {
        format!("{:016x}", self.rng.next_u64())
    }
}
