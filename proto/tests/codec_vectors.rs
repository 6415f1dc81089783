//! The codec against the vectors that were made with independent implementations (wire.md §3, `binary_codec`).

use causeway_proto::node::{self, Content, Node, Value, document};
use causeway_proto::profile::{InteropJidForm, Profile};
use serde_json::Value as Json;

fn vectors() -> Json {
    let all: Json = serde_json::from_str(include_str!("../../tests/vectors/vectors.json")).unwrap();
    all["binary_codec"].clone()
}

fn from_hex(hex: &str) -> Vec<u8> {
    assert!(hex.len().is_multiple_of(2));
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

/// The vectors were made with interfaces that take every value as a string and recognise addresses by their look.
fn value(text: &str) -> Value {
    if text.contains('@') { Value::Jid(text.parse().unwrap()) } else { Value::Text(text.to_owned().into()) }
}

fn tree(json: &Json) -> Node {
    let mut node = Node::new(json["tag"].as_str().unwrap().to_owned());
    for (key, text) in json["attrs"].as_object().unwrap() {
        node = node.with(key.clone(), value(text.as_str().unwrap()));
    }
    match &json["content"] {
        Json::Null => node,
        Json::Array(children) => node.with_nodes(children.iter().map(tree).collect()),
        content => node.with_bytes(from_hex(content["hex"].as_str().unwrap())),
    }
}

fn encoded(node: &Node, interop_jid: InteropJidForm) -> Vec<u8> {
    let mut out = Vec::new();
    document::encode(node, &Profile { interop_jid, ..Profile::default() }, &mut out).unwrap();
    out
}

/// Attributes without their order, which means nothing and which JSON does not keep.
fn sorted(mut node: Node) -> Node {
    node.attrs.sort_by(|(a, _), (b, _)| a.cmp(b));
    if let Content::Nodes(nodes) = &mut node.content {
        *nodes = nodes.drain(..).map(sorted).collect();
    }
    node
}

#[test]
fn every_vector_with_a_tree_is_read_as_that_tree_and_written_as_those_bytes() {
    let mut seen = 0;
    for (name, vector) in vectors().as_object().unwrap() {
        let (Some(hex), true) = (vector["flag_and_node_hex"].as_str(), vector["decoded"].is_object()) else {
            continue;
        };
        seen += 1;
        let read = document::decode(&from_hex(hex), 0).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(sorted(read.clone()), sorted(tree(&vector["decoded"])), "{name}");
        assert_eq!(encoded(&read, InteropJidForm::Tagged), from_hex(hex), "{name}");
        assert_eq!(node::xml::parse(&node::xml::print(&read)), Ok(read), "{name}");
    }
    assert_eq!(seen, 20);
}
