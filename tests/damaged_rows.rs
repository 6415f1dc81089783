//! A row that does not open is not absent: no number, no id and no key is used a second time because of it.
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

use causeway::store::changes::{Change, Query, Table};
use causeway::view::{Action, ConnectionState, Delivery, Issue, MessageKind, MessageRef, SaveDraft, Send, StartChat};
use support::{BOB, BOB_CHAT, World};

/// Damages the rows of a table that are chosen by their keys. Returns how many.
fn damage(world: &World, table: Table, choose: impl Fn(&[u8]) -> bool) -> usize {
    let rows: Vec<_> = world.rows(table).into_iter().filter(|(key, _)| choose(key)).collect();
    let damaged = rows.iter().map(|(key, row)| {
        let mut row = row.clone();
        *row.last_mut().unwrap() ^= 1;
        Change::Put(table, key.clone(), row)
    });
    world.store.commit_now(&damaged.collect::<Vec<_>>()).unwrap();
    rows.len()
}

fn restart(world: &mut World) {
    world.kill();
    world.sleep_until(ConnectionState::Online);
}

fn notices(world: &mut World, chat: &str) -> usize {
    world.thread(chat).iter().filter(|message| message.kind() == MessageKind::IdentityChanged).count()
}

#[test]
fn a_damaged_chat_row_costs_no_message() {
    let mut world = World::enlisted(1);
    for number in 0..3 {
        world.write_from(BOB, &format!("old {number}"));
    }
    world.send(BOB_CHAT, "mine");
    world.command(Action::SaveDraft(SaveDraft { chat: BOB_CHAT.into(), text: "draft".into() }));
    assert_eq!(damage(&world, Table::Chat, |_| true), 1);
    restart(&mut world);
    assert_eq!(world.connection().issue(), Issue::StorageDamaged, "and says so");
    assert_eq!(world.chat(BOB_CHAT).last.unwrap().text, "mine");
    for number in 0..2 {
        world.write_from(BOB, &format!("new {number}"));
    }
    let expected = ["old 0", "old 1", "old 2", "mine", "new 0", "new 1"];
    assert_eq!(world.texts(BOB_CHAT), expected);
    let seqs: Vec<u64> = world.thread(BOB_CHAT).iter().map(|message| message.seq).collect();
    assert_eq!(seqs, [1, 2, 3, 4, 5, 6]);
    // Rebuilt for good.
    restart(&mut world);
    assert_eq!(world.connection().issue(), Issue::None);
    assert_eq!(world.texts(BOB_CHAT), expected);
}

#[test]
fn mail_that_waits_is_numbered_after_what_a_damaged_chat_had() {
    let mut world = World::enlisted(2);
    world.write_from(BOB, "old");
    damage(&world, Table::Chat, |_| true);
    world.kill();
    // The whole mailbox came in the same breath as the log-in.
    world.cut();
    for number in 0..3 {
        world.write_from(BOB, &format!("waiting {number}"));
    }
    damage(&world, Table::Chat, |_| true);
    restart(&mut world);
    assert_eq!(world.texts(BOB_CHAT), ["old", "waiting 0", "waiting 1", "waiting 2"]);
    assert_eq!(world.chat(BOB_CHAT).last.unwrap().text, "waiting 2");
}

#[test]
fn a_chat_whose_newest_message_is_damaged_too_goes_on_after_it() {
    let mut world = World::enlisted(3);
    for number in 0..3 {
        world.write_from(BOB, &format!("old {number}"));
    }
    let newest = world.rows(Table::Message).last().unwrap().0.clone();
    damage(&world, Table::Chat, |_| true);
    damage(&world, Table::Message, |key| key == newest);
    restart(&mut world);
    world.write_from(BOB, "new");
    let seqs: Vec<u64> = world.thread(BOB_CHAT).iter().map(|message| message.seq).collect();
    assert_eq!(seqs, [1, 2, 3, 4]);
    assert_eq!(world.texts(BOB_CHAT)[3], "new");
    assert_eq!(world.thread(BOB_CHAT)[2].kind(), MessageKind::Unsupported, "a placeholder for what does not open");
}

#[test]
fn every_chat_of_several_is_rebuilt_and_the_others_stay() {
    let mut world = World::enlisted(4);
    let numbers = ["14155550124", "14155550125", "14155550126"];
    for number in numbers {
        world.add_phone(number);
        for text in 0..5 {
            world.write_from(number, &format!("{number} {text}"));
        }
    }
    world.command(Action::StartChat(StartChat { phone: "14155550199".into() }));
    damage(&world, Table::Chat, |key| !key.starts_with(b"14155550125"));
    restart(&mut world);
    assert_eq!(world.snapshot().chats.len(), 4);
    for number in numbers {
        world.write_from(number, "new");
        let chat = format!("{number}@s.whatsapp.net");
        assert_eq!(world.texts(&chat).len(), 6);
        assert_eq!(world.chat(&chat).last.unwrap().text, "new");
    }
}

#[test]
fn a_message_whose_outbox_row_is_damaged_fails_and_can_be_sent_again() {
    let mut world = World::enlisted(5);
    let chat = world.start_chat(BOB);
    world.send(&chat, "zero");
    world.chatd.fate.swallow = true;
    for text in ["one", "two", "three"] {
        world.send(&chat, text);
    }
    let second = world.rows(Table::Outbox)[1].0.clone();
    assert_eq!(damage(&world, Table::Outbox, |key| key == second), 1);
    world.chatd.fate.swallow = false;
    restart(&mut world);
    use Delivery::{Delivered, Failed};
    assert_eq!(world.deliveries(&chat), [Delivered, Delivered, Failed, Delivered], "no message waits without end");
    let failed = world.thread(&chat)[2].clone();
    assert_eq!(failed.issue(), Issue::StorageDamaged);
    world.command(Action::Retry(MessageRef { chat: chat.clone(), seq: failed.seq }));
    assert_eq!(world.deliveries(&chat), [Delivered; 4]);
    let received: Vec<&str> = world.phones[BOB].received.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(received, ["zero", "one", "three", "two"]);
    restart(&mut world);
    assert_eq!(world.connection().issue(), Issue::None);
}

#[test]
fn a_damaged_row_of_a_person_leads_to_a_notice() {
    let mut world = World::enlisted(6);
    world.write_from(BOB, "hello");
    assert_eq!(notices(&mut world, BOB_CHAT), 0);
    assert_eq!(damage(&world, Table::Peer, |_| true), 1);
    restart(&mut world);
    assert_eq!(notices(&mut world, BOB_CHAT), 1, "the key that was compared is not known any more");
    let phone = world.phones.get_mut(BOB).unwrap();
    phone.reinstall(&mut world.rng);
    world.write_from(BOB, "from another installation");
    assert!(notices(&mut world, BOB_CHAT) >= 1);
    assert!(world.texts(BOB_CHAT).contains(&"from another installation".to_owned()));
    restart(&mut world);
    assert_eq!(world.connection().issue(), Issue::None);
}

#[test]
fn the_id_of_a_damaged_signed_prekey_is_not_given_to_another_key() {
    const WEEK: u64 = 7 * 86_400_000;
    let mut world = World::enlisted(7);
    let rotate = |world: &mut World| {
        let before = world.chatd.alice.as_ref().unwrap().signed_prekey_id;
        world.now += WEEK + 1_000;
        world.chatd.not_after += WEEK / 1_000;
        world.cut();
        world.sleep_until(ConnectionState::Online);
        let after = world.chatd.alice.as_ref().unwrap().signed_prekey_id;
        (before, after)
    };
    let (first, second) = rotate(&mut world);
    assert_eq!((first, second), (1, 2));
    // The one in use: it is replaced at once, under an id of its own.
    damage(&world, Table::SignedPreKey, |key| key == [0, 0, 2]);
    restart(&mut world);
    let third = world.chatd.alice.as_ref().unwrap().signed_prekey_id;
    assert_eq!(third, 3, "neither 1 nor 2");
    // One that is not in use, but that the next id would be.
    rotate(&mut world);
    damage(&world, Table::SignedPreKey, |key| key != [0, 0, 4]);
    restart(&mut world);
    let (_, fifth) = rotate(&mut world);
    assert_eq!(fifth, 5);
    world.write_from(BOB, "with the newest keys");
    assert_eq!(world.texts(BOB_CHAT), ["with the newest keys"]);
}

#[test]
fn the_ids_of_damaged_one_time_prekeys_are_not_used_again() {
    let mut world = World::enlisted(8);
    let uploaded = world.chatd.alice_prekeys.len();
    assert_eq!(damage(&world, Table::PreKey, |_| true), uploaded);
    world.chatd.alice_prekeys.clear();
    restart(&mut world);
    let again: Vec<u32> = world.chatd.alice_prekeys.iter().map(|(id, _)| *id).collect();
    assert!(!again.is_empty() && again.iter().all(|id| *id as usize > uploaded), "{again:?}");
}

#[test]
fn a_message_whose_id_row_is_damaged_is_neither_taken_nor_sent_twice() {
    let mut world = World::enlisted(9);
    let chat = world.start_chat(BOB);
    let send = Action::Send(Send { chat: chat.clone(), text: "once".into() });
    let tag = world.next_tag();
    let again = |world: &mut World| {
        let action = Some(send.clone());
        world.input(causeway::io::Input::Command(causeway::view::Command { tag, action, ..Default::default() }));
    };
    again(&mut world);
    let phone = world.phones.get_mut(BOB).unwrap();
    let (_, node) = phone.write("mail", &mut world.chatd, world.now, &mut world.rng);
    world.serve(&node);
    assert_eq!(damage(&world, Table::MessageId, |_| true), 2);
    restart(&mut world);
    again(&mut world);
    world.serve(&node);
    assert_eq!(world.texts(&chat), ["once", "mail"]);
    assert_eq!(world.phones[BOB].received.len(), 1);
}

#[test]
fn a_full_disk_delays_the_repair_and_does_not_repeat_it_without_end() {
    let mut world = World::enlisted(11);
    world.write_from(BOB, "old");
    damage(&world, Table::Chat, |_| true);
    damage(&world, Table::Peer, |_| true);
    world.fail_commits = Some(causeway::io::StoreFailure::QuotaExceeded);
    world.kill();
    for _ in 0..5 {
        world.input(causeway::io::Input::Elapsed);
    }
    assert!(world.loads < 100, "{} reads", world.loads);
    world.fail_commits = None;
    world.sleep_until(ConnectionState::Online);
    world.write_from(BOB, "new");
    let seqs: Vec<u64> = world.thread(BOB_CHAT).iter().map(|message| message.seq).collect();
    assert_eq!(seqs, [1, 2, 3], "old, the notice, new");
}

#[test]
fn a_page_of_damaged_messages_does_not_end_the_chat() {
    let mut world = World::enlisted(10);
    for number in 0..10 {
        world.write_from(BOB, &format!("{number}"));
    }
    damage(&world, Table::Message, |key| (3..=8).contains(key.last().unwrap()));
    let table = Query::Range { table: Table::Message, from: vec![], to: None, reverse: false, limit: 99 };
    assert_eq!(world.store.load_now(&[table]).unwrap()[0].len(), 10);
    restart(&mut world);
    let seqs: Vec<u64> = world.thread(BOB_CHAT).iter().map(|message| message.seq).collect();
    assert_eq!(seqs, (1..=10).collect::<Vec<_>>());
}
