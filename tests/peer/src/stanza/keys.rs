//! Keys as stanzas carry them: bundles, uploads, rotations, key fetches (docs/spec/wire.md §5.6, §5.7).

use causeway_proto::jid::Jid;
use causeway_proto::node::Node;
use causeway_proto::signal::{PreKeyBundle, PublicKey};

/// The type of every key of this protocol: Curve25519.
const CURVE: u8 = 5;

/// A signed prekey as a stanza carries it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedPreKey {
    /// 24 bits.
    pub id: u32,
    /// The public half.
    pub key: PublicKey,
    /// XEdDSA of the identity key over the type byte and the key.
    pub signature: [u8; 64],
}

/// What a client publishes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    /// Registration id, identity and signed prekey; no one-time prekey.
    pub bundle: PreKeyBundle,
    /// One-time prekeys: id and public key each.
    pub one_time: Vec<(u32, PublicKey)>,
}

/// A registration id.
pub fn registration(id: u32) -> Node {
    Node::new("registration").with_bytes(id.to_be_bytes())
}

/// A bundle as it stands in the answer to a fetch (after [`registration`]) or in the `<keys>` of a retry receipt.
pub fn bundle(bundle: &PreKeyBundle) -> Vec<Node> {
    let mut nodes = vec![
        Node::new("type").with_bytes([CURVE]),
        Node::new("identity").with_bytes(bundle.identity.0),
        signed_key(bundle),
    ];
    if let Some((id, key)) = bundle.prekey {
        nodes.push(key_node("key", id, key));
    }
    nodes
}

/// The content of an upload request.
pub fn upload(bundle: &PreKeyBundle, one_time: &[(u32, PublicKey)]) -> Vec<Node> {
    let list = one_time.iter().map(|(id, key)| key_node("key", *id, *key)).collect();
    vec![
        registration(bundle.registration_id),
        Node::new("type").with_bytes([CURVE]),
        Node::new("identity").with_bytes(bundle.identity.0),
        Node::new("list").with_nodes(list),
        signed_key(bundle),
    ]
}

fn signed_key(bundle: &PreKeyBundle) -> Node {
    let signature = Node::new("signature").with_bytes(bundle.signed_prekey_signature);
    key_node("skey", bundle.signed_prekey_id, bundle.signed_prekey).with_node(signature)
}

fn key_node(tag: &'static str, id: u32, key: PublicKey) -> Node {
    let [_, id @ ..] = id.to_be_bytes();
    Node::new(tag).with_nodes(vec![Node::new("id").with_bytes(id), Node::new("value").with_bytes(key.0)])
}

/// Id and key of `<key>` or `<skey>`.
pub fn read_key(node: &Node) -> Option<(u32, PublicKey)> {
    let [a, b, c] = node.child("id")?.bytes()?.try_into().ok()?;
    Some((u32::from_be_bytes([0, a, b, c]), PublicKey::from_slice(node.child("value")?.bytes()?).ok()?))
}

/// Reads `<skey>`.
pub fn read_signed_key(node: &Node) -> Option<SignedPreKey> {
    let (id, key) = read_key(node)?;
    Some(SignedPreKey { id, key, signature: node.child("signature")?.bytes()?.try_into().ok()? })
}

/// A bundle from a key fetch's `<user>`, or from a retry receipt whose `<registration>` stands outside `<keys>`.
pub fn read_bundle(registration: &Node, keys: &Node) -> Option<PreKeyBundle> {
    let signed = read_signed_key(keys.child("skey")?)?;
    let prekey = match keys.child("key") {
        Some(key) => Some(read_key(key)?),
        None => None,
    };
    Some(PreKeyBundle {
        registration_id: u32::from_be_bytes(registration.bytes()?.try_into().ok()?),
        identity: PublicKey::from_slice(keys.child("identity")?.bytes()?).ok()?,
        signed_prekey_id: signed.id,
        signed_prekey: signed.key,
        signed_prekey_signature: signed.signature,
        prekey,
    })
}

/// Reads an upload request; `None` unless every part of it is there and well-formed.
pub fn read_upload(iq: &Node) -> Option<Upload> {
    if iq.child("type")?.bytes()? != [CURVE] {
        return None;
    }
    let bundle = read_bundle(iq.child("registration")?, iq)?;
    let one_time = iq.child("list")?.children().iter().map(read_key).collect::<Option<_>>()?;
    Some(Upload { bundle, one_time })
}

/// The users that a key fetch names; `None` when it is malformed.
pub fn read_fetch(iq: &Node) -> Option<Vec<Jid>> {
    let users = iq.child("key")?.children().iter().filter(|child| child.tag == "user");
    users.map(|user| user.jid("jid").ok().flatten()).collect()
}

/// One user's entry in the answer to a key fetch.
pub fn user(jid: &Jid, found: &PreKeyBundle) -> Node {
    let mut nodes = vec![registration(found.registration_id)];
    nodes.extend(bundle(found));
    Node::new("user").with("jid", jid).with_nodes(nodes)
}
