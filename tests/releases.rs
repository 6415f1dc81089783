//! What every release left in a browser still opens with this one: chats and sessions, mail under way in both
//! directions.
//!
//! `tests/vectors/store` documents how the files were made. They are never regenerated: what is in browsers does not
//! change either.
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

#[path = "releases/snapshot.rs"]
mod snapshot;
#[path = "releases/specimens.rs"]
mod specimens;

use causeway::io::Input;
use causeway::model::{Opened, Peer, Recipient};
use causeway::protobuf::Message as _;
use causeway::store::account::Account;
use causeway::store::changes::{Change, Table};
use causeway::store::chats::{ChatRow, MessageRow, PositionRow, UnknownRow};
use causeway::store::prekeys::{OneTimePreKeyRow, SignedPreKeyRow};
use causeway::store::row::{Row, RowError};
use causeway::store::rows::recipient::OutboxRow;
use causeway::store::seal::Sealer;
use causeway::view::{Action, Command, ConnectionState, Delivery, Issue, MessageKind, SaveDraft, Send, Stage};
use causeway_proto::node::{Content, Node};
use causeway_proto::secret::Secret;
use causeway_proto::signal::SessionRecord;
use sha2::{Digest, Sha256};
use snapshot::{DATA_KEY, Release, hex, releases, table_named, take, unhex, words};
use std::path::Path;
use support::{BOB, BOB_CHAT, World};

const CAROL: &str = "14155550999";
const CAROL_CHAT: &str = "14155550999@s.whatsapp.net";

/// A browser in which the release was last used, and the peer; nothing has started yet.
fn browser_of(release: &Release) -> (World, Node) {
    let mut world = World::fresh(200);
    world.store.commit_now(&release.changes()).expect("an empty store");
    // The cookie is no part of the store.
    world.servers.signed_in = Some("alice".into());
    let (phone, next) = release.peer();
    world.phones.insert(BOB.to_owned(), phone);
    // Tags are random in pages, so none comes twice. Here they are counted, and the snapshot's world counted, too.
    for _ in 0..1000 {
        world.next_tag();
    }
    (world, next)
}

/// The row as this build writes it.
fn again(table: Table, row: &[u8]) -> Result<Vec<u8>, RowError> {
    fn through<R: Row>(row: &[u8]) -> Result<Vec<u8>, RowError> {
        Ok(R::from_bytes(row)?.to_bytes().to_vec())
    }
    match table {
        Table::Account => through::<Account>(row),
        Table::PreKey => through::<OneTimePreKeyRow>(row),
        Table::SignedPreKey => through::<SignedPreKeyRow>(row),
        Table::Session => through::<SessionRecord>(row),
        Table::Chat => through::<ChatRow>(row),
        Table::Message => through::<MessageRow>(row),
        Table::MessageId => through::<PositionRow>(row),
        Table::Outbox => {
            // What is taken from the message today is no field of a recipient.
            Recipient::from_bytes(row)?;
            OutboxRow::decode(row)
                .map(|row| row.encode_to_vec())
                .map_err(|_| RowError { table, expected: "an outgoing message" })
        }
        Table::Peer => through::<Peer>(row),
        Table::Opened => through::<Opened>(row),
        Table::Unknown => through::<UnknownRow>(row),
    }
}

/// Starts the browser of the release, and goes on writing in both directions.
fn goes_on(release: &Release) {
    let (mut world, next) = browser_of(release);
    world.chatd.mail(next);
    world.input(Input::Started);
    world.sleep_until(ConnectionState::Online);
    world.deliver();

    let snapshot = world.snapshot();
    let account = snapshot.account.expect("an account");
    assert_eq!((account.stage(), account.identifier.as_str()), (Stage::Enlisted, "alice"), "{}", release.version);
    assert_eq!(account.unknown_stanzas, 1);
    assert_eq!(snapshot.chats.len(), 2);
    assert_eq!(world.chat(CAROL_CHAT).draft, "a draft");
    let carol: Vec<_> = world.thread(CAROL_CHAT).iter().map(|message| message.kind()).collect();
    use MessageKind::{IdentityChanged, Text, Undecryptable};
    assert_eq!(carol, [Text, IdentityChanged, Text, Undecryptable]);

    // A release from before there were devices is not locked out: the account becomes this browser's, and stays it.
    let device = world.servers.device.0.clone();
    assert!(!device.is_empty() && world.asked("/api/device") == 0);
    world.cut();
    world.sleep_until(ConnectionState::Online);
    assert_eq!(world.servers.device.0, device);

    // What was under way when the browser was closed arrives, in both directions.
    let before = ["hello Bob", "hello Alice", "on its way", "still here", "sent before the update"];
    assert_eq!(world.texts(BOB_CHAT), before);
    world.write_from(BOB, "sent after it");
    assert_eq!(world.send(BOB_CHAT, "answered after it"), Issue::None);
    assert_eq!(world.texts(BOB_CHAT)[before.len()..], ["sent after it", "answered after it"]);
    let received: Vec<_> = world.phone(BOB).received.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(received, ["on its way", "still here", "answered after it"]);
    assert!(world.deliveries(BOB_CHAT).iter().all(|&delivery| delivery == Delivery::Delivered));
    assert!(world.rows(Table::Outbox).is_empty());
}

#[test]
fn an_account_of_each_release_continues() {
    for release in releases() {
        goes_on(&release);
    }
}

#[test]
fn an_account_of_this_build_continues_too() {
    let release = take(&mut lived());
    goes_on(&release);
    // How the files of a release are made.
    if let Some(folder) = std::env::var_os("CAUSEWAY_SNAPSHOT") {
        for (name, text) in
            [("rows.txt", release.rows), ("peer.txt", release.peer), ("specimens.txt", release.specimens)]
        {
            std::fs::write(Path::new(&folder).join(name), text).expect("a folder");
        }
    }
}

#[test]
fn every_row_opens_and_is_written_again_without_loss() {
    for release in releases() {
        let sealer = Sealer::new(&Secret::new(DATA_KEY));
        let mut seen = std::collections::BTreeSet::new();
        for change in release.changes() {
            let Change::Put(table, key, sealed) = change else { panic!("a snapshot holds rows") };
            let row = sealer.open(table, &key, &sealed).expect("the row opens");
            assert_eq!(again(table, &row).expect("the row decodes"), *row, "{} {}", release.version, table.name());
            seen.insert(table);
        }
        // A table that is made later has no rows in an earlier snapshot, and none may be missing from the first.
        assert!(seen.len() >= 9, "the snapshot has rows of {seen:?}");
    }
}

#[test]
fn every_field_keeps_its_number_and_its_meaning() {
    for release in releases() {
        let expected = specimens::all();
        assert_eq!(release.specimens.lines().count(), expected.len());
        for (line, (table, row)) in release.specimens.lines().zip(expected) {
            let [name, written] = words(line);
            let (written, version) = (unhex(&written), &release.version);
            assert_eq!(table_named(&name), table);
            assert_eq!(hex(&written), hex(&row), "a {name} row of {version} means something else to this build");
            assert_eq!(
                again(table, &written).expect("the row decodes"),
                written,
                "a {name} row of {version} loses a field"
            );
        }
    }
}

#[test]
fn numbers_in_rows_stay_what_they_are() {
    let stages = [Stage::SignedOut, Stage::SignedIn, Stage::Enlisting, Stage::Enlisted];
    assert_eq!(stages.map(i32::from), [0, 1, 2, 3]);
    let deliveries = [Delivery::Queued, Delivery::Sent, Delivery::Delivered, Delivery::Read, Delivery::Failed];
    assert_eq!(deliveries.map(i32::from), [0, 1, 2, 3, 4]);
    let kinds = [MessageKind::Text, MessageKind::Unsupported, MessageKind::Undecryptable, MessageKind::IdentityChanged];
    assert_eq!(kinds.map(i32::from), [0, 1, 2, 3]);
    // Those that a message can have failed with.
    let issues =
        [Issue::None, Issue::PeerUnreachable, Issue::TextTooLong, Issue::MessageRefused, Issue::PeerKeysInvalid];
    assert_eq!(issues.map(i32::from), [0, 27, 29, 30, 35]);
    assert_eq!(
        Table::ALL.map(Table::number),
        [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
        "the seal binds a row to this number"
    );
}

#[test]
fn release_files_are_never_regenerated() {
    // One for each release: `cat rows.txt peer.txt specimens.txt | sha256sum`.
    let sums = ["3ed4b6866e87d59296107fc9a3cb52c521fb042584e330e7a8080f395fd3f348"];
    assert_eq!(sums.len(), releases().len());
    for (release, sum) in releases().into_iter().zip(sums) {
        let files = [release.rows, release.peer, release.specimens].concat();
        assert_eq!(hex(&Sha256::digest(files)), sum, "{}", release.version);
    }
}

/// Lives through something of everything that the store keeps.
fn lived() -> World {
    let mut world = World::enlisted(100);
    world.add_phone(CAROL);
    let (bob, carol) = (world.start_chat(BOB), world.start_chat(CAROL));
    world.send(&bob, "hello Bob");
    world.write_from(BOB, "hello Alice");
    world.send(&carol, "hello Carol");
    let phone = world.phones.get_mut(CAROL).expect("a phone");
    phone.reinstall(&mut world.rng);
    world.write_from(CAROL, "a new phone");
    let phone = world.phones.get_mut(CAROL).expect("a phone");
    let (_, mut broken) = phone.write("never read", &mut world.chatd, world.now, &mut world.rng);
    if let Content::Nodes(children) = &mut broken.content
        && let Content::Bytes(bytes) = &mut children[0].content
    {
        bytes[40] ^= 1;
    }
    world.serve(&broken);
    world.serve(&Node::new("riddle").with("id", "1"));
    world.command(Action::SaveDraft(SaveDraft { chat: carol, text: "a draft".into() }));
    // Two that have not arrived: one as an unacknowledged ciphertext, one not encrypted yet.
    world.chatd.fate.swallow = true;
    world.send(&bob, "on its way");
    world.chatd.fate.refuse = true;
    world.cut();
    let tag = world.next_tag();
    let send = Action::Send(Send { chat: bob, text: "still here".into() });
    world.input(Input::Command(Command { tag, action: Some(send), ..Command::default() }));
    world
}
