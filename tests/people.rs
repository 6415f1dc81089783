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

use causeway::view::MessageKind;
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
