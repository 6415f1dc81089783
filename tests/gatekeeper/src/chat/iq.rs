//! Requests and their answers (docs/spec/wire.md §5.1). Every request is answered; an unknown one with an error.

use super::{blocklist, keys, usync};
use crate::sandbox::Sandbox;
use causeway_peer::stanza::iq::{error, is_answer, result};
use causeway_proto::jid::Jid;
use causeway_proto::node::Node;

/// The privacy settings that clients read at start; the sandbox offers one choice.
const PRIVACY: &[(&str, &str)] = &[
    ("last", "all"),
    ("online", "all"),
    ("profile", "all"),
    ("status", "all"),
    ("readreceipts", "all"),
    ("groupadd", "all"),
    ("calladd", "all"),
];

/// The answer to a request; `None` for answers to the server's own.
pub(super) fn answer(sandbox: &Sandbox, who: &Jid, iq: &Node) -> Option<Node> {
    let kind = iq.text("type")?;
    if is_answer(iq) {
        return None;
    }
    let set = kind == "set";
    Some(match iq.text("xmlns").as_deref() {
        Some("w:p" | "urn:xmpp:ping") => result(iq).with("t", sandbox.clock.now_secs().get()),
        Some("encrypt") => keys::answer(sandbox, who, iq, set),
        Some("blocklist") => blocklist::answer(sandbox, who, iq, set),
        Some("usync") => usync::answer(sandbox, iq),
        Some("w:m") => result(iq).with_node(media_hosts(sandbox)),
        Some("privacy") if set => result(iq),
        Some("privacy") => result(iq).with_node(privacy()),
        Some("abt" | "w") if !set => result(iq).with_node(Node::new("props")),
        Some("urn:xmpp:whatsapp:push" | "urn:xmpp:whatsapp:dirty" | "w:stats" | "status" | "disappearing_mode") => {
            result(iq)
        }
        Some("w:profile:picture") => error(iq, 404, "item-not-found"),
        _ => error(iq, 501, "feature-not-implemented"),
    })
}

/// Media go over the sandbox's own HTTP server (docs/spec/wire.md §5.16).
fn media_hosts(sandbox: &Sandbox) -> Node {
    let host = Node::new("host").with("hostname", sandbox.http_addr.to_string()).with("type", "primary");
    Node::new("media_conn").with("auth", "sandbox").with("ttl", "3600").with("auth_ttl", "3600").with_node(host)
}

fn privacy() -> Node {
    let category =
        |(name, value): &(&'static str, &'static str)| Node::new("category").with("name", *name).with("value", *value);
    Node::new("privacy").with_nodes(PRIVACY.iter().map(category).collect())
}
