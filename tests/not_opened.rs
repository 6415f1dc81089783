//! A message that its recipient cannot open does not end in silence: the sender is told, and sends it again.
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

use causeway::store::changes::Table;
use causeway::view::{Action, ConnectionState, Delivery, Issue, MAX_RETRIES, MessageRef};
use causeway_proto::jid::Jid;
use causeway_proto::node::Node;
use support::{BOB, BOB_CHAT, World};

const DAY: u64 = 86_400_000;

/// A message that the server accepted and Bob did not receipt; its id.
fn accepted(world: &mut World) -> String {
    let chat = world.start_chat(BOB);
    world.chatd.fate.no_receipts = true;
    world.send(&chat, "hello");
    assert_eq!(world.deliveries(&chat), [Delivery::Sent]);
    world.thread(&chat)[0].id.clone()
}

fn asks(id: &str, count: u32) -> Node {
    let retry =
        Node::new("retry").with("v", "1").with("count", count).with("id", id.to_owned()).with("t", "1800000000");
    let registration = Node::new("registration").with_bytes(77_u32.to_be_bytes());
    let receipt = Node::new("receipt").with("type", "retry").with("id", id.to_owned());
    receipt.with("from", BOB_CHAT.parse::<Jid>().unwrap()).with_nodes(vec![retry, registration])
}

fn told(world: &mut World) -> bool {
    let message = &world.thread(BOB_CHAT)[0];
    message.delivery() == Delivery::Failed && message.issue() == Issue::NotOpened
}

#[test]
fn after_the_last_try_the_sender_is_told() {
    let mut world = World::enlisted(1);
    let id = accepted(&mut world);
    for count in 1..=MAX_RETRIES {
        world.serve(&asks(&id, count));
        assert_eq!(world.deliveries(BOB_CHAT), [Delivery::Sent], "sent again");
    }
    world.serve(&asks(&id, MAX_RETRIES + 1));
    assert!(told(&mut world));
    assert!(world.rows(Table::Outbox).is_empty());
    let sent = world.chatd.messages().len();
    world.serve(&asks(&id, MAX_RETRIES + 2));
    assert_eq!(world.chatd.messages().len(), sent, "the phone was given up");

    // Sent again it is another message, whose id the phone has not seen; a repeated command sends it once.
    world.chatd.fate.no_receipts = false;
    let seq = world.thread(BOB_CHAT)[0].seq;
    let this = MessageRef { chat: BOB_CHAT.into(), seq };
    assert_eq!(world.command(Action::Retry(this.clone())).issue(), Issue::None);
    assert_eq!(world.command(Action::Retry(this)).issue(), Issue::None);
    let thread = world.thread(BOB_CHAT);
    assert_eq!(thread.len(), 1);
    assert_eq!((thread[0].text.as_str(), thread[0].delivery()), ("hello", Delivery::Delivered));
    assert_ne!(thread[0].id, id);
    assert_eq!(world.phone(BOB).received.last().map(|(id, _)| id.clone()), Some(thread[0].id.clone()));
}

#[test]
fn after_the_mailboxs_thirty_days_the_sender_is_told_once_the_mailbox_is_read() {
    let mut world = World::enlisted(2);
    accepted(&mut world);
    world.now += 29 * DAY;
    world.kill();
    world.sleep_until(ConnectionState::Online);
    assert_eq!(world.deliveries(BOB_CHAT), [Delivery::Sent]);
    world.now += 2 * DAY;
    world.kill();
    world.sleep_until(ConnectionState::Online);
    assert!(told(&mut world));
}

#[test]
fn a_receipt_that_waited_in_the_mailbox_comes_first() {
    let mut world = World::enlisted(3);
    let id = accepted(&mut world);
    world.cut();
    world.chatd.mail(Node::new("receipt").with("from", BOB_CHAT.parse::<Jid>().unwrap()).with("id", id).with("t", "1"));
    world.now += 31 * DAY;
    world.kill();
    world.sleep_until(ConnectionState::Online);
    assert_eq!(world.deliveries(BOB_CHAT), [Delivery::Delivered]);
}

#[test]
fn a_message_that_was_given_up_and_arrives_is_delivered() {
    let mut world = World::enlisted(4);
    let id = accepted(&mut world);
    world.now += 31 * DAY;
    world.kill();
    world.sleep_until(ConnectionState::Online);
    assert!(told(&mut world));
    world.serve(&Node::new("receipt").with("from", BOB_CHAT.parse::<Jid>().unwrap()).with("id", id).with("t", "1"));
    assert_eq!(world.deliveries(BOB_CHAT), [Delivery::Delivered]);
}
