//! The codec against the vectors that were made with independent implementations (docs/spec/wire.md §3,
//! `binary_codec`).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::as_conversions,
    reason = "tests fail by panicking"
)]

use std::collections::BTreeSet;

use causeway_proto::frame::{self, FrameError, FrameReader};
use causeway_proto::jid::{Jid, Server};
use causeway_proto::node::{self, Content, DecodeError, Node, Value, document};
use causeway_proto::profile::{InteropJidForm, Profile};
use serde_json::Value as Json;

fn vectors() -> Json {
    let all: Json = serde_json::from_str(include_str!("../../tests/vectors/vectors.json")).unwrap();
    all["binary_codec"].clone()
}

/// Vectors without a tree, each with a test of its own below. With those that have one, they are all there are.
const TREELESS: [&str; 13] = [
    "seed_as_printed",
    "seed_fixed_length_only",
    "interop_jid_245_server_string",
    "interop_jid_245_server_list_empty",
    "interop_jid_245_no_server",
    "interop_jid_as_pair",
    "interop_jid_245_device_3_integrator_999",
    "msgr_jid_246",
    "hosted_ad_jid",
    "server_jid",
    "list16_300_children",
    "binary20_len_65536_head",
    "compressed_frame",
];

fn bytes(name: &str, field: &str) -> Vec<u8> {
    assert!(TREELESS.contains(&name) || vectors()[name]["decoded"].is_object());
    from_hex(vectors()[name][field].as_str().unwrap_or_else(|| panic!("{name} has no {field}")))
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
    let mut rest: BTreeSet<&str> = TREELESS.into();
    for (name, vector) in vectors().as_object().unwrap() {
        if !vector["decoded"].is_object() {
            assert!(rest.remove(&**name), "{name} is tested nowhere");
            continue;
        }
        let hex = vector["flag_and_node_hex"].as_str().unwrap();
        let read = document::decode(&from_hex(hex), 0).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(sorted(read.clone()), sorted(tree(&vector["decoded"])), "{name}");
        assert_eq!(encoded(&read, InteropJidForm::Tagged), from_hex(hex), "{name}");
        assert_eq!(node::xml::parse(&node::xml::print(&read)), Ok(read), "{name}");
    }
    assert!(rest.is_empty(), "gone from the vectors: {rest:?}");
}

/// The example of docs/spec/enlistment.md §2.1.2, with its two errata (docs/spec/wire.md §3.6).
#[test]
fn the_seeds_example_is_read_once_its_length_is_right() {
    let wanted = document::decode(&bytes("seed_corrected", "flag_and_node_hex"), 0).unwrap();

    // First erratum: the length of the body says 14, the text has 21 bytes, and seven are left over.
    let printed = bytes("seed_as_printed", "node_hex_without_flag");
    let end = printed.len() - 7;
    assert_eq!(node::decode(&printed), Err(DecodeError::TrailingBytes { offset: end, got: 7 }));
    let cut_short = node::decode(&printed[..end]).unwrap();
    assert_eq!(cut_short.child("body").unwrap().bytes(), Some(&b"Body text of m"[..]));

    let mut fixed = printed.clone();
    fixed[printed.len() - 22] = 21;
    assert_eq!(fixed, bytes("seed_fixed_length_only", "node_hex_without_flag"));
    assert_eq!(node::decode(&fixed).as_ref(), Ok(&wanted));

    // Second: its id is six raw bytes, where every encoder that is known, and ours, packs it into three.
    let written = encoded(&wanted, InteropJidForm::Tagged);
    assert_eq!(written, bytes("seed_corrected", "flag_and_node_hex"));
    assert!(fixed.windows(8).any(|window| window == b"\xFC\x06123456"));
    assert_eq!(written.len() - 1, fixed.len() - 3);
    assert_eq!(
        wanted.to_string(),
        "<message to=\"14155551001@s.whatsapp.net\" from=\"14155551000@s.whatsapp.net\" id=\"123456\" type=\"text\" \
         notify=\"joe\"><body>&bytes;Body text of message.</body></message>"
    );
}

#[test]
fn all_forms_of_an_interop_address_are_read_and_the_profile_says_which_is_written() {
    let jid = Jid::interop(1, "10853634039893");
    assert_eq!(jid.to_string(), "1-10853634039893@interop");
    let node = Node::new("to").with("jid", &jid);
    for (name, form) in [
        ("interop_jid_245_server_string", InteropJidForm::Tagged),
        ("interop_jid_245_server_list_empty", InteropJidForm::TaggedEmptyServer),
        ("interop_jid_245_no_server", InteropJidForm::TaggedNoServer),
        ("interop_jid_as_pair", InteropJidForm::Pair),
    ] {
        let bytes = bytes(name, "flag_and_node_hex");
        assert_eq!(document::decode(&bytes, 0).as_ref(), Ok(&node), "{name}");
        assert_eq!(encoded(&node, form), bytes, "{name}");
    }

    let other = Node::new("to").with("jid", Jid::interop(999, "10853634039893").on_device(3));
    let bytes = bytes("interop_jid_245_device_3_integrator_999", "flag_and_node_hex");
    assert_eq!(document::decode(&bytes, 0).as_ref(), Ok(&other));
    assert_eq!(encoded(&other, InteropJidForm::Tagged), bytes);
    assert_eq!(document::decode(&encoded(&other, InteropJidForm::Pair), 0), Ok(other));
}

#[test]
fn addresses_of_messenger_hosted_devices_and_the_server() {
    for (name, key, jid) in [
        ("msgr_jid_246", "jid", Jid { server: Server::Messenger, ..Jid::user("100012345").on_device(7) }),
        ("hosted_ad_jid", "jid", Jid { server: Server::Hosted, ..Jid::user("14155551001").on_device(99) }),
        ("server_jid", "to", Jid::server()),
    ] {
        let bytes = bytes(name, "flag_and_node_hex");
        let read = document::decode(&bytes, 0).unwrap();
        assert_eq!(read.attrs, [(key.into(), Value::Jid(jid))], "{name}");
        assert_eq!(encoded(&read, InteropJidForm::Tagged), bytes, "{name}");
    }
    // The server as a word is text that means the same.
    let word = node::decode(&[0xF8, 3, 25, 17, 3]).unwrap();
    assert_eq!(word.attr("to"), Some(&Value::Text("s.whatsapp.net".into())));
    assert_eq!(word.jid("to"), Ok(Some(Jid::server())));
}

#[test]
fn a_list_beyond_255_children() {
    let bytes = bytes("list16_300_children", "flag_and_node_hex");
    let read = document::decode(&bytes, 0).unwrap();
    assert_eq!(read.children().len(), 300);
    assert!(read.children().iter().all(|child| child.text("id").as_deref() == Some("A")));
    assert_eq!(encoded(&read, InteropJidForm::Tagged), bytes);
}

#[test]
fn the_three_lengths_of_binary() {
    for (length, header) in [
        (255, &[0xFC, 0xFF][..]),
        (256, &[0xFD, 0, 1, 0]),
        ((1 << 20) - 1, &[0xFD, 0x0F, 0xFF, 0xFF]),
        (1 << 20, &[0xFE, 0, 0x10, 0, 0]),
    ] {
        let node = Node::new("enc").with_bytes(vec![0; length]);
        let bytes = encoded(&node, InteropJidForm::Tagged);
        assert_eq!(&bytes[4..4 + header.len()], header);
        assert_eq!(document::decode(&bytes, 0), Ok(node));
    }
    let node = Node::new("enc").with("v", "2").with("type", "msg").with_bytes(vec![0; 65_536]);
    let head = bytes("binary20_len_65536_head", "flag_and_node_hex");
    assert_eq!(encoded(&node, InteropJidForm::Tagged)[..16], head);
}

#[test]
fn a_compressed_stanza() {
    let bytes = bytes("compressed_frame", "flag_and_zlib_hex");
    let inflated = self::bytes("compressed_frame", "inflates_to_node_hex");
    let read = document::decode(&bytes, inflated.len()).unwrap();
    assert_eq!(Ok(&read), node::decode(&inflated).as_ref());
    assert_eq!(read.child("list").unwrap().children().len(), 20);
    let most = inflated.len() - 1;
    let too_large = document::decode(&bytes, most).unwrap_err();
    assert_eq!(too_large.error, DecodeError::InflatedTooLarge { most });
    // Its root is read all the same.
    assert_eq!((too_large.root.tag, too_large.root.attrs), (read.tag, read.attrs));
}

#[test]
fn framing() {
    let all: Json = serde_json::from_str(include_str!("../../tests/vectors/vectors.json")).unwrap();
    let vectors = &all["framing"];
    let hex = |name: &str| from_hex(vectors[name].as_str().unwrap());
    let payload = [0x0A, 0x0B, 0x0C];
    let routing = [0x08, 0x01, 0x10, 0x0A];
    let connection_header = Profile::default().connection_header;
    assert_eq!(connection_header[..], hex("conn_header"));

    let frame = [&frame::header(payload.len()).unwrap()[..], &payload].concat();
    assert_eq!(frame, hex("frame_of_0a0b0c"));
    let opening = |routing: Option<&[u8]>| {
        let mut out = Vec::new();
        frame::opening(&connection_header, routing, &mut out).unwrap();
        out
    };
    assert_eq!([opening(None), frame.clone()].concat(), hex("first_bytes_with_header_and_frame_0a0b0c"));
    assert_eq!([opening(Some(&routing)), frame.clone()].concat(), hex("first_bytes_with_edge_routing"));
    assert!(opening(Some(&routing)).starts_with(&hex("edge_routing_prefix_for_routing_info_0801100a")));

    let most = vectors["max_frame_payload"].as_u64().unwrap() as usize;
    assert_eq!(frame::header(most), Ok([0xFF; 3]));
    assert_eq!(frame::header(most + 1), Err(FrameError::TooLong { most, got: most + 1 }));

    let mut reader = FrameReader::new(most);
    reader.feed(&frame);
    assert_eq!(reader.next(), Ok(Some(payload.to_vec())));
    assert_eq!(reader.next(), Ok(None));
}
