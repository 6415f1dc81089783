//! Backup and hand-over: everything goes on in another browser, nothing is lost on the way, and no key is used twice.
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
mod two_browsers;

use causeway::id::PreKeyId;
use causeway::io::Input;
use causeway::store::account::{Account, Stale};
use causeway::store::changes::{Change, Query, Table};
use causeway::store::{records, row_key, seal::Sealer};
use causeway::view::{
    Action, Command, ConnectionState, ContinueHere, Delivery, Export, Issue, Restore, Send, SignIn, Stage,
};
use causeway_proto::secret::Secret;
use std::collections::BTreeSet;
use support::{BOB, BOB_CHAT, World};
use two_browsers::{PASSPHRASE, both_write_on, no_key_was_used_twice, sign_in, talking};

fn stored(world: &World) -> Account {
    let sealer = Sealer::new(&Secret::new(world.data_key));
    let rows = world.store.load_now(&[Query::Get(Table::Account, row_key::ACCOUNT.to_vec())]).unwrap();
    records::open(row_key::ACCOUNT, &rows[0][0].1, &sealer).unwrap()
}

fn continue_here(world: &mut World) {
    assert_eq!(world.command(Action::ContinueHere(ContinueHere {})).issue(), Issue::None);
}

fn fetches(world: &World) -> usize {
    world.chatd.heard("iq").iter().filter(|iq| iq.child("key").is_some()).count()
}

#[test]
fn a_hand_over_goes_on_where_the_other_browser_stopped() {
    let mut world = talking(1);
    // Mail that waits at the server, and a message that has not left.
    world.cut();
    world.write_from(BOB, "in flight");
    assert_eq!(world.send(BOB_CHAT, "not sent yet"), Issue::None);
    let before = world.texts(BOB_CHAT);
    let file = world.export(PASSPHRASE, true).unwrap();
    assert_eq!(world.connection().issue(), Issue::MovedElsewhere);
    assert_ne!(world.account().backup.unwrap().moved_at, 0);
    let fetched = fetches(&world);

    let old = world.fresh_browser();
    assert_eq!(world.restore(PASSPHRASE, &file), Issue::None);
    assert_eq!((world.account().stage(), world.account().identifier.as_str()), (Stage::Enlisted, "alice"));
    assert_eq!(world.connection().issue(), Issue::SignInNeeded);
    assert_eq!(world.texts(BOB_CHAT), before, "all is here before anything connects");
    sign_in(&mut world);
    world.deliver();
    assert!(world.texts(BOB_CHAT).contains(&"in flight".to_owned()));
    assert_eq!(world.phone(BOB).received.last().unwrap().1, "not sent yet");
    both_write_on(&mut world, "here");
    assert_eq!(fetches(&world), fetched, "the same sessions continue: no keys were fetched");
    assert!(world.deliveries(BOB_CHAT).iter().all(|&delivery| delivery == Delivery::Delivered));
    no_key_was_used_twice(&world);
    assert_eq!((stored(&world).stale, stored(&world).claim_from), (Stale::No, None));

    // The old browser knows, whatever happens to it.
    world.swap_browser(old);
    world.kill();
    assert_eq!(world.connection().issue(), Issue::MovedElsewhere);
    assert_eq!(world.send(BOB_CHAT, "no"), Issue::MovedElsewhere);
    assert_eq!(world.texts(BOB_CHAT), before, "what was here can still be read");
}

#[test]
fn a_hand_over_sends_no_piece_before_its_mark_is_durable() {
    let mut world = talking(2);
    world.hold_commits = true;
    let tag = world.next_tag();
    let action = Action::Export(Export { passphrase: PASSPHRASE.into(), hand_over: true });
    world.input(Input::Command(Command { tag, action: Some(action), ..Command::default() }));
    assert_eq!(world.done(tag), None);
    assert_eq!(world.chatd.socket(), None, "the connection is closed at once");
    assert_eq!(stored(&world).moved_at, None);
    while world.commit() {}
    assert_ne!(stored(&world).moved_at, None);
    assert!(!world.exported(tag).unwrap().is_empty());
}

#[test]
fn a_backup_brings_everything_back_and_both_write_on() {
    let mut world = talking(3);
    let file = world.export(PASSPHRASE, false).unwrap();
    assert_eq!(world.connection().state(), ConnectionState::Online, "this browser goes on");
    assert_eq!(world.account().backup.unwrap().made_at, world.now);
    let saved = world.texts(BOB_CHAT);
    // The backup gets older, on both sides, with ratchets that move on.
    both_write_on(&mut world, "after the backup");

    // The browser is gone.
    drop(world.fresh_browser());
    assert_eq!(world.restore(PASSPHRASE, &file), Issue::None);
    assert_eq!(world.texts(BOB_CHAT), saved);
    let (old_keys, own) = (world.chatd.alice_prekeys.clone(), stored(&world));
    sign_in(&mut world);
    assert_eq!((stored(&world).stale, stored(&world).claim_from), (Stale::No, None));
    assert_eq!(world.send(BOB_CHAT, "from the backup"), Issue::None);
    assert_eq!(world.phone(BOB).received.last().unwrap().1, "from the backup");
    both_write_on(&mut world, "from the backup");
    no_key_was_used_twice(&world);

    // The server keeps what the lost browser gave it, and hands out fresh keys besides, whose secret halves are here.
    let known: BTreeSet<u32> = old_keys.iter().map(|(id, _)| *id).collect();
    let here: BTreeSet<Vec<u8>> = world.rows(Table::PreKey).into_iter().map(|(key, _)| key).collect();
    let fresh: Vec<u32> =
        world.chatd.alice_prekeys.iter().map(|(id, _)| *id).filter(|id| !known.contains(id)).collect();
    assert!(fresh.len() > 50 && fresh.iter().all(|&id| here.contains(&row_key::prekey(PreKeyId(id)))), "{fresh:?}");
    assert_ne!(stored(&world).keys.unwrap().signed_prekey_id, own.keys.unwrap().signed_prekey_id);
    assert_eq!(world.account().backup.unwrap().moved_at, 0);
}

#[test]
fn mail_in_transit_when_a_backup_was_made_is_read_after_the_restore() {
    let mut world = talking(4);
    world.cut();
    world.write_from(BOB, "on its way");
    let file = world.export(PASSPHRASE, false).unwrap();
    drop(world.fresh_browser());
    assert_eq!(world.restore(PASSPHRASE, &file), Issue::None);
    sign_in(&mut world);
    assert_eq!(world.texts(BOB_CHAT).last().unwrap(), "on its way");
    both_write_on(&mut world, "then");
    no_key_was_used_twice(&world);
}

#[test]
fn taking_a_hand_over_back_outdates_its_file() {
    let mut world = talking(5);
    let fetched = fetches(&world);
    let file = world.export(PASSPHRASE, true).unwrap();
    continue_here(&mut world);
    world.sleep_until(ConnectionState::Online);
    assert_eq!(world.account().backup.unwrap().moved_at, 0);
    both_write_on(&mut world, "still here");
    assert_eq!(fetches(&world), fetched, "no other device held the account in between: the sessions are exact");

    let old = world.fresh_browser();
    assert_eq!(world.restore(PASSPHRASE, &file), Issue::None);
    sign_in(&mut world);
    both_write_on(&mut world, "from the file");
    assert!(fetches(&world) > fetched, "the file was old: its sessions must not send");
    no_key_was_used_twice(&world);

    // And the other way round: the old browser wants to go on, although the file is in use. It may not with its token.
    world.swap_browser(old);
    world.kill();
    world.sleep_until(ConnectionState::Stopped);
    assert_eq!(world.connection().issue(), Issue::MovedElsewhere);
}

#[test]
fn a_hand_over_taken_back_after_the_file_was_used_sends_nothing_with_old_keys() {
    let mut world = talking(6);
    let file = world.export(PASSPHRASE, true).unwrap();
    let old = world.fresh_browser();
    assert_eq!(world.restore(PASSPHRASE, &file), Issue::None);
    sign_in(&mut world);
    both_write_on(&mut world, "there");
    let new = world.swap_browser(old);
    continue_here(&mut world);
    world.sleep_until(ConnectionState::Online);
    both_write_on(&mut world, "here again");
    no_key_was_used_twice(&world);
    world.swap_browser(new);
    world.kill();
    world.sleep_until(ConnectionState::Stopped);
    assert_eq!(world.connection().issue(), Issue::MovedElsewhere, "one browser at a time");
}

#[test]
fn two_browsers_that_restore_one_hand_over_do_not_send_the_same() {
    let mut world = talking(7);
    let file = world.export(PASSPHRASE, true).unwrap();
    for round in ["first", "second"] {
        drop(world.fresh_browser());
        assert_eq!(world.restore(PASSPHRASE, &file), Issue::None);
        sign_in(&mut world);
        both_write_on(&mut world, round);
    }
    no_key_was_used_twice(&world);
}

#[test]
fn a_file_of_a_browser_with_an_incomplete_restore_is_outdated() {
    let mut world = talking(8);
    let backup = world.export(PASSPHRASE, false).unwrap();
    both_write_on(&mut world, "after the backup");
    drop(world.fresh_browser());
    assert_eq!(world.restore(PASSPHRASE, &backup), Issue::None);
    // Nobody signs in here: it is handed over at once.
    let file = world.export(PASSPHRASE, true).unwrap();
    drop(world.fresh_browser());
    assert_eq!(world.restore(PASSPHRASE, &file), Issue::None);
    sign_in(&mut world);
    both_write_on(&mut world, "at last");
    no_key_was_used_twice(&world);
}

#[test]
fn what_arrives_while_a_backup_is_made_waits_and_is_not_lost() {
    let mut world = talking(9);
    // The partner server answers a question of before only in the middle of it.
    world.hold_requests = true;
    let sign_in = SignIn { identifier: "alice".into(), password: "correct horse".into(), create: false };
    let tag = world.next_tag();
    world.input(Input::Command(Command { tag, action: Some(Action::SignIn(sign_in)), ..Command::default() }));
    world.hold_loads = true;
    let tag = world.next_tag();
    let action = Action::Export(Export { passphrase: PASSPHRASE.into(), hand_over: false });
    world.input(Input::Command(Command { tag, action: Some(action), ..Command::default() }));
    world.read();
    let commits = world.commits;
    world.write_from(BOB, "meanwhile");
    let sent = world.next_tag();
    let send = Action::Send(Send { chat: BOB_CHAT.into(), text: "me too".into() });
    world.input(Input::Command(Command { tag: sent, action: Some(send), ..Command::default() }));
    assert!(world.respond());
    assert_eq!((world.commits, world.done(sent)), (commits, None), "nothing is written between the pages");
    world.hold_loads = false;
    world.hold_requests = false;
    while world.read() {}
    let file = world.exported(tag).unwrap();
    assert_eq!(world.done(sent).unwrap().issue(), Issue::None);
    world.deliver();
    let texts = world.texts(BOB_CHAT);
    assert!(texts.contains(&"meanwhile".to_owned()) && texts.contains(&"me too".to_owned()), "{texts:?}");

    drop(world.fresh_browser());
    assert_eq!(world.restore(PASSPHRASE, &file), Issue::None);
    let texts = world.texts(BOB_CHAT);
    assert_eq!(texts.len(), 6, "the file shows the moment at which it was begun: {texts:?}");
}

#[test]
fn every_row_of_many_pages_comes_over() {
    let mut world = talking(10);
    world.cut();
    for number in 0..600 {
        assert_eq!(world.send(BOB_CHAT, &format!("message {number}")), Issue::None);
    }
    let counts = |world: &World| Table::ALL.map(|table| world.rows(table).len());
    let before = counts(&world);
    assert!(before[5] > 600, "{before:?}");
    let file = world.export(PASSPHRASE, true).unwrap();
    drop(world.fresh_browser());
    assert_eq!(world.restore_in(PASSPHRASE, &file, 50_000, false), Issue::None);
    assert_eq!(counts(&world), before);
    for (key, row) in world.rows(Table::Message) {
        let sealer = Sealer::new(&Secret::new(world.data_key));
        assert!(sealer.open(Table::Message, &key, &row).is_ok(), "sealed under this browser's own key");
    }
    sign_in(&mut world);
    assert_eq!(world.phone(BOB).received.len(), 603);
    no_key_was_used_twice(&world);
}

#[test]
fn a_damaged_row_is_left_out_and_counted() {
    use causeway::view::News;
    let mut world = talking(11);
    let (key, mut row) = world.rows(Table::Message).remove(0);
    row[20] ^= 1;
    world.store.commit_now(&[Change::Put(Table::Message, key, row)]).unwrap();
    let file = world.export(PASSPHRASE, false).unwrap();
    let left_out = world.updates.iter().rev().find_map(|update| match &update.news {
        Some(News::BackupPiece(piece)) => Some(piece.left_out),
        _ => None,
    });
    assert_eq!(left_out, Some(1));
    drop(world.fresh_browser());
    assert_eq!(world.restore(PASSPHRASE, &file), Issue::None);
    assert_eq!(world.rows(Table::Message).len(), 5);
}

#[test]
fn a_hand_over_and_its_restore_survive_a_crash_at_any_transaction() {
    let mut transactions = 0;
    for crash in 0.. {
        let mut world = talking(18);
        world.cut();
        world.write_from(BOB, "in flight");
        assert_eq!(world.send(BOB_CHAT, "not sent yet"), Issue::None);
        world.hold_commits = true;
        let mut left = crash;
        let mut file = None;
        // The page resends the command after a crash, under the same tag.
        let tag = world.next_tag();
        for _ in 0..2 {
            let action = Action::Export(Export { passphrase: PASSPHRASE.into(), hand_over: true });
            world.input(Input::Command(Command { tag, action: Some(action), ..Command::default() }));
            if commit_until(&mut world, &mut left) {
                file = Some(world.exported(tag).unwrap());
                break;
            }
        }
        let file = file.unwrap();
        world.hold_commits = false;
        let _old = world.fresh_browser();
        world.hold_commits = true;
        let restored = |world: &mut World| {
            let tag = world.next_tag();
            let (passphrase, total) = (PASSPHRASE.to_owned(), file.len() as u64);
            let piece = Restore { passphrase, piece: file.clone(), at: 0, total, first: 0, replace: false };
            world.input(Input::Command(Command { tag, action: Some(Action::Restore(piece)), ..Command::default() }));
        };
        restored(&mut world);
        if !commit_until(&mut world, &mut left) && stored(&world).stage != Stage::Enlisted {
            restored(&mut world);
            commit_until(&mut world, &mut left);
        }
        let tag = world.next_tag();
        let sign_in = SignIn { identifier: "alice".into(), password: "correct horse".into(), create: false };
        world.input(Input::Command(Command { tag, action: Some(Action::SignIn(sign_in)), ..Command::default() }));
        commit_until(&mut world, &mut left);
        world.hold_commits = false;
        while world.commit() {}
        if world.done(tag).is_none() {
            world.sign_in("alice");
        }
        world.sleep_until(ConnectionState::Online);
        world.deliver();
        let texts = world.texts(BOB_CHAT);
        assert!(texts.contains(&"in flight".to_owned()), "crash {crash}: {texts:?}");
        assert_eq!(world.phone(BOB).received.last().unwrap().1, "not sent yet", "crash {crash}");
        both_write_on(&mut world, "then");
        no_key_was_used_twice(&world);
        transactions = crash;
        if left > 0 {
            break;
        }
    }
    assert!(transactions > 5, "a hand-over has more transactions than {transactions}");
}

/// Commits the held transactions, one by one; kills the browser before the one that `left` counts down to. Returns
/// whether there was none such.
fn commit_until(world: &mut World, left: &mut i32) -> bool {
    while !world.held.is_empty() {
        if *left == 0 {
            *left = -1;
            world.kill();
            while world.commit() {}
            return false;
        }
        *left -= 1;
        world.commit();
    }
    true
}
