//! When a message was sent.

use crate::context::Context;
use crate::time::{Millis, SECOND};
use causeway_proto::stanza::message::Incoming;

/// When the server got the message, in milliseconds; our time if it does not say.
pub(super) fn sent_at(cx: &Context<'_>, incoming: &Incoming) -> Millis {
    incoming.t.map_or(cx.now, |seconds| seconds.saturating_mul(SECOND))
}
