//! An incoming message is opened once and applied when its rows are there: an edit, a revocation, what has no bubble.
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
use causeway::view::{MessageKind, MessageView};
use causeway_peer::content::{context_only, edit, group_key, reaction, revoke, timer};
use causeway_proto::node::Node;
use support::{BOB, BOB_CHAT, World};

/// Bob's phone writes; its stanza has not arrived.
fn written(world: &mut World, content: Vec<u8>) -> (String, Node) {
    let phone = world.phones.get_mut(BOB).unwrap();
    phone.write_content(content, &mut world.chatd, world.now, &mut world.rng)
}

fn receive(world: &mut World, content: Vec<u8>) -> String {
    let (id, node) = written(world, content);
    world.serve(&node);
    id
}

fn only(world: &mut World) -> MessageView {
    let thread = world.thread(BOB_CHAT);
    assert_eq!(thread.len(), 1, "{thread:?}");
    thread[0].clone()
}

fn receipts(world: &World, id: &str) -> usize {
    let of = |node: &&&Node| node.text("id").as_deref() == Some(id) && node.attr("type").is_none();
    world.chatd.heard("receipt").iter().filter(of).count()
}

#[test]
fn an_edit_changes_its_message_and_nothing_else() {
    let mut world = World::enlisted(1);
    let id = world.write_from(BOB, "hallo");
    let edited = receive(&mut world, edit(&id, "hello"));
    let shown = only(&mut world);
    assert_eq!((shown.text.as_str(), shown.edited, shown.id.as_str()), ("hello", true, id.as_str()));
    let chat = world.chat(BOB_CHAT);
    assert_eq!((chat.unread, chat.last.unwrap().text.as_str()), (1, "hello"));
    assert_eq!(receipts(&world, &edited), 1);
    receive(&mut world, edit(&id, "hello!"));
    assert_eq!(only(&mut world).text, "hello!");
    world.kill();
    assert_eq!(only(&mut world).text, "hello!", "it is durable");
}

#[test]
fn a_revocation_takes_the_words_away_and_a_later_edit_does_not_bring_them_back() {
    let mut world = World::enlisted(2);
    let id = world.write_from(BOB, "a secret");
    receive(&mut world, revoke(&id));
    let shown = only(&mut world);
    assert_eq!((shown.kind(), shown.text.as_str()), (MessageKind::Revoked, ""));
    receive(&mut world, revoke(&id));
    assert_eq!(only(&mut world).kind(), MessageKind::Revoked);
}

#[test]
fn nobody_edits_or_revokes_what_somebody_else_wrote() {
    let mut world = World::enlisted(3);
    let chat = world.start_chat(BOB);
    world.send(&chat, "mine");
    let id = world.thread(&chat)[0].id.clone();
    receive(&mut world, revoke(&id));
    receive(&mut world, edit(&id, "not mine"));
    let thread = world.thread(&chat);
    assert_eq!((thread[0].text.as_str(), thread[0].edited, thread[0].kind()), ("mine", false, MessageKind::Text));
}

#[test]
fn what_means_nothing_to_anybody_has_no_bubble() {
    for content in [timer(86_400), group_key(), context_only(), reaction("UNKNOWN", true, "\u{1F44D}")] {
        let mut world = World::enlisted(4);
        let id = receive(&mut world, content.clone());
        assert!(world.thread(BOB_CHAT).is_empty(), "{content:?}");
        assert_eq!(receipts(&world, &id), 1);
        assert!(world.snapshot().chats.iter().all(|chat| chat.unread == 0));
    }
}

#[test]
fn a_reaction_is_kept_with_its_message_and_is_none_of_its_own() {
    let mut world = World::enlisted(6);
    let chat = world.start_chat(BOB);
    world.send(&chat, "mine");
    let mine = world.thread(&chat)[0].id.clone();
    let theirs = world.write_from(BOB, "theirs");
    for (id, of_phone, emoji) in [(&mine, false, "\u{1F44D}"), (&theirs, true, "\u{2764}"), (&mine, false, "")] {
        receive(&mut world, reaction(id, of_phone, emoji));
    }
    assert_eq!(world.texts(&chat), ["mine", "theirs"]);
    assert_eq!(world.chat(&chat).unread, 1);
}

/// The rows of an edit's message are not in memory, and the browser is killed at every moment until it is applied.
#[test]
fn an_edit_that_waits_for_its_message_survives_a_crash() {
    for applied in [false, true] {
        let mut world = World::enlisted(5);
        let first = world.write_from(BOB, "hallo");
        world.kill();
        world.thread(BOB_CHAT);
        let (id, node) = written(&mut world, edit(&first, "hello"));
        world.hold_loads = true;
        world.serve(&node);
        // The session and the edit's id are read, and it is opened; where the message that it changes is, is read next.
        assert!(world.read());
        assert_eq!(world.rows(Table::Opened).len(), 1, "durable before it is applied");
        assert_eq!(receipts(&world, &id), 1);
        if applied {
            while world.read() {}
            assert!(world.rows(Table::Opened).is_empty());
        }
        world.hold_loads = false;
        world.kill();
        let shown = only(&mut world);
        assert_eq!((shown.text.as_str(), shown.edited), ("hello", true), "applied: {applied}");
        assert!(world.rows(Table::Opened).is_empty());
        // The server repeats the delivery: it is receipted, and nothing is decrypted twice.
        world.serve(&node);
        assert_eq!(only(&mut world).text, "hello");
        assert_eq!(receipts(&world, &id), 2);
    }
}

/// A field of a protobuf message: less than 128 bytes.
fn field(number: u8, value: &[u8]) -> Vec<u8> {
    let tag = u16::from(number) << 3 | 2;
    let tag = if tag < 0x80 { vec![tag as u8] } else { vec![tag as u8 | 0x80, (tag >> 7) as u8] };
    [&tag[..], &[u8::try_from(value.len()).unwrap()], value].concat()
}

#[test]
fn words_that_are_damaged_in_one_place_are_read() {
    let mut world = World::enlisted(7);
    let bad = b"see you\xC3 at 8\xF0\x9F";
    let quoted = field(17, &[field(1, b"QUOTED"), field(2, b"49\xFF@s.whatsapp.net")].concat());
    for content in [field(1, bad), field(6, &field(1, bad)), field(6, &[field(1, bad), quoted].concat())] {
        receive(&mut world, content);
    }
    let thread = world.thread(BOB_CHAT);
    assert_eq!(thread.len(), 3);
    for message in thread {
        assert_eq!((message.kind(), message.text.as_str()), (MessageKind::Text, "see you\u{FFFD} at 8\u{FFFD}"));
    }
}
