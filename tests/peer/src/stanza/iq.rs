//! Requests and their answers (docs/spec/wire.md §5.1).

use causeway_proto::jid::Jid;
use causeway_proto::node::Node;

/// A request to the server; `kind` is `get` or `set`.
pub fn request(id: &str, kind: &'static str, xmlns: &'static str) -> Node {
    Node::new("iq").with("id", id.to_owned()).with("xmlns", xmlns).with("type", kind).with("to", Jid::server())
}

/// Whether an `<iq>` is an answer, not a request.
pub fn is_answer(iq: &Node) -> bool {
    matches!(iq.text("type").as_deref(), Some("result" | "error"))
}

/// The server's empty result for a request.
pub fn result(request: &Node) -> Node {
    answer(request, "result")
}

/// The server's error for a request.
pub fn error(request: &Node, code: u32, text: &'static str) -> Node {
    answer(request, "error").with_node(error_node(code, text))
}

/// An `<error>`, as it stands in an answer or for one user of a key fetch.
pub fn error_node(code: u32, text: &'static str) -> Node {
    Node::new("error").with("code", code).with("text", text)
}

/// A client's answer to the server's ping.
pub fn pong(ping: &Node) -> Node {
    let pong = Node::new("iq").with("to", Jid::server()).with("type", "result");
    match ping.attr("id") {
        Some(id) => pong.with("id", id.clone()),
        None => pong,
    }
}

fn answer(request: &Node, kind: &'static str) -> Node {
    let answer = Node::new("iq").with("from", Jid::server());
    let answer = match request.attr("id") {
        Some(id) => answer.with("id", id.clone()),
        None => answer,
    };
    answer.with("type", kind)
}
