//! The context of one input: time, randomness, rows in memory, and the group commit. Every module works through it.

use crate::id::SocketId;
use crate::store::group_commit::GroupCommit;
use crate::store::records::Records;
use crate::time::Millis;
use causeway_proto::node::Node;
use rand_core::CryptoRng;

/// What a module may use while one input is handled.
pub(crate) struct Context<'a> {
    pub(crate) now: Millis,
    pub(crate) rng: &'a mut dyn CryptoRng,
    pub(crate) records: &'a mut Records,
    pub(crate) group_commit: &'a mut GroupCommit,
    /// The current socket; a stanza is sent on no other.
    pub(crate) socket: SocketId,
}

impl Context<'_> {
    /// Sends a stanza when everything changed so far is durable.
    pub(crate) fn transmit(&mut self, node: Node) {
        self.group_commit.transmit(self.socket, node);
    }

    /// A random stanza id of 16 hex digits.
    pub(crate) fn stanza_id(&mut self) -> String {
        format!("{:016x}", self.rng.next_u64())
    }
}
