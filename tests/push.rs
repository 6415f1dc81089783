//! Push wake-ups: the command completes when the mailbox is read and durable, or with an issue.
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

use causeway::io::Input;
use causeway::view::{Action, Command, ConnectionState, HideText, Issue, Notified, Woken};
use causeway_proto::{jid::Jid, node::Node};
use support::{BOB, BOB_CHAT, World};

/// Asks, and lets things take their course. Answers the command's tag.
fn wake(world: &mut World) -> u64 {
    let tag = world.next_tag();
    world.input(Input::Command(Command { tag, action: Some(Action::Woken(Woken {})), ..Command::default() }));
    tag
}

/// Alice is away, and Bob has written to her.
fn away(seed: u64) -> World {
    let mut world = World::enlisted(seed);
    world.write_from(BOB, "first");
    world.chatd.fate.refuse = true;
    world.cut();
    world.sleep();
    world.write_from(BOB, "while you were away");
    world.chatd.fate.refuse = false;
    world
}

#[test]
fn a_wake_up_completes_when_the_mailbox_is_durable_and_not_before() {
    let mut world = away(1);
    world.hold_commits = true;
    let tag = wake(&mut world);
    for _ in 0..10 {
        assert!(world.held.is_empty() || world.done(tag).is_none(), "answered before it was durable");
        if !world.commit() && world.done(tag).is_none() {
            world.sleep();
        }
    }
    assert_eq!(world.done(tag).map(|done| done.issue()), Some(Issue::None));
    world.hold_commits = false;
    world.kill();
    assert_eq!(world.texts(BOB_CHAT), ["first", "while you were away"]);
}

#[test]
fn a_wake_up_connects_at_once_whenever_the_next_attempt_is_due() {
    let mut world = away(2);
    assert_eq!(world.connection().state(), ConnectionState::Waiting);
    let tag = wake(&mut world);
    assert_eq!(world.connection().state(), ConnectionState::Online);
    assert_eq!(world.done(tag).map(|done| done.issue()), Some(Issue::None));
}

#[test]
fn a_dead_connection_is_detected_and_replaced() {
    let mut world = World::enlisted(3);
    world.write_from(BOB, "first");
    // The device slept: it has not noticed that the connection is gone.
    let _socket = world.chatd.hang_up();
    world.write_from(BOB, "while it slept");
    let began = world.now;
    let tag = wake(&mut world);
    assert_eq!(world.done(tag), None, "answered by a dead link");
    while world.done(tag).is_none() {
        world.sleep();
    }
    assert_eq!(world.done(tag).map(|done| done.issue()), Some(Issue::None));
    assert!(world.now - began <= 10_000, "took {} ms", world.now - began);
    assert_eq!(world.texts(BOB_CHAT), ["first", "while it slept"]);
}

#[test]
fn a_wake_up_on_a_live_connection_takes_one_round_trip() {
    let mut world = World::enlisted(4);
    let began = world.now;
    let tag = wake(&mut world);
    assert_eq!((world.done(tag).map(|done| done.issue()), world.now), (Some(Issue::None), began));
}

/// The server's answer to the last ping of those that are no mere signs of life.
fn pong(world: &World) -> Node {
    let pings = world.chatd.heard("iq").into_iter().filter(|iq| iq.text("xmlns").as_deref() == Some("w:p"));
    let mut ids = pings.filter_map(|ping| ping.text("id").map(|id| id.into_owned()));
    let id = ids.rfind(|id| id.ends_with("-here")).expect("a ping");
    Node::new("iq").with("id", id).with("type", "result").with("from", Jid::server())
}

#[test]
fn stanzas_after_the_end_of_the_mailbox_are_waited_for() {
    let mut world = away(8);
    world.chatd.fate.pauses = true;
    world.sleep_until(ConnectionState::Draining);
    // In transit: the end of the mailbox, and a message behind it.
    let (socket, end) = world.chatd.seal(&Node::new("ib").with_node(Node::new("offline").with("count", 1_u32)));
    let phone = world.phones.get_mut(BOB).expect("bob");
    let (_, message) = phone.write("just now", &mut world.chatd, world.now, &mut world.rng);
    let (_, message) = world.chatd.seal(&message);
    world.chatd.fate.mute = 1;
    let tag = wake(&mut world);
    world.input(Input::Received(socket, end));
    assert_eq!(world.connection().state(), ConnectionState::Online);
    assert_eq!(world.done(tag), None, "answered while a message was on its way");
    world.input(Input::Received(socket, message));
    assert_eq!(world.done(tag), None, "the server's answer may be behind other messages");
    let pong = pong(&world);
    world.serve(&pong);
    assert_eq!(world.done(tag).map(|done| done.issue()), Some(Issue::None));
    assert_eq!(world.texts(BOB_CHAT), ["first", "while you were away", "just now"]);
}

#[test]
fn a_device_that_slept_while_it_read_the_mailbox_waits_for_the_rest() {
    let mut world = away(11);
    world.chatd.fate.pauses = true;
    world.sleep_until(ConnectionState::Draining);
    let tag = wake(&mut world);
    // What the server sends next stays on its way for as long as the device sleeps.
    let phone = world.phones.get_mut(BOB).expect("bob");
    let (_, message) = phone.write("just now", &mut world.chatd, world.now, &mut world.rng);
    let (socket, message) = world.chatd.seal(&message);
    // A sign of life, and the question.
    world.chatd.fate.mute = 2;
    world.now += 3_600_000;
    world.input(Input::Elapsed);
    assert_eq!(world.done(tag), None, "answered while a message was on its way");
    world.input(Input::Received(socket, message));
    let pong = pong(&world);
    world.serve(&pong);
    assert_eq!(world.done(tag).map(|done| done.issue()), Some(Issue::None));
    assert_eq!(world.texts(BOB_CHAT), ["first", "while you were away", "just now"]);
}

#[test]
fn the_response_to_an_earlier_ping_does_not_complete_a_probe() {
    let mut world = World::enlisted(9);
    world.chatd.fate.mute = 2;
    let first = wake(&mut world);
    let early = pong(&world);
    let second = wake(&mut world);
    world.serve(&early);
    assert_eq!((world.done(first), world.done(second)), (None, None));
    let late = pong(&world);
    world.serve(&late);
    assert!(
        [first, second]
            .map(|tag| world.done(tag))
            .iter()
            .all(|done| done.as_ref().is_some_and(|it| it.issue() == Issue::None))
    );
}

#[test]
fn a_mailbox_that_takes_long_is_read_on() {
    let mut world = away(13);
    world.chatd.fate.pauses = true;
    world.sleep_until(ConnectionState::Draining);
    let socket = world.chatd.socket();
    // The question and every sign of life that is asked for wait behind the mail.
    world.chatd.fate.mute = u32::MAX;
    let tag = wake(&mut world);
    for number in 0..6 {
        world.now += 4_000;
        world.input(Input::Elapsed);
        let phone = world.phones.get_mut(BOB).expect("bob");
        let (_, message) = phone.write(&format!("mail {number}"), &mut world.chatd, world.now, &mut world.rng);
        world.serve(&message);
    }
    assert_eq!(
        (world.done(tag), world.chatd.socket()),
        (None, socket),
        "answered early, or left for another connection"
    );
    let end = Node::new("ib").with_node(Node::new("offline").with("count", 7_u32));
    world.serve(&end);
    let pong = pong(&world);
    world.serve(&pong);
    assert_eq!(world.done(tag).map(|done| done.issue()), Some(Issue::None));
}

#[test]
fn a_server_that_sends_but_never_responds_is_disconnected() {
    let mut world = World::enlisted(10);
    world.chatd.fate.mute = 1;
    let began = world.now;
    let tag = wake(&mut world);
    world.write_from(BOB, "any byte is a sign of life, and no answer");
    assert_eq!(world.done(tag), None);
    while world.done(tag).is_none() {
        world.sleep();
    }
    assert_eq!(world.done(tag).map(|done| done.issue()), Some(Issue::None));
    assert!(world.now - began <= 10_000, "took {} ms", world.now - began);
}

#[test]
fn a_server_that_keeps_requesting_reconnects_is_not_a_success() {
    let mut world = away(12);
    world.chatd.fate.pauses = true;
    let tag = wake(&mut world);
    for _ in 0..2 {
        assert_eq!(world.done(tag), None);
        world.sleep_until(ConnectionState::Draining);
        world.serve(&Node::new("stream:error").with("code", 515_u32));
    }
    assert_eq!(world.done(tag).map(|done| done.issue()), Some(Issue::ChatUnreachable));
}

#[test]
fn a_wake_up_that_cannot_be_served_completes_with_an_issue() {
    let mut world = away(5);
    world.chatd.fate.refuse = true;
    let tag = wake(&mut world);
    assert_eq!(world.done(tag).map(|done| done.issue()), Some(Issue::ChatUnreachable));

    let mut fresh = World::fresh(6);
    fresh.input(Input::Started);
    let tag = wake(&mut fresh);
    assert_eq!(fresh.done(tag).map(|done| done.issue()), Some(Issue::SignInNeeded));
}

#[test]
fn what_was_notified_and_what_to_hide_is_kept() {
    let mut world = World::enlisted(7);
    world.write_from(BOB, "one");
    world.write_from(BOB, "two");
    let newest = world.chat(BOB_CHAT).last.map_or(0, |last| last.seq);
    world.command(Action::Notified(Notified { chat: BOB_CHAT.into(), up_to: newest + 5 }));
    world.command(Action::HideText(HideText { hide: true }));
    // A late notification covers less than what is stored.
    world.command(Action::Notified(Notified { chat: BOB_CHAT.into(), up_to: 1 }));
    world.kill();
    assert_eq!(world.chat(BOB_CHAT).notified_up_to, newest);
    assert_eq!(world.chat(BOB_CHAT).unread, 2, "a notified message is still unread");
    assert!(world.account().hide_text);
}
