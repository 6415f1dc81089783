//! One encryption identity at a time: which browser holds the account, what a replaced browser does, and what is shown
//! before keys are replaced or after the browser has removed them.
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

use causeway::io::{HttpFailure, Input, Method, UnixMillis};
use causeway::model::DeviceId;
use causeway::store::changes::{Change, Query, Table};
use causeway::store::{account::Account, records, row::Row, row_key, seal::Sealer};
use causeway::view::{AccountView, Action, Command, ConnectionState, Enlist, Erase, Issue, Reconnect, SignOut, Stage};
use causeway_proto::node::Node;
use causeway_proto::secret::Secret;
use support::{BEGIN, BOB, BOB_CHAT, World, ok};

const OTHER: &str = "ffeeddccbbaa99887766554433221100";

fn enlist(world: &mut World, replace: bool) -> Issue {
    world.command(Action::Enlist(Enlist { replace })).issue()
}

fn replaced() -> Node {
    Node::new("stream:error").with_node(Node::new("conflict").with("type", "replaced"))
}

/// Changes the stored account row behind the engine's back, as another build or a restore would.
fn rewrite(world: &mut World, change: impl FnOnce(&mut Account)) {
    let sealer = Sealer::new(&Secret::new([7; 32]));
    let rows = world.store.load_now(&[Query::Get(Table::Account, row_key::ACCOUNT.to_vec())]).unwrap();
    let mut account: Account = records::open(row_key::ACCOUNT, &rows[0][0].1, &sealer).unwrap();
    change(&mut account);
    let sealed = sealer.seal(Table::Account, row_key::ACCOUNT, &account.to_bytes(), &mut world.rng).unwrap();
    world.store.commit_now(&[Change::Put(Table::Account, row_key::ACCOUNT.to_vec(), sealed)]).unwrap();
}

fn stored(world: &World) -> Account {
    let sealer = Sealer::new(&Secret::new([7; 32]));
    let rows = world.store.load_now(&[Query::Get(Table::Account, row_key::ACCOUNT.to_vec())]).unwrap();
    records::open(row_key::ACCOUNT, &rows[0][0].1, &sealer).unwrap()
}

fn text(device: Option<DeviceId>) -> String {
    DeviceId::to_field(device.as_ref()).to_owned()
}

#[test]
fn enlisting_makes_this_browser_the_accounts() {
    let mut world = World::enlisted(1);
    assert_eq!(world.servers.device.0, text(stored(&world).device));
    assert_eq!(world.asked("/api/device"), 0, "no browser is replaced");
    assert_eq!((world.account().elsewhere_since, world.account().lost_at), (0, 0));
    world.kill();
    world.sleep_until(ConnectionState::Online);
}

#[test]
fn no_request_names_a_device_id_that_is_not_durable() {
    let mut world = World::fresh(2);
    world.add_phone(BOB);
    world.input(Input::Started);
    world.sign_in("alice");
    world.hold_commits = true;
    let tag = world.next_tag();
    let action = Some(Action::Enlist(Enlist::default()));
    world.input(Input::Command(Command { tag, action, ..Command::default() }));
    assert_eq!((world.asked("/api/token"), world.servers.device.0.as_str()), (0, ""));
    // Crashes before it has sent anything.
    world.hold_commits = false;
    world.kill();
    assert_eq!(enlist(&mut world, false), Issue::None);
    assert_eq!(world.connection().state(), ConnectionState::Online);
}

#[test]
fn an_account_without_a_device_id_gets_one_and_keeps_it() {
    let mut world = World::enlisted(3);
    rewrite(&mut world, |account| account.device = None);
    world.servers.device = Default::default();
    world.hold_commits = true;
    world.kill();
    assert_eq!(world.servers.device.0, "", "sent before it was durable");
    world.hold_commits = false;
    while world.commit() {}
    world.sleep_until(ConnectionState::Online);
    let device = text(stored(&world).device);
    assert_eq!(world.servers.device.0, device);
    world.kill();
    world.sleep_until(ConnectionState::Online);
    assert_eq!(text(stored(&world).device), device);
}

#[test]
fn a_replaced_browser_stops_permanently_and_shows_since_when() {
    let mut world = World::enlisted(4);
    world.write_from(BOB, "still here");
    let at = world.now;
    world.servers.claim(OTHER, at);
    world.cut();
    world.sleep();
    assert_eq!(world.connection().state(), ConnectionState::Stopped);
    assert_eq!(world.connection().issue(), Issue::MovedElsewhere);
    assert_eq!(world.account().elsewhere_since, at);
    assert_eq!(world.wake_at, None, "nothing is tried by itself");
    let logins = world.chatd.logins.len();
    for _ in 0..3 {
        world.command(Action::Reconnect(Reconnect {}));
        world.kill();
        assert_eq!(world.connection().issue(), Issue::MovedElsewhere);
    }
    assert_eq!(world.chatd.logins.len(), logins, "came back with stale ratchets");
    assert_eq!(world.texts(BOB_CHAT), ["still here"]);
    assert_eq!(world.send(BOB_CHAT, "never"), Issue::MovedElsewhere);
    assert_eq!(world.texts(BOB_CHAT), ["still here"], "kept what can never be sent");
    for replace in [false, true] {
        assert_eq!(enlist(&mut world, replace), Issue::MovedElsewhere);
    }
}

#[test]
fn a_conflict_refreshes_the_account() {
    // The same browser in a second engine: may go on here.
    let mut world = World::enlisted(5);
    world.serve(&replaced());
    assert_eq!(world.connection().issue(), Issue::Replaced);
    world.command(Action::Reconnect(Reconnect {}));
    assert_eq!(world.connection().state(), ConnectionState::Online);
    // Another browser: refused at once.
    let at = world.now;
    world.servers.claim(OTHER, at);
    world.serve(&replaced());
    assert_eq!(world.connection().issue(), Issue::MovedElsewhere);
    assert_eq!(world.account().elsewhere_since, at);
}

#[test]
fn a_browser_that_handed_over_never_requests_a_token() {
    let mut world = World::enlisted(6);
    rewrite(&mut world, |account| account.moved_at = Some(UnixMillis(BEGIN)));
    world.requests.clear();
    world.kill();
    world.command(Action::Reconnect(Reconnect {}));
    world.input(Input::NetworkBack);
    assert_eq!(world.connection().issue(), Issue::MovedElsewhere);
    assert_eq!(world.asked("/api/token") + world.asked("/api/device"), 0);
    assert_eq!(world.send(BOB_CHAT, "no"), Issue::MovedElsewhere);
}

#[test]
fn restored_rows_are_claimed_before_they_connect_and_a_lost_response_is_repeated() {
    let mut world = World::enlisted(7);
    let old = text(stored(&world).device);
    rewrite(&mut world, |account| account.claim_from = account.device.replace(DeviceId::new(OTHER.to_owned())));
    world.requests.clear();
    world.servers.swallow = true;
    world.kill();
    assert_eq!(world.connection().state(), ConnectionState::Waiting);
    assert_eq!((world.servers.device.0.as_str(), world.asked("/api/token")), (OTHER, 0));
    assert_eq!(text(stored(&world).claim_from), old);
    world.servers.swallow = false;
    world.kill();
    world.sleep_until(ConnectionState::Online);
    assert_eq!(text(stored(&world).claim_from), "");
    let posted = world.requests.iter().filter(|request| request.method == Method::Post);
    let order: Vec<_> = posted.map(|request| request.url.as_str()).collect();
    assert_eq!(order, ["/api/device", "/api/device", "/api/token"]);
}

#[test]
fn a_second_browser_is_warned_before_it_replaces_the_first() {
    let mut world = World::fresh(8);
    world.add_phone(BOB);
    world.servers.device = (OTHER.to_owned(), 17);
    world.input(Input::Started);
    assert_eq!(world.account().elsewhere_since, 0, "no account is signed in");
    assert_eq!(world.sign_in("alice"), Issue::None);
    let AccountView { elsewhere_since, lost_at, .. } = world.account();
    assert_eq!((elsewhere_since, lost_at), (17, 0), "known as soon as the password is accepted");
    assert_eq!(enlist(&mut world, false), Issue::EnlistedElsewhere);
    assert_eq!(world.servers.device.0, OTHER);
    assert!(stored(&world).keys.is_none());
    assert_eq!(world.requests.iter().filter(|request| request.url.contains("interop_reg")).count(), 0);

    world.kill();
    assert_eq!(world.account().elsewhere_since, 17, "and after a restart");
    assert_eq!(world.account().lost_at, 0);
    assert_eq!(enlist(&mut world, true), Issue::None);
    assert_eq!(world.connection().state(), ConnectionState::Online);
    assert_eq!(world.servers.device.0, text(stored(&world).device));
    assert_eq!(world.account().elsewhere_since, 0);
}

#[test]
fn two_new_browsers_at_once_do_not_both_enlist() {
    let mut world = World::fresh(9);
    world.add_phone(BOB);
    world.input(Input::Started);
    world.sign_in("alice");
    world.hold_commits = true;
    let tag = world.next_tag();
    let action = Some(Action::Enlist(Enlist::default()));
    world.input(Input::Command(Command { tag, action, ..Command::default() }));
    // Whose the account is has been asked; before the token is, the other one is faster.
    world.servers.claim(OTHER, 17);
    world.hold_commits = false;
    while world.commit() {}
    assert_eq!(world.done(tag).map(|done| done.issue()), Some(Issue::EnlistedElsewhere));
    assert_eq!(world.account().elsewhere_since, 17);
    assert_eq!(world.servers.device.0, OTHER);
}

#[test]
fn enlisting_again_with_the_same_keys_needs_no_warning() {
    let mut world = World::enlisted(10);
    world.chatd.fate.failure = Some(403);
    world.cut();
    world.sleep();
    assert_eq!(world.connection().issue(), Issue::NotEnlisted);
    world.chatd.fate.failure = None;
    assert_eq!(world.account().elsewhere_since, 0);
    assert_eq!(enlist(&mut world, false), Issue::None);
    assert_eq!(world.connection().state(), ConnectionState::Online);
}

#[test]
fn an_enlistment_that_failed_half_way_is_repeated_without_a_warning() {
    let mut world = World::fresh(11);
    world.add_phone(BOB);
    world.input(Input::Started);
    world.sign_in("alice");
    let good = std::mem::replace(&mut world.servers.enlist, Err(HttpFailure::Unreachable));
    assert_eq!(enlist(&mut world, false), Issue::EnlistUnreachable);
    world.kill();
    assert_eq!(world.account().elsewhere_since, 0);
    world.servers.enlist = good;
    assert_eq!(enlist(&mut world, false), Issue::None);
}

#[test]
fn removed_data_are_detected_and_not_taken_for_a_new_visitor() {
    let mut world = World::enlisted(12);
    let device = world.servers.device.clone();
    world.evict();
    for _ in 0..2 {
        let account = world.account();
        assert_eq!((account.stage(), account.identifier.as_str()), (Stage::SignedIn, "alice"));
        assert_eq!((account.lost_at, account.elsewhere_since), (BEGIN, device.1));
        world.now += 1000;
        world.kill();
    }
    assert_eq!(enlist(&mut world, false), Issue::EnlistedElsewhere, "keys are not replaced without leave");
    assert_eq!(enlist(&mut world, true), Issue::None);
    assert_eq!((world.account().lost_at, world.account().elsewhere_since), (0, 0));
    assert_eq!(world.connection().state(), ConnectionState::Online);
}

#[test]
fn a_new_visitor_an_account_without_a_device_and_an_erased_browser_have_lost_nothing() {
    let mut world = World::fresh(13);
    world.input(Input::Started);
    assert_eq!((world.account().stage(), world.account().lost_at), (Stage::SignedOut, 0));

    // Signed in and gone before enlisting: there was nothing to lose but the name, which is still known.
    world.sign_in("alice");
    world.evict();
    let account = world.account();
    assert_eq!((account.stage(), account.identifier.as_str(), account.lost_at), (Stage::SignedIn, "alice", 0));

    let mut world = World::enlisted(14);
    assert_eq!(world.command(Action::Erase(Erase {})).issue(), Issue::None);
    world.kill();
    assert_eq!((world.account().stage(), world.account().lost_at), (Stage::SignedOut, 0), "the person did that");
    world.sign_in("alice");
    assert_ne!(world.account().elsewhere_since, 0, "its old self counts as another browser");
}

#[test]
fn removed_data_of_one_account_are_not_anothers() {
    let mut world = World::enlisted(15);
    world.evict();
    assert_ne!(world.account().lost_at, 0);
    assert_eq!(world.command(Action::SignOut(SignOut {})).issue(), Issue::None);
    world.servers.device = Default::default();
    world.sign_in("bob");
    assert_eq!((world.account().lost_at, world.account().elsewhere_since), (0, 0));
}

#[test]
fn a_malformed_account_response_changes_nothing() {
    for answer in ["", "identifier=alice", "identifier=alice&device=zz&since=1", "device=&since=0"] {
        let mut world = World::enlisted(16);
        world.evict();
        world.servers.about = Some(ok(200, answer));
        world.evict();
        assert_eq!((world.account().stage(), world.account().lost_at), (Stage::SignedOut, 0), "{answer}");
        world.servers.about = None;
        world.sign_in("alice");
        world.servers.about = Some(ok(200, answer));
        assert_eq!(enlist(&mut world, true), Issue::PartnerAnswer, "{answer}");
    }
}
