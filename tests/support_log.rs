//! The log for support says what happened, and nothing of what anybody wrote, is called, or holds as a key.
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

use causeway::store::changes::Table;
use causeway::view::{Action, SaveDraft, SupportLog};
use causeway_proto::jid::Jid;
use causeway_proto::node::Node;
use support::{ALICE, BOB, BOB_CHAT, World};

fn log(world: &mut World) -> String {
    world.command(Action::SupportLog(SupportLog {})).log
}

#[test]
fn it_says_what_happened() {
    let mut world = World::enlisted(1);
    world.serve(&Node::new("riddle").with("id", "1"));
    world.serve(
        &Node::new("message").with("from", BOB_CHAT.parse::<Jid>().unwrap().on_device(3)).with("id", "X").with_node(
            Node::new("enc").with("v", "2").with("type", "msg").with_bytes([0x33, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
        ),
    );
    let log = log(&mut world);
    for line in ["stage 3", "connection 3", "unknown stanzas 1", "people 0", "0 stanza refused", "0 unknown device"] {
        assert!(log.lines().any(|found| found == line), "{line}\n{log}");
    }
}

#[test]
fn nothing_that_was_planted_is_in_it() {
    let mut world = World::fresh(2);
    world.add_phone(BOB);
    world.input(causeway::io::Input::Started);
    world.sign_in("PLANTED-IDENTIFIER");
    world.command(Action::Enlist(causeway::view::Enlist::default()));
    let chat = world.start_chat(BOB);
    world.send(&chat, "PLANTED-SENT");
    world.write_from(BOB, "PLANTED-RECEIVED");
    world.command(Action::SaveDraft(SaveDraft { chat: chat.clone(), text: "PLANTED-DRAFT".into() }));
    // Everything that can go wrong, with planted words wherever a server may put some.
    let from = || BOB_CHAT.parse::<Jid>().unwrap();
    for node in [
        Node::new("PLANTED-TAG").with("PLANTED-KEY", "PLANTED-VALUE").with("id", "PLANTED-ID"),
        Node::new("message").with("from", from()).with("id", "PLANTED-ID").with("notify", "PLANTED-NAME"),
        Node::new("message")
            .with("from", from().on_device(9))
            .with("id", "PLANTED-ID2")
            .with("t", "1")
            .with("type", "text"),
        Node::new("ack").with("class", "PLANTED-CLASS").with("id", "PLANTED-ID").with("from", from()),
        Node::new("receipt").with("type", "PLANTED-TYPE").with("id", "PLANTED-ID").with("from", from()),
        Node::new("iq").with("type", "result").with("id", "PLANTED-ID").with("from", from()),
        Node::new("notification").with("type", "PLANTED-TYPE").with("id", "PLANTED-ID").with("from", from()),
        Node::new("stream:error").with("code", "503").with_node(Node::new("PLANTED-REASON")),
    ] {
        world.serve(&node);
        if world.chatd.socket().is_none() {
            break;
        }
    }
    let log = log(&mut world);
    assert!(log.len() > 100, "{log}");
    let account = world.account();
    let mut planted = vec![
        "PLANTED".to_owned(),
        BOB.to_owned(),
        BOB[2..].to_owned(),
        ALICE.to_owned(),
        "whatsapp".to_owned(),
        "correct horse".to_owned(),
        account.identity_key.clone(),
        account.identity_key[..12].to_owned(),
    ];
    for (key, _) in world.rows(Table::Chat) {
        planted.push(String::from_utf8_lossy(&key).into_owned());
    }
    for word in planted {
        assert!(!log.to_lowercase().contains(&word.to_lowercase()), "{word} is in the log:\n{log}");
    }
}
