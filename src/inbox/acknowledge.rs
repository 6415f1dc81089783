//! Acknowledgements of stanzas that are not messages.

use crate::context::Context;
use causeway_proto::node::Node;
use causeway_proto::stanza::Ack;

/// Acknowledges a stanza whose class requires it.
pub(crate) fn acknowledge(cx: &mut Context<'_>, node: &Node) {
    if let Some(ack) = Ack::for_node(node, None) {
        cx.transmit(ack);
    }
}
