//! Sound bytes for every target, made by our own encoders: damage that starts here gets past the first check.
//!
//! Knows what the doors take; not what comes of it.

use crate::fixture;
use causeway::store::{changes::Table, seal::Sealer};
use causeway_proto::{
    content, frame,
    jid::Jid,
    node::{self, Node, document, xml},
    noise::{StaticKey, handshake, payload},
    profile::Profile,
    secret::Secret,
    signal::EnvelopeKind,
    stanza::{passive, ping, presence},
};

fn nodes() -> Vec<Node> {
    let bob: Jid = "14155550100@s.whatsapp.net".parse().unwrap();
    let alice: Jid = "1-4242:3@interop".parse().unwrap();
    let enc = Node::new("enc").with("v", "2").with("type", "pkmsg").with_bytes(vec![0x33; 90]);
    let key = |id: u8| {
        Node::new("key")
            .with_nodes(vec![Node::new("id").with_bytes(vec![0, 0, id]), Node::new("value").with_bytes(vec![id; 32])])
    };
    vec![
        ping::request("1"),
        passive::offline_batch(100),
        presence::available(Some("Zoë <&\">")),
        Node::new("message")
            .with("from", bob.clone())
            .with("to", alice)
            .with("id", "3EB0C767D097B7C2")
            .with("t", 1_700_000_000_u64)
            .with("type", "text")
            .with("offline", "1")
            .with_node(enc),
        Node::new("iq")
            .with("xmlns", "encrypt")
            .with("type", "set")
            .with("id", "7")
            .with_node(Node::new("list").with_nodes((0..4).map(key).collect())),
        Node::new("receipt").with("from", bob).with("id", "AB").with("type", "retry").with_nodes(vec![
            Node::new("retry").with("count", "1").with("id", "AB").with("t", "1700000000").with("v", "1"),
            Node::new("registration").with_bytes(vec![0, 0, 4, 210]),
        ]),
        Node::new("stream:error")
            .with("code", "515")
            .with_text("a text that is longer than any token and is not packed"),
    ]
}

pub(crate) fn node() -> Vec<Vec<u8>> {
    let encoded = |node: &Node| {
        let mut bytes = Vec::new();
        node::encode(node, &Profile::default(), &mut bytes).unwrap();
        bytes
    };
    // An interop JID without a server before an empty list as content; an address of domain type 2 and text that is none.
    let odd = [
        b"\xF8\x04\x13\x06\xF5\xFF\x01\x12\x00\x00\x00\x01\x00".to_vec(),
        b"\xF8\x05\x13\x06\xF7\x02\x09\xFF\x01\x12\x08\xFC\x02\xC3\x28".to_vec(),
    ];
    nodes().iter().map(encoded).chain(odd).collect()
}

pub(crate) fn document() -> Vec<Vec<u8>> {
    let plain = nodes().into_iter().map(|node| {
        let mut bytes = Vec::new();
        document::encode(&node, &Profile::default(), &mut bytes).unwrap();
        bytes
    });
    // Flag 2, then zlib with one stored block: its bytes can be damaged without breaking the compression.
    let stored = node().into_iter().map(|bytes| {
        let length = u16::try_from(bytes.len()).unwrap();
        let mut document = vec![2, 0x78, 0x01, 0x01];
        document.extend_from_slice(&length.to_le_bytes());
        document.extend_from_slice(&(!length).to_le_bytes());
        document.extend_from_slice(&bytes);
        document.extend_from_slice(&adler32(&bytes).to_be_bytes());
        document
    });
    plain.chain(stored).collect()
}

/// RFC 1950 §8.2.
fn adler32(bytes: &[u8]) -> u32 {
    let (a, b) = bytes.iter().fold((1_u32, 0_u32), |(a, b), &byte| {
        let a = (a + u32::from(byte)) % 65_521;
        (a, (b + a) % 65_521)
    });
    b << 16 | a
}

pub(crate) fn frame() -> Vec<Vec<u8>> {
    let stream = node().into_iter().fold(vec![5], |mut stream, payload| {
        stream.extend_from_slice(&frame::header(payload.len()).unwrap());
        stream.extend_from_slice(&payload);
        stream
    });
    vec![stream.clone(), [&[1], &stream[1..40]].concat(), vec![3, 0, 0, 0, 0, 0, 1, 9, 0xff, 0xff, 0xff]]
}

pub(crate) fn xml() -> Vec<Vec<u8>> {
    nodes().iter().map(|node| xml::print(node).into_bytes()).collect()
}

pub(crate) fn protobuf() -> Vec<Vec<u8>> {
    let (_, hello) =
        handshake::start(&StaticKey::from_secret(Secret::new([7; 32])), &Profile::default(), &mut fixture::rng(3))
            .unwrap();
    vec![
        [vec![0], content::text("Grüße aus der Mitte")].concat(),
        // protocolMessage (12) { key (1) { id (3) }, type (2), editedMessage (14) { conversation (1) } }: an edit.
        vec![0, 0x62, 0x0c, 0x0a, 0x03, 0x1a, 0x01, b'A', 0x10, 0x0e, 0x72, 0x03, 0x0a, 0x01, b'x'],
        // deviceSentMessage (31) { message (2) { extendedTextMessage (6) { text (1) } } }: a wrapper.
        vec![0, 0xfa, 0x01, 0x07, 0x12, 0x05, 0x32, 0x03, 0x0a, 0x01, b'x'],
        [vec![1], payload::login(&Profile::default(), 4242, "aaa.bbb.ccc")].concat(),
        // leaf (1) and intermediate (2), each { details (1), signature (2) }.
        [
            vec![2, 0x0a, 0x44, 0x0a, 0x00, 0x12, 0x40],
            vec![8; 64],
            vec![0x12, 0x44, 0x0a, 0x00, 0x12, 0x40],
            vec![8; 64],
        ]
        .concat(),
        [vec![3], hello].concat(),
        // serverHello (3) { ephemeral (1), static (2), payload (3) }.
        [vec![3, 0x1a, 0x76, 0x0a, 0x20], vec![9; 32], vec![0x12, 0x30], vec![8; 48], vec![0x1a, 0x20], vec![6; 32]]
            .concat(),
        // details (1) { timestamp (2), account type (4) }, account key (2), account signature (3), device signature (4).
        [
            vec![4, 0x0a, 4, 0x10, 7, 0x20, 1, 0x12, 0x20],
            vec![9; 32],
            vec![0x1a, 0x40],
            vec![8; 64],
            vec![0x22, 0x40],
            vec![7; 64],
        ]
        .concat(),
    ]
}

pub(crate) fn envelope() -> Vec<Vec<u8>> {
    let (_, _, envelopes) = fixture::conversation();
    let kind = |kind| if kind == EnvelopeKind::Plain { 0 } else { 1 };
    envelopes.iter().map(|envelope| [&[kind(envelope.kind())], envelope.as_bytes()].concat()).collect()
}

pub(crate) fn session() -> Vec<Vec<u8>> {
    envelope()
}

pub(crate) fn record() -> Vec<Vec<u8>> {
    let (alice, bob, _) = fixture::conversation();
    let mut archived = bob.record.clone();
    archived.archive_current();
    [alice.record, bob.record, archived].iter().map(|record| record.to_bytes().to_vec()).collect()
}

pub(crate) fn sealed_row() -> Vec<Vec<u8>> {
    // Under another key, so that even the undamaged row must not open.
    let sealer = Sealer::new(&Secret::new([6; 32]));
    vec![sealer.seal(Table::Session, b"somebody", b"a row", &mut fixture::rng(4)).unwrap()]
}

pub(crate) fn backup() -> Vec<Vec<u8>> {
    use causeway::backup::contents::{End, Entry, FORMAT, Manifest, Row, pack};
    use causeway::backup::{format::Writer, kdf::Argon2Cost};
    let cost = Argon2Cost { memory: 8, passes: 1, lanes: 1 };
    let mut writer = Writer::begin("a passphrase", cost, &mut fixture::rng(5)).unwrap();
    writer.write(b"plaintext").unwrap();
    let entries = [
        Entry::Manifest(Manifest { format: FORMAT, identifier: "alice".into(), ..Manifest::default() }),
        Entry::Row(Row { table: 1, key: b"account".to_vec(), row: b"a row".to_vec() }),
        Entry::End(End { rows: 1, left_out: 0 }),
    ];
    let plain: Vec<u8> = entries.into_iter().flat_map(|entry| pack(entry).to_vec()).collect();
    vec![[&[0][..], &writer.finish().unwrap()].concat(), [&[1][..], &plain].concat()]
}
