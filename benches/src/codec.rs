//! The binary codec on two stanzas: a message as it arrives, and an upload of a hundred prekeys.
//!
//! The peer, Baileys's codec, is JavaScript: `page/bench.js` runs it on the same bytes, and is given `sample`.

use crate::contest::{Contest, Entrant};
use causeway_proto::{
    jid::Jid,
    node::{self, Node},
    profile::Profile,
};

/// A stanza to encode and decode.
#[derive(Clone, Copy)]
pub enum Sample {
    /// An incoming text message of about 350 bytes.
    Message,
    /// A hundred one-time prekeys, about 4.5 KB.
    PreKeys,
}

fn stanza(sample: Sample) -> Node {
    match sample {
        Sample::Message => Node::new("message")
            .with("from", Jid::user("14155550100"))
            .with("id", "3EB0C767D097B7C2AA01")
            .with("t", 1_700_000_000_u64)
            .with("type", "text")
            .with("notify", "Somebody with a name")
            .with_node(Node::new("enc").with("v", "2").with("type", "pkmsg").with_bytes(vec![0xAB; 280])),
        Sample::PreKeys => {
            let key = |id: u8| {
                let id = Node::new("id").with_bytes(vec![0, 0, id]);
                Node::new("key").with_nodes(vec![id, Node::new("value").with_bytes(vec![0xCD; 32])])
            };
            Node::new("iq")
                .with("id", "27")
                .with("xmlns", "encrypt")
                .with("type", "set")
                .with("to", Jid::server())
                .with_node(Node::new("list").with_nodes((0..100).map(key).collect()))
        }
    }
}

/// The stanza's bytes.
pub fn sample(sample: Sample) -> Vec<u8> {
    let mut bytes = Vec::new();
    node::encode(&stanza(sample), &Profile::default(), &mut bytes).expect("the stanza has a form on the wire");
    bytes
}

/// Encodes the stanza into one reused buffer; returns the length.
pub fn encode(sample: Sample) -> impl FnMut() -> usize {
    let (node, profile, mut out) = (stanza(sample), Profile::default(), Vec::new());
    move || {
        out.clear();
        node::encode(&node, &profile, &mut out).expect("the stanza has a form on the wire");
        out.len()
    }
}

/// Decodes the stanza.
pub fn decode(sample: Sample) -> impl FnMut() -> Node {
    let bytes = self::sample(sample);
    move || node::decode(&bytes).expect("we encoded it")
}

pub(crate) fn contests() -> Vec<Contest> {
    let contest = |name, entrant| Contest { name, entrants: vec![entrant] };
    vec![
        contest("codec: encode a message", Entrant::plain("ours", encode(Sample::Message))),
        contest("codec: decode a message", Entrant::plain("ours", decode(Sample::Message))),
        contest("codec: encode 100 prekeys", Entrant::plain("ours", encode(Sample::PreKeys))),
        contest("codec: decode 100 prekeys", Entrant::plain("ours", decode(Sample::PreKeys))),
    ]
}
