//! A stanza that the codec or a reader refuses is kept, counted and acknowledged; the connection stays, and the next
//! stanza is read.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::as_conversions,
    reason = "tests fail by panicking"
)]

mod support;

use causeway::view::{ConnectionState, MessageKind};
use causeway_proto::node::{Node, Value, document};
use causeway_proto::profile::Profile;
use support::{BOB, BOB_CHAT, World};

/// The document of a `<message>` from the address in these bytes, with the id "X" and these bytes as content.
fn document(from: &[u8], content: &[u8]) -> Vec<u8> {
    // Flags, list of six, "message", "from", the address, "id".
    [&[0, 0xF8, 6, 19, 6], from, &[8, 0xFC, 1, b'X'], content].concat()
}

const BOB_PAIR: [u8; 9] = [0xFA, 0xFF, 0x86, 0x14, 0x15, 0x55, 0x50, 0x12, 0x3F];

/// Documents that the codec or a reader refuses, each with the address that its acknowledgement must repeat.
fn refused() -> Vec<(&'static str, Vec<u8>, Vec<u8>)> {
    let pair = |user: &[u8], server: &[u8]| {
        [&[0xFA, 0xFC, user.len() as u8], user, &[0xFC, server.len() as u8], server].concat()
    };
    let bob = [&BOB_PAIR[..], &[3]].concat();
    let with = |name, from: &[u8], rest: &[u8]| (name, document(from, rest), from.to_vec());
    vec![
        with("an unknown tag", &bob, &[0xF1]),
        with("cut short", &bob, &[0xFE, 0, 1, 0, 0, 7]),
        with("a list of more than there is", &bob, &[0xF9, 0xFF, 0xFF, 0xF8, 1, 19]),
        with("too deep", &bob, &[&[0xF8, 1][..], &[0xF8, 2, 19, 0xF8, 1].repeat(70)].concat()),
        with("bytes left over", &bob, &[0, 7, 7]),
        with("domain type 2", &[0xF7, 2, 1, 0xFF, 0x01, 0x12], &[0]),
        with("j.doe@lid", &pair(b"j.doe", b"lid"), &[0]),
        with("9@interop", &pair(b"9", b"interop"), &[0]),
        with("@", &pair(b"", b""), &[0]),
        with("a user that is not text", &pair(b"Bob\xE9", b"s.whatsapp.net"), &[0]),
        with("Messenger's form, another server", &[0xF6, 0xFF, 1, 0x12, 0, 1, 3], &[0]),
    ]
}

/// The addresses of acknowledgements of the message "X", as bytes.
fn acknowledged(world: &World) -> Vec<Vec<u8>> {
    let acks = world.chatd.heard("ack").into_iter().filter(|ack| ack.text("id").as_deref() == Some("X"));
    acks.map(|ack| written(ack.attr("to").unwrap())).collect()
}

fn written(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    document::encode(&Node::new("message").with("from", value.clone()), &Profile::default(), &mut bytes).unwrap();
    bytes.split_off(5)
}

#[test]
fn the_connection_survives_what_the_codec_refuses() {
    let mut world = World::enlisted(1);
    let logins = world.chatd.logins.len();
    for (count, (name, document, from)) in refused().into_iter().enumerate() {
        let before = world.account().unknown_stanzas;
        world.serve_bytes(&document);
        assert_eq!(world.connection().state(), ConnectionState::Online, "{name}");
        assert_eq!(world.account().unknown_stanzas, before + 1, "{name}");
        let acknowledged = acknowledged(&world);
        assert_eq!(acknowledged.len(), count + 1, "{name}");
        assert_eq!(acknowledged.last(), Some(&from), "{name}");
        world.write_from(BOB, name);
        assert_eq!(world.texts(BOB_CHAT).last().map(String::as_str), Some(name));
    }
    assert_eq!(world.chatd.logins.len(), logins);
}

#[test]
fn nothing_to_acknowledge_is_counted_and_the_next_stanza_read() {
    let mut world = World::enlisted(2);
    for (at, document) in
        [&[][..], &[0], &[0, 0xF8], &[0, 7, 7], &[2, 1, 2, 3], &[0, 0xF8, 3, 19, 0xF1, 0]].iter().enumerate()
    {
        world.serve_bytes(document);
        assert_eq!(world.account().unknown_stanzas as usize, at + 1, "{document:x?}");
    }
    world.write_from(BOB, "after");
    assert_eq!(world.texts(BOB_CHAT), ["after"]);
    assert!(acknowledged(&world).is_empty());
}

#[test]
fn a_mailbox_with_refused_stanzas_in_it_is_read_to_its_end() {
    let mut world = World::enlisted(3);
    world.cut();
    world.chatd.fate.in_mailbox = refused().into_iter().map(|(_, document, _)| document).collect();
    world.write_from(BOB, "behind them");
    let logins = world.chatd.logins.len();
    world.sleep_until(ConnectionState::Online);
    assert_eq!(world.chatd.logins.len(), logins + 1);
    // Those that are Bob's share one id: they have one placeholder, and he is asked for it.
    let thread = world.thread(BOB_CHAT);
    let kinds: Vec<_> = thread.iter().map(|message| message.kind()).collect();
    assert_eq!(kinds, [MessageKind::Undecryptable, MessageKind::Text]);
    assert_eq!(thread[1].text, "behind them");
    assert_eq!(acknowledged(&world).len(), refused().len());
}

#[test]
fn a_log_in_needs_its_success_and_nothing_else() {
    let mut world = World::enlisted(4);
    world.cut();
    let logins = world.chatd.logins.len();
    world.chatd.fate.before_login = refused().into_iter().map(|(_, document, _)| document).collect();
    world.sleep_until(ConnectionState::Online);
    assert_eq!(world.chatd.logins.len(), logins + 1);
    // Nothing may be said before the log-in.
    assert_eq!(acknowledged(&world).len(), 0);
    world.write_from(BOB, "hello");
    assert_eq!(world.texts(BOB_CHAT), ["hello"]);
}

#[test]
fn a_name_that_is_not_text_is_a_name() {
    let mut world = World::enlisted(5);
    let phone = world.phones.get_mut(BOB).unwrap();
    let (_, message) = phone.write("hello", &mut world.chatd, world.now, &mut world.rng);
    let mut bytes = Vec::new();
    document::encode(&message.with("notify", "Bob\u{e9}!"), &Profile::default(), &mut bytes).unwrap();
    let at = bytes.windows(2).position(|pair| pair == [0xC3, 0xA9]).unwrap();
    bytes[at + 1] = b'x';
    world.serve_bytes(&bytes);
    assert_eq!(world.texts(BOB_CHAT), ["hello"]);
    assert!(world.chat(BOB_CHAT).name.contains("Bob\u{FFFD}x!"));
}

#[test]
fn one_odd_envelope_does_not_spoil_a_message_and_neither_does_a_missing_type() {
    let mut world = World::enlisted(6);
    let odd = [
        Node::new("enc").with("type", "frskmsg").with_bytes([0]),
        Node::new("enc").with("v", "2").with_bytes([0]),
        Node::new("enc").with("v", "2").with("type", "msg"),
        Node::new("enc").with("v", "x").with("type", "msg").with_bytes([0]),
    ];
    for (count, odd) in odd.into_iter().enumerate() {
        let text = format!("number {count}");
        let phone = world.phones.get_mut(BOB).unwrap();
        let (_, mut message) = phone.write(&text, &mut world.chatd, world.now, &mut world.rng);
        message.attrs.retain(|(key, _)| key != "type" && key != "t");
        let nodes = [&[odd][..], message.children()].concat();
        world.serve(&message.with_nodes(nodes));
        assert_eq!(world.texts(BOB_CHAT).last(), Some(&text));
    }
}

#[test]
fn a_message_of_which_nothing_can_be_read_has_a_placeholder_until_it_is_sent_again() {
    let unreadable = [
        Node::new("enc").with("type", "frskmsg").with_bytes([1, 2, 3]),
        Node::new("enc").with("v", "3").with("type", "msg").with_bytes([0x33]),
        Node::new("enc").with("v", "2").with("type", "skmsg").with_bytes([0x33; 40]),
        Node::new("enc"),
    ];
    for (seed, enc) in (7..).zip(unreadable) {
        let mut world = World::enlisted(seed);
        let phone = world.phones.get_mut(BOB).unwrap();
        let (id, message) = phone.write("hello", &mut world.chatd, world.now, &mut world.rng);
        let mut odd = message.clone();
        odd.attrs.retain(|(key, _)| key != "type" && key != "t" && key != "notify");
        let odd = odd.with_nodes(vec![enc]);
        world.serve(&odd);
        assert_eq!(world.thread(BOB_CHAT)[0].kind(), MessageKind::Undecryptable);
        let of = |tag: &str| -> Vec<Option<String>> {
            let heard = world.chatd.heard(tag).into_iter().filter(|node| node.text("id").as_deref() == Some(&id));
            heard.map(|node| node.text("type").map(|kind| kind.into_owned())).collect()
        };
        assert_eq!(of("receipt"), [Some("retry".to_owned())], "asked for again, and not receipted");
        assert_eq!(of("ack").len(), 1);
        world.kill();
        world.serve(&message);
        assert_eq!(world.texts(BOB_CHAT), ["hello"]);
    }
}
