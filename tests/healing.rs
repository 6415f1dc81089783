//! Sessions that break, and identities that change: nothing is dropped, and it mends itself.

mod support;

use causeway::view::{Delivery, Issue, MessageKind};
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
    assert_eq!(notices, 10, "each new identity is said in the thread");
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
fn what_cannot_be_decrypted_is_shown_asked_for_and_replaced_in_place() {
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

#[test]
fn nobody_asks_for_ever() {
    let mut world = World::enlisted(4);
    let nonsense = Node::new("message")
        .with("from", BOB_CHAT.parse::<Jid>().unwrap())
        .with("id", "X1")
        .with("t", "1800000000")
        .with("type", "text")
        .with_node(Node::new("enc").with("v", "2").with("type", "msg").with_bytes([0x33; 60]));
    for _ in 0..9 {
        world.serve(&nonsense);
    }
    let receipts = world.chatd.heard("receipt");
    let retries: Vec<_> = receipts.iter().filter(|receipt| receipt.text("type").as_deref() == Some("retry")).collect();
    assert_eq!(retries.len(), 5);
    let counts: Vec<_> =
        retries.iter().map(|retry| retry.child("retry").unwrap().text("count").unwrap().into_owned()).collect();
    assert_eq!(counts, ["1", "2", "3", "4", "5"]);
    assert!(retries[1].child("keys").is_some());
    // Each time the stanza itself is acknowledged, never refused.
    let acks: Vec<_> = world.chatd.heard("ack");
    assert_eq!(acks.len(), 9);
    assert!(acks.iter().all(|ack| ack.text("error").is_none()));
}

#[test]
fn a_peer_that_could_not_decrypt_gets_the_message_anew_even_after_a_restart() {
    let mut world = World::enlisted(5);
    let chat = world.start_chat(BOB);
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
    assert_eq!(world.phone(BOB).received.len(), 1, "not encrypted to an installation that nobody reads");
}

#[test]
fn an_announced_identity_is_fetched_anew_with_the_reason() {
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
