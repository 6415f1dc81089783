//! One person is one chat, whatever address a stanza names.
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

use causeway::store::changes::Table;
use causeway::view::{Delivery, MessageKind};
use causeway_proto::jid::Jid;
use causeway_proto::node::Node;
use support::{BOB, BOB_CHAT, World};

const LID: &str = "77123456789@lid";

/// Bob's next message, from another of his addresses, with more attributes.
fn from(world: &mut World, address: &str, text: &str, more: &[(&'static str, &str)]) -> Node {
    let phone = world.phones.get_mut(BOB).unwrap();
    let (_, mut node) = phone.write(text, &mut world.chatd, world.now, &mut world.rng);
    node.attrs.retain(|(key, _)| key != "from");
    more.iter().fold(node.with("from", address.parse::<Jid>().unwrap()), |node, (key, value)| {
        node.with(*key, value.parse::<Jid>().unwrap())
    })
}

#[test]
fn number_legacy_address_and_hidden_identifier_are_one_chat() {
    for known_first in [false, true] {
        let mut world = World::enlisted(1);
        if known_first {
            let chat = world.start_chat(BOB);
            world.send(&chat, "hello");
        }
        for (address, text, more) in [
            (LID, "one", &[("sender_pn", BOB_CHAT)][..]),
            ("14155550123@c.us", "two", &[]),
            (LID, "three", &[]),
            (BOB_CHAT, "four", &[("sender_lid", LID)]),
        ] {
            let node = from(&mut world, address, text, more);
            world.serve(&node);
        }
        let snapshot = world.snapshot();
        let ids: Vec<_> = snapshot.chats.iter().map(|chat| (chat.id.as_str(), chat.address.as_str())).collect();
        assert_eq!(ids, [(BOB_CHAT, "+14155550123")], "{known_first}");
        let expected: &[&str] =
            if known_first { &["hello", "one", "two", "three", "four"] } else { &["one", "two", "three", "four"] };
        assert_eq!(world.texts(BOB_CHAT), expected);
        world.kill();
        let node = from(&mut world, LID, "after a restart", &[]);
        world.serve(&node);
        assert_eq!(world.texts(BOB_CHAT).last().map(String::as_str), Some("after a restart"));
        world.send(BOB_CHAT, "an answer");
        assert_eq!(world.phone(BOB).received.last().map(|(_, text)| text.as_str()), Some("an answer"));
    }
}

#[test]
fn a_hidden_identifier_is_not_shown_as_a_number() {
    let mut world = World::enlisted(2);
    let node = from(&mut world, LID, "who am I", &[]);
    world.serve(&node);
    let chat = world.chat(LID);
    assert_eq!(chat.address, "…6789");
    // The number comes later: the chat stays, and is the one for both.
    let node = from(&mut world, BOB_CHAT, "it is me", &[("sender_lid", LID)]);
    world.serve(&node);
    assert_eq!(world.snapshot().chats.len(), 1);
    assert_eq!(world.texts(LID), ["who am I", "it is me"]);
}

#[test]
fn a_lie_about_who_is_who_causes_a_notice() {
    let mut world = World::enlisted(3);
    let chat = world.start_chat(BOB);
    world.send(&chat, "hello");
    world.add_phone("14155550999");
    let phone = world.phones.get_mut("14155550999").unwrap();
    let (_, mut node) = phone.write("I am Bob", &mut world.chatd, world.now, &mut world.rng);
    node.attrs.retain(|(key, _)| key != "from");
    let (lid, bob) = (LID.parse::<Jid>().unwrap(), BOB_CHAT.parse::<Jid>().unwrap());
    world.serve(&node.with("from", lid).with("sender_pn", bob));
    let kinds: Vec<_> = world.thread(&chat).iter().map(|message| message.kind()).collect();
    assert_eq!(kinds, [MessageKind::Text, MessageKind::IdentityChanged, MessageKind::Text]);
}

/// A number typed as people write it, and the one that the account is known under.
const SPELLINGS: [(&str, &str, &str); 3] = [
    ("+55 11 9 8765-4321", "5511987654321", "551187654321"),
    ("+52 1 55 1234 5678", "5215512345678", "525512345678"),
    ("+54 9 11 2345 6789", "5491123456789", "541123456789"),
];

fn chat_ids(world: &mut World) -> Vec<String> {
    world.snapshot().chats.into_iter().map(|chat| chat.id).collect()
}

#[test]
fn a_number_that_is_known_under_another_one_is_one_chat_with_it() {
    for (typed, number, known) in SPELLINGS {
        for write_first in [false, true] {
            let mut world = World::enlisted(4);
            world.add_phone(known);
            world.chatd.known_under.insert(number.into(), known.into());
            let canonical = format!("{known}@s.whatsapp.net");
            if write_first {
                world.write_from(known, "hello");
                assert_eq!(chat_ids(&mut world), [canonical.as_str()]);
            }
            let chat = world.start_chat(typed);
            world.send(&chat, "one");
            world.send(&chat, "two");
            assert_eq!(chat_ids(&mut world), [canonical.as_str()], "{typed}");
            assert_eq!(world.chat(&canonical).address, format!("+{known}"));
            world.write_from(known, "an answer");
            assert_eq!(world.start_chat(typed), canonical);
            world.kill();
            world.send(&canonical, "three");
            let before: &[&str] = if write_first { &["hello"] } else { &[] };
            assert_eq!(world.texts(&canonical), [before, &["one", "two", "an answer", "three"]].concat());
            assert_eq!(world.deliveries(&canonical), [Delivery::Delivered; 3]);
            let received: Vec<_> = world.phone(known).received.iter().map(|(_, text)| text.clone()).collect();
            assert_eq!(received, ["one", "two", "three"]);
            assert!(world.chatd.messages().iter().all(|node| node.jid("to").unwrap().unwrap().user == known));
            assert_eq!(chat_ids(&mut world), [canonical.as_str()]);
            assert!(world.thread(&canonical).iter().all(|message| !message.kind().is_notice()));
        }
    }
}

#[test]
fn an_answer_under_another_address_does_not_make_two_known_people_one() {
    let mut world = World::enlisted(5);
    let chat = world.start_chat(BOB);
    world.send(&chat, "hello, Bob");
    world.add_phone("14155550999");
    world.write_from("14155550999", "I am Mallory");
    // Bob has new keys, the server says, and answers with Mallory's.
    world.chatd.known_under.insert(BOB.into(), "14155550999".into());
    let notice = Node::new("notification").with("type", "encrypt").with("id", "1").with_node(Node::new("identity"));
    world.serve(&notice.with("from", BOB_CHAT.parse::<Jid>().unwrap()));
    world.send(&chat, "for Bob alone");
    assert_eq!(world.snapshot().chats.len(), 2);
    assert_eq!(world.deliveries(&chat), [Delivery::Delivered, Delivery::Failed]);
    assert_eq!(world.phone("14155550999").received, []);
}

#[test]
fn a_stranger_who_answers_for_somebody_known_causes_a_notice() {
    let mut world = World::enlisted(6);
    let chat = world.start_chat(BOB);
    world.send(&chat, "hello, Bob");
    world.add_phone("14155550999");
    world.chatd.known_under.insert(BOB.into(), "14155550999".into());
    let notice = Node::new("notification").with("type", "encrypt").with("id", "1").with_node(Node::new("identity"));
    world.serve(&notice.with("from", BOB_CHAT.parse::<Jid>().unwrap()));
    world.send(&chat, "for Bob alone");
    let kinds: Vec<_> = world.thread(&chat).iter().map(|message| message.kind()).collect();
    assert_eq!(kinds, [MessageKind::Text, MessageKind::Text, MessageKind::IdentityChanged]);
    assert_eq!(chat_ids(&mut world), [BOB_CHAT]);
}

#[test]
fn an_answer_that_is_no_persons_leaves_the_number_unreachable() {
    let long = format!("{}@s.whatsapp.net", "1".repeat(300));
    for answer in ["1-2@g.us", "s.whatsapp.net", "5511987654321:7@s.whatsapp.net", &long] {
        let mut world = World::enlisted(7);
        world.add_phone(BOB);
        let chat = world.start_chat(BOB);
        world.chatd.fate.answers_as = Some(answer.parse().unwrap());
        world.send(&chat, "hello");
        assert_eq!(world.deliveries(&chat), [Delivery::Failed], "{answer}");
        assert_eq!(chat_ids(&mut world), [BOB_CHAT]);
    }
}

#[test]
fn a_number_is_one_chat_however_it_is_written() {
    let mut world = World::enlisted(8);
    for typed in [
        "\u{2066}+1 (415) 555\u{2011}0123\u{2069}",
        "TEL:+1-415-555-0123",
        "\u{FF0B}\u{FF11}\u{FF14}\u{FF11}\u{FF15}\u{FF15}\u{FF15}\u{FF15}\u{FF10}\u{FF11}\u{FF12}\u{FF13}",
        "\u{6F0}\u{6F0}\u{6F1}\u{6F4}\u{6F1}\u{6F5}\u{6F5}\u{6F5}\u{6F5}\u{6F0}\u{6F1}\u{6F2}\u{6F3}",
    ] {
        assert_eq!(world.start_chat(typed), BOB_CHAT, "{typed}");
    }
    assert_eq!(chat_ids(&mut world), [BOB_CHAT]);
}

#[test]
fn another_name_that_is_too_long_is_nobodys() {
    let mut world = World::enlisted(9);
    let long = "1".repeat(300);
    for (from_address, name, server) in [(LID, "sender_pn", "s.whatsapp.net"), (BOB_CHAT, "sender_lid", "lid")] {
        let node = from(&mut world, from_address, "hello", &[(name, &format!("{long}@{server}"))]);
        world.serve(&node);
    }
    assert_eq!(world.snapshot().chats.len(), 2);
    assert!(world.rows(Table::Peer).iter().all(|(key, row)| key.len() < 100 && row.len() < 300));
}
