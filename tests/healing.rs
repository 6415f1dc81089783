//! Sessions that break, and identities that change: nothing is dropped, and it mends itself.
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

use causeway::view::{Action, Delivery, Issue, MessageKind, MessageRef};
use causeway_proto::jid::Jid;
use causeway_proto::node::{Content, Node};
use support::{BOB, BOB_CHAT, World};

fn kinds(world: &mut World, chat: &str) -> Vec<MessageKind> {
    world.thread(chat).iter().map(|message| message.kind()).collect()
}

#[test]
fn a_peer_that_reinstalls_ten_times_loses_nothing() {
    let mut world = World::enlisted(1);
    let chat = world.start_chat(BOB);
    for round in 0..10 {
        assert_eq!(world.send(&chat, &format!("out {round}")), Issue::None);
        world.write_from(BOB, &format!("in {round}"));
        let phone = world.phones.get_mut(BOB).unwrap();
        phone.reinstall(&mut world.rng);
        world.write_from(BOB, &format!("reinstalled {round}"));
    }
    let texts: Vec<String> =
        world.thread(&chat).into_iter().filter(|m| m.kind() == MessageKind::Text).map(|m| m.text).collect();
    assert_eq!(texts.len(), 30);
    let notices = kinds(&mut world, &chat).into_iter().filter(|&kind| kind == MessageKind::IdentityChanged).count();
    assert_eq!(notices, 10, "each new identity has a notice in the chat");
    assert!(world.deliveries(&chat).iter().all(|&delivery| delivery == Delivery::Delivered));
}

#[test]
fn both_write_first_at_once() {
    let mut world = World::enlisted(2);
    let chat = world.start_chat(BOB);
    let phone = world.phones.get_mut(BOB).unwrap();
    let (_, node) = phone.write("from bob", &mut world.chatd, world.now, &mut world.rng);
    world.send(&chat, "from alice");
    world.serve(&node);
    world.send(&chat, "again");
    world.write_from(BOB, "and again");
    assert_eq!(world.texts(&chat), ["from alice", "from bob", "again", "and again"]);
    assert_eq!(world.phone(BOB).received.len(), 2);
}

#[test]
fn an_undecryptable_message_is_shown_requested_and_replaced_in_place() {
    let mut world = World::enlisted(3);
    let chat = world.start_chat(BOB);
    world.send(&chat, "hello");
    let phone = world.phones.get_mut(BOB).unwrap();
    let (id, node) = phone.write("the secret", &mut world.chatd, world.now, &mut world.rng);
    let mut broken = node.clone();
    if let Content::Nodes(children) = &mut broken.content
        && let Content::Bytes(bytes) = &mut children[0].content
    {
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
    }
    world.serve(&broken);
    world.write_from(BOB, "later");
    assert_eq!(kinds(&mut world, &chat), [MessageKind::Text, MessageKind::Undecryptable, MessageKind::Text]);
    let retries: Vec<&Node> = world
        .chatd
        .heard("receipt")
        .into_iter()
        .filter(|receipt| receipt.text("type").as_deref() == Some("retry"))
        .collect();
    assert_eq!(retries.len(), 1);
    assert_eq!(retries[0].text("id").as_deref(), Some(id.as_str()));
    world.serve(&node);
    assert_eq!(world.texts(&chat), ["hello", "the secret", "later"]);
}

/// A message that cannot be decrypted; each number is another one of the same id.
fn nonsense(number: u8) -> Node {
    Node::new("message")
        .with("from", BOB_CHAT.parse::<Jid>().unwrap())
        .with("id", "X1")
        .with("t", "1800000000")
        .with("type", "text")
        .with_node(
            Node::new("enc").with("v", "2").with("type", "msg").with_bytes([0x33, number, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
        )
}

fn retries(world: &World) -> Vec<Node> {
    let receipts = world.chatd.heard("receipt").into_iter();
    receipts.filter(|receipt| receipt.text("type").as_deref() == Some("retry")).cloned().collect()
}

fn counts(world: &World) -> Vec<String> {
    retries(world).iter().map(|retry| retry.child("retry").unwrap().text("count").unwrap().into_owned()).collect()
}

#[test]
fn retry_receipts_are_bounded() {
    let mut world = World::enlisted(4);
    for number in 0..9 {
        world.serve(&nonsense(number));
    }
    assert_eq!(counts(&world), ["1", "2", "3", "4", "5"]);
    assert!(retries(&world)[1].child("keys").is_some());
    // Each time the stanza itself is acknowledged, never refused.
    let acks: Vec<_> = world.chatd.heard("ack");
    assert_eq!(acks.len(), 9);
    assert!(acks.iter().all(|ack| ack.text("error").is_none()));
}

#[test]
fn a_repeated_delivery_is_not_another_attempt() {
    let mut world = World::enlisted(8);
    for _ in 0..7 {
        world.serve(&nonsense(1));
    }
    assert_eq!(counts(&world), ["1"; 7], "the receipt was lost: it is sent again");
    assert_eq!(world.thread(BOB_CHAT)[0].asked, 1);
    world.serve(&nonsense(2));
    assert_eq!(counts(&world).last().map(String::as_str), Some("2"));
}

#[test]
fn after_the_last_attempt_the_user_retries_or_deletes() {
    let mut world = World::enlisted(9);
    for number in 0..6 {
        world.serve(&nonsense(number));
    }
    let placeholder = world.thread(BOB_CHAT)[0].clone();
    assert!(placeholder.asked >= causeway::view::MAX_RETRIES);
    let this = MessageRef { chat: BOB_CHAT.into(), seq: placeholder.seq };
    assert_eq!(world.command(Action::Retry(this.clone())).issue(), Issue::None);
    assert_eq!(counts(&world).last().map(String::as_str), Some("1"));
    assert!(retries(&world).last().unwrap().child("keys").is_some());
    assert_eq!(world.thread(BOB_CHAT)[0].asked, 1);
    world.command(Action::Discard(this));
    assert!(world.thread(BOB_CHAT).is_empty());
}

#[test]
fn prekeys_requested_by_peers_are_bounded() {
    use causeway::store::changes::{Query, Table};
    let mut world = World::enlisted(10);
    for number in 0..1_100_u32 {
        // The second request carries keys.
        for try_number in 0..2 {
            world.serve(&nonsense(try_number).with("id", format!("X{number}")));
        }
    }
    let all = Query::Range { table: Table::PreKey, from: vec![], to: None, reverse: false, limit: 9_999 };
    assert_eq!(world.store.load_now(&[all]).unwrap()[0].len(), 1_100);
    world.write_from(BOB, "with a key of the server's");
    assert_eq!(world.thread(BOB_CHAT).last().unwrap().text, "with a key of the server's");
}

#[test]
fn a_peer_that_could_not_decrypt_gets_the_message_again_even_after_a_restart() {
    let mut world = World::enlisted(5);
    let chat = world.start_chat(BOB);
    world.chatd.fate.no_receipts = true;
    world.send(&chat, "hello");
    world.phone(BOB).received.clear();
    let phone = world.phones.get_mut(BOB).unwrap();
    phone.reinstall(&mut world.rng);
    let id = world.thread(&chat)[0].id.clone();
    world.kill();
    let retry = Node::new("receipt")
        .with("type", "retry")
        .with("id", id.clone())
        .with("from", chat.parse::<Jid>().unwrap())
        .with_nodes(vec![
            Node::new("retry").with("v", "1").with("count", "1").with("id", id.clone()).with("t", "1800000000"),
            Node::new("registration").with_bytes(77_u32.to_be_bytes()),
        ]);
    world.serve(&retry);
    assert_eq!(world.phone(BOB).received, [(id, "hello".to_owned())]);
    let resent = world.chatd.messages().last().unwrap().child("enc").unwrap().text("count").unwrap().into_owned();
    assert_eq!(resent, "1");
    let acks = world.chatd.heard("ack");
    assert_eq!(acks.iter().filter(|ack| ack.text("type").as_deref() == Some("retry")).count(), 1);
}

#[test]
fn a_retry_request_that_the_server_repeats_counts_once() {
    let mut world = World::enlisted(5);
    let chat = world.start_chat(BOB);
    world.chatd.fate.no_receipts = true;
    world.send(&chat, "hello");
    let id = world.thread(&chat)[0].id.clone();
    let retry = |count: &'static str| {
        let asked =
            Node::new("retry").with("v", "1").with("count", count).with("id", id.clone()).with("t", "1800000000");
        Node::new("receipt")
            .with("type", "retry")
            .with("id", id.clone())
            .with("from", chat.parse::<Jid>().unwrap())
            .with_nodes(vec![asked, Node::new("registration").with_bytes(77_u32.to_be_bytes())])
    };
    let resent =
        |world: &World| world.chatd.messages().iter().filter(|node| node.attr("device_fanout").is_some()).count();
    for _ in 0..9 {
        world.serve(&retry("1"));
    }
    assert_eq!(resent(&world), 1);
    let acks = world.chatd.heard("ack");
    let acks = acks.iter().filter(|ack| ack.text("type").as_deref() == Some("retry")).count();
    assert_eq!(acks, 9, "each repetition is acknowledged, or it would go on");
    world.serve(&retry("2"));
    world.serve(&retry("1"));
    assert_eq!(resent(&world), 2, "another request is another try, and the tries are not used up");
}

#[test]
fn late_mail_of_an_installation_that_is_gone_is_read_and_changes_nothing_else() {
    let mut world = World::enlisted(6);
    let chat = world.start_chat(BOB);
    world.send(&chat, "hello");
    world.write_from(BOB, "before");
    let phone = world.phones.get_mut(BOB).unwrap();
    let (_, late) = phone.write("late", &mut world.chatd, world.now, &mut world.rng);
    phone.reinstall(&mut world.rng);
    world.write_from(BOB, "after");
    world.serve(&late);
    world.write_from(BOB, "later still");
    let kinds = kinds(&mut world, &chat);
    assert_eq!(kinds.iter().filter(|&&kind| kind == MessageKind::IdentityChanged).count(), 1, "{kinds:?}");
    assert!(!kinds.contains(&MessageKind::Undecryptable));
    world.phone(BOB).received.clear();
    world.send(&chat, "to the new one");
    assert_eq!(world.phone(BOB).received.len(), 1, "not encrypted to an installation that is gone");
}

#[test]
fn the_keys_of_an_announced_identity_are_fetched_with_the_reason() {
    let mut world = World::enlisted(7);
    let chat = world.start_chat(BOB);
    world.send(&chat, "hello");
    world.phones.get_mut(BOB).unwrap().reinstall(&mut world.rng);
    let announced = Node::new("notification")
        .with("from", chat.parse::<Jid>().unwrap())
        .with("type", "encrypt")
        .with("id", "n1")
        .with_node(Node::new("identity"));
    world.serve(&announced);
    world.phone(BOB).received.clear();
    for text in ["one", "two"] {
        world.send(&chat, text);
    }
    let reasons: Vec<_> = world
        .chatd
        .heard("iq")
        .iter()
        .filter_map(|iq| iq.child("key")?.child("user").map(|user| user.text("reason").map(|text| text.into_owned())))
        .collect();
    assert_eq!(reasons, [None, Some("identity".to_owned())]);
    assert_eq!(world.phone(BOB).received.len(), 2);
}

#[test]
fn a_message_whose_key_another_one_used_is_requested_again_and_not_taken_for_that_one() {
    let mut world = World::enlisted(31);
    let phone = world.phones.get_mut(BOB).unwrap();
    let (first, node) = phone.write("first", &mut world.chatd, world.now, &mut world.rng);
    world.serve(&node);
    // Damage can give a message the number of another; here it has all of the other's envelope.
    let mut damaged = Node::new("message").with_nodes(node.children().to_vec());
    for (key, value) in &node.attrs {
        damaged = damaged.with(key.clone(), if key == "id" { "DAMAGED".into() } else { value.clone() });
    }
    world.serve(&damaged);
    assert_eq!(kinds(&mut world, BOB_CHAT), [MessageKind::Text, MessageKind::Undecryptable]);
    let receipts = world.chatd.heard("receipt");
    let said =
        |id: &str| receipts.iter().find(|node| node.text("id").as_deref() == Some(id)).and_then(|n| n.text("type"));
    assert_eq!((said(&first), said("DAMAGED").as_deref()), (None, Some("retry")));
}
