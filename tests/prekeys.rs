//! Our own prekeys: the signed one changes each week, and no mail is lost over it.
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
use causeway::store::changes::{Query, Table};
use causeway::view::{ConnectionState, MessageKind};
use causeway_proto::jid::Jid;
use causeway_proto::node::Node;
use causeway_proto::signal::{PreKeyBundle, PublicKey};
use support::{BOB, BOB_CHAT, World};

const DAY: u64 = 86_400_000;

fn signed_prekeys(world: &World) -> usize {
    let all = Query::Range { table: Table::SignedPreKey, from: vec![], to: None, reverse: false, limit: 99 };
    world.store.load_now(&[all]).unwrap()[0].len()
}

fn reconnect(world: &mut World) {
    world.cut();
    world.sleep_until(ConnectionState::Online);
}

fn bundle(world: &World) -> PreKeyBundle {
    world.chatd.alice.clone().unwrap()
}

fn days_later(world: &mut World, days: u64) {
    world.now += days * DAY;
    world.chatd.not_after += 365 * 86_400;
    reconnect(world);
}

#[test]
fn the_signed_prekey_changes_each_week_and_not_before() {
    let mut world = World::enlisted(1);
    let first = bundle(&world);
    days_later(&mut world, 6);
    assert_eq!(bundle(&world).signed_prekey_id, first.signed_prekey_id);
    days_later(&mut world, 1);
    let second = bundle(&world);
    assert_ne!((second.signed_prekey_id, second.signed_prekey), (first.signed_prekey_id, first.signed_prekey));
    assert!(second.is_signed());
    reconnect(&mut world);
    assert_eq!(bundle(&world), second);
    world.write_from(BOB, "to the new one");
    assert_eq!(world.texts(BOB_CHAT), ["to the new one"]);
}

#[test]
fn mail_to_an_old_signed_prekey_is_read_for_as_long_as_a_mailbox_keeps_it() {
    let mut world = World::enlisted(2);
    let phone = world.phones.get_mut(BOB).unwrap();
    // Encrypted to the first key, and on its way for 30 days.
    let (_, late) = phone.write("late", &mut world.chatd, world.now, &mut world.rng);
    for _ in 0..4 {
        days_later(&mut world, 7);
    }
    days_later(&mut world, 2);
    world.serve(&late);
    assert_eq!(world.texts(BOB_CHAT), ["late"]);
    assert_eq!(world.thread(BOB_CHAT)[0].kind(), MessageKind::Text);
    for _ in 0..20 {
        days_later(&mut world, 7);
    }
    assert!(signed_prekeys(&world) <= 8, "old ones go: {}", signed_prekeys(&world));
}

#[test]
fn an_unconfirmed_rotation_is_repeated_with_the_same_key() {
    let mut world = World::enlisted(3);
    let first = bundle(&world);
    world.now += 7 * DAY;
    world.chatd.not_after += 365 * 86_400;
    // The questions of the login and the rotation itself are lost.
    world.chatd.fate.mute = 3;
    reconnect(&mut world);
    assert_eq!(bundle(&world), first);
    let asked = |world: &World| {
        let rotations = world.chatd.heard("iq").into_iter().filter_map(|iq| iq.child("rotate").cloned());
        rotations.collect::<Vec<_>>()
    };
    assert_eq!(asked(&world).len(), 1);
    world.chatd.fate.mute = 3;
    world.kill();
    world.sleep_until(ConnectionState::Online);
    for _ in 0..5 {
        world.sleep();
    }
    let rotations = asked(&world);
    assert!(rotations.len() >= 3, "again after a restart, and again on the same connection");
    assert!(rotations.iter().all(|rotation| *rotation == rotations[0]));
    assert_ne!(bundle(&world), first);
    assert_eq!(signed_prekeys(&world), 2);
}

#[test]
fn a_rotation_is_durable_before_it_is_uploaded() {
    let mut world = World::enlisted(4);
    world.now += 7 * DAY;
    world.chatd.not_after += 365 * 86_400;
    world.hold_commits = true;
    reconnect_held(&mut world);
    let rotations = |world: &World| world.chatd.heard("iq").iter().filter(|iq| iq.child("rotate").is_some()).count();
    assert_eq!(rotations(&world), 0);
    while world.commit() {}
    assert_eq!(rotations(&world), 1);
}

#[test]
fn a_prekey_that_mail_has_used_up_is_not_uploaded_again() {
    let mut world = World::enlisted(5);
    let low = |id: &str| {
        let count = Node::new("count").with("value", 0_u32);
        Node::new("notification")
            .with("from", Jid::server())
            .with("id", id.to_owned())
            .with("type", "encrypt")
            .with_node(count)
    };
    let uploads = |world: &World| -> Vec<Node> {
        world.chatd.heard("iq").into_iter().filter_map(|iq| iq.child("list").cloned()).collect()
    };
    world.add_phone("14155550199");
    let other = world.phones.get_mut("14155550199").unwrap();
    let (_, unrelated) = other.write("unrelated", &mut world.chatd, world.now, &mut world.rng);

    // The server takes an upload, and its answer is lost; so is the answer to the question that follows.
    world.chatd.fate.mute = 2;
    world.serve(&low("N1"));
    let key = uploads(&world).last().unwrap().children()[0].clone();
    let id = key.child("id").unwrap().clone();
    let public = PublicKey::from_slice(key.child("value").unwrap().bytes().unwrap()).unwrap();
    world.now += 11_000;
    world.input(Input::Elapsed);
    world.chatd.alice_prekeys =
        vec![(id.bytes().unwrap().iter().fold(0, |id, byte| id << 8 | u32::from(*byte)), public)];
    let phone = world.phones.get_mut(BOB).unwrap();
    let (_, node) = phone.write("with that key", &mut world.chatd, world.now, &mut world.rng);

    // All three become one group, because the first waits for its rows while something else is written.
    let before = uploads(&world).len();
    world.hold_commits = true;
    world.serve(&Node::new("weather"));
    world.serve(&unrelated);
    world.serve(&low("N2"));
    world.serve(&node);
    while world.commit() {}
    let again = &uploads(&world)[before..];
    assert_eq!(again.len(), 1);
    assert!(!again[0].children().iter().any(|key| key.child("id") == Some(&id)), "used up");
    assert_eq!(world.texts(BOB_CHAT), ["with that key"]);
}

fn reconnect_held(world: &mut World) {
    world.cut();
    for _ in 0..50 {
        if world.connection().state() == ConnectionState::Online {
            return;
        }
        world.sleep();
    }
}
