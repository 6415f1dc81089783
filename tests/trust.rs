//! Certificates of the chat server: only a valid chain under the configured root is accepted.
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
use causeway::view::{Action, ConnectionState, Enlist, Issue};
use causeway_proto::node::Node;
use causeway_proto::signal::KeyPair;
use support::World;

/// An account that is enlisted against a server that something is wrong with.
fn meet(seed: u64, wrong: impl FnOnce(&mut World)) -> World {
    let mut world = World::fresh(seed);
    wrong(&mut world);
    world.input(Input::Started);
    assert_eq!(world.sign_in("alice"), Issue::None);
    assert_eq!(world.command(Action::Enlist(Enlist::default())).issue(), Issue::None);
    world
}

fn refused(world: &World, issue: Issue) {
    assert_eq!((world.connection().state(), world.connection().issue()), (ConnectionState::Waiting, issue));
    assert!(world.chatd.logins.is_empty(), "the token was given to a server that is not trusted");
}

#[test]
fn a_chain_under_another_root() {
    let world = meet(1, |world| world.chatd.signer = KeyPair::generate(&mut world.rng));
    refused(&world, Issue::ServerNotTrusted);
}

#[test]
fn a_certificate_that_has_expired() {
    let world = meet(2, |world| world.chatd.not_after = world.now / 1000 - 1);
    refused(&world, Issue::CertificateDates);
}

#[test]
fn a_certificate_that_is_not_valid_yet() {
    let world = meet(3, |world| world.chatd.not_before = world.now / 1000 + 3600);
    refused(&world, Issue::CertificateDates);
}

#[test]
fn a_clock_that_is_years_off() {
    let world = meet(4, |world| world.now += 10 * 365 * 86_400_000);
    refused(&world, Issue::CertificateDates);
}

#[test]
fn a_frame_that_was_altered_or_replayed() {
    for replay in [false, true] {
        let mut world = World::enlisted(5);
        let (socket, mut bytes) = world.chatd.seal(&Node::new("ib").with_node(Node::new("offline").with("count", "0")));
        match replay {
            true => world.input(Input::Received(socket, bytes.clone())),
            false => bytes[10] ^= 1,
        }
        world.input(Input::Received(socket, bytes));
        assert_eq!(world.connection().issue(), Issue::ChannelBroken);
        assert_eq!(world.connection().state(), ConnectionState::Waiting);
        world.sleep_until(ConnectionState::Online);
    }
}

#[test]
fn a_frame_larger_than_any_that_is_accepted() {
    let mut world = World::enlisted(6);
    let socket = world.chatd.socket().unwrap();
    world.input(Input::Received(socket, vec![0xFF, 0xFF, 0xFF, 0]));
    assert_eq!(world.connection().issue(), Issue::ChannelBroken);
}
