//! What the codec keeps although it is not as it should be: text that is none, addresses that are none, and the root of
//! a node that ends in a fault.
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
use causeway_proto::node::{self, Content, DecodeError, Node, Value, document};
use causeway_proto::profile::{InteropJidForm, Profile};

fn encoded(node: &Node) -> Vec<u8> {
    written(node, InteropJidForm::Tagged)
}

fn written(node: &Node, interop_jid: InteropJidForm) -> Vec<u8> {
    let mut out = Vec::new();
    node::encode(node, &Profile { interop_jid, ..Profile::default() }, &mut out).unwrap();
    out
}

/// A node `message` whose attribute `from` has these bytes as its value.
fn from(value: &[u8]) -> Vec<u8> {
    [&[0xF8, 3, 19, 6], value].concat()
}

#[test]
fn text_that_is_not_utf8_is_kept_and_content_is_bytes_anyway() {
    let bytes = [0xFC, 2, 0xC3, 0x28];
    assert_eq!(node::decode(&from(&bytes)).unwrap().text("from").as_deref(), Some("\u{FFFD}("));
    let content = node::decode(&[&[0xF8, 2, 19], &bytes[..]].concat()).unwrap().content;
    assert_eq!(content, Content::Bytes(vec![0xC3, 0x28]));
    // As a tag and as a key, too.
    let node = node::decode(&[&[0xF8, 3], &bytes[..], &bytes, &[3]].concat()).unwrap();
    assert_eq!((node.tag.as_ref(), node.text("\u{FFFD}(").as_deref()), ("\u{FFFD}(", Some("s.whatsapp.net")));
    for (binary, text) in [
        (&[0xFD, 0, 0, 3, b'a', 0xED, 0xA0][..], "a\u{FFFD}\u{FFFD}"),
        (&[0xFE, 0, 0, 0, 2, 0xFF, b'z'], "\u{FFFD}z"),
        (&[0xFC, 4, b'B', b'o', b'b', 0xE9], "Bob\u{FFFD}"),
    ] {
        assert_eq!(node::decode(&from(binary)).unwrap().text("from").as_deref(), Some(text));
    }
}

#[test]
fn packed_characters_that_do_not_exist_are_kept_as_such() {
    for half in 12..=15 {
        let node = node::decode(&from(&[0xFF, 2, 0x12, 0x10 | half])).unwrap();
        assert_eq!(node.text("from").as_deref(), Some("121\u{FFFD}"));
        let node = node::decode(&from(&[0xFF, 0x82, 0x12, half << 4 | 0xF])).unwrap();
        assert_eq!(node.text("from").as_deref(), Some("12\u{FFFD}"));
    }
}

#[test]
fn an_address_that_is_none_is_kept_and_repeated_as_it_came() {
    let string = |text: &[u8]| [&[0xFC, text.len() as u8], text].concat();
    let pair = |user: &[u8], server: &[u8]| [vec![0xFA], user.to_vec(), server.to_vec()].concat();
    let lid = string(b"lid");
    let twelve = [0xFF, 1, 0x12];
    for (value, text, error) in [
        (pair(&[0], &string(b"")), "@", JidError::Server),
        (pair(&twelve, &[0]), "12@", JidError::Server),
        (pair(&string(b"a@b"), &[3]), "a@b@s.whatsapp.net", JidError::Separator { found: '@' }),
        (pair(&string(b"a:b"), &[3]), "a:b@s.whatsapp.net", JidError::Device),
        (pair(&string(b"1.2"), &[3]), "1.2@s.whatsapp.net", JidError::Agent),
        (pair(&string(b"123.2:4"), &[3]), "123.2:4@s.whatsapp.net", JidError::Agent),
        (pair(&string(b"j.doe"), &lid), "j.doe@lid", JidError::Agent),
        (pair(&twelve, &string(b"interop")), "12@interop", JidError::Integrator),
        (pair(&string(b"Bob\xE9"), &[3]), "Bob\u{FFFD}@s.whatsapp.net", JidError::NotText),
        (pair(&string("Bob\u{FFFD}".as_bytes()), &[3]), "Bob\u{FFFD}@s.whatsapp.net", JidError::NotText),
        (pair(&twelve, &string(b"l\xFFd")), "12@l\u{FFFD}d", JidError::NotText),
        (pair(&[0xFF, 1, 0xCC], &[3]), "\u{FFFD}\u{FFFD}@s.whatsapp.net", JidError::NotText),
        (vec![0xF7, 2, 9, 0xFF, 1, 0x12], "12:9@domain2", JidError::UnknownDomain { domain: 2 }),
        (vec![0xF7, 0, 1, 0], ":1@s.whatsapp.net", JidError::EmptyUser),
        ([&[0xF7, 1, 3][..], &string(b"1.1")].concat(), "1.1:3@lid?", JidError::Separator { found: '.' }),
        ([&[0xF7, 0, 1][..], &string(b":")].concat(), "::1@s.whatsapp.net", JidError::Separator { found: ':' }),
        (vec![0xF6, 0xFF, 1, 0x12, 0, 7, 3], "12:7@s.whatsapp.net?", JidError::WrongServer { expected: "msgr" }),
        (vec![0xF6, 0xFF, 1, 0x12, 0, 0, 0], "12:0@", JidError::WrongServer { expected: "msgr" }),
        ([&[0xF6, 0, 0, 7][..], &string(b"msgr")].concat(), ":7@msgr", JidError::EmptyUser),
        (vec![0xF5, 0, 0, 0, 0, 1], "1-:0@interop", JidError::EmptyUser),
        (vec![0xF5, 0, 0, 0, 0, 1, 0], "1-:0@interop", JidError::EmptyUser),
        ([&[0xF5][..], &string(b"a:5"), &[0, 0, 0, 1]].concat(), "1-a:5:0@interop", JidError::Separator { found: ':' }),
    ] {
        let bytes = from(&value);
        let node = node::decode(&bytes).unwrap();
        let Some(Value::UnknownJid(unknown)) = node.attr("from") else { panic!("{node}") };
        assert_eq!((unknown.as_bytes(), unknown.error()), (value.as_slice(), error), "{text}");
        assert_eq!((node.text("from").as_deref(), node.jid("from")), (Some(text), Err(error)));
        assert_eq!(unknown.to_string(), text);
        assert_eq!(encoded(&node), bytes);
        assert_eq!(node::xml::parse(&node.to_string()), Ok(node.clone()));
        // What an acknowledgement repeats is the same address again.
        let ack = Node::new("ack").with("to", node.attr("from").unwrap().clone()).with("id", "1");
        assert_eq!(node::decode(&encoded(&ack)), Ok(ack));
        // As content, too.
        let content = node::decode(&[&[0xF8, 2, 19], &value[..]].concat()).unwrap();
        assert!(matches!(content.content, Content::Value(Value::UnknownJid(_))), "{text}");
    }
}

#[test]
fn domain_types() {
    for domain in 0..=255 {
        let server = match domain {
            0 => Some(Server::User),
            1 => Some(Server::Lid),
            129 => Some(Server::HostedLid),
            128..=255 if domain % 2 == 0 => Some(Server::Hosted),
            _ => None,
        };
        let node = node::decode(&from(&[0xF7, domain, 9, 0xFF, 1, 0x12])).unwrap();
        let wanted = server.map(|server| Jid { server, ..Jid::user("12").on_device(9) });
        let wanted = wanted.map(Some).ok_or(JidError::UnknownDomain { domain });
        assert_eq!(node.jid("from"), wanted, "{domain}");
    }
}

#[test]
fn values_are_no_larger_for_it() {
    assert_eq!(size_of::<Value>(), size_of::<Jid>());
}

const INTEROP: [u8; 8] = [0xF5, 0xFF, 1, 0x12, 0, 0, 0, 1];
const SERVERS: [&[u8]; 4] = [b"\xFC\x07interop", b"\xFD\x00\x00\x07interop", b"\xFE\x00\x00\x00\x07interop", b"\x00"];

#[test]
fn an_interop_address_without_server_leaves_what_follows_alone() {
    let node = node::decode(&[&[0xF8, 5, 19, 6], &INTEROP[..], &[13, 3]].concat()).unwrap();
    assert_eq!(node.jid("from"), Ok(Some(Jid::interop(1, "12"))));
    assert_eq!(node.text("broadcast").as_deref(), Some("s.whatsapp.net"));
    for server in SERVERS {
        let bytes = [&[0xF8, 5, 19, 6], &INTEROP[..], server, &[13, 3]].concat();
        assert_eq!(node::decode(&bytes).as_ref(), Ok(&node), "{server:x?}");
    }
}

#[test]
fn what_follows_an_interop_address_is_its_server_only_if_the_list_has_no_other_use_for_it() {
    let jid = Value::Jid(Jid::interop(1, "12"));
    let base = |content: Content| Node { content, ..Node::new("message").with("from", jid.clone()) };
    let empty = || Content::Nodes(Vec::new());
    let child = || Content::Nodes(vec![Node::new("message")]);
    let bytes = |text: &[u8]| Content::Bytes(text.to_vec());
    for (after, content) in [
        // The list counts an item more, and these bytes are all that is left for it.
        (&[0][..], empty()),
        (b"\xFC\x07interop", bytes(b"interop")),
        // There is more: the first is the server, what follows the content.
        (&[0, 0], empty()),
        (b"\x00\xFC\x07interop", bytes(b"interop")),
        (b"\xFC\x07interop\x00", empty()),
        (b"\xFC\x07interop\xFC\x07interop", bytes(b"interop")),
        (&[0, 0xF8, 0], empty()),
        (&[0, 0xF9, 0, 0], empty()),
        (&[0, 0xF8, 1, 0xF8, 1, 19], child()),
        (&[0, 0xF9, 0, 1, 0xF8, 1, 19], child()),
        (b"\xFC\x07interop\xF8\x01\xF8\x01\x13", child()),
        (&[0, 19], Content::Value("message".into())),
        // No server at all.
        (&[0xF8, 0], empty()),
        (&[0xF8, 1, 0xF8, 1, 19], child()),
        (&[19], Content::Value("message".into())),
        (&[0xFC, 1, b'a'], bytes(b"a")),
    ] {
        let one = [&[0xF8, 4, 19, 6], &INTEROP[..], after].concat();
        let wanted = base(content);
        assert_eq!(node::decode(&one).as_ref(), Ok(&wanted), "{after:x?}");
        // The same before another node, in one list and after the end of one.
        let two = [&[0xF8, 2, 19, 0xF8, 2], &one[..], &one].concat();
        assert_eq!(node::decode(&two), Ok(Node::new("message").with_nodes(vec![wanted.clone(); 2])), "{after:x?}");
        let nested = [&[0xF8, 2, 19, 0xF8, 2, 0xF8, 2, 19, 0xF8, 1], &one[..], &[0xF8, 1, 19]].concat();
        let inner = Node::new("message").with_node(wanted);
        assert_eq!(node::decode(&nested), Ok(Node::new("message").with_node(inner).with_node(Node::new("message"))));
    }
    // An address that is the content ends its node, and so does one without content behind it.
    for server in SERVERS.into_iter().chain([&b""[..]]) {
        let content = [&[0xF8, 2, 19], &INTEROP[..], server].concat();
        assert_eq!(node::decode(&content), Ok(Node::new("message").with_text(jid.clone())), "{server:x?}");
        let last = [&[0xF8, 3, 19, 6], &INTEROP[..], server].concat();
        assert_eq!(node::decode(&last), Ok(base(Content::Empty)), "{server:x?}");
        let both = [&[0xF8, 2, 19, 0xF8, 2], &last[..], &content].concat();
        assert_eq!(node::decode(&both).unwrap().children().len(), 2, "{server:x?}");
    }
}

#[test]
fn the_form_without_server_is_read_as_what_was_meant() {
    let jid = Jid::interop(1, "10853634039893").on_device(2);
    let plain = Node::new("message").with("from", &jid);
    assert_eq!(written(&plain, InteropJidForm::TaggedNoServer).len() + 9, encoded(&plain).len());
    for node in [
        plain.clone(),
        plain.clone().with_nodes(Vec::new()),
        plain.clone().with_node(plain.clone()),
        plain.clone().with_bytes("interop"),
        plain.clone().with_text(&jid),
        plain.clone().with("to", &jid).with("id", "1"),
        // Here the writer has no choice: the key would be read as the server.
        plain.clone().with("interop", "1"),
        plain.clone().with("interop", &jid).with("interop", "interop").with_bytes("interop"),
        Node::new("list").with_nodes(vec![plain.clone().with_nodes(Vec::new()), plain.clone().with_bytes("interop")]),
        // An address that is content is not behind an attribute.
        Node::new("list").with_nodes(vec![Node::new("to").with_text(&jid), Node::new("to").with("interop", "1")]),
    ] {
        assert_eq!(node::decode(&written(&node, InteropJidForm::TaggedNoServer)), Ok(node));
    }
}

#[test]
fn a_fault_leaves_the_attributes_before_it() {
    let whole = Node::new("message")
        .with("from", Jid::user("14155551001").on_device(7))
        .with("id", "3EB0ABC")
        .with("type", "text")
        .with("notify", "Joe")
        .with_nodes(vec![Node::new("enc").with("v", "2").with_bytes(vec![1; 300])]);
    let bytes = encoded(&whole);
    let mut seen = 0;
    for end in 0..bytes.len() {
        let root = document::decode(&[&[0], &bytes[..end]].concat(), 0).unwrap_err().root;
        assert_eq!(root.tag, if end < 3 { "" } else { "message" });
        assert_eq!((&root.attrs[..], root.content), (&whole.attrs[..root.attrs.len()], Content::Empty), "{end}");
        assert!(root.attrs.len() >= seen, "{end}");
        seen = root.attrs.len();
    }
    assert_eq!(seen, 4);
}

#[test]
fn the_root_is_there_whatever_is_wrong_behind_it() {
    let root = || Node::new("message").with("from", Jid::user("12")).with("id", "A");
    let start = |size: u8| [&[0xF8, size, 19, 6, 0xFA, 0xFF, 1, 0x12, 3, 8], &[0xFB, 0x81, 0xAF][..]].concat();
    let behind = |size: u8, rest: &[u8]| [&start(size)[..], rest].concat();
    let deep = [0xF8, 2, 19, 0xF8, 1].repeat(70);
    let many = [&[0xF8, 255][..], &[0xF8, 1, 19].repeat(9)].concat();
    let packed = |bytes: &[u8]| [vec![2], miniz_oxide::deflate::compress_to_vec_zlib(bytes, 9)].concat();
    let bomb = packed(&behind(6, &[&[0xFE, 0, 1, 0, 0][..], &[0; 1 << 16]].concat()));
    let mut checksum = packed(&behind(5, &[]));
    *checksum.last_mut().unwrap() ^= 1;
    for document in [
        [&[0], &behind(6, &[0xF2])[..]].concat(),
        [&[0], &behind(6, &[&[0xF8, 1][..], &deep].concat())[..]].concat(),
        [&[0], &behind(6, &many)[..]].concat(),
        [&[0], &behind(5, &[7, 7])[..]].concat(),
        [&[0], &behind(7, &[0xFC, 0, 3])[..]].concat(),
        [&[0], &behind(7, &[0xF8, 0])[..]].concat(),
        [&[0], &behind(7, &[8, 0xF8, 0])[..]].concat(),
        [&[0], &behind(8, &[8])[..]].concat(),
        bomb,
        checksum,
        [&packed(&behind(5, &[]))[..], &[9]].concat(),
    ] {
        let undecodable = document::decode(&document, 1 << 10).unwrap_err();
        assert_eq!(*undecodable.root, root(), "{}", undecodable.error);
        assert_eq!(undecodable.to_string(), undecodable.error.to_string());
    }
    for document in [&[][..], &[0], &[0, 7], &[0, 0xF8], &[0, 0xF8, 0], &[2, 1, 2, 3]] {
        assert_eq!(*document::decode(document, 99).unwrap_err().root, Node::new(""), "{document:x?}");
    }
    let empty = document::decode(&[0, 0xF8, 3, 0xFC, 0, 8, 8], 0).unwrap_err();
    assert_eq!((*empty.root, empty.error), (Node::new("").with("id", "id"), DecodeError::EmptyTag { offset: 2 }));
}
