//! The server lies: it invents devices, swaps keys and asks for what was sent. No plaintext leaves for a key that the
//! chat has not shown, and nobody speaks as somebody else without a notice.
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
use causeway::view::{Action, Command, ConnectionState, Delivery, Issue, MessageKind, SaveDraft};
use causeway_peer::device_identity;
use causeway_proto::content;
use causeway_proto::jid::Jid;
use causeway_proto::node::{Content, Node};
use causeway_proto::signal::{
    Envelope, EnvelopeKind, KeyPair, LocalIdentity, PreKeys, SessionRecord, SignedPreKeyPair, padding,
};
use rand_chacha::ChaCha8Rng;
use support::{BOB, BOB_CHAT, World};

/// Keys of the server's own making.
struct Mallory {
    pair: KeyPair,
    signed: SignedPreKeyPair,
}

impl PreKeys for Mallory {
    fn prekey(&self, _: u32) -> Option<&KeyPair> {
        None
    }

    fn signed_prekey(&self, _: u32) -> Option<&KeyPair> {
        Some(&self.signed.pair)
    }
}

impl Mallory {
    fn new(rng: &mut ChaCha8Rng) -> Self {
        let pair = KeyPair::generate(rng);
        Self { signed: SignedPreKeyPair::generate(3, &pair, 0, rng), pair }
    }

    fn local(&self) -> LocalIdentity<'_> {
        LocalIdentity { pair: &self.pair, registration_id: 1 }
    }

    /// A message to Alice that begins a session, from this address.
    fn writes(&self, from: Jid, id: &str, text: &str, world: &mut World) -> Node {
        let mut session = SessionRecord::default();
        let bundle = world.chatd.bundle_of_alice();
        session.initiate(&self.local(), &bundle, &mut world.rng).unwrap();
        let mut plain = content::text(text);
        padding::pad(&mut plain, &mut world.rng);
        let envelope = session.encrypt(&self.local(), &plain).unwrap();
        let enc = Node::new("enc").with("v", "2").with("type", envelope.kind().as_str());
        Node::new("message")
            .with("from", from)
            .with("id", id.to_owned())
            .with("t", "1800000001")
            .with("type", "text")
            .with_node(enc.with_bytes(envelope.as_bytes().to_vec()))
    }

    /// "I could not open this message", with keys to encrypt it for.
    fn asks(&self, from: Jid, id: &str) -> Node {
        let skey = Node::new("skey").with_nodes(vec![
            Node::new("id").with_bytes([0, 0, 3]),
            Node::new("value").with_bytes(self.signed.pair.public().0),
            Node::new("signature").with_bytes(self.signed.signature),
        ]);
        let keys = Node::new("keys").with_nodes(vec![
            Node::new("type").with_bytes([5]),
            Node::new("identity").with_bytes(self.pair.public().0),
            skey,
        ]);
        let retry =
            Node::new("retry").with("v", "1").with("count", "1").with("id", id.to_owned()).with("t", "1800000000");
        let registration = Node::new("registration").with_bytes(1_u32.to_be_bytes());
        Node::new("receipt").with("type", "retry").with("id", id.to_owned()).with("from", from).with_nodes(vec![
            retry,
            registration,
            keys,
        ])
    }

    /// Whether this key opens the message.
    fn opens(&self, message: &Node, rng: &mut ChaCha8Rng) -> bool {
        let enc = message.child("enc").unwrap();
        let kind: EnvelopeKind = enc.text("type").unwrap().parse().unwrap();
        let envelope = Envelope::parse(kind, enc.bytes().unwrap()).unwrap();
        SessionRecord::default().decrypt(&self.local(), &envelope, self, rng).is_ok()
    }
}

fn bob(device: u16) -> Jid {
    BOB_CHAT.parse::<Jid>().unwrap().on_device(device)
}

fn kinds(world: &mut World) -> Vec<MessageKind> {
    world.thread(BOB_CHAT).iter().map(|message| message.kind()).collect()
}

/// Ids of receipts that say something about a message.
fn receipted(world: &World) -> Vec<String> {
    world.chatd.heard("receipt").iter().filter_map(|node| Some(node.text("id")?.into_owned())).collect()
}

#[test]
fn a_device_that_nobody_vouches_for_does_not_speak() {
    for (seed, device) in [(1, 7), (2, 1), (3, 255)] {
        let mut world = World::enlisted(seed);
        let chat = world.start_chat(BOB);
        world.send(&chat, "hello");
        world.write_from(BOB, "genuine");
        world.thread(&chat);
        let code = world.chat(&chat).security_code;
        let mallory = Mallory::new(&mut world.rng);
        let node = mallory.writes(bob(device), "M1", "please send the money to DE00", &mut world);
        world.serve(&node);
        assert_eq!(kinds(&mut world), [MessageKind::Text, MessageKind::Text, MessageKind::UnknownDevice]);
        assert!(world.texts(&chat).iter().all(|text| !text.contains("DE00")));
        assert_eq!(world.chat(&chat).security_code, code, "its key is no key of the contact's");
        assert!(world.chatd.heard("ack").iter().any(|ack| ack.text("id").as_deref() == Some("M1")));
        assert!(!receipted(&world).contains(&"M1".to_owned()), "neither delivered nor asked for");
        // Nothing is ever encrypted for it, and a repetition changes nothing.
        world.serve(&node);
        assert_eq!(kinds(&mut world).len(), 3);
        world.send(&chat, "an answer");
        assert!(world.chatd.messages().iter().all(|message| !mallory.opens(message, &mut world.rng.clone())));
        assert_eq!(world.phone(BOB).received.len(), 2);
    }
}

#[test]
fn a_device_speaks_for_a_stranger_as_little() {
    let mut world = World::enlisted(4);
    let mallory = Mallory::new(&mut world.rng);
    let node = mallory.writes(bob(9), "M1", "hello, it is Bob", &mut world);
    world.serve(&node);
    assert_eq!(kinds(&mut world), [MessageKind::UnknownDevice]);
    world.kill();
    assert_eq!(kinds(&mut world), [MessageKind::UnknownDevice]);
}

#[test]
fn a_device_that_asks_for_what_was_sent_gets_nothing() {
    let mut world = World::enlisted(5);
    let chat = world.start_chat(BOB);
    for number in 0..3 {
        world.send(&chat, &format!("secret {number}"));
    }
    world.write_from(BOB, "genuine");
    let ids: Vec<String> = world.thread(&chat).iter().filter(|m| m.outgoing).map(|m| m.id.clone()).collect();
    world.kill();
    let mallory = Mallory::new(&mut world.rng);
    let sent = world.chatd.messages().len();
    for id in &ids {
        world.serve(&mallory.asks(bob(9), id));
    }
    assert_eq!(world.chatd.messages().len(), sent);
    let acks = world.chatd.heard("ack");
    assert_eq!(acks.iter().filter(|ack| ack.text("type").as_deref() == Some("retry")).count(), ids.len());
    assert!(world.deliveries(&chat).iter().all(|&delivery| delivery == Delivery::Delivered));
}

#[test]
fn late_mail_after_an_announced_change_brings_no_session_back() {
    for begins_a_session in [false, true] {
        let mut world = World::enlisted(6);
        let chat = world.start_chat(BOB);
        if !begins_a_session {
            world.send(&chat, "hello");
        }
        world.write_from(BOB, "before");
        let phone = world.phones.get_mut(BOB).unwrap();
        let (_, late) = phone.write("late", &mut world.chatd, world.now, &mut world.rng);
        phone.reinstall(&mut world.rng);
        let announced = Node::new("notification").with("from", bob(0)).with("type", "encrypt").with("id", "n1");
        world.serve(&announced.with_node(Node::new("identity")));
        world.serve(&late);
        assert_eq!(world.texts(&chat).last().map(String::as_str), Some("late"), "it is read all the same");
        world.phone(BOB).received.clear();
        world.send(&chat, "to the new one");
        assert_eq!(world.phone(BOB).received.len(), 1);
        assert_eq!(kinds(&mut world).iter().filter(|&&kind| kind == MessageKind::IdentityChanged).count(), 1);
    }
}

/// Texts of ours that the server accepted and nobody receipted; their ids.
fn undelivered(world: &mut World, count: usize) -> Vec<String> {
    world.chatd.fate.no_receipts = true;
    let chat = world.start_chat(BOB);
    for number in 0..count {
        world.send(&chat, &format!("secret {number}"));
    }
    world.thread(&chat).iter().filter(|m| m.outgoing).map(|m| m.id.clone()).collect()
}

#[test]
fn another_key_of_the_phone_gets_what_was_not_delivered_and_only_after_a_notice() {
    let mut world = World::enlisted(7);
    let chat = world.start_chat(BOB);
    world.send(&chat, "delivered");
    let delivered = world.thread(&chat)[0].id.clone();
    let ids = undelivered(&mut world, 2);
    let mallory = Mallory::new(&mut world.rng);
    let sent = world.chatd.messages().len();
    world.serve(&mallory.asks(bob(0), &delivered));
    assert_eq!(world.chatd.messages().len(), sent, "it was receipted");
    assert!(!kinds(&mut world).contains(&MessageKind::IdentityChanged));
    world.serve(&mallory.asks(bob(0), &ids[1]));
    let messages = world.chatd.messages();
    assert_eq!(messages.len(), sent + 1);
    assert!(mallory.opens(messages[sent], &mut world.rng.clone()));
    assert!(kinds(&mut world).contains(&MessageKind::IdentityChanged), "the chat shows the key that it went to");
}

#[test]
fn an_envelope_whose_key_was_replaced_before_it_left_is_encrypted_again() {
    // Both keys come while a transaction is written, so that one transaction takes both; the browser may die after it.
    for (seed, killed) in [(20, false), (21, true)] {
        let mut world = World::enlisted(seed);
        let ids = undelivered(&mut world, 1);
        let (mallory, sent) = (Mallory::new(&mut world.rng), world.chatd.messages().len());
        world.phones.get_mut(BOB).unwrap().reinstall(&mut world.rng);
        world.hold_commits = true;
        let draft = SaveDraft { chat: BOB_CHAT.to_owned(), text: "a draft".to_owned() };
        let tag = world.next_tag();
        world.input(Input::Command(Command { tag, action: Some(Action::SaveDraft(draft)), ..Command::default() }));
        world.serve(&mallory.asks(bob(0), &ids[0]));
        world.write_from(BOB, "from my own phone");
        world.hold_commits = false;
        while world.commit() {}
        world.settle();
        if killed {
            world.kill();
        }
        world.sleep_until(ConnectionState::Online);
        let messages = world.chatd.messages();
        assert_eq!(messages.len(), sent + 1, "sent once, for the key that holds");
        assert!(!mallory.opens(messages[sent], &mut world.rng.clone()));
        let texts: Vec<String> = world.phone(BOB).received.iter().map(|(_, text)| text.clone()).collect();
        assert_eq!(texts.iter().filter(|text| *text == "secret 0").count(), 1, "{texts:?}");
        assert_eq!(world.deliveries(BOB_CHAT), [Delivery::Sent]);
        // Its ack was taken for its own: the next message follows at once.
        world.send(BOB_CHAT, "and on");
        assert_eq!(world.deliveries(BOB_CHAT), [Delivery::Sent, Delivery::Sent]);
    }
}

#[test]
fn keys_that_are_replaced_before_their_envelope_leaves_do_not_keep_a_message_waiting() {
    let mut world = World::enlisted(22);
    let ids = undelivered(&mut world, 1);
    let sent = world.chatd.messages().len();
    for round in 0..4_u32 {
        world.phones.get_mut(BOB).unwrap().reinstall(&mut world.rng);
        let mallory = Mallory::new(&mut world.rng);
        world.hold_commits = true;
        let draft = SaveDraft { chat: BOB_CHAT.to_owned(), text: format!("draft {round}") };
        let tag = world.next_tag();
        world.input(Input::Command(Command { tag, action: Some(Action::SaveDraft(draft)), ..Command::default() }));
        world.serve(&mallory.asks(bob(0), &ids[0]));
        world.write_from(BOB, "from my own phone");
        world.hold_commits = false;
        while world.commit() {}
        world.settle();
        assert!(world.chatd.messages().iter().all(|message| !mallory.opens(message, &mut world.rng.clone())));
    }
    let count = |node: &&Node| node.child("enc").unwrap().text("count").map_or(0, |count| count.parse().unwrap());
    let counts: Vec<u32> = world.chatd.messages().iter().skip(sent).map(count).collect();
    assert_eq!(counts, [2, 4], "never more often than a message may be sent again");
    let message = world.thread(BOB_CHAT).into_iter().find(|message| message.outgoing).unwrap();
    assert_eq!((message.delivery(), message.issue()), (Delivery::Failed, Issue::NotOpened), "its sender is told");
    assert_eq!(world.waiting(), 0);
}

#[test]
fn what_is_older_than_the_mailbox_is_not_sent_again() {
    let mut world = World::enlisted(8);
    let ids = undelivered(&mut world, 1);
    world.now += 31 * 86_400_000;
    let (mallory, sent) = (Mallory::new(&mut world.rng), world.chatd.messages().len());
    world.serve(&mallory.asks(bob(0), &ids[0]));
    assert_eq!(world.chatd.messages().len(), sent);
    assert_eq!(world.thread(BOB_CHAT).last().unwrap().issue(), Issue::NotOpened, "its sender is told");
}

#[test]
fn a_person_is_sent_no_more_than_sixty_messages_again_in_an_hour() {
    let mut world = World::enlisted(9);
    let ids = undelivered(&mut world, 70);
    let (mallory, sent) = (Mallory::new(&mut world.rng), world.chatd.messages().len());
    for id in &ids {
        world.serve(&mallory.asks(bob(0), id));
    }
    assert_eq!(world.chatd.messages().len() - sent, 60);
    let told = |world: &mut World| world.thread(BOB_CHAT).iter().filter(|m| m.issue() == Issue::NotOpened).count();
    assert_eq!(told(&mut world), 10);
    world.kill();
    world.send(BOB_CHAT, "one more");
    let id = world.thread(BOB_CHAT).last().unwrap().id.clone();
    let sent = world.chatd.messages().len();
    world.serve(&mallory.asks(bob(0), &id));
    assert_eq!(world.chatd.messages().len(), sent, "a restart is no way around it");
    world.now += 3_600_001;
    world.send(BOB_CHAT, "an hour later");
    let (id, sent) = (world.thread(BOB_CHAT).last().unwrap().id.clone(), world.chatd.messages().len());
    world.serve(&mallory.asks(bob(0), &id));
    assert_eq!(world.chatd.messages().len(), sent + 1);
}

#[test]
fn an_ack_of_something_else_is_not_the_messages() {
    let from = |user: &str| format!("{user}@s.whatsapp.net").parse::<Jid>().unwrap();
    for (class, sender) in
        [("receipt", from(BOB)), ("notification", from(BOB)), ("message", from("1")), ("call", from(BOB))]
    {
        let mut world = World::enlisted(10);
        let chat = world.start_chat(BOB);
        world.chatd.fate.swallow = true;
        world.send(&chat, "never reached the server");
        let id = world.thread(&chat)[0].id.clone();
        world.serve(&Node::new("ack").with("class", class).with("id", id.clone()).with("from", &sender));
        assert_eq!(world.deliveries(&chat), [Delivery::Queued], "{class} {sender}");
        world.serve(&Node::new("ack").with("class", "message").with("id", id).with("from", bob(0)));
        assert_eq!(world.deliveries(&chat), [Delivery::Sent]);
    }
}

#[test]
fn a_resend_that_fails_lowers_nothing() {
    let mut world = World::enlisted(11);
    let ids = undelivered(&mut world, 1);
    let mallory = Mallory::new(&mut world.rng);
    let Content::Nodes(mut children) = mallory.asks(bob(0), &ids[0]).content else { panic!("it has children") };
    children.retain(|child| child.tag != "keys");
    let retry = Node::new("receipt").with("type", "retry").with("id", ids[0].clone()).with("from", bob(0));
    world.chatd.fate.no_keys = Some(404);
    world.serve(&retry.with_nodes(children));
    assert_eq!(world.deliveries(BOB_CHAT), [Delivery::Sent]);
    // Refused for good: the server has had it all the same.
    world.chatd.fate.no_keys = None;
    world.chatd.fate.ack_error = Some(406);
    world.serve(&mallory.asks(bob(0), &ids[0]));
    assert_eq!(world.deliveries(BOB_CHAT), [Delivery::Sent]);
}

#[test]
fn a_request_for_what_was_delivered_or_read_lowers_nothing() {
    for kind in [None, Some("read")] {
        let mut world = World::enlisted(14);
        let id = undelivered(&mut world, 1).remove(0);
        let receipt = Node::new("receipt").with("from", bob(0)).with("id", id.clone()).with("t", "1");
        world.serve(&kind.into_iter().fold(receipt, |receipt, kind| receipt.with("type", kind)));
        let before = world.deliveries(BOB_CHAT);
        world.chatd.fate.no_keys = Some(404);
        let mallory = Mallory::new(&mut world.rng);
        let Content::Nodes(mut children) = mallory.asks(bob(0), &id).content else { panic!("it has children") };
        children.retain(|child| child.tag != "keys");
        let retry = Node::new("receipt").with("type", "retry").with("id", id).with("from", bob(0));
        world.serve(&retry.with_nodes(children));
        world.kill();
        assert!(before[0] >= Delivery::Delivered && world.deliveries(BOB_CHAT) == before, "{before:?}");
    }
}

/// A device that Bob's phone vouches for, or that somebody else's does.
fn vouched(mallory: &Mallory, phone: &KeyPair, rng: &mut ChaCha8Rng) -> Node {
    Node::new("device-identity").with_bytes(device_identity::sign(
        phone,
        &mallory.pair,
        device_identity::Account::Encrypted,
        1_800_000_000,
        rng,
    ))
}

fn with_child(message: Node, child: Node) -> Node {
    let children = [message.children(), &[child]].concat();
    message.with_nodes(children)
}

#[test]
fn a_device_that_the_phone_vouches_for_speaks_and_the_chat_says_so() {
    let mut world = World::enlisted(12);
    world.write_from(BOB, "from the phone");
    world.thread(BOB_CHAT);
    let code = world.chat(BOB_CHAT).security_code;
    let device = Mallory::new(&mut world.rng);
    let phone = world.phone(BOB).keys.identity.clone();
    let message = device.writes(bob(7), "M1", "from the computer", &mut world);
    let vouched = vouched(&device, &phone, &mut world.rng);
    world.serve(&with_child(message, vouched));
    assert_eq!(kinds(&mut world), [MessageKind::Text, MessageKind::DeviceAdded, MessageKind::Text]);
    assert_eq!(world.texts(BOB_CHAT).last().map(String::as_str), Some("from the computer"));
    assert_ne!(world.chat(BOB_CHAT).security_code, code, "every key is in the code");
    assert!(receipted(&world).contains(&"M1".to_owned()));
    // Known now, until the phone has another key: what the old one vouched for ends with it.
    world.kill();
    let again = device.writes(bob(7), "M2", "again", &mut world);
    world.serve(&again);
    assert_eq!(world.texts(BOB_CHAT).last().map(String::as_str), Some("again"));
    world.phones.get_mut(BOB).unwrap().reinstall(&mut world.rng);
    world.write_from(BOB, "another phone");
    let after = device.writes(bob(7), "M3", "after", &mut world);
    world.serve(&after);
    assert_eq!(kinds(&mut world).last(), Some(&MessageKind::UnknownDevice));
}

#[test]
fn a_voucher_of_somebody_else_is_none() {
    let mut world = World::enlisted(13);
    world.write_from(BOB, "from the phone");
    let (mallory, other) = (Mallory::new(&mut world.rng), Mallory::new(&mut world.rng));
    let phone = world.phone(BOB).keys.identity.clone();
    // Signed by another phone; for another device; and damaged.
    let vouchers = [
        vouched(&mallory, &other.pair, &mut world.rng),
        vouched(&other, &phone, &mut world.rng),
        Node::new("device-identity").with_bytes([0; 40]),
    ];
    for (number, voucher) in vouchers.into_iter().enumerate() {
        let message = mallory.writes(bob(7), &format!("M{number}"), "a lie", &mut world);
        world.serve(&with_child(message, voucher));
        assert_eq!(kinds(&mut world).last(), Some(&MessageKind::UnknownDevice));
    }
}
