//! The text form of nodes: how it looks, and what it refuses.
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
use causeway_proto::node::xml::{XmlError, parse, print};
use causeway_proto::node::{MAX_DEPTH, MAX_ITEMS, Node, Value};

#[test]
fn each_thing_has_one_look() {
    let lid = Jid { server: Server::Lid, ..Jid::user("123").on_device(4) };
    for (node, text) in [
        (Node::new("ping"), "<ping/>"),
        (Node::new("list").with_nodes(Vec::new()), "<list></list>"),
        (Node::new("to").with("jid", lid.clone()), "<to jid=\"123:4@lid\"/>"),
        (Node::new("to").with("jid", "123:4@lid"), "<to jid=\"&text;123:4@lid\"/>"),
        (Node::new("to").with("jid", "00123:04@lid"), "<to jid=\"00123:04@lid\"/>"),
        (Node::new("to").with("jid", Jid::server()), "<to jid=\"&jid;s.whatsapp.net\"/>"),
        (Node::new("to").with("jid", "s.whatsapp.net"), "<to jid=\"s.whatsapp.net\"/>"),
        (Node::new("a").with("mail", "joe@example.org"), "<a mail=\"joe@example.org\"/>"),
        (
            Node::new("a").with("jid", Jid { server: Server::Other("example.org".into()), ..Jid::user("joe") }),
            "<a jid=\"&jid;joe@example.org\"/>",
        ),
        (Node::new("a").with("b", ""), "<a b=\"\"/>"),
        (Node::new("a").with("b", "\"<&>'\n"), "<a b=\"&quot;&lt;&amp;&gt;'&#xA;\"/>"),
        (Node::new("a").with_text(""), "<a>&text;</a>"),
        (Node::new("a").with_text(" #1 \u{202E} "), "<a>&#x20;#1 &#x202E;&#x20;</a>"),
        (Node::new("a").with_text("#1"), "<a>&#x23;1</a>"),
        (Node::new("a").with_text(lid), "<a>123:4@lid</a>"),
        (Node::new("a").with_bytes([0, 255]), "<a>#00ff</a>"),
        (Node::new("a").with_bytes([]), "<a>#</a>"),
        (Node::new("a").with_bytes("h\u{e9} #1"), "<a>&bytes;h\u{e9} #1</a>"),
        (Node::new("a").with_bytes("h\u{200b}"), "<a>#68e2808b</a>"),
        (Node::new("2:47DEQpj8").with("", "1"), "<2:47DEQpj8 &empty;=\"1\"/>"),
        (Node::new("a b/>").with_nodes(Vec::new()), "<a&#x20;b&#x2F;&#x3E;></a&#x20;b&#x2F;&#x3E;>"),
        (Node::new("").with_text("1"), "<&empty;>1</&empty;>"),
    ] {
        assert_eq!(print(&node), text);
        assert_eq!(parse(text), Ok(node), "{text}");
    }
}

#[test]
fn spread_over_lines() {
    let node = Node::new("iq")
        .with("id", "1")
        .with_nodes(vec![Node::new("list").with_node(Node::new("id").with_bytes([0, 0, 1])), Node::new("ping")]);
    let text = "<iq id=\"1\">\n  <list>\n    <id>#000001</id>\n  </list>\n  <ping/>\n</iq>";
    assert_eq!(format!("{node:#}"), text);
    assert_eq!(parse(text), Ok(node));
}

#[test]
fn hand_written_text_forms_are_read_too() {
    let text = "
        <iq  id = '1\"' >
    ";
    assert!(parse(text).is_err(), "no space around the equals sign");
    let node = parse(
        "
        <iq id='1\"'  to=\"&jid;lid\" >
            <a> &#x41;&apos; b </a >
            <key>  # 00 FF
                   10 </key>
            <empty>
            </empty>
        </iq>
        ",
    )
    .unwrap();
    assert_eq!(node.text("id").as_deref(), Some("1\""));
    assert_eq!(node.jid("to").unwrap().unwrap().server, Server::Lid);
    assert_eq!(node.child("a"), Some(&Node::new("a").with_text("A' b")));
    assert_eq!(node.child("key").unwrap().bytes(), Some(&[0, 255, 16][..]));
    assert_eq!(node.child("empty"), Some(&Node::new("empty").with_nodes(Vec::new())));
}

#[test]
fn each_error_has_an_offset() {
    let expected = |offset, what| XmlError::Expected { offset, what };
    for (text, error) in [
        ("", expected(0, "a node")),
        ("hello", expected(0, "a node")),
        ("<", expected(1, "a name")),
        ("<a", expected(2, "a space, > or />")),
        ("<a ", expected(3, "a name")),
        ("<a b", expected(4, "=")),
        ("<a b=", expected(5, "a quotation mark")),
        ("<a b=\"", expected(6, "the closing quotation mark")),
        ("<a b=\"<\"/>", expected(6, "the closing quotation mark")),
        ("<a b=\"1\"c=\"2\"/>", expected(8, "a space, > or />")),
        ("<a>", expected(3, "a node")),
        ("<a><b/>text</a>", expected(7, "a node")),
        ("<a>text<b/></a>", expected(7, "the end of the node, as it has content already")),
        ("<a></a", expected(6, ">")),
        ("<a/> x", expected(5, "the end")),
        ("<a></b>", XmlError::WrongEnd { offset: 5 }),
        ("<a>b &c; d</a>", XmlError::Entity { offset: 5 }),
        ("<a>b & d</a>", XmlError::Entity { offset: 5 }),
        ("<a b=\"&#xD800;\"/>", XmlError::Entity { offset: 6 }),
        ("<a b=\"&#x+41;\"/>", XmlError::Entity { offset: 6 }),
        ("<a b=\"&#x110000;\"/>", XmlError::Entity { offset: 6 }),
        ("<a>#0</a>", XmlError::Hex { offset: 3 }),
        ("<a>#0g</a>", XmlError::Hex { offset: 3 }),
        ("<a b=\"&jid;1:x@lid\"/>", XmlError::Jid { offset: 6, source: JidError::Device }),
    ] {
        assert_eq!(parse(text), Err(error), "{text}");
    }
}

#[test]
fn size_and_nesting_are_bounded() {
    let deep = "<a>".repeat(100_000);
    assert_eq!(parse(&deep), Err(XmlError::TooDeep { offset: 3 * MAX_DEPTH + 1, most: MAX_DEPTH }));
    let many = format!("<a>{}</a>", "<a/>".repeat(MAX_ITEMS));
    assert!(matches!(parse(&many), Err(XmlError::TooManyItems { most: MAX_ITEMS, .. })));
    let long = " ".repeat((32 << 20) + 1);
    assert_eq!(parse(&long), Err(XmlError::TooLong { most: 32 << 20, got: (32 << 20) + 1 }));
}

#[test]
fn words_are_text_and_not_numbers() {
    assert_eq!(parse("<a b=\"007\"/>").unwrap().attr("b"), Some(&Value::Text("007".into())));
}
