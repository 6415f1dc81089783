//! What the server sends at the beginning and at the end of a session (docs/spec/wire.md §5.2, §5.5).

use causeway_proto::jid::Jid;
use causeway_proto::node::Node;

/// The login is accepted at `t` (unix seconds).
pub fn success(t: u64) -> Node {
    Node::new("success").with("t", t)
}

/// The login is refused.
pub fn failure(reason: u32) -> Node {
    Node::new("failure").with("reason", reason)
}

/// Number of stanzas that wait in the mailbox; `messages` of them are messages.
pub fn offline_preview(count: u32, messages: u32) -> Node {
    Node::new("offline_preview").with("count", count).with("message", messages)
}

/// Everything that waited at the login, `count` stanzas, was sent.
pub fn offline_end(count: u32) -> Node {
    Node::new("offline").with("count", count)
}

/// A bulletin with this content.
pub fn bulletin(content: Node) -> Node {
    Node::new("ib").with_node(content)
}

/// The server ends the stream with this code.
pub fn stream_error(code: u32) -> Node {
    Node::new("stream:error").with("code", code)
}

/// The server ends the stream because another connection of the same user has logged in.
pub fn replaced() -> Node {
    Node::new("stream:error").with_node(Node::new("conflict").with("type", "replaced"))
}

/// A notification about keys; its content is `<count>` or `<identity>` (docs/spec/wire.md §5.7, §5.11).
pub fn key_notification(from: &Jid, id: String, content: Node) -> Node {
    Node::new("notification").with("from", from).with("type", "encrypt").with("id", id).with_node(content)
}

/// The number of one-time prekeys that the server holds.
pub fn prekey_count(value: usize) -> Node {
    Node::new("count").with("value", value.to_string())
}
