//! What a server sends takes a bounded part of memory, of a transaction and of reads, however much it is.
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

use causeway::io::{Input, SocketId};
use causeway::store::changes::{Change, Changes, Table};
use causeway::view::{Action, ConnectionState, Hello};
use causeway_proto::jid::Jid;
use causeway_proto::node::Node;
use support::{BOB, BOB_CHAT, World};

/// Memory of stanzas that wait, and of what one group writes, in bytes; with what the last one adds.
const MAX_WAITING: usize = 32 << 20;
const MAX_GROUP: usize = (8 << 20) + (2 << 20);
const MAX_CHATS: u32 = 20_000;

/// Many stanzas as one piece of bytes, as a socket delivers them.
fn serve_at_once(world: &mut World, nodes: &[Node]) {
    let mut bytes = Vec::new();
    let mut socket = SocketId::default();
    for node in nodes {
        let (on, mut sealed) = world.chatd.seal(node);
        socket = on;
        bytes.append(&mut sealed);
    }
    world.input(Input::Received(socket, bytes));
}

fn message(from: &str, id: &str) -> Node {
    Node::new("message")
        .with("from", from.parse::<Jid>().unwrap())
        .with("id", id.to_owned())
        .with("t", "1800000000")
        .with("type", "text")
        .with_node(Node::new("enc").with("v", "2").with("type", "msg").with_bytes(vec![0x33; 20]))
}

fn size(changes: &Changes) -> usize {
    changes.iter().map(|change| if let Change::Put(_, key, row) = change { key.len() + row.len() } else { 0 }).sum()
}

/// Sizes of the batches that were requested of the mailbox, in order.
fn batches(world: &World) -> Vec<u32> {
    let requests = world.chatd.heard("ib");
    let batch = |node: &&Node| node.child("offline_batch")?.text("count")?.parse().ok();
    requests.iter().filter_map(batch).collect()
}

#[test]
fn a_server_that_sends_more_than_the_store_takes_is_left() {
    let large = Node::new("weather").with_bytes(vec![7; 500_000]);
    // Small on the wire, large in memory.
    let deep = Node::new("weather").with_nodes(vec![Node::new("list"); 20_000]);
    let names = Node::new("receipt").with("from", BOB_CHAT.parse::<Jid>().unwrap()).with("id", "R").with_node(
        Node::new("list")
            .with_nodes((0..4_000).map(|id| Node::new("item").with("id", format!("ID{id:030}"))).collect()),
    );
    for (number, node) in [large, deep, names].into_iter().enumerate() {
        let portions: &[usize] = if number == 0 { &[30] } else { &[1, 30] };
        for &at_once in portions {
            let mut world = World::enlisted(number as u64);
            world.hold_commits = true;
            world.hold_loads = true;
            world.serve(&Node::new("weather"));
            let mut served = 0;
            while world.chatd.socket().is_some() && served < 1_000 {
                serve_at_once(&mut world, &vec![node.clone(); at_once]);
                served += at_once;
            }
            assert_eq!(world.connection().state(), ConnectionState::Waiting, "case {number}: {served} stanzas taken");
            // Nothing is lost but the connection, and less is requested at once.
            world.hold_commits = false;
            world.hold_loads = false;
            while world.commit() || world.read() {}
            world.write_from(BOB, "after");
            world.sleep_until(ConnectionState::Online);
            assert_eq!(batches(&world), [250]);
            assert_eq!(world.texts(BOB_CHAT), ["after"]);
            world.cut();
            world.write_from(BOB, "later");
            world.sleep_until(ConnectionState::Online);
            assert_eq!(batches(&world), [250, 500], "the mailbox was read to its end");
        }
    }
}

#[test]
fn a_mailbox_that_fits_is_taken_even_if_it_comes_at_once() {
    let mut world = World::enlisted(3);
    let mail: Vec<Node> = (0..10_000).map(|number| message(BOB_CHAT, &format!("M{number}"))).collect();
    assert!(mail.len() * 2_000 < MAX_WAITING);
    world.connects.clear();
    serve_at_once(&mut world, &mail);
    assert_eq!((world.connects.len(), world.connection().state()), (0, ConnectionState::Online));
    assert_eq!(world.rows(Table::Message).len(), 10_000);
}

#[test]
fn a_group_of_large_messages_is_several_small_transactions() {
    let mut world = World::enlisted(4);
    world.cut();
    let text = "x".repeat(900_000);
    for _ in 0..12 {
        world.write_from(BOB, &text);
    }
    world.hold_commits = true;
    world.sleep_until(ConnectionState::Draining);
    let (mut largest, mut transactions) = (0, 0);
    while let Some((_, changes)) = world.held.front() {
        largest = largest.max(size(changes));
        transactions += 1;
        world.commit();
    }
    assert!(largest <= MAX_GROUP && transactions >= 2, "{transactions} transactions of up to {largest} bytes");
    world.hold_commits = false;
    world.sleep_until(ConnectionState::Online);
    assert_eq!(world.rows(Table::Message).len(), 12);
}

#[test]
fn names_that_are_too_long_make_no_chat_and_no_key() {
    let mut world = World::enlisted(5);
    let long = "9".repeat(100_000);
    let address = format!("{long}@s.whatsapp.net");
    world.serve(&message(&address, "short"));
    world.serve(&message(BOB_CHAT, &long));
    let receipt = Node::new("receipt").with("from", address.parse::<Jid>().unwrap()).with("id", "RCPT1");
    world.serve(&receipt);
    world.serve(&Node::new("receipt").with("from", BOB_CHAT.parse::<Jid>().unwrap()).with("id", long.clone()));
    world.serve(
        &Node::new("notification")
            .with("from", address.parse::<Jid>().unwrap())
            .with("type", "encrypt")
            .with("id", "n1")
            .with_node(Node::new("identity")),
    );
    assert_eq!(world.snapshot().chats, []);
    assert_eq!(world.account().unknown_stanzas, 5);
    assert_eq!(world.chatd.heard("ack").len(), 5, "none is delivered again and again");
    assert!(world.rows(Table::MessageId).is_empty() && world.rows(Table::Peer).is_empty());
    // The longest that are taken.
    world.serve(&message(BOB_CHAT, &"9".repeat(256)));
    assert_eq!(world.snapshot().chats.len(), 1);
}

#[test]
fn strangers_without_end_make_a_bounded_number_of_chats() {
    let mut world = World::enlisted(6);
    for batch in 0..(MAX_CHATS / 500 + 2) {
        let mail: Vec<Node> =
            (0..500).map(|number| message(&format!("49{:010}@s.whatsapp.net", batch * 500 + number), "M")).collect();
        serve_at_once(&mut world, &mail);
    }
    assert_eq!(world.rows(Table::Chat).len() as u32, MAX_CHATS);
    assert_eq!(world.account().unknown_stanzas, 1_000);
    // Those that are there go on, a person begins others, and pages get all of them.
    world.serve(&message("490000000007@s.whatsapp.net", "M2"));
    assert_eq!(world.thread("490000000007@s.whatsapp.net").len(), 2);
    assert_eq!(world.connection().state(), ConnectionState::Online);
    let chat = world.start_chat("4915199999999");
    world.updates.clear();
    world.command(Action::Hello(Hello {}));
    assert!(!chat.is_empty());
    assert!(world.updates.iter().all(|update| causeway::protobuf::Message::encoded_len(update) < (2 << 20) + 1_000));
}

#[test]
fn a_receipt_costs_two_reads_however_many_messages_it_names() {
    let mut world = World::enlisted(7);
    let chat = world.start_chat(BOB);
    world.chatd.fate.no_receipts = true;
    for number in 0..300 {
        world.send(&chat, &format!("m{number}"));
    }
    let first = world.thread(&chat)[0].seq;
    let mut ids: Vec<String> = world.thread(&chat).iter().map(|message| message.id.clone()).collect();
    let tag = world.next_tag();
    let open = causeway::view::OpenChat { chat: chat.clone(), before: Some(first), limit: 200, text_from: None };
    world.input(Input::Command(causeway::view::Command { tag, action: Some(Action::OpenChat(open)), engine: 0 }));
    for update in &world.updates {
        if let Some(causeway::view::News::MessagePage(page)) = &update.news
            && page.tag == tag
        {
            ids.extend(page.messages.iter().map(|message| message.id.clone()));
        }
    }
    assert_eq!(ids.len(), 300);
    let receipt = |ids: &[String]| {
        let items = ids[1..].iter().map(|id| Node::new("item").with("id", id.clone())).collect();
        Node::new("receipt")
            .with("from", chat.parse::<Jid>().unwrap())
            .with("id", ids[0].clone())
            .with("type", "read")
            .with("t", "1")
            .with_node(Node::new("list").with_nodes(items))
    };
    world.kill();
    world.loads = 0;
    // Names that are unknown, and one twice, cost nothing more.
    let mut named = ids[..200].to_vec();
    named.extend(["UNKNOWN".to_owned(), ids[5].clone()]);
    world.serve(&receipt(&named));
    assert!(world.loads <= 2, "{} reads", world.loads);
    world.loads = 0;
    let many: Vec<Node> = ids[200..].chunks(4).map(receipt).collect();
    serve_at_once(&mut world, &many);
    assert!(world.loads <= 3, "{} reads for {} receipts", world.loads, many.len());
    let read = world.deliveries(&chat).iter().filter(|delivery| **delivery == causeway::view::Delivery::Read).count();
    assert_eq!(read, 200, "a page of 200, all of them read");
}
