//! Backups and hand-overs that are refused: nothing changes, and the command completes with an issue.
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

use causeway::backup::kdf::KdfError;
use causeway::io::{ComputeFailure, Input, StoreFailure};
use causeway::store::changes::Table;
use causeway::view::{Action, Command, ConnectionState, Export, Issue, Restore, Stage};
use support::{BOB, World};
use two_browsers::{PASSPHRASE, both_write_on, no_key_was_used_twice, sign_in, talking};

/// Everything that the store holds.
fn everything(world: &World) -> Vec<(Vec<u8>, Vec<u8>)> {
    Table::ALL.into_iter().flat_map(|table| world.rows(table)).collect()
}

#[test]
fn what_cannot_be_restored_changes_nothing() {
    let mut world = talking(12);
    let file = world.export(PASSPHRASE, false).unwrap();
    drop(world.fresh_browser());
    assert_eq!(world.sign_in("alice"), Issue::None);
    let before = everything(&world);
    let mut altered = file.clone();
    let last = altered.len() - 1;
    altered[last] ^= 1;
    for (passphrase, file, expected) in [
        ("correct horse battery stable", &file[..], Issue::BackupLocked),
        (PASSPHRASE, &file[..last], Issue::BackupDamaged),
        (PASSPHRASE, &altered, Issue::BackupDamaged),
        (PASSPHRASE, &[&file[..], b"x"].concat(), Issue::BackupDamaged),
        (PASSPHRASE, b"%PDF-1.7 and so on", Issue::BackupNotOne),
        (PASSPHRASE, &file[..30], Issue::BackupDamaged),
        (PASSPHRASE, &[&file[..8], &[9], &file[9..]].concat(), Issue::BackupTooNew),
    ] {
        for piece in [file.len(), 5_000] {
            assert_eq!(world.restore_in(passphrase, file, piece, false), expected);
            assert_eq!(everything(&world), before);
        }
    }
    // After all that, the right one.
    assert_eq!(world.restore(PASSPHRASE, &file), Issue::None);
    world.sleep_until(ConnectionState::Online);
}

#[test]
fn a_piece_out_of_order_ends_the_restore_and_a_duplicate_does_not() {
    let mut world = talking(13);
    let file = world.export(PASSPHRASE, false).unwrap();
    drop(world.fresh_browser());
    let mut give = |at: usize, end: usize, first: u64| {
        let tag = world.next_tag();
        let (passphrase, total) = (PASSPHRASE.to_owned(), file.len() as u64);
        let piece = Restore { passphrase, piece: file[at..end].to_vec(), at: at as u64, total, first, replace: false };
        world.input(Input::Command(Command { tag, action: Some(Action::Restore(piece)), ..Command::default() }));
        (tag, world.done(tag).unwrap().issue())
    };
    assert_eq!(give(1_000, 2_000, 99).1, Issue::RestoreInterrupted, "nothing was begun");
    let (first, issue) = give(0, 1_000, 0);
    assert_eq!(issue, Issue::None);
    assert_eq!(give(1_000, 2_000, first).1, Issue::None);
    assert_eq!(give(1_000, 2_000, first).1, Issue::None, "an answer was lost, and the piece came again");
    assert_eq!(give(3_000, 4_000, first).1, Issue::RestoreInterrupted);
    assert_eq!(give(2_000, 3_000, first).1, Issue::RestoreInterrupted, "it has to begin again");
    let (first, _) = give(0, 2_000, 0);
    assert_eq!(give(2_000, file.len(), first).1, Issue::None);
    assert_eq!(world.account().stage(), Stage::Enlisted);
}

#[test]
fn an_account_is_replaced_only_with_consent_and_never_by_another_account() {
    let mut world = talking(14);
    let file = world.export(PASSPHRASE, false).unwrap();
    let before = everything(&world);
    assert_eq!(world.restore(PASSPHRASE, &file), Issue::RestoreWouldReplace);
    assert_eq!(everything(&world), before);
    assert_eq!(world.restore_in(PASSPHRASE, &file, 9_999, true), Issue::None);
    world.sleep_until(ConnectionState::Online);
    both_write_on(&mut world, "on");
    no_key_was_used_twice(&world);

    drop(world.fresh_browser());
    assert_eq!(world.sign_in("mallory"), Issue::None);
    assert_eq!(world.restore(PASSPHRASE, &file), Issue::BackupOtherAccount);
}

#[test]
fn an_impossible_export_completes_with_an_issue() {
    let mut world = World::fresh(15);
    world.add_phone(BOB);
    world.input(Input::Started);
    assert_eq!(world.export(PASSPHRASE, false), Err(Issue::NotYetEnlisted));
    let mut world = talking(16);
    assert_eq!(world.export("short", true), Err(Issue::PassphraseTooWeak));
    assert_eq!(world.connection().state(), ConnectionState::Online, "nothing was handed over");
    world.hold_loads = true;
    let tag = world.next_tag();
    let action = Action::Export(Export { passphrase: PASSPHRASE.into(), hand_over: false });
    world.input(Input::Command(Command { tag, action: Some(action), ..Command::default() }));
    // The queue waits for the first file, so the second command is answered after it; and the first one may come again.
    let again = world.next_tag();
    let action = Action::Export(Export { passphrase: PASSPHRASE.into(), hand_over: false });
    world.input(Input::Command(Command { tag: again, action: Some(action), ..Command::default() }));
    world.hold_loads = false;
    while world.read() {}
    assert!(!world.exported(tag).unwrap().is_empty());
    assert!(!world.exported(again).unwrap().is_empty());
}

#[test]
fn without_the_code_that_derives_keys_nothing_changes() {
    let mut world = talking(18);
    let file = world.export(PASSPHRASE, false).unwrap();
    let before = everything(&world);
    for failure in [ComputeFailure::NotLoaded, ComputeFailure::Kdf(KdfError::Memory { memory: 65_536 })] {
        world.fail_computations = Some(failure);
        let expected = if failure == ComputeFailure::NotLoaded { Issue::CodeNotLoaded } else { Issue::BackupTooLarge };
        for hand_over in [false, true] {
            assert_eq!(world.export(PASSPHRASE, hand_over), Err(expected));
            assert_eq!(world.connection().state(), ConnectionState::Online, "nothing was handed over");
        }
        assert_eq!(world.restore_in(PASSPHRASE, &file, 5_000, true), expected);
        assert_eq!(everything(&world), before);
    }
    both_write_on(&mut world, "meanwhile");
    world.fail_computations = None;
    let file = world.export(PASSPHRASE, true).unwrap();
    assert_eq!(world.connection().state(), ConnectionState::Stopped);
    drop(world.fresh_browser());
    assert_eq!(world.restore(PASSPHRASE, &file), Issue::None);
    sign_in(&mut world);
    both_write_on(&mut world, "on");
    no_key_was_used_twice(&world);
}

#[test]
fn a_full_disk_completes_with_an_issue_and_neither_hands_over_nor_replaces() {
    let mut world = talking(17);
    world.fail_commits = Some(StoreFailure::QuotaExceeded);
    assert_eq!(world.export(PASSPHRASE, true), Err(Issue::StorageFull));
    world.fail_commits = None;
    world.sleep_until(ConnectionState::Online);
    let file = world.export(PASSPHRASE, true).unwrap();

    let _old = world.fresh_browser();
    world.fail_commits = Some(StoreFailure::QuotaExceeded);
    assert_eq!(world.restore(PASSPHRASE, &file), Issue::StorageFull);
    assert_eq!(world.account().stage(), Stage::SignedOut);
    world.fail_commits = None;
    assert_eq!(world.restore(PASSPHRASE, &file), Issue::None);
    sign_in(&mut world);
    both_write_on(&mut world, "then");
}
