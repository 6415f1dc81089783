//! The encoder writes into the given buffer and allocates nothing while its capacity suffices.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::as_conversions,
    reason = "tests fail by panicking"
)]
#![cfg(not(target_family = "wasm"))]

use causeway_proto::jid::{Jid, Server};
use causeway_proto::node::{self, Node};
use causeway_proto::profile::{InteropJidForm, Profile};

fn stanza() -> Node {
    let jid = |server| Jid { server, ..Jid::user("987654321012345").on_device(3) };
    Node::new("message")
        .with("to", Jid::user("14155551001"))
        .with("from", Jid::interop(999, "10853634039893").on_device(12))
        .with("participant", jid(Server::Lid))
        .with("recipient", jid(Server::Messenger))
        .with("id", "3EB0C767D0A1B2C3")
        .with("type", "text")
        .with("t", 1_700_000_000_u64)
        .with("notify", "Zoë with a name that is no word")
        .with("long", "ab".repeat(400))
        .with_nodes(vec![
            Node::new("enc").with("v", "2").with("type", "msg").with_bytes(vec![0xAB; 300]),
            Node::new("offline_batch").with("count", "100").with_text("retry"),
            Node::new("list").with_nodes(Vec::new()),
        ])
}

#[test]
fn nothing_is_allocated_while_the_capacity_suffices() {
    let node = stanza();
    let mut out = Vec::with_capacity(4096);
    for interop_jid in [InteropJidForm::Tagged, InteropJidForm::TaggedEmptyServer, InteropJidForm::Pair] {
        let profile = Profile { interop_jid, ..Profile::default() };
        out.clear();
        let counted = allocation_counter::measure(|| node::document::encode(&node, &profile, &mut out).unwrap());
        assert_eq!(counted.count_total, 0, "{interop_jid:?}");
        assert_eq!(node::document::decode(&out, 0).as_ref(), Ok(&node));
    }
}

#[test]
fn the_counter_counts() {
    let node = stanza();
    let counted = allocation_counter::measure(|| node::encode(&node, &Profile::default(), &mut Vec::new()).unwrap());
    assert!(counted.count_total > 0);
}

#[test]
fn words_are_not_copied_when_read() {
    let mut bytes = Vec::new();
    let words = Node::new("iq").with("type", "get").with("xmlns", "encrypt").with("class", "receipt");
    node::encode(&words, &Profile::default(), &mut bytes).unwrap();
    let counted = allocation_counter::measure(|| drop(node::decode(&bytes).unwrap()));
    assert_eq!(counted.count_total, 1, "the list of attributes and nothing else");
}

#[test]
fn a_short_document_cannot_make_the_decoder_allocate_much() {
    // Lists within lists, each of which announces as many children as it can.
    let mut bytes = Vec::new();
    for _ in 0..60 {
        bytes.extend([0xF8, 2, 19, 0xF9, 0x40, 0]);
    }
    bytes.resize(60_000, 0);
    let counted = allocation_counter::measure(|| assert!(node::decode(&bytes).is_err()));
    assert!(counted.bytes_max < 100 * bytes.len() as u64, "{counted:?}");
}
