//! What holds for all nodes, all bytes and all ways to cut a stream.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::as_conversions,
    reason = "tests fail by panicking"
)]

use std::borrow::Cow;

use causeway_proto::frame::{self, FrameReader};
use causeway_proto::jid::{Jid, Server};
use causeway_proto::node::{self, Content, Node, Text, Value, xml};
use causeway_proto::profile::{InteropJidForm, Profile};
use proptest::collection::vec;
use proptest::prelude::*;

fn text() -> impl Strategy<Value = Text> {
    prop_oneof![
        Just("message"),
        Just("s.whatsapp.net"),
        Just("100"),
        Just("offline_batch"),
        Just("14155551001@s.whatsapp.net"),
        Just("1-1@interop"),
        Just("interop"),
        Just(" \t a & b < c > \"d\" 'e' #f \n"),
        Just("#00"),
        Just("&jid;"),
        Just("\u{202E}\u{0}\u{FEFF}\u{FFFF}"),
    ]
    .prop_map(Cow::Borrowed)
    .boxed()
    .prop_union(
        prop_oneof!["[0-9.-]{1,130}", "[0-9A-F]{1,130}", "[a-z:@.#&;<>\"' ]{0,20}", ".{0,300}", any::<String>(),]
            .prop_map(Cow::Owned)
            .boxed(),
    )
}

fn jid() -> impl Strategy<Value = Jid> {
    let digits = "[0-9]{1,20}|[a-zé_-]{1,9}";
    let with_device = (
        digits,
        prop_oneof![Just(Server::User), Just(Server::Lid), Just(Server::Hosted), Just(Server::HostedLid)],
        any::<u8>(),
    )
        .prop_map(|(user, server, device)| Jid { user, server, device: device.into(), integrator: 0 });
    let messenger = (".{1,130}", any::<u16>()).prop_map(|(user, device)| Jid {
        user,
        server: Server::Messenger,
        device,
        integrator: 0,
    });
    let interop = ("[0-9]{1,130}|.{1,40}", any::<u16>(), any::<u16>()).prop_map(|(user, device, integrator)| Jid {
        user,
        server: Server::Interop,
        device,
        integrator,
    });
    let opaque = (
        ".{0,20}",
        prop_oneof![
            Just(Server::Group),
            Just(Server::Broadcast),
            Just(Server::Newsletter),
            Just(Server::Bot),
            Just(Server::Legacy),
            ".{1,20}".prop_map(|name| Server::Other(name.into())),
        ],
    )
        .prop_map(|(user, server)| Jid { user, server, device: 0, integrator: 0 });
    let server = prop_oneof![Just(Server::User), Just(Server::Interop), Just(Server::Messenger)]
        .prop_map(|server| Jid { user: String::new(), server, device: 0, integrator: 0 });
    prop_oneof![with_device, messenger, interop, opaque, server].prop_filter("malformed", |jid| jid.check().is_ok())
}

/// Bytes in the form of an address, many of which are none.
fn address_bytes() -> impl Strategy<Value = Vec<u8>> {
    let part = || {
        prop_oneof![
            Just(vec![0]),
            Just(vec![3]),
            Just(vec![0xFF, 1, 0x12]),
            "[a-z0-9@.:-]{0,9}".prop_map(|text| string(text.as_bytes())),
            vec(any::<u8>(), 0..9).prop_map(|bytes| string(&bytes)),
        ]
    };
    prop_oneof![
        (part(), part()).prop_map(|(user, server)| [vec![0xFA], user, server].concat()),
        (any::<[u8; 2]>(), part()).prop_map(|(numbers, user)| [vec![0xF7], numbers.to_vec(), user].concat()),
        (part(), any::<[u8; 2]>(), part()).prop_map(|(user, device, server)| [
            vec![0xF6],
            user,
            device.to_vec(),
            server
        ]
        .concat()),
        (part(), any::<[u8; 4]>())
            .prop_map(|(user, numbers)| [vec![0xF5], user, numbers.to_vec(), string(b"interop")].concat()),
    ]
}

fn string(bytes: &[u8]) -> Vec<u8> {
    [&[0xFC, bytes.len() as u8], bytes].concat()
}

/// A value of a node that has nothing else.
fn value_in(bytes: &[u8]) -> Option<Value> {
    let node = node::decode(&[&[0xF8, 3, 19, 6], bytes].concat()).ok()?;
    node.attr("from").cloned()
}

fn value() -> impl Strategy<Value = Value> {
    let address = address_bytes().prop_filter_map("no value", |bytes| value_in(&bytes));
    prop_oneof![4 => text().prop_map(Value::Text), 2 => jid().prop_map(Value::Jid), 1 => address]
}

fn name(least: usize) -> impl Strategy<Value = Text> {
    text().prop_filter("empty", move |text| text.len() >= least)
}

fn tree(least_name: usize) -> impl Strategy<Value = Node> {
    let attrs = move || vec((name(least_name), value()), 0..4);
    let leaf = (
        name(least_name),
        attrs(),
        prop_oneof![
            Just(Content::Empty),
            vec(any::<u8>(), 0..300).prop_map(Content::Bytes),
            text().prop_map(|text| Content::Bytes(text.into_owned().into())),
            value().prop_map(Content::Value),
        ],
    )
        .prop_map(|(tag, attrs, content)| Node { tag, attrs, content });
    leaf.prop_recursive(5, 40, 6, move |inner| {
        (name(least_name), attrs(), vec(inner, 0..6)).prop_map(|(tag, attrs, nodes)| Node {
            tag,
            attrs,
            content: Content::Nodes(nodes),
        })
    })
}

/// Equal but for text as content, which may come back as its bytes: on the wire there is no difference.
fn same(sent: &Node, read: &Node) -> bool {
    let content = match (&sent.content, &read.content) {
        (Content::Nodes(sent), Content::Nodes(read)) => {
            sent.len() == read.len() && sent.iter().zip(read).all(|(sent, read)| same(sent, read))
        }
        (Content::Value(Value::Text(sent)), Content::Bytes(read)) => sent.as_bytes() == read,
        (sent, read) => sent == read,
    };
    sent.tag == read.tag && sent.attrs == read.attrs && content
}

fn encode(node: &Node, interop_jid: InteropJidForm) -> Vec<u8> {
    let mut out = Vec::new();
    node::encode(node, &Profile { interop_jid, ..Profile::default() }, &mut out).unwrap();
    out
}

fn interop_form() -> impl Strategy<Value = InteropJidForm> {
    prop_oneof![
        Just(InteropJidForm::Tagged),
        Just(InteropJidForm::TaggedEmptyServer),
        Just(InteropJidForm::TaggedNoServer),
        Just(InteropJidForm::Pair)
    ]
}

/// Bytes that get past the first few checks more often than others would.
fn likely_bytes() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        3 => any::<u8>().prop_map(|byte| vec![byte]),
        3 => (0_u8..8).prop_map(|size| vec![0xF8, size]),
        2 => (1_u8..240).prop_map(|word| vec![word]),
        1 => Just(vec![0xFC, 2, b'h', b'i']),
        1 => Just(vec![0xFF, 0x82, 0x12, 0x3F]),
        1 => Just(vec![0xFA, 0xFF, 1, 0x12, 3]),
        1 => Just(vec![0xF7, 1, 7, 0xFF, 1, 0x12]),
        1 => Just(vec![0xF5, 0xFF, 1, 0x12, 0, 0, 0, 1]),
        1 => address_bytes(),
        1 => Just(vec![0xFC, 2, 0xC3, 0x28]),
        1 => Just(b"\xF5\xFF\x01\x12\x00\x00\x00\x01\xFC\x07interop".to_vec()),
        1 => (0_u8..3).prop_map(|size| vec![0xF9, 0, size]),
    ];
    vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

fn check_bytes(bytes: &[u8]) -> Result<(), TestCaseError> {
    let root = node::root(bytes);
    let Ok(node) = node::decode(bytes) else {
        // What was read of the root can be repeated.
        let writable = !root.tag.is_empty();
        prop_assert!(
            !writable || node::decode(&encode(&root, InteropJidForm::Tagged)).as_ref() == Ok(&root),
            "{}",
            root
        );
        return Ok(());
    };
    prop_assert_eq!((&root.tag, &root.attrs, root.content), (&node.tag, &node.attrs, Content::Empty));
    let again = node::decode(&encode(&node, InteropJidForm::Tagged));
    prop_assert!(again.as_ref().is_ok_and(|again| same(&node, again)), "{node}\n{again:?}");
    prop_assert_eq!(xml::parse(&node.to_string()), Ok(node));
    Ok(())
}

proptest! {
    #[test]
    fn what_has_the_form_of_an_address_is_one_or_is_repeated_byte_for_byte(bytes in address_bytes()) {
        let value = value_in(&bytes).expect("its end is known");
        let node = Node::new("message").with("from", value.clone());
        match &value {
            Value::UnknownJid(unknown) => {
                prop_assert_eq!(unknown.as_bytes(), bytes.as_slice());
                prop_assert_eq!(node.jid("from"), Err(unknown.error()));
                let written = encode(&node, InteropJidForm::Tagged);
                prop_assert_eq!(&written[4..], bytes.as_slice());
                // Its text is not the text of somebody.
                let text = node.text("from").unwrap();
                prop_assert!(!text.parse::<Jid>().is_ok_and(|jid| !matches!(jid.server, Server::Other(_))), "{}", text);
            }
            Value::Jid(jid) => prop_assert_eq!(jid.check(), Ok(())),
            Value::Text(text) => prop_assert!(false, "{} is no address", text),
        }
        prop_assert_eq!(xml::parse(&node.to_string()), Ok(node));
    }

    #[test]
    fn what_is_written_is_read_again(node in tree(1), form in interop_form()) {
        let read = node::decode(&encode(&node, form)).unwrap();
        prop_assert!(same(&node, &read), "{node}\n{read}");
    }

    #[test]
    fn every_address_is_read_as_it_was_printed(jid in jid()) {
        prop_assert_eq!(jid.to_string().parse(), Ok(jid));
    }

    #[test]
    fn the_text_form_loses_nothing(node in tree(0)) {
        prop_assert_eq!(xml::parse(&xml::print(&node)), Ok(node.clone()));
        prop_assert_eq!(xml::parse(&format!("{node:#}")), Ok(node));
    }

    #[test]
    fn any_bytes_are_a_node_that_can_be_written_again_or_an_error(bytes in vec(any::<u8>(), 0..200)) {
        check_bytes(&bytes)?;
    }

    #[test]
    fn likely_bytes_are_a_node_that_can_be_written_again_or_an_error(bytes in likely_bytes()) {
        check_bytes(&bytes)?;
    }

    #[test]
    fn damaged_nodes_are_nodes_or_errors(node in tree(1), at in any::<prop::sample::Index>(), byte: u8) {
        let mut bytes = encode(&node, InteropJidForm::Tagged);
        let place = at.index(bytes.len());
        bytes[place] = byte;
        check_bytes(&bytes)?;
    }

    #[test]
    fn any_text_is_a_node_that_prints_alike_or_an_error(text in "[<>/=a-z\"'&;#x0-9 @.:]{0,60}|.{0,60}") {
        if let Ok(node) = xml::parse(&text) {
            prop_assert_eq!(xml::parse(&node.to_string()), Ok(node));
        }
    }

    #[test]
    fn any_text_is_an_address_that_prints_alike_or_an_error(text in "[0-9a-z@:.-]{0,30}|.{0,20}") {
        if let Ok(jid) = text.parse::<Jid>() {
            prop_assert_eq!(jid.check(), Ok(()));
            prop_assert_eq!(jid.to_string().parse(), Ok(jid));
        }
    }

    #[test]
    fn any_text_is_a_phone_number_or_an_error(text in "[+0-9() .-]{0,30}|.{0,30}") {
        if let Ok(jid) = Jid::from_phone(&text) {
            prop_assert!((5..=15).contains(&jid.user.len()) && jid.user.bytes().all(|byte| byte.is_ascii_digit()));
        }
    }

    #[test]
    fn frames_come_out_whole_however_the_stream_is_cut(
        payloads in vec(vec(any::<u8>(), 0..40), 0..20),
        cuts in vec(1_usize..20, 1..20),
    ) {
        let stream: Vec<u8> = payloads
            .iter()
            .flat_map(|payload| frame::header(payload.len()).unwrap().into_iter().chain(payload.iter().copied()))
            .collect();
        let mut reader = FrameReader::new(40);
        let mut read = Vec::new();
        let mut rest = &stream[..];
        for cut in cuts.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (piece, after) = rest.split_at(*cut.min(&rest.len()));
            rest = after;
            reader.feed(piece);
            // Every other time more is fed before anything is taken out.
            if cut % 2 == 0 {
                while let Some(payload) = reader.next().unwrap() {
                    read.push(payload);
                }
            }
        }
        while let Some(payload) = reader.next().unwrap() {
            read.push(payload);
        }
        prop_assert!(!reader.is_inside_frame());
        prop_assert_eq!(read, payloads);
    }
}
