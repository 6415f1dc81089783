//! Whatever comes, the engine neither panics nor loses what it has.
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
use causeway::view::{
    Action, Command, ConnectionState, Enlist, Issue, MarkRead, MessageRef, OpenChat, SaveDraft, Send,
};
use causeway_proto::node::{Content, Node};
use proptest::prelude::*;
use support::{BOB, BOB_CHAT, World};

fn any_node() -> impl Strategy<Value = Node> {
    let tag = prop_oneof![
        Just("message"),
        Just("receipt"),
        Just("ack"),
        Just("iq"),
        Just("ib"),
        Just("notification"),
        Just("success"),
        Just("failure"),
        Just("call"),
        Just("enc"),
        Just("list"),
        Just("user"),
        Just("retry"),
        Just("count"),
        Just("weather"),
    ];
    let value = prop_oneof![
        Just(BOB_CHAT.to_owned()),
        Just("s.whatsapp.net".to_owned()),
        Just("retry".to_owned()),
        Just("encrypt".to_owned()),
        Just("error".to_owned()),
        Just("result".to_owned()),
        Just("get".to_owned()),
        Just("pkmsg".to_owned()),
        Just("2".to_owned()),
        Just("PHONE0001".to_owned()),
        "[ -~]{0,12}",
        Just(u64::MAX.to_string()),
        Just("1@g.us".to_owned()),
        Just("77@lid".to_owned()),
        Just("14155550999@s.whatsapp.net".to_owned()),
    ];
    let key = prop_oneof![
        Just("from"),
        Just("id"),
        Just("type"),
        Just("t"),
        Just("class"),
        Just("error"),
        Just("v"),
        Just("count"),
        Just("xmlns"),
        Just("participant"),
        Just("sender_pn"),
        Just("sender_lid"),
        Just("offline"),
        Just("notify"),
        Just("jid"),
    ];
    let attrs = proptest::collection::vec((key, value), 0..6);
    let leaf =
        (tag.clone(), attrs.clone(), proptest::collection::vec(any::<u8>(), 0..40)).prop_map(|(tag, attrs, bytes)| {
            let node = Node::new(tag).with_bytes(bytes);
            attrs.into_iter().fold(node, |node, (key, value)| node.with(key, value))
        });
    leaf.prop_recursive(3, 12, 3, move |inner| {
        (tag.clone(), attrs.clone(), proptest::collection::vec(inner, 0..3)).prop_map(|(tag, attrs, nodes)| {
            let node = Node { content: Content::Nodes(nodes), ..Node::new(tag) };
            attrs.into_iter().fold(node, |node, (key, value)| node.with(key, value))
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_stanza(nodes in proptest::collection::vec(any_node(), 1..8)) {
        let mut world = World::enlisted(1);
        world.write_from(BOB, "before");
        for node in &nodes {
            if world.chatd.socket().is_some() && world.connection().state() == ConnectionState::Online {
                world.serve(node);
            }
        }
        // Still there, and still at work.
        world.kill();
        world.sleep_until(ConnectionState::Online);
        prop_assert!(world.texts(BOB_CHAT).contains(&"before".to_owned()));
        world.write_from(BOB, "after");
        prop_assert!(world.texts(BOB_CHAT).contains(&"after".to_owned()));
    }

    #[test]
    fn any_bytes_at_any_stage(bytes in proptest::collection::vec(any::<u8>(), 0..200), cut in 0usize..3) {
        let mut world = World::enlisted(2);
        if cut > 0 {
            world.cut();
        }
        let socket = world.chatd.socket().map_or(99, |socket| socket.0) + u64::from(cut == 2);
        world.input(Input::Received(SocketId(socket), bytes));
        world.sleep_until(ConnectionState::Online);
    }

    #[test]
    fn any_answers_of_the_servers(status in 0u16..600, body in proptest::collection::vec(any::<u8>(), 0..300)) {
        let mut world = World::fresh(3);
        world.servers.enlist = Ok(causeway::io::HttpResponse { status, body: body.clone() });
        world.input(Input::Started);
        world.sign_in("alice");
        let issue = world.command(Action::Enlist(Enlist::default())).issue();
        prop_assert!(issue != Issue::None);
    }

    #[test]
    fn any_text_of_a_command(chat in "\\PC{0,60}", text in "\\PC{0,60}", seq in any::<u64>()) {
        let mut world = World::enlisted(4);
        for action in [
            Action::Send(Send { chat: chat.clone(), text: text.clone() }),
            Action::SaveDraft(SaveDraft { chat: chat.clone(), text: text.clone() }),
            Action::MarkRead(MarkRead { chat: chat.clone(), up_to: seq }),
            Action::OpenChat(OpenChat { chat: chat.clone(), before: Some(seq), limit: u32::MAX, text_from: None }),
            Action::Retry(MessageRef { chat: chat.clone(), seq }),
            Action::Discard(MessageRef { chat: chat.clone(), seq }),
        ] {
            world.command(action);
        }
        world.input(Input::Command(Command { tag: 0, action: None, ..Command::default() }));
        prop_assert_eq!(world.connection().state(), ConnectionState::Online);
    }
}

#[test]
fn every_refusal_of_enlistment_is_its_own_issue() {
    for (reason, issue) in [
        ("bad_integrator", Issue::EnlistBadIntegrator),
        ("bad_token", Issue::EnlistBadToken),
        ("bad_identifier", Issue::EnlistBadIdentifier),
        ("bad_signature", Issue::EnlistBadKeys),
        ("old_version", Issue::EnlistOutdated),
        ("something_else", Issue::EnlistRefused),
    ] {
        let mut world = World::fresh(5);
        world.servers.enlist = support::ok(200, &format!(r#"{{"reason":"{reason}","status":"fail"}}"#));
        world.input(Input::Started);
        world.sign_in("alice");
        assert_eq!(world.command(Action::Enlist(Enlist::default())).issue(), issue);
    }
}

#[test]
fn the_keys_of_an_enlistment_are_durable_before_they_are_sent_and_the_same_when_it_is_repeated() {
    let mut world = World::fresh(6);
    let good = std::mem::replace(&mut world.servers.enlist, Err(causeway::io::HttpFailure::Unreachable));
    world.input(Input::Started);
    world.sign_in("alice");
    assert_eq!(world.command(Action::Enlist(Enlist::default())).issue(), Issue::EnlistUnreachable);
    world.kill();
    world.servers.enlist = good;
    assert_eq!(world.command(Action::Enlist(Enlist::default())).issue(), Issue::None);
    let keys = |form: &causeway::io::HttpRequest| -> Vec<String> {
        let form = form.form.as_ref().unwrap().as_bytes().to_vec();
        form_urlencoded::parse(&form)
            .filter(|(name, _)| name.starts_with("e_") || name == "authkey")
            .map(|(_, value)| value.into_owned())
            .collect()
    };
    let forms: Vec<_> = world.requests.iter().filter(|request| request.url.contains("interop_reg")).map(keys).collect();
    assert_eq!(forms.len(), 2);
    assert_eq!(forms[0], forms[1]);
}

#[test]
fn text_is_bounded_before_it_is_sent() {
    let mut world = World::enlisted(7);
    let chat = world.start_chat(BOB);
    let limit = world.snapshot().account.unwrap().max_text_bytes as usize;
    assert_eq!(world.send(&chat, &"x".repeat(limit + 1)), Issue::TextTooLong);
    for nothing in ["", " \n\t ", "\u{200B}", "\u{2800}\u{3164}", "\u{202E}\u{200D}\u{FE0F}\n", "\u{E0041}"] {
        assert_eq!(world.send(&chat, nothing), Issue::TextEmpty, "{nothing:?}");
    }
    assert_eq!(world.send("nobody@s.whatsapp.net", "x"), Issue::NoSuchChat);
    assert!(world.chatd.messages().is_empty());
    // What is trimmed away does not count.
    assert_eq!(world.send(&chat, &format!("\n\n  {} \n\u{200B}\n", "x".repeat(limit))), Issue::None);
    assert_eq!(world.phone(BOB).received[0].1, "x".repeat(limit));
}

#[test]
fn a_flood_of_unknown_stanzas_is_counted_and_bounded() {
    use causeway::store::changes::{Query, Table};
    let mut world = World::enlisted(8);
    for number in 0..1_100_u32 {
        world.serve(&Node::new("weather").with("id", number));
    }
    assert_eq!(world.snapshot().account.unwrap().unknown_stanzas, 1_100);
    let all = Query::Range { table: Table::Unknown, from: Vec::new(), to: None, reverse: false, limit: u32::MAX };
    assert_eq!(world.store.load_now(&[all]).unwrap()[0].len(), 1_000);
}
