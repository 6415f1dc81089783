//! How often the client connects, and that it stays stopped, whatever the server, the network and pushes do.
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

use causeway::io::{Input, StoreFailure};
use causeway::view::{Action, Command, ConnectionState, Hello, Issue, Reconnect, SaveDraft, Woken};
use causeway_proto::node::Node;
use support::{Millis, World, ok};

const MINUTE: Millis = 60_000;
/// Connections, or attempts to prepare one, in any ten minutes (docs/decisions/0080-twenty-attempts-in-ten-minutes.md).
const LIMIT: usize = 20;

fn stream_error(code: &'static str) -> Node {
    Node::new("stream:error").with("code", code)
}

fn replaced() -> Node {
    Node::new("stream:error").with_node(Node::new("conflict").with("type", "replaced"))
}

fn busiest(times: &[Millis]) -> usize {
    times
        .iter()
        .map(|at| times.iter().filter(|other| (*at..at + 10 * MINUTE).contains(other)).count())
        .max()
        .unwrap_or(0)
}

fn woken(world: &mut World) {
    let tag = world.next_tag();
    world.input(Input::Command(Command { tag, action: Some(Action::Woken(Woken {})), ..Command::default() }));
}

/// An hour, second by second: what the server does whenever there is a connection, and what else happens.
fn hour(
    world: &mut World,
    mut server: impl FnMut(&mut World),
    mut else_happens: impl FnMut(&mut World),
) -> Vec<Millis> {
    let end = world.now + 60 * MINUTE;
    let mut tokens = Vec::new();
    world.connects.clear();
    let mut asked = world.asked("/api/token");
    while world.now < end {
        // What the engine requests at once happens within the same second, but not without end.
        for _ in 0..50 {
            if world.chatd.socket().is_some() && world.connection().state() != ConnectionState::Connecting {
                server(world);
            }
            else_happens(world);
            world.input(Input::Elapsed);
            tokens.extend((asked..world.asked("/api/token")).map(|_| world.now));
            asked = world.asked("/api/token");
            if world.wake_at.is_none_or(|at| at > world.now) {
                break;
            }
        }
        world.updates.drain(..world.updates.len().saturating_sub(50));
        world.now += 1_000;
    }
    assert!(busiest(&world.connects) <= LIMIT, "{} connections in ten minutes", busiest(&world.connects));
    tokens
}

#[test]
fn the_first_restart_in_a_minute_is_at_once_and_the_next_waits() {
    let mut world = World::enlisted(1);
    world.connects.clear();
    world.serve(&stream_error("515"));
    assert_eq!((world.connects.len(), world.connection().state()), (1, ConnectionState::Online), "at once");
    for number in 0..200 {
        if world.chatd.socket().is_some() {
            world.serve(&stream_error("515"));
        }
        assert_eq!(world.connects.len(), 1, "the one after {number} more");
    }
    assert_eq!(world.connection().state(), ConnectionState::Waiting);
    world.sleep_until(ConnectionState::Online);
    world.now += MINUTE;
    world.connects.clear();
    world.serve(&stream_error("515"));
    assert_eq!(world.connects.len(), 1, "after a minute of peace, at once again");
}

#[test]
fn connects_stay_within_the_limit_whatever_the_server_says() {
    let quiet = |_: &mut World| {};
    let online = |world: &mut World| world.input(Input::NetworkBack);
    for (number, code) in ["515", "503", "429", "500", "999"].into_iter().enumerate() {
        let mut world = World::enlisted(10 + number as u64);
        let tokens = hour(&mut world, |world| world.serve(&stream_error(code)), quiet);
        assert!(busiest(&tokens) <= LIMIT && !world.connects.is_empty());
        hour(&mut world, |world| world.serve(&stream_error(code)), online);
        hour(&mut world, |world| world.serve(&stream_error(code)), woken);
    }
    // Restarts that each follow a minute of peace, which resets the backoff.
    let mut world = World::enlisted(20);
    let mut since = world.now;
    let patient = |world: &mut World| {
        if world.now >= since + MINUTE {
            since = world.now;
            world.serve(&stream_error("515"));
        }
    };
    hour(&mut world, patient, online);
    // Closed after the log-in, with and without an end of the stream.
    hour(&mut world, World::cut, online);
    hour(&mut world, |world| world.serve(&Node::new("xmlstreamend")), woken);
    // Not what was expected.
    hour(&mut world, |world| world.input(Input::Received(world.chatd.socket().unwrap(), vec![0, 0, 1, 9])), online);
}

#[test]
fn connects_stay_within_the_limit_when_logins_fail() {
    for (number, reason) in [413, 414, 429, 500, 503].into_iter().enumerate() {
        let mut world = World::enlisted(30 + number as u64);
        world.chatd.fate.failure = Some(reason);
        let online = |world: &mut World| world.input(Input::NetworkBack);
        hour(&mut world, World::cut, online);
        assert!(!world.connects.is_empty());
        hour(&mut world, World::cut, woken);
    }
    let mut world = World::enlisted(40);
    world.chatd.fate.refuse = true;
    hour(&mut world, World::cut, |world| world.input(Input::NetworkBack));
    world.chatd.fate.refuse = false;
    world.sleep_until(ConnectionState::Online);
}

#[test]
fn the_partner_server_is_asked_no_more_often_when_it_fails() {
    for answer in [ok(500, ""), ok(429, ""), Err(causeway::io::HttpFailure::Unreachable), ok(200, "")] {
        let mut world = World::enlisted(50);
        world.servers.token = answer;
        let tokens = hour(&mut world, World::cut, |world| world.input(Input::NetworkBack));
        assert!((1..=LIMIT).contains(&busiest(&tokens)), "{} tokens in ten minutes", busiest(&tokens));
    }
}

#[test]
fn a_push_that_comes_after_too_many_attempts_is_told() {
    let mut world = World::enlisted(60);
    for _ in 0..2 * LIMIT {
        world.cut();
        woken(&mut world);
    }
    let done = world.command(Action::Woken(Woken {}));
    assert_eq!(done.issue(), Issue::RateLimited);
    world.command(Action::Reconnect(Reconnect {}));
    assert_eq!(world.connection().state(), ConnectionState::Online, "a person is not limited");
}

/// Everything that is no person's request.
fn pester(world: &mut World) {
    let chat = "14155550123@s.whatsapp.net";
    world.input(Input::Elapsed);
    world.input(Input::NetworkBack);
    world.command(Action::Hello(Hello {}));
    world.command(Action::Woken(Woken {}));
    for failure in [StoreFailure::QuotaExceeded, StoreFailure::Unavailable] {
        world.fail_commits = Some(failure);
        let text = format!("{failure:?} {}", world.now);
        world.command(Action::SaveDraft(SaveDraft { chat: chat.into(), text }));
        world.fail_commits = None;
        for _ in 0..5 {
            world.sleep();
        }
    }
    world.now += 60 * MINUTE;
    world.input(Input::Elapsed);
    world.input(Input::NetworkBack);
    world.command(Action::Woken(Woken {}));
}

#[test]
fn what_is_stopped_stays_stopped_until_a_person_acts() {
    for reason in [401, 402, 403, 405, 406, 409, 1_234] {
        let mut world = World::enlisted(70);
        world.start_chat(support::BOB);
        world.chatd.fate.failure = Some(reason);
        world.cut();
        world.sleep();
        let stopped = (ConnectionState::Stopped, world.connection().issue());
        assert_eq!(world.connection().state(), stopped.0, "{reason}");
        world.chatd.fate.failure = None;
        world.connects.clear();
        pester(&mut world);
        assert_eq!(world.connection().state(), stopped.0, "{reason}");
        assert_eq!(world.connects.len(), 0, "{reason}");
        world.command(Action::Reconnect(Reconnect {}));
        assert_eq!(world.connection().state(), ConnectionState::Online, "{reason}");
    }
}

#[test]
fn a_replaced_browser_connects_in_no_later_engine_either_until_a_person_acts() {
    let mut world = World::enlisted(80);
    world.start_chat(support::BOB);
    world.serve(&replaced());
    world.connects.clear();
    for _ in 0..2 {
        pester(&mut world);
        world.kill();
        assert_eq!(world.connection().state(), ConnectionState::Stopped);
        assert_eq!(world.connection().issue(), Issue::Replaced);
    }
    assert_eq!(world.connects, [] as [Millis; 0]);
    world.command(Action::Reconnect(Reconnect {}));
    assert_eq!(world.connection().state(), ConnectionState::Online);
    world.kill();
    assert_eq!(world.connection().state(), ConnectionState::Online, "the person has decided");
}

#[test]
fn a_replacement_whose_record_was_not_written_is_still_one() {
    let mut world = World::enlisted(81);
    world.fail_commits = Some(StoreFailure::QuotaExceeded);
    world.serve(&replaced());
    world.fail_commits = None;
    world.connects.clear();
    assert_eq!(world.connection().state(), ConnectionState::Stopped);
    // Anything that happens later writes it.
    world.input(Input::Elapsed);
    assert_eq!(world.connection().state(), ConnectionState::Stopped);
    world.kill();
    assert_eq!(world.connection().issue(), Issue::Replaced);
    assert_eq!(world.connects, [] as [Millis; 0]);
}
