//! A conversation that moves from one browser to another, for the tests of backups.

use crate::support::{BOB, BOB_CHAT, World};
use causeway::view::{ConnectionState, Issue};
use causeway_proto::schema::signal::{PreKeySignalMessage, SignalMessage};
use prost::Message as _;
use std::collections::BTreeSet;

/// A passphrase that is strong enough for a backup.
pub(crate) const PASSPHRASE: &str = "correct horse battery staple";

/// Alice and Bob, in the middle of a conversation.
pub(crate) fn talking(seed: u64) -> World {
    let mut world = World::enlisted(seed);
    let chat = world.start_chat(BOB);
    for number in 0..3 {
        world.send(&chat, &format!("out {number}"));
        world.write_from(BOB, &format!("in {number}"));
    }
    world
}

pub(crate) fn sign_in(world: &mut World) {
    assert_eq!(world.sign_in("alice"), Issue::None);
    world.sleep_until(ConnectionState::Online);
}

/// Both write, and both read what was written.
pub(crate) fn both_write_on(world: &mut World, what: &str) {
    let before = world.phone(BOB).received.len();
    for number in 0..3 {
        assert_eq!(world.send(BOB_CHAT, &format!("{what} out {number}")), Issue::None);
        world.write_from(BOB, &format!("{what} in {number}"));
    }
    let received: Vec<String> = world.phone(BOB).received[before..].iter().map(|(_, text)| text.clone()).collect();
    assert_eq!(received, [0, 1, 2].map(|number| format!("{what} out {number}")));
    let texts = world.texts(BOB_CHAT);
    assert!((0..3).all(|number| texts.contains(&format!("{what} in {number}"))), "{texts:?}");
    assert!(world.chatd.mailbox.is_empty());
}

/// No message key was used for two different messages: neither by one browser nor by two.
pub(crate) fn no_key_was_used_twice(world: &World) {
    let mut used = BTreeSet::new();
    let mut seen = BTreeSet::new();
    for node in world.chatd.messages() {
        let enc = node.child("enc").unwrap();
        let bytes = enc.bytes().unwrap();
        // The same bytes under the same id are a message that goes out again.
        if !seen.insert((node.text("id").unwrap().into_owned(), bytes.to_vec())) {
            continue;
        }
        let plain = |bytes: &[u8]| SignalMessage::decode(&bytes[1..bytes.len() - 8]).unwrap();
        let message = match enc.text("type").as_deref() {
            Some("pkmsg") => plain(PreKeySignalMessage::decode(&bytes[1..]).unwrap().message()),
            _ => plain(bytes),
        };
        assert!(used.insert((message.ratchet_key().to_vec(), message.counter())), "a message key was used twice");
    }
    assert!(used.len() > 3);
}
