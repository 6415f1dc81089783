//! What one release left in a browser, as files: every row as the store held it, and the keys of a peer who goes on
//! writing.
//!
//! What this module does not know: what the rows mean.

use super::specimens;
use super::support::{BOB, Phone, World, alice};
use causeway::store::changes::{Change, Changes, Table};
use causeway_peer::keyring::Keyring;
use causeway_proto::node::{Node, xml};
use causeway_proto::secret::Secret;
use causeway_proto::signal::{KeyPair, SessionRecord, SignedPreKeyPair};
use std::fmt::Write as _;

/// The files of one release.
pub(crate) struct Release {
    /// The release's version, which is the folder's name.
    pub(crate) version: String,
    /// A line a row: table, key, sealed value.
    pub(crate) rows: String,
    /// A line a fact about the peer.
    pub(crate) peer: String,
    /// A line a table: a row of it with every field set, not sealed.
    pub(crate) specimens: String,
}

/// Every release so far. A new one is added; none is ever changed.
pub(crate) fn releases() -> [Release; 1] {
    [Release {
        version: "0.1.0".into(),
        rows: include_str!("../vectors/store/0.1.0/rows.txt").into(),
        peer: include_str!("../vectors/store/0.1.0/peer.txt").into(),
        specimens: include_str!("../vectors/store/0.1.0/specimens.txt").into(),
    }]
}

/// What every snapshot is sealed under: the data key of the tests' engine.
pub(crate) const DATA_KEY: [u8; 32] = [7; 32];

impl Release {
    /// The rows, as the changes that put them into an empty store.
    pub(crate) fn changes(&self) -> Changes {
        let row = |line: &str| {
            let [table, key, value] = words(line);
            Change::Put(table_named(&table), unhex(&key), unhex(&value))
        };
        self.rows.lines().map(row).collect()
    }

    /// The peer, as his phone was when the snapshot was taken, and the stanza that he had sent just then.
    pub(crate) fn peer(&self) -> (Phone, Node) {
        let fact = |name: &str| {
            let line = self.peer.lines().find(|line| line.split(' ').next() == Some(name));
            line.and_then(|line| line.split_once(' ')).expect("every fact is there").1
        };
        let pair = |name: &str| KeyPair::from_secret(Secret::from_slice(&unhex(fact(name))).expect("32 bytes"));
        let number = |name: &str| fact(name).parse().expect("a number");
        let phone = Phone {
            jid: fact("jid").parse().expect("a JID"),
            keys: Keyring {
                identity: pair("identity"),
                registration: 77,
                signed: SignedPreKeyPair {
                    id: number("signed_prekey_id"),
                    pair: pair("signed_prekey"),
                    signature: unhex(fact("signed_prekey_signature")).try_into().expect("64 bytes"),
                    created: 0,
                },
                one_time: [(number("prekey_id"), pair("prekey"))].into(),
                next_prekey: number("prekey_id") + 1,
                sessions: [(alice(), SessionRecord::from_bytes(&unhex(fact("session"))).expect("a session"))].into(),
            },
            received: Vec::new(),
            sent: number("sent"),
        };
        (phone, xml::parse(fact("next")).expect("a stanza"))
    }
}

/// What this build leaves: the rows of a world's store, and its peer with one more stanza under way.
pub(crate) fn take(world: &mut World) -> Release {
    let mut rows = String::new();
    for table in Table::ALL {
        for (key, value) in world.rows(table) {
            writeln!(rows, "{} {} {}", table.name(), hex(&key), hex(&value)).expect("text");
        }
    }
    let phone = world.phones.get_mut(BOB).expect("a phone");
    let (_, next) = phone.write("sent before the update", &mut world.chatd, world.now, &mut world.rng);
    let prekey = phone.keys.one_time.last_key_value().expect("a prekey");
    let mut peer = String::new();
    let mut say = |name: &str, value: &str| writeln!(peer, "{name} {value}").expect("text");
    say("jid", &phone.jid.to_string());
    say("identity", &hex(phone.keys.identity.secret().expose()));
    say("signed_prekey_id", &phone.keys.signed.id.to_string());
    say("signed_prekey", &hex(phone.keys.signed.pair.secret().expose()));
    say("signed_prekey_signature", &hex(&phone.keys.signed.signature));
    say("prekey_id", &prekey.0.to_string());
    say("prekey", &hex(prekey.1.secret().expose()));
    say("session", &hex(&phone.keys.sessions[&alice()].to_bytes()));
    say("sent", &phone.sent.to_string());
    say("next", &xml::print(&next));
    let specimens = specimens::all().iter().fold(String::new(), |mut text, (table, row)| {
        writeln!(text, "{} {}", table.name(), hex(row)).expect("text");
        text
    });
    Release { version: env!("CARGO_PKG_VERSION").into(), rows, peer, specimens }
}

/// The table of this name.
pub(crate) fn table_named(name: &str) -> Table {
    Table::ALL.into_iter().find(|table| table.name() == name).unwrap_or_else(|| panic!("no table {name}"))
}

/// The words of a line, as many as there should be.
pub(crate) fn words<const COUNT: usize>(line: &str) -> [String; COUNT] {
    let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
    words.try_into().unwrap_or_else(|_| panic!("expected {COUNT} words in {line:?}"))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("text");
        text
    })
}

pub(crate) fn unhex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2);
    digits.map(|two| u8::from_str_radix(str::from_utf8(two).expect("ASCII"), 16).expect("hex digits")).collect()
}
