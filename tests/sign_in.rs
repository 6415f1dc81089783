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
use causeway::view::{Action, Command, ConnectionState, Enlist, Issue, SignedIn, Stage};
use support::{World, ok};

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

#[test]
fn a_request_that_the_driver_never_answers_ends_all_the_same() {
    // In every step of an enlistment: the question about the account, the claim, the token, the enlistment itself.
    let mut steps = 0;
    for step in 0..9 {
        let mut world = World::fresh(4);
        world.input(Input::Started);
        world.sign_in("alice");
        world.hold_requests = true;
        let tag = world.next_tag();
        let action = Some(Action::Enlist(Enlist::default()));
        world.input(Input::Command(Command { tag, action, ..Command::default() }));
        for _ in 0..step {
            world.respond();
        }
        if world.done(tag).is_some() {
            break;
        }
        steps += 1;
        let (late, request) = world.held_requests.pop_front().unwrap();
        world.held_requests.clear();
        let begun = world.now;
        for _ in 0..100 {
            if world.done(tag).is_none() && world.now < begun + 60_000 {
                world.sleep();
            }
        }
        let issue = world.done(tag).unwrap_or_else(|| panic!("no end without {}", request.url)).issue();
        assert!(matches!(issue, Issue::PartnerUnreachable | Issue::EnlistUnreachable), "{issue:?}");
        // Its answer comes too late to mean anything, and the next try is as good as the first.
        world.input(Input::Answered(late, ok(500, "")));
        world.hold_requests = false;
        assert_eq!(world.command(Action::Enlist(Enlist::default())).issue(), Issue::None);
        assert_eq!(world.connection().state(), ConnectionState::Online);
    }
    assert!(steps >= 3, "{steps}");
}

#[test]
fn pages_cannot_pile_up_requests() {
    let mut world = World::fresh(5);
    world.input(Input::Started);
    world.hold_requests = true;
    let mut tags = Vec::new();
    for _ in 0..100 {
        let tag = world.next_tag();
        tags.push(tag);
        let action = Some(Action::SignedIn(SignedIn {}));
        world.input(Input::Command(Command { tag, action, ..Command::default() }));
    }
    assert!(world.held_requests.len() <= 65, "{}", world.held_requests.len());
    let refused = tags.iter().filter_map(|tag| world.done(*tag)).filter(|done| done.issue() == Issue::RateLimited);
    assert!(refused.count() >= 35);
    while world.respond() {}
    assert!(tags.iter().all(|tag| world.done(*tag).is_some()), "every command is answered");
}
