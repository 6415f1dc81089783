//! Stanzas that a phone sends (docs/spec/wire.md §2.8, §5.6 to §5.10).

use super::{iq, keys};
use crate::payload::{AppVersion, ClientPayload, UserAgent};
use causeway_proto::jid::Jid;
use causeway_proto::node::Node;
use causeway_proto::signal::{Envelope, PreKeyBundle, PublicKey};
use prost::Message as _;

/// `UserAgent.platform` of a test client (docs/spec/wire.md §2.8).
const PLATFORM_TEST: i32 = 34;

/// The serialised ClientPayload of a phone.
pub fn payload(number: u64, name: &str) -> Vec<u8> {
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

/// Publishes identity, signed prekey and these one-time prekeys.
pub fn upload(id: &str, bundle: &PreKeyBundle, one_time: &[(u32, PublicKey)]) -> Node {
    iq::request(id, "set", "encrypt").with_nodes(keys::upload(bundle, one_time))
}

/// Fetches the keys of these users.
pub fn key_fetch(id: &str, users: &[Jid]) -> Node {
    let users = users.iter().map(|jid| Node::new("user").with("jid", jid)).collect();
    iq::request(id, "get", "encrypt").with_node(Node::new("key").with_nodes(users))
}

/// An encrypted message. `count` is the number of the resend; 0 for the first sending.
pub fn message(to: &Jid, id: &str, envelope: &Envelope, count: u32) -> Node {
    let mut enc = Node::new("enc").with("v", "2").with("type", envelope.kind().as_str());
    if count > 0 {
        enc = enc.with("count", count);
    }
    let enc = enc.with_bytes(envelope.as_bytes());
    Node::new("message").with("to", to).with("type", "text").with("id", id.to_owned()).with_node(enc)
}

/// A delivery receipt, or with a type another one, sent at `t` (unix seconds).
pub fn receipt(to: &Jid, id: &str, kind: Option<&'static str>, t: u64) -> Node {
    let receipt = Node::new("receipt").with("id", id.to_owned()).with("to", to);
    match kind {
        Some(kind) => receipt.with("type", kind).with("t", t),
        None => receipt,
    }
}

/// A retry receipt: asks the sender of `message` to send it again, for the `count`-th time (docs/spec/wire.md §5.10).
pub fn retry_receipt(message: &Node, count: u32, error: u32, own: &PreKeyBundle, with_keys: bool) -> Node {
    let mut retry = Node::new("retry").with("v", "1").with("count", count);
    for name in ["id", "t"] {
        if let Some(value) = message.attr(name) {
            retry = retry.with(name, value.clone());
        }
    }
    let mut receipt = Node::new("receipt").with("type", "retry");
    for (name, of) in [("id", "id"), ("to", "from")] {
        if let Some(value) = message.attr(of) {
            receipt = receipt.with(name, value.clone());
        }
    }
    receipt = receipt.with_node(retry.with("error", error)).with_node(keys::registration(own.registration_id));
    if with_keys { receipt.with_node(Node::new("keys").with_nodes(keys::bundle(own))) } else { receipt }
}
