//! What happens when the connection does not hold: the same bytes under the same id, in order, and no storm.
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
use causeway::view::{Action, ConnectionState, Delivery, Enlist, Issue, MessageRef, Reconnect};
use causeway_proto::node::Node;
use support::{BOB, BOB_CHAT, World};

#[test]
fn an_unacknowledged_message_is_sent_again_as_the_same_bytes() {
    let mut world = World::enlisted(1);
    let chat = world.start_chat(BOB);
    world.chatd.fate.swallow = true;
    world.send(&chat, "hello");
    assert_eq!(world.deliveries(&chat), [Delivery::Queued]);
    world.cut();
    world.kill();
    world.sleep_until(ConnectionState::Online);
    let messages: Vec<Node> = world.chatd.messages().into_iter().cloned().collect();
    assert!(messages.len() >= 2);
    assert!(messages.iter().all(|message| *message == messages[0]), "another ciphertext or id");
    world.chatd.fate.swallow = false;
    world.cut();
    world.sleep_until(ConnectionState::Online);
    assert_eq!(world.deliveries(&chat), [Delivery::Delivered]);
    assert_eq!(world.phone(BOB).received.len(), 1);
}

#[test]
fn what_is_written_offline_goes_out_in_order() {
    let mut world = World::enlisted(2);
    let chat = world.start_chat(BOB);
    world.chatd.fate.refuse = true;
    world.cut();
    for number in 0..20 {
        assert_eq!(world.send(&chat, &format!("message {number}")), Issue::None);
    }
    assert_eq!(world.deliveries(&chat), [Delivery::Queued; 20]);
    world.chatd.fate.refuse = false;
    world.sleep_until(ConnectionState::Online);
    let received: Vec<String> = world.phone(BOB).received.iter().map(|(_, text)| text.clone()).collect();
    assert_eq!(received, (0..20).map(|number| format!("message {number}")).collect::<Vec<_>>());
    assert_eq!(world.deliveries(&chat), [Delivery::Delivered; 20]);
}

#[test]
fn a_refused_message_fails_and_can_be_sent_again_or_deleted() {
    let mut world = World::enlisted(3);
    let chat = world.start_chat(BOB);
    world.chatd.fate.ack_error = Some(479);
    world.send(&chat, "one");
    world.send(&chat, "two");
    assert_eq!(world.deliveries(&chat), [Delivery::Failed; 2]);
    let thread = world.thread(&chat);
    assert_eq!(thread[0].issue(), Issue::MessageRefused);
    world.chatd.fate.ack_error = None;
    let first = MessageRef { chat: chat.clone(), seq: thread[0].seq };
    world.command(Action::Retry(first));
    assert_eq!(world.deliveries(&chat), [Delivery::Delivered, Delivery::Failed]);
    let second = MessageRef { chat: chat.clone(), seq: thread[1].seq };
    world.command(Action::Discard(second));
    assert_eq!(world.texts(&chat), ["one"]);
}

#[test]
fn a_message_to_an_overloaded_server_is_sent_again_later() {
    let mut world = World::enlisted(4);
    let chat = world.start_chat(BOB);
    world.chatd.fate.ack_error = Some(503);
    world.send(&chat, "sent again later");
    assert_eq!(world.deliveries(&chat), [Delivery::Queued]);
    world.chatd.fate.ack_error = None;
    for _ in 0..4 {
        world.sleep();
    }
    assert_eq!(world.deliveries(&chat), [Delivery::Delivered]);
}

#[test]
fn a_message_that_the_server_lost_goes_out_again_on_the_live_connection_and_nothing_overtakes_it() {
    let mut world = World::enlisted(13);
    let chat = world.start_chat(BOB);
    world.send(&chat, "zero");
    world.chatd.fate.swallow = true;
    for text in ["one", "two", "three"] {
        world.send(&chat, text);
    }
    let lost = world.chatd.messages().last().map(|message| (*message).clone()).unwrap();
    assert_eq!(world.chatd.messages().len(), 2, "one at a time");
    world.sleep();
    world.chatd.fate.swallow = false;
    assert_eq!(world.chatd.messages().len(), 3);
    assert_eq!(*world.chatd.messages()[2], lost, "the same bytes under the same id");
    world.sleep();
    let received: Vec<&str> = world.phones[BOB].received.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(received, ["zero", "one", "two", "three"]);
    assert_eq!(world.chatd.logins.len(), 1, "no new connection was needed");
    assert_eq!(world.deliveries(&chat), [Delivery::Delivered; 4]);
}

/// Lets time pass; the engine is woken at every time that it requests.
fn wait(world: &mut World, milliseconds: u64) {
    let until = world.now + milliseconds;
    while world.wake_at.is_some_and(|at| at <= until) {
        world.sleep();
    }
}

#[test]
fn a_chat_that_waits_does_not_block_another() {
    let mut world = World::enlisted(14);
    let chat = world.start_chat(BOB);
    world.add_phone("14155550999");
    let other = world.start_chat("14155550999");
    world.chatd.fate.swallow = true;
    world.send(&chat, "waits");
    world.chatd.fate.swallow = false;
    world.send(&other, "goes");
    assert_eq!(world.deliveries(&other), [Delivery::Delivered]);
    assert_eq!(world.deliveries(&chat), [Delivery::Queued]);
}

#[test]
fn iqs_without_a_response_are_sent_again() {
    let mut world = World::enlisted(15);
    let chat = world.start_chat(BOB);
    world.chatd.fate.mute = 1;
    world.send(&chat, "needs keys");
    assert_eq!(world.deliveries(&chat), [Delivery::Queued]);
    wait(&mut world, 10_000);
    assert_eq!(world.deliveries(&chat), [Delivery::Delivered]);
    // The questions of a login: prekey count, and becoming active.
    world.chatd.fate.mute = 2;
    world.cut();
    world.sleep_until(ConnectionState::Online);
    let asked = |world: &World, tag: &str| {
        world.chatd.heard("iq").iter().filter(|iq| iq.children().first().is_some_and(|child| child.tag == tag)).count()
    };
    let (counts, actives) = (asked(&world, "count"), asked(&world, "active"));
    wait(&mut world, 10_000);
    assert_eq!((asked(&world, "count"), asked(&world, "active")), (counts + 1, actives + 1));
}

#[test]
fn a_busy_key_server_is_retried_later() {
    for code in [429, 503] {
        let mut world = World::enlisted(16);
        let chat = world.start_chat(BOB);
        world.chatd.fate.no_keys = Some(code);
        world.send(&chat, "sent again later");
        assert_eq!(world.deliveries(&chat), [Delivery::Queued], "{code}");
        world.chatd.fate.no_keys = None;
        for _ in 0..4 {
            world.sleep();
        }
        assert_eq!(world.deliveries(&chat), [Delivery::Delivered], "{code}");
    }
}

#[test]
fn a_peer_without_keys_fails_the_message_with_an_issue() {
    let mut world = World::enlisted(5);
    let chat = world.start_chat("+49 151 00000000");
    world.send(&chat, "anybody?");
    assert_eq!(world.deliveries(&chat), [Delivery::Failed]);
    assert_eq!(world.thread(&chat)[0].issue(), Issue::PeerUnreachable);
    world.chatd.fate.bad_bundle = true;
    let chat = world.start_chat(BOB);
    world.send(&chat, "hello");
    assert_eq!(world.thread(&chat)[0].issue(), Issue::PeerKeysInvalid);
    assert!(world.chatd.messages().is_empty());
}

#[test]
fn a_replaced_connection_stops_until_the_user_acts() {
    let mut world = World::enlisted(6);
    world.serve(&Node::new("stream:error").with_node(Node::new("conflict").with("type", "replaced")));
    assert_eq!(world.connection().state(), ConnectionState::Stopped);
    assert_eq!(world.connection().issue(), Issue::Replaced);
    assert_eq!(world.wake_at, None, "nothing is tried by itself");
    world.command(Action::Reconnect(Reconnect {}));
    assert_eq!(world.connection().state(), ConnectionState::Online);
}

#[test]
fn login_failures_lead_to_different_issues() {
    for (reason, state, issue) in [
        (401, ConnectionState::Stopped, Issue::LoginRefused),
        (402, ConnectionState::Stopped, Issue::Banned),
        (403, ConnectionState::Stopped, Issue::NotEnlisted),
        (405, ConnectionState::Stopped, Issue::Outdated),
        (414, ConnectionState::Waiting, Issue::LoginRefused),
        (503, ConnectionState::Waiting, Issue::ChatUnreachable),
    ] {
        let mut world = World::enlisted(7);
        world.chatd.fate.failure = Some(reason);
        world.cut();
        world.sleep();
        assert_eq!((world.connection().state(), world.connection().issue()), (state, issue), "{reason}");
    }
}

#[test]
fn an_unenlisted_account_enlists_again_with_the_same_keys_and_history() {
    let mut world = World::enlisted(12);
    world.write_from(BOB, "before");
    assert_eq!(world.command(Action::Enlist(Enlist::default())).issue(), Issue::AlreadyEnlisted);
    let identity = world.snapshot().account.unwrap().identity_key;
    for (reason, issue) in [(403, Issue::NotEnlisted), (401, Issue::LoginRefused)] {
        world.chatd.fate.failure = Some(reason);
        world.cut();
        world.sleep();
        assert_eq!(world.connection().issue(), issue);
        world.chatd.fate.failure = None;
        assert_eq!(world.command(Action::Enlist(Enlist::default())).issue(), Issue::None);
        assert_eq!(world.connection().state(), ConnectionState::Online);
    }
    assert_eq!(world.snapshot().account.unwrap().identity_key, identity);
    assert_eq!(world.texts(BOB_CHAT), ["before"]);
}

#[test]
fn an_outdated_client_keeps_what_it_could_not_send() {
    let mut world = World::enlisted(8);
    let chat = world.start_chat(BOB);
    world.chatd.fate.failure = Some(405);
    world.cut();
    world.sleep();
    world.send(&chat, "for after the update");
    assert_eq!(world.deliveries(&chat), [Delivery::Queued]);
    world.chatd.fate.failure = None;
    world.kill();
    world.sleep_until(ConnectionState::Online);
    assert_eq!(world.deliveries(&chat), [Delivery::Delivered]);
}

#[test]
fn a_dead_link_is_noticed_within_ten_seconds_of_being_used() {
    let mut world = World::enlisted(9);
    let chat = world.start_chat(BOB);
    world.chatd.hang_up();
    let sent = world.now;
    world.send(&chat, "into the void");
    while world.connection().state() == ConnectionState::Online {
        world.sleep();
    }
    assert!(world.now - sent <= 10_000, "noticed after {} ms", world.now - sent);
}

#[test]
fn pings_are_sent_and_responded_to() {
    let mut world = World::enlisted(10);
    let pings =
        |world: &World| world.chatd.heard("iq").iter().filter(|iq| iq.text("xmlns").as_deref() == Some("w:p")).count();
    let ping = Node::new("iq")
        .with("from", "s.whatsapp.net")
        .with("type", "get")
        .with("xmlns", "urn:xmpp:ping")
        .with("id", "p1");
    world.serve(&ping);
    let answered = world
        .chatd
        .heard("iq")
        .iter()
        .any(|iq| iq.text("id").as_deref() == Some("p1") && iq.text("type").as_deref() == Some("result"));
    assert!(answered);
    assert_eq!(pings(&world), 0);
    for _ in 0..3 {
        world.sleep();
    }
    assert!(pings(&world) >= 1);
    assert_eq!(world.connection().state(), ConnectionState::Online, "the answers count as life");
}

#[test]
fn an_ended_partner_session_requires_sign_in_and_continues_after_it() {
    let mut world = World::enlisted(11);
    world.servers.token = support::ok(401, "");
    world.cut();
    world.sleep();
    assert_eq!(world.connection().issue(), Issue::SignInNeeded);
    world.servers.token = support::ok(200, "header.claims.signature");
    assert_eq!(world.sign_in("mallory"), Issue::AlreadyEnlisted);
    assert_eq!(world.sign_in("alice"), Issue::None);
    assert_eq!(world.connection().state(), ConnectionState::Online);
    world.write_from(BOB, "welcome back");
    assert_eq!(world.texts(BOB_CHAT), ["welcome back"]);
}

#[test]
fn a_clock_that_is_set_back_delays_nothing() {
    const DAYS: u64 = 30 * 86_400_000;
    let mut world = World::enlisted(17);
    world.chatd.not_before -= 60 * 86_400;
    // While it waits for the next attempt.
    world.chatd.fate.refuse = true;
    world.cut();
    world.sleep();
    assert_eq!(world.connection().state(), ConnectionState::Waiting);
    world.now -= DAYS;
    world.chatd.fate.refuse = false;
    world.input(Input::Elapsed);
    let began = world.now;
    world.sleep_until(ConnectionState::Online);
    assert!(world.now - began <= 120_000, "waited for {} ms", world.now - began);
    // While it is connected, and the link dies.
    world.now -= DAYS;
    world.input(Input::Elapsed);
    let began = world.now;
    world.chatd.hang_up();
    while world.connection().state() == ConnectionState::Online {
        world.sleep();
    }
    assert!(world.now - began <= 60_000, "noticed after {} ms", world.now - began);
}
