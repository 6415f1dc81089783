//! The address of Alice, the simulated user of our client. Must not know any other module.

use causeway_proto::jid::Jid;

/// The user part of Alice's JID.
pub(crate) const ALICE: &str = "10853634039893";

/// Alice's address at the chat server.
pub(crate) fn alice() -> Jid {
    Jid::interop(1, ALICE)
}
