//! The few stanzas of keys that the server and the phones write and read by hand.

use causeway_proto::node::Node;
use causeway_proto::signal::{PreKeyBundle, PublicKey};

/// A bundle as it stands in an answer to a fetch (without `all`) or in a retry receipt.
pub(crate) fn key_nodes(bundle: &PreKeyBundle) -> Vec<Node> {
    let signature = Node::new("signature").with_bytes(bundle.signed_prekey_signature);
    let mut nodes = vec![
        Node::new("type").with_bytes([5]),
        Node::new("identity").with_bytes(bundle.identity.0),
        key_node("skey", bundle.signed_prekey_id, bundle.signed_prekey).with_node(signature),
    ];
    if let Some((id, key)) = bundle.prekey {
        nodes.push(key_node("key", id, key));
    }
    nodes
}

/// A registration id.
pub(crate) fn registration(id: u32) -> Node {
    Node::new("registration").with_bytes(id.to_be_bytes())
}

fn key_node(tag: &'static str, id: u32, key: PublicKey) -> Node {
    let [_, id @ ..] = id.to_be_bytes();
    Node::new(tag).with_nodes(vec![Node::new("id").with_bytes(id), Node::new("value").with_bytes(key.0)])
}

/// Id and key of `<key>` or `<skey>`.
pub(crate) fn read_key(node: &Node) -> Option<(u32, PublicKey)> {
    let [a, b, c] = node.child("id")?.bytes()?.try_into().ok()?;
    Some((u32::from_be_bytes([0, a, b, c]), PublicKey::from_slice(node.child("value")?.bytes()?).ok()?))
}

/// A bundle out of an upload (all its one-time prekeys aside) or a retry receipt.
pub(crate) fn read_bundle(registration: &Node, keys: &Node) -> Option<PreKeyBundle> {
    let signed = keys.child("skey")?;
    let (signed_prekey_id, signed_prekey) = read_key(signed)?;
    Some(PreKeyBundle {
        registration_id: u32::from_be_bytes(registration.bytes()?.try_into().ok()?),
        identity: PublicKey::from_slice(keys.child("identity")?.bytes()?).ok()?,
        signed_prekey_id,
        signed_prekey,
        signed_prekey_signature: signed.child("signature")?.bytes()?.try_into().ok()?,
        prekey: keys.child("key").and_then(read_key),
    })
}
