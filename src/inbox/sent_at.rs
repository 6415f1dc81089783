//! When a message was sent.

use crate::context::Context;
use crate::time::{UnixMillis, UnixSeconds};
use causeway_proto::stanza::message::Incoming;

/// When the server got the message; our time if it does not say.
pub(super) fn sent_at(cx: &Context<'_>, incoming: &Incoming) -> UnixMillis {
    incoming.t.map_or(cx.now, |seconds| UnixSeconds(seconds).millis())
}
