//! A browser whose store is replaced, or whose person changes, starts again with nothing of before.
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

use causeway::io::{HttpFailure, Input, StoreFailure};
use causeway::store::account::Account;
use causeway::store::changes::{Change, Query, Table};
use causeway::store::row::Row;
use causeway::store::seal::Sealer;
use causeway::store::{records, row_key};
use causeway::view::{
    AccountView, Action, Command, ConnectionState, Enlist, Erase, Issue, SaveDraft, SignOut, SignedIn, Stage, StartChat,
};
use causeway_proto::secret::Secret;
use support::{BOB, BOB_CHAT, World, ok};

const BOB_LOGIN: &str = r#"{"login":"1-777@interop","status":"ok"}"#;

fn enlist(world: &mut World, replace: bool) -> Issue {
    world.command(Action::Enlist(Enlist { replace })).issue()
}

/// Begins an enlistment whose request to WhatsApp gets no answer yet. Returns the command's tag.
fn begin_enlisting(world: &mut World) -> u64 {
    world.hold_requests = true;
    let tag = world.next_tag();
    world.input(Input::Command(Command { tag, action: Some(Action::Enlist(Enlist::default())), ..Command::default() }));
    while world.held_requests.front().is_some_and(|(_, request)| !request.url.contains("interop_reg")) {
        world.respond();
    }
    assert_eq!(world.held_requests.len(), 1, "the request to WhatsApp");
    world.hold_requests = false;
    tag
}

fn view(world: &mut World) -> AccountView {
    *world.snapshot().account.unwrap()
}

#[test]
fn after_erasing_the_same_page_signs_in_and_enlists_again() {
    let mut world = World::enlisted(1);
    world.write_from(BOB, "before");
    world.thread(BOB_CHAT);
    let old = view(&mut world);
    assert_eq!(world.command(Action::Erase(Erase::default())).issue(), Issue::None);
    let erased = view(&mut world);
    assert_eq!((erased.stage(), erased.identity_key.as_str(), erased.partner.as_str()), (Stage::SignedOut, "", "Test"));
    assert_eq!(world.snapshot().chats, []);
    // The server keeps no prekeys of an identity that was replaced.
    world.chatd.alice_prekeys.clear();
    assert_eq!(world.sign_in("alice"), Issue::None);
    assert_eq!(enlist(&mut world, true), Issue::None);
    assert_eq!(world.connection().state(), ConnectionState::Online);
    assert_ne!(view(&mut world).identity_key, old.identity_key);
    // The session with the old keys is of no use to him.
    world.phones.get_mut(BOB).unwrap().reinstall(&mut world.rng);
    world.write_from(BOB, "after");
    assert!(world.texts(BOB_CHAT).contains(&"after".to_owned()));
    let chat = world.start_chat(BOB);
    world.send(&chat, "answer");
    assert_eq!(world.phone(BOB).received.last().unwrap().1, "answer");
    world.kill();
    world.sleep_until(ConnectionState::Online);
}

#[test]
fn erasing_while_stopped_waiting_or_preparing_starts_again_too() {
    for case in 0..4 {
        let mut world = World::enlisted(10 + case);
        match case {
            0 => world.chatd.fate.failure = Some(401),
            1 => world.chatd.fate.refuse = true,
            2 => world.hold_requests = true,
            _ => world.servers.token = ok(401, ""),
        }
        world.cut();
        world.sleep();
        world.command(Action::Erase(Erase::default()));
        world.chatd.fate = Default::default();
        world.hold_requests = false;
        world.servers.token = ok(200, "header.claims.signature");
        while world.respond() {}
        assert_eq!(view(&mut world).stage(), Stage::SignedOut, "case {case}");
        assert_eq!(world.sign_in("alice"), Issue::None, "case {case}");
        assert_eq!(enlist(&mut world, true), Issue::None, "case {case}");
        assert_eq!(world.connection().state(), ConnectionState::Online, "case {case}");
    }
}

#[test]
fn a_response_to_an_enlistment_that_was_erased_enlists_nobody() {
    let mut world = World::fresh(2);
    world.add_phone(BOB);
    world.input(Input::Started);
    world.sign_in("alice");
    begin_enlisting(&mut world);
    assert_eq!(world.command(Action::Erase(Erase::default())).issue(), Issue::None);
    while world.respond() {}
    for _ in 0..2 {
        let account = view(&mut world);
        assert_eq!(
            (account.stage(), account.login.as_str(), account.identity_key.as_str()),
            (Stage::SignedOut, "", "")
        );
        world.kill();
    }
    assert_eq!(world.sign_in("alice"), Issue::None);
    assert_eq!(enlist(&mut world, true), Issue::None);
    assert_eq!(world.connection().state(), ConnectionState::Online);
}

#[test]
fn a_transaction_that_fails_while_enlisting_leaves_an_engine_that_enlists() {
    let mut world = World::fresh(3);
    world.input(Input::Started);
    world.sign_in("alice");
    begin_enlisting(&mut world);
    world.fail_commits = Some(StoreFailure::Unavailable);
    world.command(Action::SignOut(SignOut {}));
    world.fail_commits = None;
    while world.respond() {}
    world.sign_in("alice");
    assert_eq!(enlist(&mut world, true), Issue::None);
    assert_eq!(world.connection().state(), ConnectionState::Online);
}

#[test]
fn the_keys_of_an_unanswered_enlistment_are_used_by_nobody_else() {
    for by_passkey in [false, true] {
        let mut world = World::fresh(4);
        let good = std::mem::replace(&mut world.servers.enlist, Err(HttpFailure::Unreachable));
        world.input(Input::Started);
        world.sign_in("alice");
        assert_eq!(enlist(&mut world, false), Issue::EnlistUnreachable);
        let alice = view(&mut world);
        // The same person again: the same keys.
        world.sign_in("alice");
        assert_eq!(enlist(&mut world, false), Issue::EnlistUnreachable);
        assert_eq!(view(&mut world).identity_key, alice.identity_key);
        world.command(Action::SignOut(SignOut {}));
        match by_passkey {
            true => {
                world.servers.signed_in = Some("bob".to_owned());
                world.command(Action::SignedIn(SignedIn {}));
            }
            false => assert_eq!(world.sign_in("bob"), Issue::None),
        }
        assert_eq!(view(&mut world).identity_key, "", "alice's keys are gone before bob's are made");
        assert_eq!(world.rows(Table::SignedPreKey).len(), 0);
        world.kill();
        world.servers.enlist = good;
        assert_eq!(enlist(&mut world, true), Issue::None);
        let bob = view(&mut world);
        assert_eq!(bob.identifier, "bob");
        assert_ne!((bob.identity_key, bob.registration_id), (alice.identity_key, alice.registration_id));
        let sent: Vec<Vec<(String, String)>> = world
            .requests
            .iter()
            .filter(|request| request.url.contains("interop_reg"))
            .map(|request| form_urlencoded::parse(request.form.as_ref().unwrap().as_bytes()).into_owned().collect())
            .collect();
        let (first, last) = (&sent[0], sent.last().unwrap());
        for (name, value) in
            first.iter().filter(|(name, _)| ["e_ident", "e_skey_val", "e_skey_sig", "authkey"].contains(&name.as_str()))
        {
            assert!(!last.contains(&(name.clone(), value.clone())), "{name} of alice is sent for bob");
        }
    }
}

#[test]
fn another_person_who_signs_in_during_an_enlistment_gets_nothing_of_it() {
    let mut world = World::fresh(5);
    world.input(Input::Started);
    world.sign_in("alice");
    let tag = begin_enlisting(&mut world);
    let keys = view(&mut world).identity_key;
    assert_eq!(world.sign_in("bob"), Issue::None);
    assert_eq!(world.done(tag).map(|done| done.issue()), Some(Issue::SignInNeeded), "alice is told");
    while world.respond() {}
    let account = view(&mut world);
    assert_eq!((account.identifier.as_str(), account.stage(), account.login.as_str()), ("bob", Stage::SignedIn, ""));
    world.servers.enlist = ok(200, BOB_LOGIN);
    assert_eq!(enlist(&mut world, true), Issue::None);
    let account = view(&mut world);
    assert_eq!(account.login, "1-777@interop");
    assert_ne!(account.identity_key, keys);
}

#[test]
fn a_late_token_of_another_person_is_not_used() {
    let mut world = World::fresh(6);
    world.input(Input::Started);
    world.sign_in("alice");
    world.hold_requests = true;
    let tag = world.next_tag();
    world.input(Input::Command(Command { tag, action: Some(Action::Enlist(Enlist::default())), ..Command::default() }));
    while world.held_requests.front().is_some_and(|(_, request)| !request.url.contains("token")) {
        world.respond();
    }
    let late = world.held_requests.pop_front().unwrap();
    world.hold_requests = false;
    assert_eq!(world.sign_in("bob"), Issue::None);
    world.hold_requests = true;
    let tag = world.next_tag();
    let action = Some(Action::Enlist(Enlist { replace: true }));
    world.input(Input::Command(Command { tag, action, ..Command::default() }));
    while world.held_requests.front().is_some_and(|(_, request)| !request.url.contains("token")) {
        world.respond();
    }
    world.input(Input::Answered(late.0, ok(200, "token.of.alice")));
    while world.respond() {}
    let enlistments = world.requests.iter().filter(|request| request.url.contains("interop_reg"));
    let forms: Vec<String> = enlistments.map(|request| request.form.as_ref().unwrap().to_string()).collect();
    assert_eq!(forms.len(), 1);
    assert!(forms[0].contains("user_identifier=bob") && !forms[0].contains("alice"), "{}", forms[0]);
}

#[test]
fn nobody_signs_in_over_an_enlisted_account() {
    let mut world = World::fresh(7);
    world.input(Input::Started);
    world.sign_in("alice");
    let tag = begin_enlisting(&mut world);
    // Bob's password is on its way while alice's enlistment is accepted.
    world.hold_requests = true;
    let sign_in = causeway::view::SignIn { identifier: "bob".into(), password: "correct horse".into(), create: true };
    let bob = world.next_tag();
    world.input(Input::Command(Command { tag: bob, action: Some(Action::SignIn(sign_in)), ..Command::default() }));
    world.hold_requests = false;
    while world.respond() {}
    assert_eq!(world.done(tag).map(|done| done.issue()), Some(Issue::None));
    assert_eq!(world.done(bob).map(|done| done.issue()), Some(Issue::AlreadyEnlisted));
    assert_eq!(view(&mut world).identifier, "alice");
}

#[test]
fn no_chat_begins_before_the_enlistment() {
    let mut world = World::fresh(8);
    world.input(Input::Started);
    world.sign_in("alice");
    let done = world.command(Action::StartChat(StartChat { phone: BOB.into() }));
    assert_eq!(done.issue(), Issue::NotYetEnlisted);
    world.command(Action::SaveDraft(SaveDraft { chat: BOB_CHAT.into(), text: "a secret".into() }));
    world.sign_in("bob");
    assert_eq!(world.snapshot().chats, []);
}

#[test]
fn a_login_that_no_connection_could_use_is_refused_and_can_be_tried_again() {
    for login in [
        "1-alice@interop",
        "1-10853634039893:3@interop",
        "1-010853634039893@interop",
        "1-+10853634039893@interop",
        "1-0@interop",
        "1-99999999999999999999@interop",
        "2-10853634039893@interop",
        "10853634039893@interop",
        "10853634039893@s.whatsapp.net",
        "1-10853634039893@lid",
        "1-10853634039893",
        "interop",
        "",
    ] {
        let mut world = World::fresh(9);
        let good = world.servers.enlist.clone();
        world.servers.enlist = ok(200, &format!(r#"{{"login":"{login}","status":"ok"}}"#));
        world.input(Input::Started);
        world.sign_in("alice");
        assert_eq!(enlist(&mut world, false), Issue::EnlistAnswer, "{login:?}");
        assert_eq!((view(&mut world).stage(), view(&mut world).login.as_str()), (Stage::SignedIn, ""), "{login:?}");
        world.servers.enlist = good;
        assert_eq!(enlist(&mut world, false), Issue::None, "{login:?}");
        assert_eq!(world.connection().state(), ConnectionState::Online);
    }
}

#[test]
fn an_account_that_an_earlier_version_took_for_enlisted_enlists_again() {
    let mut world = World::enlisted(10);
    world.write_from(BOB, "kept");
    let sealer = Sealer::new(&Secret::new(world.data_key));
    let rows = world.store.load_now(&[Query::Get(Table::Account, row_key::ACCOUNT.to_vec())]).unwrap();
    let mut account: Account = records::open(row_key::ACCOUNT, &rows[0][0].1, &sealer).unwrap();
    account.login = Some("1-alice@interop".parse().unwrap());
    let row = sealer.seal(Table::Account, row_key::ACCOUNT, &account.to_bytes(), &mut world.rng).unwrap();
    world.store.commit_now(&[Change::Put(Table::Account, row_key::ACCOUNT.to_vec(), row)]).unwrap();
    world.kill();
    assert_eq!(world.connection().state(), ConnectionState::Stopped);
    assert_eq!(world.connection().issue(), Issue::NotEnlisted, "for which the page offers to enlist");
    assert_eq!(enlist(&mut world, false), Issue::None);
    assert_eq!(world.connection().state(), ConnectionState::Online);
    assert_eq!(world.texts(BOB_CHAT), ["kept"]);
}
