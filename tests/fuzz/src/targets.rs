//! What must hold for any bytes at all, one function for each door that bytes from outside come in by.
//!
//! A function returns if all holds and panics if something does not. Beside "no panic" each says what a sound answer
//! is. What this module does not know: who calls it (libFuzzer, or the fixed run of `tests/fuzzing.rs`).

use super::fixture;
use causeway::backup::{
    contents::{ContentsError, Unpacker},
    format::Reader,
};
use causeway::store::{changes::Table, seal::Sealer};
use causeway_proto::{
    content,
    frame::FrameReader,
    node::{self, Content, Node, Value, document, xml},
    noise::{self, StaticKey, trust},
    profile::Profile,
    schema,
    secret::Secret,
    signal::{Envelope, EnvelopeKind, PublicKey, SessionRecord, SignedDeviceIdentity, padding},
    stanza::Stanza,
};
use prost::Message as _;
use std::sync::LazyLock;

/// Largest frame and largest inflated stanza that the targets allow.
const MOST: usize = 1 << 16;
/// 2024-01-01, when every certificate of the vectors is valid.
const NOW: u64 = 1_704_067_200;

/// A stream cut into pieces means the same as the stream in one piece. The first byte says how long the pieces are.
pub fn frame(data: &[u8]) {
    let Some((&piece, stream)) = data.split_first() else { return };
    let whole = frames(stream, stream.len().max(1));
    let pieces = frames(stream, usize::from(piece).max(1));
    assert_eq!(whole, pieces);
    for frame in whole.0 {
        assert!(frame.len() <= MOST);
    }
}

fn frames(stream: &[u8], piece: usize) -> (Vec<Vec<u8>>, bool) {
    let mut reader = FrameReader::new(MOST);
    let mut found = Vec::new();
    for piece in stream.chunks(piece) {
        reader.feed(piece);
        loop {
            match reader.next() {
                Ok(Some(frame)) => found.push(frame),
                Ok(None) => break,
                Err(_) => return (found, true),
            }
        }
    }
    (found, false)
}

/// A node that was read can be written and read again, in binary and as XML, and is the same.
pub fn node(data: &[u8]) {
    if let Ok(read) = node::decode(data) {
        same_again(read);
    }
}

/// The same behind the flag byte, where zlib may hide a bomb. What is refused leaves a root that is the same again.
pub fn document(data: &[u8]) {
    match document::decode(data, MOST) {
        Ok(read) => same_again(read),
        Err(undecodable) => {
            assert_eq!(undecodable.root.content, Content::Empty);
            same_again(*undecodable.root.clone());
            drop(Stanza::from_undecodable(undecodable));
        }
    }
}

fn same_again(read: Node) {
    let mut bytes = Vec::new();
    if node::encode(&read, &Profile::default(), &mut bytes).is_ok() {
        let again = node::decode(&bytes).expect("what was encoded decodes");
        assert_eq!(with_bytes(again), with_bytes(read.clone()));
    }
    assert_eq!(xml::parse(&xml::print(&read)).as_ref(), Ok(&read));
    // Every stanza has a reading, be it "malformed".
    drop(Stanza::from_node(read));
}

/// Text as content, as its bytes: what is not packed or a word is read as them.
fn with_bytes(mut node: Node) -> Node {
    node.content = match node.content {
        Content::Value(Value::Text(text)) => Content::Bytes(text.into_owned().into_bytes()),
        Content::Nodes(nodes) => Content::Nodes(nodes.into_iter().map(with_bytes).collect()),
        content => content,
    };
    node
}

/// A node read from XML is printed and read again as the same.
pub fn xml(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    if let Ok(read) = xml::parse(text) {
        assert_eq!(xml::parse(&xml::print(&read)).as_ref(), Ok(&read));
    }
}

static STATIC_KEY: LazyLock<StaticKey> = LazyLock::new(|| StaticKey::from_secret(Secret::new([7; 32])));

/// Content, client payload, certificate chain, server hello and device identity: all refused or read, never trusted. The
/// first byte says which.
pub fn protobuf(data: &[u8]) {
    let Some((&which, data)) = data.split_first() else { return };
    match which % 5 {
        0 => {
            if let Ok(read) = content::parse(data) {
                assert!(!read.kind().is_empty());
            }
        }
        1 => drop(schema::client_payload::ClientPayload::decode(data)),
        2 => {
            let root = trust::Root::from(&Profile::default());
            assert!(trust::verify(data, &[9; 32], &root, NOW).is_err(), "nobody can sign for this root");
        }
        3 => {
            let (waiting, _) = noise::handshake::start(&STATIC_KEY, &Profile::default(), &mut fixture::rng(3))
                .expect("the first flight depends on nobody");
            assert!(waiting.read(data, NOW).is_err(), "nobody can sign for this root");
        }
        _ => {
            if let Ok(read) = SignedDeviceIdentity::parse(data) {
                assert!(read.verify(&PublicKey([9; 32]), &PublicKey([9; 32])).is_err(), "nobody has signed it");
            }
        }
    }
}

/// An envelope is kept as it came. The first byte says which kind.
pub fn envelope(data: &[u8]) {
    let Some((&kind, data)) = data.split_first() else { return };
    if let Ok(read) = Envelope::parse(kind_of(kind), data) {
        assert_eq!(read.as_bytes(), data);
        assert_eq!(read.kind(), kind_of(kind));
    }
}

fn kind_of(byte: u8) -> EnvelopeKind {
    if byte.is_multiple_of(2) { EnvelopeKind::Plain } else { EnvelopeKind::PreKey }
}

/// A message that does not decrypt leaves the record as it was; padding that is none is refused. The first byte says
/// which kind of envelope.
pub fn session(data: &[u8]) {
    static BOB: LazyLock<fixture::Person> = LazyLock::new(|| fixture::conversation().1);
    let Some((&kind, data)) = data.split_first() else { return };
    let Ok(envelope) = Envelope::parse(kind_of(kind), data) else { return };
    let mut record = BOB.record.clone();
    match record.decrypt(&BOB.local(), &envelope, &*BOB, &mut fixture::rng(2)) {
        Err(error) => {
            assert!(error.retry_code() < 256);
            assert_eq!(record.to_bytes(), BOB.record.to_bytes());
        }
        Ok(decrypted) => {
            assert_ne!(record.to_bytes(), BOB.record.to_bytes(), "a key was used and must be gone");
            let mut plaintext = decrypted.plaintext.to_vec();
            let _sound_or_refused = padding::unpad(&mut plaintext);
        }
    }
}

/// A record that was read is written as bytes that read as the same.
pub fn record(data: &[u8]) {
    if let Ok(read) = SessionRecord::from_bytes(data) {
        let written = read.to_bytes();
        let again = SessionRecord::from_bytes(&written).expect("what was written reads");
        assert_eq!(again.to_bytes(), written);
    }
}

/// Bytes that were not sealed do not open.
pub fn sealed_row(data: &[u8]) {
    let sealer = Sealer::new(&Secret::new([5; 32]));
    assert!(sealer.open(Table::Session, b"somebody", data).is_err());
}

/// Bytes that are not a backup do not open, and plaintext that was not packed never passes the end. The first byte
/// selects which.
pub fn backup(data: &[u8]) {
    let Some((&which, data)) = data.split_first() else { return };
    if which.is_multiple_of(2) {
        // An Argon2 cost of a few kilobytes at most: how long a key takes is not what is tested.
        if data.get(9..12).is_none_or(|memory| memory == [0; 3]) {
            assert!(Reader::begin("not the passphrase", data).is_err());
        }
        return;
    }
    let mut unpacker = Unpacker::default();
    unpacker.plain().extend_from_slice(data);
    let mut rows = 0;
    let drained = unpacker.drain::<ContentsError>(|entry| {
        rows += 1;
        let written = causeway::backup::contents::pack(entry);
        assert!(written.len() <= data.len() + 16 && !written.is_empty());
        Ok(())
    });
    if drained.and_then(|()| unpacker.finish()).is_ok() {
        assert!(rows >= 2, "a manifest and an end, at least");
    }
}
