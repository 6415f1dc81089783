//! Every way in which bytes can fail to be a node (docs/spec/wire.md §3.5), and trees that have no bytes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::as_conversions,
    reason = "tests fail by panicking"
)]

use causeway_proto::jid::{Jid, JidError, Server};
use causeway_proto::node::{self, Content, DecodeError, EncodeError, MAX_DEPTH, MAX_ITEMS, Node, Value, document};
use causeway_proto::profile::Profile;

fn encoded(node: &Node) -> Result<Vec<u8>, EncodeError> {
    let mut out = Vec::new();
    node::encode(node, &Profile::default(), &mut out).map(|()| out)
}

/// A node `x` whose attribute `Q` has these bytes as its value.
fn with_value(value: &[u8]) -> Vec<u8> {
    [&[0xF8, 3, 0xFC, 1, b'x', 0xFC, 1, b'Q'], value].concat()
}

/// Where the value of [`with_value`] begins.
const VALUE: usize = 8;

/// A node `message` with these bytes as its content.
fn with_content(content: &[u8]) -> Vec<u8> {
    [&[0xF8, 2, 19], content].concat()
}

#[test]
fn the_end_may_come_nowhere_before_the_end() {
    let node = Node::new("message")
        .with("to", Jid::user("14155551001").on_device(7))
        .with("from", Jid::interop(1, "10853634039893"))
        .with("participant", Jid { server: Server::Messenger, ..Jid::user("100012345") })
        .with("id", "3EB0ABC")
        .with("notify", "Joe")
        .with("count", "100")
        .with_nodes(vec![Node::new("enc").with_bytes(vec![1; 300])]);
    let bytes = encoded(&node).unwrap();
    for end in 0..bytes.len() {
        let error = node::decode(&bytes[..end]).unwrap_err();
        let short = matches!(
            error,
            DecodeError::UnexpectedEnd { .. }
                | DecodeError::CountExceedsInput { .. }
                | DecodeError::TooManyItems { .. }
        );
        assert!(short, "cut at {end}: {error}");
    }
    assert_eq!(node::decode(&bytes), Ok(node));
}

#[test]
fn lengths_beyond_the_end() {
    for (value, offset, expected, got) in [
        (&[0xFC, 5, b'a'][..], 2, 5, 1),
        (&[0xFD, 0xFF, 0xFF, 0xFF, b'a'], 4, 0xF_FFFF, 1),
        (&[0xFE, 0xFF, 0xFF, 0xFF, 0xFF, b'a'], 5, u32::MAX as usize, 1),
        (&[0xFE, 0, 0], 1, 4, 2),
        (&[0xFF, 0x7F, 0x12], 2, 127, 1),
        (&[0xEC], 1, 1, 0),
        (&[0xF7, 0], 1, 2, 1),
    ] {
        let error = DecodeError::UnexpectedEnd { offset: VALUE + offset, expected, got };
        assert_eq!(node::decode(&with_value(value)), Err(error), "{value:x?}");
    }
}

#[test]
fn tags_that_mean_nothing() {
    for tag in 240..=244 {
        assert_eq!(node::decode(&with_value(&[tag])), Err(DecodeError::UnknownTag { offset: VALUE, tag }));
        assert_eq!(node::decode(&with_content(&[tag])), Err(DecodeError::UnknownTag { offset: 3, tag }));
        assert_eq!(node::decode(&[0xF8, 1, tag]), Err(DecodeError::UnknownTag { offset: 2, tag }));
    }
}

#[test]
fn every_other_tag_is_read_where_a_value_stands() {
    for tag in (1..=239).chain(245..=247).chain(250..=255) {
        let value: &[u8] = match tag {
            236..=239 => &[tag, 7],
            245 => &[tag, 0xFF, 1, 0x12, 0, 0, 0, 1],
            246 => &[tag, 0xFF, 1, 0x12, 0, 0, 0xFC, 4, b'm', b's', b'g', b'r'],
            247 => &[tag, 0, 1, 0xFF, 1, 0x12],
            250 => &[tag, 0xFF, 1, 0x12, 3],
            251 | 255 => &[tag, 1, 0x12],
            252 => &[tag, 1, b'a'],
            253 => &[tag, 0, 0, 1, b'a'],
            254 => &[tag, 0, 0, 0, 1, b'a'],
            _ => &[tag],
        };
        let node = node::decode(&with_value(value)).unwrap_or_else(|error| panic!("tag {tag}: {error}"));
        assert_eq!(matches!(node.attr("Q"), Some(Value::Jid(_))), matches!(tag, 245..=247 | 250), "tag {tag}");
    }
}

#[test]
fn something_else_where_a_node_has_to_be() {
    for tag in [0, 19, 0xFA, 0xFC, 0xFF] {
        assert_eq!(node::decode(&[tag, 0, 0, 0]), Err(DecodeError::NotANode { offset: 0, tag }));
    }
    let child = with_content(&[0xF8, 1, 19, 0, 0]);
    assert_eq!(node::decode(&child), Err(DecodeError::NotANode { offset: 5, tag: 19 }));
    // Some clients write a node with the tag "0" like this. Its meaning is unknown.
    assert_eq!(node::decode(&[0xF8, 0]), Err(DecodeError::EmptyNode { offset: 0 }));
    assert_eq!(node::decode(&[0xF9, 0, 0]), Err(DecodeError::EmptyNode { offset: 0 }));
}

#[test]
fn tags_and_keys_have_to_be_strings() {
    for tag in [0, 0xF5, 0xF6, 0xF7, 0xF8, 0xF9, 0xFA] {
        let error = Err(DecodeError::NotAString { offset: 2, tag });
        assert_eq!(node::decode(&[0xF8, 1, tag, 0, 0]), error);
        let error = Err(DecodeError::NotAString { offset: 3, tag });
        assert_eq!(node::decode(&[0xF8, 3, 19, tag, 0, 0]), error);
    }
    for tag in [0xF8, 0xF9] {
        let error = Err(DecodeError::NotAString { offset: VALUE, tag });
        assert_eq!(node::decode(&with_value(&[tag, 0, 0])), error, "a list as a value");
    }
    for empty in [&[0xFC, 0][..], &[0xFF, 0], &[0xFB, 0], &[0xFD, 0, 0, 0], &[0xFE, 0, 0, 0, 0]] {
        assert_eq!(node::decode(&[&[0xF8, 1], empty].concat()), Err(DecodeError::EmptyTag { offset: 2 }));
        let key = [&[0xF8, 3, 19], empty, &[19]].concat();
        assert_eq!(node::decode(&key), Err(DecodeError::EmptyKey { offset: 3 }));
    }
}

#[test]
fn packed_strings_that_are_none() {
    for tag in [0xFB, 0xFF] {
        let error = Err(DecodeError::PackedHeader { offset: VALUE });
        assert_eq!(node::decode(&with_value(&[tag, 0x80])), error);
    }
    // What pads an odd number of characters is not looked at.
    for half in 0..=15 {
        let node = node::decode(&with_value(&[0xFF, 0x82, 0x12, 0x30 | half])).unwrap();
        assert_eq!(node.text("Q").as_deref(), Some("123"));
    }
    let longest = node::decode(&with_value(&[&[0xFB, 0x7F], &[0xEF; 127][..]].concat())).unwrap();
    assert_eq!(longest.text("Q").as_deref(), Some(&*"EF".repeat(127)));
}

#[test]
fn addresses_whose_end_is_not_known() {
    for (value, error) in [
        (&[0xFA, 0xFA, 0, 3, 3][..], DecodeError::NotAString { offset: VALUE + 1, tag: 0xFA }),
        (&[0xFA, 0xFF, 1, 0x12, 0xF8], DecodeError::NotAString { offset: VALUE + 4, tag: 0xF8 }),
        (&[0xF7, 0, 1, 0xF1], DecodeError::UnknownTag { offset: VALUE + 3, tag: 0xF1 }),
        (&[0xF6, 0xFF, 1, 0x12, 0], DecodeError::UnexpectedEnd { offset: VALUE + 4, expected: 2, got: 1 }),
        // Another server after an interop address can only be the item that follows: here there is none.
        (&[0xF5, 0xFF, 1, 0x12, 0, 0, 0, 1, 3], DecodeError::TrailingBytes { offset: VALUE + 8, got: 1 }),
    ] {
        assert_eq!(node::decode(&with_value(value)), Err(error), "{value:x?}");
    }
}

#[test]
fn both_empty_lists_are_lists_without_children() {
    for empty in [&[0][..], &[0xF8, 0], &[0xF9, 0, 0]] {
        assert_eq!(node::decode(&with_content(empty)).unwrap().content, Content::Nodes(Vec::new()));
    }
    assert_eq!(node::decode(&[0xF8, 1, 19]).unwrap().content, Content::Empty);
}

#[test]
fn null_and_empty_values_are_empty_text() {
    for empty in [&[0][..], &[0xFC, 0], &[0xFF, 0]] {
        let node = node::decode(&with_value(empty)).unwrap();
        assert_eq!(node.text("Q").as_deref(), Some(""));
        assert_eq!(node.jid("Q"), Ok(None));
    }
}

#[test]
fn leftover_bytes() {
    let bytes = [0xF8, 1, 19, 7, 7];
    assert_eq!(node::decode(&bytes), Err(DecodeError::TrailingBytes { offset: 3, got: 2 }));
}

#[test]
fn nesting_ends_at_the_limit_in_both_directions() {
    let nested = |depth: usize| (1..depth).fold(Node::new("x"), |node, _| Node::new("x").with_node(node));
    let deepest = nested(MAX_DEPTH);
    let bytes = encoded(&deepest).unwrap();
    assert_eq!(node::decode(&bytes), Ok(deepest.clone()));
    assert_eq!(node::xml::parse(&deepest.to_string()), Ok(deepest));

    let too_deep = nested(MAX_DEPTH + 1);
    assert_eq!(encoded(&too_deep), Err(EncodeError::TooDeep { most: MAX_DEPTH }));
    let one_more = [&[0xF8, 2, 0xFC, 1, b'x', 0xF8, 1], &bytes[..]].concat();
    let offset = 7 * MAX_DEPTH;
    assert_eq!(node::decode(&one_more), Err(DecodeError::TooDeep { offset, most: MAX_DEPTH }));
    let endless = [0xF8, 2, 19, 0xF8, 1].repeat(100_000);
    assert!(matches!(node::decode(&endless), Err(DecodeError::TooDeep { .. })));
}

#[test]
fn counts_are_held_against_the_input() {
    assert_eq!(
        node::decode(&[0xF9, 0xFF, 0xFF, 19, 4]),
        Err(DecodeError::CountExceedsInput { offset: 0, count: 0xFFFF, got: 2 })
    );
    // A child takes three bytes, so two of them cannot be in five.
    assert_eq!(
        node::decode(&with_content(&[0xF8, 2, 0xF8, 1, 19, 0xF8, 1])),
        Err(DecodeError::CountExceedsInput { offset: 3, count: 2, got: 5 })
    );
    // Each of these lists could be in the input, but not all of them.
    let greedy = [&[0xF8, 2, 19, 0xF8, 30].repeat(20)[..], &[0xF8; 100]].concat();
    assert!(matches!(node::decode(&greedy), Err(DecodeError::TooManyItems { .. })));
}

#[test]
fn a_document_of_too_many_items() {
    let leaves = |count| Node::new("list").with_nodes(vec![Node::new("x"); count]);
    // 5 lists and the root, each with its children: exactly as many nodes as may be, then one more.
    let each = (MAX_ITEMS - 6) / 5;
    let rest = (MAX_ITEMS - 6) % 5;
    let all = |last| Node::new("list").with_nodes([each, each, each, each, last].map(leaves).into());
    let most = all(each + rest);
    assert_eq!(node::decode(&encoded(&most).unwrap()), Ok(most));
    let error = node::decode(&encoded(&all(each + rest + 1)).unwrap()).unwrap_err();
    assert!(matches!(error, DecodeError::TooManyItems { most: MAX_ITEMS, .. }), "{error}");
}

fn decoded(document: &[u8], max_inflated: usize) -> Result<Node, DecodeError> {
    document::decode(document, max_inflated).map_err(|undecodable| undecodable.error)
}

#[test]
fn documents() {
    assert_eq!(decoded(&[], 100), Err(DecodeError::EmptyDocument));
    assert_eq!(decoded(&[2], 100), Ok(Node::new("xmlstreamend")));
    // Only one bit of the flags has a meaning.
    assert_eq!(decoded(&[0xFD, 0xF8, 1, 19], 0), Ok(Node::new("message")));

    let packed = |bytes: &[u8]| [vec![2], miniz_oxide::deflate::compress_to_vec_zlib(bytes, 9)].concat();
    let good = packed(&[0xF8, 1, 19]);
    assert_eq!(decoded(&good, 3), Ok(Node::new("message")));
    assert_eq!(decoded(&good, 2), Err(DecodeError::InflatedTooLarge { most: 2 }));
    assert_eq!(decoded(&good, 0), Err(DecodeError::InflatedTooLarge { most: 0 }));
    let longer = [&good[..], &[7; 3]].concat();
    assert_eq!(decoded(&longer, 100), Err(DecodeError::TrailingCompressed { got: 3 }));
    for end in 2..good.len() {
        assert_eq!(decoded(&good[..end], 100), Err(DecodeError::Compression), "cut at {end}");
    }
    let mut wrong_checksum = good.clone();
    *wrong_checksum.last_mut().unwrap() ^= 1;
    assert_eq!(decoded(&wrong_checksum, 100), Err(DecodeError::Compression));
    assert_eq!(decoded(&[2, 7, 7, 7], 100), Err(DecodeError::Compression));
    let trailing = packed(&[0xF8, 1, 19, 19]);
    assert_eq!(decoded(&trailing, 100), Err(DecodeError::TrailingBytes { offset: 3, got: 1 }));

    let bomb = packed(&vec![0; 1 << 24]);
    assert!(bomb.len() < 20_000);
    assert_eq!(decoded(&bomb, 1 << 20), Err(DecodeError::InflatedTooLarge { most: 1 << 20 }));
}

#[test]
fn trees_without_a_form_leave_the_buffer_as_it_was() {
    let attrs = |count: usize| (0..count).fold(Node::new("x"), |node, _| node.with("t", "1"));
    let malformed = Jid { device: 1, ..Jid { server: Server::Group, ..Jid::user("1") } };
    for (node, error) in [
        (Node::new(""), EncodeError::EmptyTag),
        (Node::new("x").with("", "1"), EncodeError::EmptyKey),
        (attrs(32_768), EncodeError::TooManyAttributes { got: 32_768 }),
        (attrs(32_767).with_text("1"), EncodeError::TooManyAttributes { got: 32_767 }),
        (Node::new("x").with_nodes(vec![Node::new("x"); 65_536]), EncodeError::TooManyChildren { got: 65_536 }),
        (Node::new("x").with("to", malformed), EncodeError::Jid(JidError::DeviceTooLarge { most: 0, got: 1 })),
        (Node::new("x").with_node(Node::new("")), EncodeError::EmptyTag),
    ] {
        let mut out = b"before".to_vec();
        assert_eq!(document::encode(&node, &Profile::default(), &mut out), Err(error));
        assert_eq!(out, b"before");
    }
    for node in [attrs(32_767), attrs(32_766).with_text("1"), Node::new("x").with_nodes(vec![Node::new("x"); 65_535])] {
        assert_eq!(node::decode(&encoded(&node).unwrap()), Ok(node));
    }
}
