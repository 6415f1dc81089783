//! The stanzas that a phone writes, and the bundles that it reads (wire.md §5.6 to §5.10).

use super::keyring::Keyring;
use crate::payload::{AppVersion, ClientPayload, UserAgent};
use causeway_proto::jid::Jid;
use causeway_proto::node::Node;
use causeway_proto::signal::{Envelope, PreKeyBundle, PublicKey};
use prost::Message as _;

const CURVE: u8 = 5;
/// `UserAgent.platform` of a test client (wire.md §2.8).
const PLATFORM_TEST: i32 = 34;

/// How a phone introduces itself.
pub(super) fn payload(number: u64, name: &str) -> Vec<u8> {
    let version = AppVersion { primary: Some(2), secondary: Some(3000), tertiary: Some(0) };
    ClientPayload {
        username: Some(number),
        passive: Some(false),
        user_agent: Some(UserAgent { platform: Some(PLATFORM_TEST), version: Some(version) }),
        push_name: Some(name.to_owned()),
        device: Some(0),
        pull: Some(true),
        ..ClientPayload::default()
    }
    .encode_to_vec()
}

/// A request to the server.
pub(super) fn iq(id: &str, kind: &'static str, xmlns: &'static str) -> Node {
    Node::new("iq").with("id", id.to_owned()).with("xmlns", xmlns).with("type", kind).with("to", Jid::server())
}

/// Answers the server's ping.
pub(super) fn pong(ping: &Node) -> Node {
    let pong = Node::new("iq").with("to", Jid::server()).with("type", "result");
    match ping.attr("id") {
        Some(id) => pong.with("id", id.clone()),
        None => pong,
    }
}

/// Publishes identity, signed prekey and these one-time prekeys.
pub(super) fn upload(id: &str, keys: &Keyring, one_time: &[(u32, [u8; 32])]) -> Node {
    let list = one_time.iter().map(|(id, value)| key("key", *id, value)).collect();
    iq(id, "set", "encrypt").with_nodes(vec![
        Node::new("registration").with_bytes(keys.registration.to_be_bytes()),
        Node::new("type").with_bytes([CURVE]),
        Node::new("identity").with_bytes(keys.identity.public().0),
        Node::new("list").with_nodes(list),
        signed_key(keys),
    ])
}

fn key(tag: &'static str, id: u32, value: &[u8; 32]) -> Node {
    let id = Node::new("id").with_bytes(&id.to_be_bytes()[1..]);
    Node::new(tag).with_nodes(vec![id, Node::new("value").with_bytes(*value)])
}

fn signed_key(keys: &Keyring) -> Node {
    let signed = &keys.signed;
    key("skey", signed.id, &signed.pair.public().0).with_node(Node::new("signature").with_bytes(signed.signature))
}

/// A message of ours; `count` on a resend.
pub(super) fn message(to: &Jid, id: &str, envelope: &Envelope, count: u32) -> Node {
    let mut enc = Node::new("enc").with("v", "2").with("type", envelope.kind().as_str());
    if count > 0 {
        enc = enc.with("count", count);
    }
    let enc = enc.with_bytes(envelope.as_bytes());
    Node::new("message").with("to", to).with("type", "text").with("id", id.to_owned()).with_node(enc)
}

/// "Arrived", or with a type something more.
pub(super) fn receipt(to: &Jid, id: &str, kind: Option<&'static str>, t: u64) -> Node {
    let receipt = Node::new("receipt").with("id", id.to_owned()).with("to", to);
    match kind {
        Some(kind) => receipt.with("type", kind).with("t", t),
        None => receipt,
    }
}

/// "Could not be decrypted, send again": with fresh keys when asked (wire.md §5.10).
pub(super) fn retry(message: &Node, from: &Jid, id: &str, count: u32, error: u32, keys: Option<&mut Keyring>) -> Node {
    let mut retry = Node::new("retry").with("v", "1").with("count", count).with("id", id.to_owned());
    if let Some(t) = message.attr("t") {
        retry = retry.with("t", t.clone());
    }
    let mut receipt = receipt(from, id, None, 0).with("type", "retry").with_node(retry.with("error", error));
    if let Some(keys) = keys {
        let fresh = keys.more_prekeys(1);
        let mut children = vec![
            Node::new("type").with_bytes([CURVE]),
            Node::new("identity").with_bytes(keys.identity.public().0),
            signed_key(keys),
        ];
        children.extend(fresh.iter().map(|(id, value)| key("key", *id, value)));
        let registration = Node::new("registration").with_bytes(keys.registration.to_be_bytes());
        receipt = receipt.with_node(registration).with_node(Node::new("keys").with_nodes(children));
    }
    receipt
}

/// Acknowledges a stanza of the server.
pub(super) fn ack(node: &Node) -> Node {
    let mut ack = Node::new("ack").with("class", node.tag.clone());
    for (ours, theirs) in [("id", "id"), ("to", "from"), ("participant", "participant"), ("type", "type")] {
        // An ack of a message does not repeat its type (wire.md §5.9).
        if let Some(value) = node.attr(theirs).filter(|_| ours != "type" || node.tag != "message") {
            ack = ack.with(ours, value.clone());
        }
    }
    ack
}

/// Keys of somebody, from a key fetch's `<user>`, or from a retry receipt whose registration stands outside `<keys>`.
pub(super) fn bundle(registration: &Node, keys: &Node) -> Option<PreKeyBundle> {
    let signed = keys.child("skey")?;
    let prekey = match keys.child("key") {
        Some(key) => Some((number(key.child("id")?)?, public(key.child("value")?)?)),
        None => None,
    };
    Some(PreKeyBundle {
        registration_id: number(registration)?,
        identity: public(keys.child("identity")?)?,
        signed_prekey_id: number(signed.child("id")?)?,
        signed_prekey: public(signed.child("value")?)?,
        signed_prekey_signature: signed.child("signature")?.bytes()?.try_into().ok()?,
        prekey,
    })
}

fn public(node: &Node) -> Option<PublicKey> {
    Some(PublicKey(node.bytes()?.try_into().ok()?))
}

fn number(node: &Node) -> Option<u32> {
    let bytes = node.bytes().filter(|bytes| (1..=4).contains(&bytes.len()))?;
    Some(bytes.iter().fold(0, |number, byte| number << 8 | u32::from(*byte)))
}
