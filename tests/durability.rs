//! Commit, then send: nothing is sent, shown or acknowledged before the changes it depends on are durable.
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

use causeway::io::{Input, StopReason, StoreFailure};
use causeway::view::{Action, Command, ConnectionState, Delivery, Issue, News, SaveDraft, Send};
use support::{BOB, BOB_CHAT, World};

fn shown_messages(world: &World) -> usize {
    world.updates.iter().filter(|update| matches!(update.news, Some(News::Messages(_)))).count()
}

#[test]
fn no_message_leaves_and_no_bubble_paints_before_its_transaction() {
    let mut world = World::enlisted(1);
    let chat = world.start_chat(BOB);
    assert!(world.texts(&chat).is_empty());
    world.hold_commits = true;
    let tag = world.next_tag();
    let send = Action::Send(Send { chat: chat.clone(), text: "hello".into() });
    world.input(Input::Command(Command { tag, action: Some(send), ..Command::default() }));
    assert_eq!(shown_messages(&world), 0);
    assert_eq!(world.done(tag), None);
    assert!(world.chatd.messages().is_empty());
    while world.commit() {}
    assert_eq!(world.done(tag).unwrap().issue(), Issue::None);
    assert_eq!(world.phone(BOB).received.len(), 1);
}

#[test]
fn no_receipt_leaves_before_the_message_is_durable() {
    let mut world = World::enlisted(2);
    let chat = world.start_chat(BOB);
    assert!(world.texts(&chat).is_empty());
    world.hold_commits = true;
    let before = world.chatd.heard("receipt").len();
    world.write_from(BOB, "hello");
    assert_eq!(world.chatd.heard("receipt").len(), before);
    assert_eq!(shown_messages(&world), 0);
    while world.commit() {}
    assert_eq!(world.chatd.heard("receipt").len(), before + 1);
    assert_eq!(shown_messages(&world), 1);
}

#[test]
fn stanzas_during_a_transaction_become_one_transaction_after_it() {
    let mut world = World::enlisted(3);
    world.write_from(BOB, "first");
    world.hold_commits = true;
    // Each time the whole mailbox comes, so that these are 210 stanzas.
    for number in 0..20 {
        world.write_from(BOB, &format!("message {number}"));
    }
    let before = world.commits;
    while world.commit() {}
    assert_eq!(world.commits - before, 2, "one that was under way, and one for all that came meanwhile");
    assert_eq!(world.texts(BOB_CHAT).len(), 21);
}

#[test]
fn a_message_that_comes_twice_is_shown_once_and_acknowledged_twice() {
    let mut world = World::enlisted(4);
    let phone = world.phones.get_mut(BOB).unwrap();
    let (id, node) = phone.write("once", &mut world.chatd, world.now, &mut world.rng);
    for _ in 0..3 {
        world.serve(&node);
    }
    assert_eq!(world.texts(BOB_CHAT), ["once"]);
    let receipts = world.chatd.heard("receipt");
    assert_eq!(receipts.iter().filter(|receipt| receipt.text("id").as_deref() == Some(&id)).count(), 3);
    assert!(receipts.iter().all(|receipt| receipt.text("type").is_none()), "no retry was asked for");
}

#[test]
fn killed_at_any_transaction_a_short_conversation_is_whole() {
    // Every transaction of the conversation is lost once, and the browser killed there.
    for crash in 0.. {
        let mut world = World::enlisted(5);
        let chat = world.start_chat(BOB);
        world.hold_commits = true;
        let mut committed = 0;
        let mut step = |world: &mut World| {
            while !world.held.is_empty() {
                if committed == crash {
                    return true;
                }
                committed += 1;
                world.commit();
            }
            false
        };
        let mut sent = false;
        let mut crashed = false;
        for number in 0..4 {
            let tag = world.next_tag();
            let send = Action::Send(Send { chat: chat.clone(), text: format!("out {number}") });
            world.input(Input::Command(Command { tag, action: Some(send.clone()), ..Command::default() }));
            crashed |= step(&mut world);
            world.write_from(BOB, &format!("in {number}"));
            crashed |= step(&mut world);
            if crashed {
                world.hold_commits = false;
                world.kill();
                // The page sends its command again, as it does when a new engine starts.
                world.input(Input::Command(Command { tag, action: Some(send), ..Command::default() }));
                sent = true;
                break;
            }
        }
        world.hold_commits = false;
        world.sleep_until(ConnectionState::Online);
        world.deliver();
        let thread = world.texts(&chat);
        let expect_unique = thread.iter().collect::<std::collections::BTreeSet<_>>().len();
        assert_eq!(expect_unique, thread.len(), "crash {crash}: shown twice: {thread:?}");
        let out: Vec<&String> = thread.iter().filter(|text| text.starts_with("out")).collect();
        let received: Vec<String> = world.phone(BOB).received.iter().map(|(_, text)| text.clone()).collect();
        assert_eq!(out.len(), received.len(), "crash {crash}: {thread:?} {received:?}");
        assert!(world.chatd.mailbox.is_empty(), "crash {crash}: undelivered mail");
        assert!(world.deliveries(&chat).iter().all(|&delivery| delivery >= Delivery::Sent), "crash {crash}");
        if !crashed && !sent {
            assert!(crash > 8, "the conversation has more transactions than {crash}");
            break;
        }
    }
}

#[test]
fn a_full_disk_is_shown_and_nothing_appears_stored() {
    let mut world = World::enlisted(6);
    let chat = world.start_chat(BOB);
    world.fail_commits = Some(StoreFailure::QuotaExceeded);
    assert_eq!(world.send(&chat, "hello"), Issue::StorageFull);
    assert!(world.chatd.messages().is_empty());
    assert_eq!(world.connection().issue(), Issue::StorageFull);
    world.fail_commits = None;
    world.sleep_until(ConnectionState::Online);
    assert_eq!(world.texts(&chat), Vec::<String>::new());
    assert_eq!(world.send(&chat, "hello again"), Issue::None);
    assert_eq!(world.phone(BOB).received.len(), 1);
    assert_eq!(world.connection().issue(), Issue::None);
}

#[test]
fn a_full_disk_at_any_transaction_loses_nothing_and_is_shown() {
    // Each transaction of the conversation is refused once, and the user, who sees the issue, sends again.
    for full in 0.. {
        let mut world = World::enlisted(10);
        let chat = world.start_chat(BOB);
        world.hold_commits = true;
        let (mut committed, mut refused) = (0, None);
        let step = |world: &mut World, committed: &mut usize| {
            let mut here = false;
            while !world.held.is_empty() {
                if *committed == full {
                    here = true;
                    world.fail_commits = Some(StoreFailure::QuotaExceeded);
                    world.commit();
                    world.fail_commits = None;
                } else {
                    world.commit();
                }
                *committed += 1;
            }
            here
        };
        for number in 0..3 {
            let tag = world.next_tag();
            let send = Action::Send(Send { chat: chat.clone(), text: format!("out {number}") });
            world.input(Input::Command(Command { tag, action: Some(send.clone()), ..Command::default() }));
            let receipts = world.chatd.heard("receipt").len();
            if step(&mut world, &mut committed) {
                refused = Some(world.connection().issue());
                match world.done(tag).map(|done| done.issue()) {
                    Some(Issue::None) => {}
                    Some(Issue::StorageFull) => {
                        world.input(Input::Command(Command { tag, action: Some(send), ..Command::default() }))
                    }
                    other => panic!("transaction {full}: {other:?}"),
                }
                assert_eq!(world.chatd.heard("receipt").len(), receipts, "transaction {full}: nothing is acknowledged");
            }
            world.write_from(BOB, &format!("in {number}"));
            if step(&mut world, &mut committed) {
                refused = Some(world.connection().issue());
            }
        }
        world.hold_commits = false;
        while world.commit() {}
        world.sleep_until(ConnectionState::Online);
        world.deliver();
        let (thread, received) = (world.texts(&chat), world.phone(BOB).received.clone());
        let count = |text: &str| thread.iter().filter(|shown| *shown == text).count();
        for number in 0..3 {
            assert_eq!((count(&format!("out {number}")), count(&format!("in {number}"))), (1, 1), "{full}: {thread:?}");
        }
        assert_eq!(received.len(), 3, "transaction {full}: {received:?}");
        assert!(world.chatd.mailbox.is_empty(), "transaction {full}: undelivered mail");
        assert_eq!(world.waiting(), 0, "transaction {full}: something still waits");
        assert_eq!(world.connection().issue(), Issue::None, "transaction {full}: there is space again");
        match refused {
            Some(issue) => assert_eq!(issue, Issue::StorageFull, "transaction {full}"),
            None => return assert!(full > 8, "the conversation has more transactions than {full}"),
        }
    }
}

#[test]
fn a_mailbox_that_does_not_fit_is_not_acknowledged_until_there_is_space() {
    let mut world = World::enlisted(11);
    world.write_from(BOB, "first");
    world.cut();
    for number in 0..20 {
        world.write_from(BOB, &format!("waiting {number}"));
    }
    world.fail_commits = Some(StoreFailure::QuotaExceeded);
    let acknowledged = world.chatd.heard("receipt").len() + world.chatd.heard("ack").len();
    for _ in 0..10 {
        world.sleep();
    }
    assert_eq!(world.chatd.heard("receipt").len() + world.chatd.heard("ack").len(), acknowledged);
    assert_eq!(world.chatd.mailbox.len(), 20);
    assert_eq!(world.connection().issue(), Issue::StorageFull);
    // A draft is not stored either, and its command completes with the issue.
    let draft = SaveDraft { chat: BOB_CHAT.into(), text: "typed".into() };
    assert_eq!(world.command(Action::SaveDraft(draft.clone())).issue(), Issue::StorageFull);
    world.fail_commits = None;
    assert_eq!(world.command(Action::SaveDraft(draft)).issue(), Issue::None);
    world.sleep_until(ConnectionState::Online);
    world.deliver();
    assert_eq!(world.texts(BOB_CHAT).len(), 21);
    assert!(world.chatd.mailbox.is_empty());
    assert_eq!(world.chat(BOB_CHAT).draft, "typed");
}

#[test]
fn an_engine_that_was_superseded_stops_and_writes_nothing() {
    let mut world = World::enlisted(7);
    let chat = world.start_chat(BOB);
    let newer = world.place.open_now();
    let tag = world.next_tag();
    let send = Action::Send(Send { chat: chat.clone(), text: "late".into() });
    world.input(Input::Command(Command { tag, action: Some(send), ..Command::default() }));
    assert_eq!(world.stopped, Some(StopReason::Superseded));
    assert!(world.chatd.messages().is_empty());
    assert_eq!(world.chatd.socket(), None, "the socket is closed");
    world.store = newer;
}

#[test]
fn a_damaged_row_is_shown_and_the_rest_works() {
    use causeway::store::changes::{Change, Query, Table};
    let mut world = World::enlisted(8);
    world.start_chat(BOB);
    world.start_chat("14155550999");
    let key = BOB_CHAT.as_bytes().to_vec();
    let rows = world.store.load_now(&[Query::Get(Table::Chat, key.clone())]).unwrap();
    let mut row = rows[0][0].1.clone();
    row[20] ^= 1;
    world.store.commit_now(&[Change::Put(Table::Chat, key, row)]).unwrap();
    world.kill();
    world.sleep_until(ConnectionState::Online);
    assert_eq!(world.connection().issue(), Issue::StorageDamaged);
    assert_eq!(world.snapshot().chats.len(), 2, "the damaged one is rebuilt");
}

#[test]
fn without_its_account_row_the_engine_writes_nothing() {
    use causeway::store::changes::{Change, Table};
    let mut world = World::enlisted(9);
    world.store.commit_now(&[Change::Put(Table::Account, b"account".to_vec(), vec![1; 40])]).unwrap();
    let commits = world.commits;
    world.kill();
    assert_eq!(world.connection().issue(), Issue::AccountDamaged);
    assert_eq!(world.connection().state(), ConnectionState::Stopped);
    assert_eq!(world.commits, commits);
}
