//! Sessions that a browser gets without the engine: by a passkey, or at the provider's own sign-in.
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
use causeway::view::{Action, ConnectionState, Enlist, Issue, SignedIn, Stage};
use support::World;

#[test]
fn a_user_with_a_session_is_signed_in_and_can_enlist() {
    let mut world = World::fresh(1);
    world.input(Input::Started);
    assert_eq!(world.command(Action::SignedIn(SignedIn {})).issue(), Issue::SignInNeeded);
    world.servers.signed_in = Some("alice".to_owned());
    assert_eq!(world.command(Action::SignedIn(SignedIn {})).issue(), Issue::None);
    assert_eq!((world.account().stage(), world.account().identifier), (Stage::SignedIn, "alice".to_owned()));
    assert_eq!(world.command(Action::Enlist(Enlist::default())).issue(), Issue::None);
    assert_eq!(world.connection().state(), ConnectionState::Online);
}

#[test]
fn an_ended_session_is_resumed() {
    let mut world = World::enlisted(2);
    world.servers.signed_in = None;
    world.cut();
    world.sleep_until(ConnectionState::Stopped);
    assert_eq!(world.connection().issue(), Issue::SignInNeeded);
    world.servers.signed_in = Some("alice".to_owned());
    assert_eq!(world.command(Action::SignedIn(SignedIn {})).issue(), Issue::None);
    world.sleep_until(ConnectionState::Online);
}

#[test]
fn an_account_cannot_take_over_the_chats_of_another() {
    let mut world = World::enlisted(3);
    world.servers.signed_in = Some("mallory".to_owned());
    assert_eq!(world.command(Action::SignedIn(SignedIn {})).issue(), Issue::AlreadyEnlisted);
    assert_eq!(world.account().identifier, "alice");
}
