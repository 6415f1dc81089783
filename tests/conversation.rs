//! Enlist, send and receive through every layer but the browser.
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
use causeway::view::{
    Action, Command, ConnectionState, Delivery, Issue, MessageKind, MessageRef, News, OpenChat, Send, Stage,
};
use causeway_proto::schema::client_payload::ClientPayload;
use prost::Message;
use support::{BOB, BOB_CHAT, World};

#[test]
fn alice_enlists_with_exactly_the_fields_of_the_seed() {
    let mut world = World::enlisted(1);
    let form = world.requests.iter().find(|request| request.url.contains("interop_reg")).unwrap();
    let form = form.form.as_ref().unwrap();
    let fields: Vec<(String, usize)> =
        form_urlencoded::parse(form.as_bytes()).map(|(name, value)| (name.into_owned(), value.len())).collect();
    let names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "user_identifier",
            "e_ident",
            "e_keytype",
            "e_regid",
            "e_skey_id",
            "e_skey_sig",
            "e_skey_val",
            "authkey",
            "token",
            "integrator_id"
        ]
    );
    // Base64url without padding of 32, 1, 4, 3, 64, 32 and 32 bytes.
    let lengths: Vec<usize> = fields[1..8].iter().map(|(_, length)| *length).collect();
    assert_eq!(lengths, [43, 2, 6, 4, 86, 43, 43]);
    let account = world.snapshot().account.unwrap();
    assert_eq!(account.stage(), Stage::Enlisted);
    assert_eq!(account.login, "1-10853634039893@interop");
    assert_eq!(account.prekeys_on_server, Some(100));
}

#[test]
fn the_providers_name_is_shown_before_sign_in() {
    let mut world = World::fresh(1);
    world.input(Input::Started);
    let account = world.snapshot().account.unwrap();
    assert_eq!((account.stage(), account.partner.as_str()), (Stage::SignedOut, "Test"));
}

#[test]
fn a_command_to_an_earlier_engine_is_ignored_until_it_is_resent() {
    let mut world = World::enlisted(1);
    let chat = world.start_chat(BOB);
    let before = world.snapshot().engine;
    world.kill();
    let engine = world.snapshot().engine;
    assert_ne!(engine, before, "another engine, another name");
    let send = |world: &mut World, tag, text: &str, engine| {
        let action = Some(Action::Send(Send { chat: chat.clone(), text: text.into() }));
        world.input(Input::Command(Command { tag, action, engine }));
        world.done(tag).is_some()
    };
    // The first was lost with the engine before, the second is on its way; then the page resends both to the engine
    // there is.
    assert!(!send(&mut world, 72, "second", before));
    assert!(send(&mut world, 71, "first", engine));
    assert!(send(&mut world, 72, "second", engine));
    assert_eq!(world.texts(&chat), ["first", "second"]);
}

#[test]
fn the_login_names_the_account_and_carries_the_token() {
    let world = World::enlisted(1);
    let login = ClientPayload::decode(world.chatd.logins[0].as_slice()).unwrap();
    let interop = login.interop_data.unwrap();
    assert_eq!(interop.account_id, Some(10_853_634_039_893));
    assert_eq!(interop.token.as_deref(), Some(b"header.claims.signature".as_slice()));
    assert_eq!(login.username, None);
}

#[test]
fn a_text_goes_out_and_its_ticks_come_back() {
    let mut world = World::enlisted(2);
    let chat = world.start_chat("+1 415 555-0123");
    assert_eq!(chat, BOB_CHAT);
    assert_eq!(world.send(&chat, "hello"), Issue::None);
    assert_eq!(world.phone(BOB).received[0].1, "hello");
    assert_eq!(world.deliveries(&chat), [Delivery::Delivered]);
    let id = world.phone(BOB).received[0].0.clone();
    assert!(id.starts_with("3EB0") && id.len() == 22, "{id}");
}

#[test]
fn a_reply_arrives_and_counts_as_unread() {
    let mut world = World::enlisted(3);
    let chat = world.start_chat(BOB);
    world.send(&chat, "hello");
    let id = world.write_from(BOB, "hello yourself");
    assert_eq!(world.texts(&chat), ["hello", "hello yourself"]);
    let view = world.chat(&chat);
    assert_eq!((view.unread, view.name.as_str(), view.address.as_str()), (1, "Bob", "+14155550123"));
    let receipts = world.chatd.heard("receipt");
    assert_eq!(receipts.iter().filter(|receipt| receipt.text("id").as_deref() == Some(&id)).count(), 1);
    assert!(world.chatd.mailbox.is_empty(), "the receipt empties the mailbox");
}

#[test]
fn a_stranger_writes_first() {
    let mut world = World::enlisted(4);
    world.write_from(BOB, "do you know me?");
    assert_eq!(world.texts(BOB_CHAT), ["do you know me?"]);
    world.send(BOB_CHAT, "now I do");
    assert_eq!(world.phone(BOB).received[0].1, "now I do");
}

#[test]
fn a_long_conversation_in_both_directions() {
    let mut world = World::enlisted(5);
    let chat = world.start_chat(BOB);
    let mut expected = Vec::new();
    for number in 0..60 {
        let text = format!("message {number}");
        match number % 3 {
            0 => drop(world.write_from(BOB, &text)),
            _ => assert_eq!(world.send(&chat, &text), Issue::None),
        }
        expected.push(text);
    }
    assert_eq!(world.texts(&chat), expected);
    assert_eq!(world.phone(BOB).received.len(), 40);
    assert!(world.deliveries(&chat).iter().all(|&delivery| delivery == Delivery::Delivered));
}

#[test]
fn mail_of_an_offline_time_is_read_afterwards() {
    let mut world = World::enlisted(6);
    world.cut();
    for text in ["one", "two", "three"] {
        world.write_from(BOB, text);
    }
    world.sleep_until(ConnectionState::Online);
    assert_eq!(world.texts(BOB_CHAT), ["one", "two", "three"]);
    assert!(world.chatd.mailbox.is_empty());
    assert_eq!(world.connection().pending, 0);
}

#[test]
fn the_server_never_gets_the_same_prekey_twice_and_gets_more_when_it_runs_low() {
    let mut world = World::enlisted(7);
    assert_eq!(world.chatd.alice_prekeys.len(), 100);
    let low = causeway_proto::node::Node::new("notification")
        .with("from", causeway_proto::jid::Jid::server())
        .with("type", "encrypt")
        .with("id", "n1")
        .with_node(causeway_proto::node::Node::new("count").with("value", 3_u32));
    world.serve(&low);
    let mut ids: Vec<u32> = world.chatd.alice_prekeys.iter().map(|(id, _)| *id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 150);
    assert_eq!(world.chatd.heard("ack").len(), 1);
}

#[test]
fn an_envelope_that_no_session_opens_is_asked_for_and_an_unknown_stanza_kept() {
    let mut world = World::enlisted(8);
    let phone = world.phones.get_mut(BOB).unwrap();
    let (_, mut node) = phone.write("x", &mut world.chatd, world.now, &mut world.rng);
    // A group's sender-key message: nothing that a one-to-one session opens.
    node.content = causeway_proto::node::Content::Nodes(vec![
        causeway_proto::node::Node::new("enc").with("v", "2").with("type", "skmsg").with_bytes([1, 2, 3]),
    ]);
    world.serve(&node);
    let thread = world.thread(BOB_CHAT);
    assert_eq!(thread[0].kind(), MessageKind::Undecryptable);
    let receipts = world.chatd.heard("receipt");
    assert_eq!(receipts.last().and_then(|receipt| receipt.text("type")).as_deref(), Some("retry"), "not delivered");
    let nonsense = causeway_proto::node::Node::new("weather").with("from", BOB_CHAT).with("id", "w");
    world.serve(&nonsense);
    assert_eq!(world.snapshot().account.unwrap().unknown_stanzas, 1);
    assert_eq!(world.connection().state(), ConnectionState::Online);
}

/// The addresses of the chats, as the list shows them.
fn listed(world: &mut World) -> Vec<String> {
    world.snapshot().chats.into_iter().map(|chat| chat.address).collect()
}

#[test]
fn a_clock_that_was_ahead_pins_no_chat_on_top() {
    const DAY: u64 = 86_400_000;
    for (restart, answered) in [(true, false), (true, true), (false, false), (false, true)] {
        let mut world = World::enlisted(31);
        world.add_phone("14155550999");
        world.now += DAY;
        for phone in ["14155550777", BOB] {
            let chat = world.start_chat(phone);
            world.send(&chat, "from tomorrow");
            world.now += 1_000;
        }
        if answered {
            world.write_from(BOB, "an answer");
        }
        // Right again. The rows are in the store, as an earlier build would have left them.
        world.now -= DAY;
        if restart {
            world.kill();
        } else {
            world.sleep();
        }
        let now = world.now;
        assert!(world.snapshot().chats.iter().all(|chat| chat.active_at <= now));
        assert_eq!(listed(&mut world), ["+14155550123", "+14155550777"], "in the same order");
        world.now += 60_000;
        world.write_from("14155550999", "now");
        assert_eq!(listed(&mut world)[0], "+14155550999");
        // For good, not until the next boot.
        world.now += 1_000;
        world.kill();
        assert_eq!(listed(&mut world), ["+14155550999", "+14155550123", "+14155550777"]);
    }
}

#[test]
fn a_page_that_was_read_before_a_message_was_deleted_does_not_show_it() {
    let mut world = World::enlisted(90);
    let chat = world.start_chat(BOB);
    world.send(&chat, "stays");
    world.chatd.fate.ack_error = Some(406);
    world.send(&chat, "goes");
    let seq = world.thread(&chat).last().unwrap().seq;
    world.hold_loads = true;
    let tag = world.next_tag();
    let action = Some(Action::OpenChat(OpenChat { chat: chat.clone(), ..OpenChat::default() }));
    world.input(Input::Command(Command { tag, action, ..Command::default() }));
    let (id, queries) = world.held_loads.pop_front().unwrap();
    let of_before = world.store.load_now(&queries);
    world.hold_loads = false;
    world.command(Action::Discard(MessageRef { chat: chat.clone(), seq }));
    world.updates.clear();
    world.input(Input::Loaded(id, of_before));
    let page = world.updates.iter().find_map(|update| match &update.news {
        Some(News::MessagePage(page)) => Some(page.clone()),
        _ => None,
    });
    let texts: Vec<String> = page.unwrap().messages.into_iter().map(|message| message.text).collect();
    assert_eq!(texts, ["stays"]);
}
