//! What a stanza takes in memory, roughly: the bound on waiting stanzas counts it.
//!
//! Not the bytes that arrived: those may be compressed, and a small node takes many times its bytes.

use causeway_proto::node::{Content, Node, Value};

/// Bytes for a node besides its text, and for an attribute.
const FIXED: usize = 128;

/// Bytes that a node takes, its children included.
pub(super) fn of(node: &Node) -> usize {
    let value = |value: &Value| match value {
        Value::Text(text) => text.len(),
        Value::Jid(jid) => jid.user.len(),
        Value::UnknownJid(address) => address.as_bytes().len() + address.as_str().len(),
    };
    let (mut total, mut nodes) = (0, vec![node]);
    while let Some(node) = nodes.pop() {
        total += FIXED;
        total += node.attrs.iter().map(|(key, held)| FIXED + key.len() + value(held)).sum::<usize>();
        match &node.content {
            Content::Empty => {}
            Content::Nodes(children) => nodes.extend(children),
            Content::Bytes(bytes) => total += bytes.len(),
            Content::Value(held) => total += value(held),
        }
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_inside_counts() {
        let leaf = Node::new("a").with_bytes([0; 1_000]);
        let inner = Node::new("b").with("key", "x".repeat(500)).with_nodes(vec![leaf.clone(), leaf]);
        assert!((2_500 + 4 * FIXED..3_000 + 4 * FIXED).contains(&of(&inner)), "{}", of(&inner));
        let many = Node::new("list").with_nodes(vec![Node::new("i"); 1_000]);
        assert!(of(&many) >= 1_000 * size_of::<Node>().min(FIXED));
    }
}
