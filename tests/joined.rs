//! Two chats that turn out to be one person's become one, and nothing of them is lost or there twice.
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

use causeway::io::StoreFailure;
use causeway::store::changes::Table;
use causeway::view::{Action, ChatView, Delivery, Issue, MarkRead, MessageKind, News, Notified, SaveDraft};
use causeway_proto::jid::Jid;
use causeway_proto::node::Node;
use support::{BOB, BOB_CHAT, World, alice};

const LID_USER: &str = "2277001122";
const LID: &str = "2277001122@lid";

/// Bob's phone writes from this address in a session of its own, as if Alice had never written to it.
fn first_from(world: &mut World, address: &str, text: &str) {
    let bundle = world.chatd.bundle_of_alice();
    let phone = world.phones.get_mut(BOB).unwrap();
    phone.keys.start_session(&alice(), &bundle, &mut world.rng).unwrap();
    let node = written(world, address, text);
    world.serve(&node);
}

/// The next message of Bob's phone, from this address.
fn written(world: &mut World, address: &str, text: &str) -> Node {
    let phone = world.phones.get_mut(BOB).unwrap();
    let (_, mut node) = phone.write(text, &mut world.chatd, world.now, &mut world.rng);
    node.attrs.retain(|(key, _)| key != "from");
    node.with("from", address.parse::<Jid>().unwrap())
}

/// Says, with a message, that both addresses are Bob's.
fn told(world: &mut World, text: &str) -> Node {
    written(world, LID, text).with("sender_pn", BOB_CHAT.parse::<Jid>().unwrap())
}

/// A chat under the number, then one under the hidden identifier.
fn two_chats(seed: u64) -> World {
    let mut world = World::enlisted(seed);
    world.chatd.reached_at.insert(LID_USER.into(), BOB.into());
    let chat = world.start_chat(BOB);
    world.send(&chat, "to the number");
    world.now += 1_000;
    first_from(&mut world, LID, "from the LID");
    world.now += 1_000;
    world.send(LID, "to the LID");
    world.now += 1_000;
    assert_eq!(world.snapshot().chats.len(), 2);
    world
}

fn only_chat(world: &mut World) -> ChatView {
    let chats = world.snapshot().chats;
    assert_eq!(chats.len(), 1, "{chats:?}");
    chats[0].clone()
}

const ALL: [&str; 4] = ["to the number", "from the LID", "to the LID", "it is me"];

#[test]
fn both_histories_are_in_one_chat() {
    let mut world = two_chats(1);
    let node = told(&mut world, "it is me");
    world.serve(&node);
    let chat = only_chat(&mut world);
    assert!(chat.id == BOB_CHAT && chat.has_joined(LID) && !chat.has_joined(BOB_CHAT));
    assert_eq!(world.texts(BOB_CHAT), ALL);
    let seqs: Vec<u64> = world.thread(BOB_CHAT).iter().map(|message| message.seq).collect();
    assert_eq!(seqs, [1, 2, 3, 4]);
    // Nothing is left under the other address.
    for table in [Table::Message, Table::MessageId, Table::Chat, Table::Session, Table::Peer] {
        let is_left = |key: &[u8]| key.windows(LID.len()).any(|part| part == LID.as_bytes());
        assert!(world.rows(table).iter().all(|(key, _)| !is_left(key)), "{table:?}");
    }
    // A page that still has the other chat open is answered about this one.
    assert_eq!(world.texts(LID), ALL);
    assert_eq!(world.send(LID, "from an old page"), Issue::None);
    world.send(BOB_CHAT, "from a new one");
    let received: Vec<_> = world.phone(BOB).received.iter().map(|(_, text)| text.clone()).collect();
    assert_eq!(received, ["to the number", "to the LID", "from an old page", "from a new one"]);
    let to: Vec<_> = world.chatd.messages().iter().map(|node| node.jid("to").unwrap().unwrap().to_string()).collect();
    assert_eq!(to, [BOB_CHAT, LID, BOB_CHAT, BOB_CHAT]);
    world.kill();
    only_chat(&mut world);
    assert_eq!(world.texts(BOB_CHAT).len(), 6);
    // The number, typed again, is the same chat.
    assert_eq!(world.start_chat(BOB), BOB_CHAT);
    only_chat(&mut world);
}

#[test]
fn the_chat_that_was_active_before_keeps_its_id_and_shows_the_number() {
    let mut world = World::enlisted(2);
    first_from(&mut world, LID, "who am I");
    world.now += 1_000;
    let chat = world.start_chat(BOB);
    world.send(&chat, "hello, number");
    world.now += 1_000;
    let node = told(&mut world, "it is me");
    world.serve(&node);
    let chat = only_chat(&mut world);
    assert_eq!((chat.id.as_str(), chat.address.as_str()), (LID, "+14155550123"));
    assert_eq!(world.texts(LID), ["who am I", "hello, number", "it is me"]);
    assert_eq!(world.start_chat("+1 (415) 555-0123"), LID);
}

#[test]
fn counts_marks_and_drafts_are_kept() {
    let mut world = two_chats(3);
    let node = written(&mut world, LID, "unread");
    world.serve(&node);
    world.command(Action::Notified(Notified { chat: LID.into(), up_to: 3 }));
    for (chat, text) in [(BOB_CHAT, "half a"), (LID, "sentence")] {
        world.command(Action::SaveDraft(SaveDraft { chat: chat.into(), text: text.into() }));
    }
    let node = told(&mut world, "another");
    world.serve(&node);
    let chat = only_chat(&mut world);
    assert_eq!((chat.unread, chat.read_up_to, chat.notified_up_to), (2, 3, 4));
    assert_eq!(chat.draft, "half a\nsentence");
    assert_eq!(chat.last.unwrap().text, "another");
    // What a page saves that still has the other chat open.
    for text in ["sentence", "sentence, more"] {
        world.command(Action::SaveDraft(SaveDraft { chat: LID.into(), text: text.into() }));
    }
    assert_eq!(only_chat(&mut world).draft, "half a\nsentence\nsentence, more");
    world.command(Action::MarkRead(MarkRead { chat: BOB_CHAT.into(), up_to: 5 }));
    assert_eq!(only_chat(&mut world).unread, 0);
}

#[test]
fn what_was_delivered_is_known_and_what_is_receipted_is_found() {
    let mut world = two_chats(4);
    world.chatd.fate.no_receipts = true;
    world.send(LID, "not receipted yet");
    let again = written(&mut world, LID, "once");
    world.serve(&again);
    let node = told(&mut world, "it is me");
    world.serve(&node);
    world.serve(&again);
    world.serve(&again.clone().with("sender_pn", BOB_CHAT.parse::<Jid>().unwrap()));
    let texts = world.texts(BOB_CHAT);
    assert_eq!(texts.iter().filter(|text| *text == "once").count(), 1, "{texts:?}");
    assert_eq!(world.deliveries(BOB_CHAT), [Delivery::Delivered, Delivery::Delivered, Delivery::Sent]);
    let id = world.phone(BOB).received.last().unwrap().0.clone();
    world.serve(&Node::new("receipt").with("from", LID.parse::<Jid>().unwrap()).with("id", id));
    assert_eq!(world.deliveries(BOB_CHAT), [Delivery::Delivered; 3]);
}

#[test]
fn a_message_that_waits_is_sent_once_and_to_the_kept_address() {
    let mut world = two_chats(5);
    world.chatd.fate.swallow = true;
    world.send(LID, "in flight");
    world.send(LID, "queued");
    let node = told(&mut world, "it is me");
    world.serve(&node);
    world.chatd.fate.swallow = false;
    for _ in 0..5 {
        world.sleep();
    }
    let received: Vec<_> = world.phone(BOB).received.iter().map(|(_, text)| text.clone()).collect();
    assert_eq!(received, ["to the number", "to the LID", "in flight", "queued"]);
    assert_eq!(world.waiting(), 0);
    assert_eq!(world.chatd.messages().last().unwrap().jid("to").unwrap().unwrap().to_string(), BOB_CHAT);
}

/// Many messages, moved in many transactions; the browser is killed before each of them, or they fail.
#[test]
fn a_join_that_is_cut_off_goes_on_where_it_was() {
    for (kill_at, fails) in [(0, false), (1, false), (2, false), (3, true), (4, false), (5, true)] {
        let mut world = two_chats(6);
        for number in 0..450 {
            let node = written(&mut world, LID, &format!("number {number}"));
            world.serve(&node);
        }
        let node = told(&mut world, "it is me");
        world.chatd.mail(node.clone());
        world.hold_commits = true;
        world.serve(&node);
        for _ in 0..kill_at {
            assert!(world.commit(), "the transaction before {kill_at}");
        }
        world.hold_commits = false;
        if fails {
            world.fail_commits = Some(StoreFailure::QuotaExceeded);
            world.commit();
            world.fail_commits = None;
            for _ in 0..5 {
                world.sleep();
            }
        } else {
            world.kill();
        }
        only_chat(&mut world);
        let mut expected = vec!["to the number".to_owned(), "from the LID".into(), "to the LID".into()];
        expected.extend((0..450).map(|number| format!("number {number}")));
        expected.push("it is me".into());
        let mut texts = world.texts_before(BOB_CHAT, 201);
        texts.extend(world.texts_before(BOB_CHAT, 401));
        texts
            .extend(world.thread(BOB_CHAT).into_iter().filter(|message| message.seq > 400).map(|message| message.text));
        assert!(texts == expected, "{kill_at} {fails}: {} messages, {texts:?}", texts.len());
        assert_eq!(only_chat(&mut world).unread, 451);
        assert_eq!(world.rows(Table::Message).len(), expected.len());
        assert!(world.commits > 4);
    }
}

#[test]
fn a_page_with_the_chat_open_reads_it_again() {
    let mut world = two_chats(7);
    world.texts(BOB_CHAT);
    world.updates.clear();
    let node = told(&mut world, "it is me");
    world.serve(&node);
    let snapshot = world.updates.iter().position(|update| matches!(update.news, Some(News::Snapshot(_))));
    assert!(snapshot.is_some(), "{:?}", world.updates);
}

#[test]
fn two_people_whose_keys_are_known_stay_two_whatever_the_server_says() {
    let mut world = World::enlisted(8);
    let chat = world.start_chat(BOB);
    world.send(&chat, "hello, Bob");
    world.add_phone("14155550999");
    world.write_from("14155550999", "I am Mallory");
    let phone = world.phones.get_mut("14155550999").unwrap();
    let (_, node) = phone.write("I am Bob", &mut world.chatd, world.now, &mut world.rng);
    world.serve(&node.with("sender_pn", BOB_CHAT.parse::<Jid>().unwrap()));
    assert_eq!(world.snapshot().chats.len(), 2);
    assert_eq!(world.texts(BOB_CHAT), ["hello, Bob"]);
    assert_eq!(world.texts("14155550999@s.whatsapp.net"), ["I am Mallory", "I am Bob"]);
}

#[test]
fn a_message_under_both_addresses_is_there_once() {
    let mut world = two_chats(9);
    let node = written(&mut world, LID, "delivered twice");
    // Under the number nothing opens it: a placeholder there.
    let mut twin = node.clone();
    twin.attrs.retain(|(key, _)| key != "from");
    world.serve(&twin.with("from", BOB_CHAT.parse::<Jid>().unwrap()));
    assert_eq!(world.thread(BOB_CHAT).last().unwrap().kind(), MessageKind::Undecryptable);
    world.serve(&node);
    let node = told(&mut world, "it is me");
    world.serve(&node);
    let thread = world.thread(BOB_CHAT);
    assert_eq!(thread.iter().filter(|message| message.text == "delivered twice").count(), 1, "{thread:?}");
    assert!(thread.iter().all(|message| !message.kind().is_placeholder()), "{thread:?}");
}
