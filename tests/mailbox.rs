//! A full mailbox: read in bounded groups, requested batch by batch, and shown to pages in few updates.
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
use causeway::view::{Command, ConnectionState, News};
use support::{BOB, BOB_CHAT, World};

/// Alice comes back to this many messages from Bob; her store takes its time.
fn full(seed: u64, messages: usize) -> World {
    let mut world = World::enlisted(seed);
    world.write_from(BOB, "first");
    world.cut();
    for number in 0..messages {
        world.write_from(BOB, &format!("message {number}"));
    }
    world.chatd.heard.clear();
    world.updates.clear();
    world.hold_commits = true;
    for _ in 0..50 {
        if world.held.is_empty() {
            world.sleep();
        }
    }
    assert!(!world.held.is_empty(), "nothing to write after {:?}", world.connection());
    world
}

fn expected(messages: usize) -> Vec<String> {
    std::iter::once("first".to_owned()).chain((0..messages).map(|number| format!("message {number}"))).collect()
}

#[test]
fn the_next_batch_is_requested_when_everything_of_the_last_is_durable() {
    let mut world = full(1, 1100);
    let offline_batches = |world: &World| world.chatd.heard("ib").len();
    assert_eq!(offline_batches(&world), 1, "the first is asked for at once");
    while world.commit() {}
    assert_eq!(offline_batches(&world), 3);
    let told = world.chatd.heard.iter().filter(|node| ["ib", "receipt"].contains(&node.tag.as_ref()));
    let mut receipts = 0;
    let mut before = Vec::new();
    for node in told {
        if node.tag == "ib" { before.push(receipts) } else { receipts += 1 }
    }
    assert_eq!(before, [0, 500, 1000], "receipts sent before each request");
    assert_eq!(world.texts(BOB_CHAT), expected(1100)[901..]);
}

#[test]
fn a_server_that_sends_less_than_a_batch_gets_another_request_while_the_mailbox_is_open() {
    let mut world = World::enlisted(6);
    world.cut();
    world.write_from(BOB, "waiting");
    world.chatd.heard.clear();
    world.chatd.fate.pauses = true;
    world.sleep_until(ConnectionState::Draining);
    assert_eq!(world.chatd.heard("ib").len(), 1);
    world.sleep_until(ConnectionState::Online);
    let asked = world.chatd.heard("ib").len();
    assert!((3..=12).contains(&asked), "asked {asked} times in a minute");
}

#[test]
fn a_group_is_bounded_however_much_comes_at_once() {
    let mut world = full(2, 600);
    let mut largest = 0;
    while let Some((_, changes)) = world.held.front() {
        largest = largest.max(changes.len());
        world.commit();
    }
    // A message is two rows; the session and the chat are one each.
    assert!(largest <= 2 * 500 + 3, "{largest} rows in one transaction");
    assert_eq!(world.chatd.mailbox.len(), 0, "everything is receipted");
    assert_eq!(world.chat(BOB_CHAT).unread, 601);
}

#[test]
fn messages_that_arrive_while_rows_are_evicted_are_recognised_when_repeated() {
    let mut world = full(3, 540);
    let (once, twice) = (world.chatd.mailbox.first().cloned().unwrap(), world.chatd.mailbox.last().cloned().unwrap());
    while world.commit() {}
    world.serve(&once);
    world.serve(&twice);
    while world.commit() {}
    assert_eq!(world.chat(BOB_CHAT).unread, 541);
    assert_eq!(world.texts(BOB_CHAT), expected(540)[341..]);
}

#[test]
fn pages_get_one_update_a_group_and_only_for_opened_chats() {
    let mut world = full(4, 300);
    let commits = world.commits;
    while world.commit() {}
    let groups = world.commits - commits;
    let of = |kind: fn(&News) -> bool| {
        world.updates.iter().filter_map(|update| update.news.as_ref()).filter(|n| kind(n)).count()
    };
    assert_eq!(of(|news| matches!(news, News::Messages(_))), 0, "no page has opened the chat");
    assert!(
        of(|news| matches!(news, News::Chat(_))) <= groups,
        "{} in {groups}",
        of(|news| matches!(news, News::Chat(_)))
    );
    assert!(of(|news| matches!(news, News::Connection(_))) <= groups + 5);

    assert_eq!(world.texts(BOB_CHAT).len(), 200);
    world.updates.clear();
    world.write_from(BOB, "last");
    while world.commit() {}
    let shown: Vec<_> = world.updates.iter().filter(|update| matches!(update.news, Some(News::Messages(_)))).collect();
    assert_eq!(shown.len(), 1, "the chat is open now");
}

#[test]
fn a_command_runs_while_a_mailbox_is_read() {
    let mut world = full(5, 300);
    let tag = world.next_tag();
    let send = causeway::view::Send { chat: BOB_CHAT.into(), text: "I am back".into() };
    let action = Some(causeway::view::Action::Send(send));
    world.input(Input::Command(Command { tag, action, ..Command::default() }));
    while world.commit() {}
    assert!(world.done(tag).is_some());
    assert_eq!(world.phone(BOB).received.len(), 1);
    assert_eq!(world.chatd.mailbox.len(), 0);
}

#[test]
fn a_page_that_opened_a_chat_before_its_first_message_gets_its_messages() {
    let mut world = World::enlisted(7);
    assert!(world.texts(BOB_CHAT).is_empty());
    world.start_chat(BOB);
    world.updates.clear();
    world.write_from(BOB, "the first");
    let told = world.updates.iter().filter(|update| matches!(update.news, Some(News::Messages(_)))).count();
    assert_eq!(told, 1);
}
