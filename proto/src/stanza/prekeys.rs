//! Keys at the server: fetching a peer's, uploading and rotating our own (docs/spec/wire.md §5.6, §5.7).
//!
//! On stanzas a public key is its raw 32 bytes, a prekey id 3 bytes and a registration id 4 bytes, both big-endian. No
//! signature is checked here; that happens when a session is established.

use super::StanzaError;
use super::fields::Fields;
use super::iq::{self, IqError};
use crate::jid::Jid;
use crate::node::Node;

use crate::signal::{PreKeyBundle, PreKeyPair, PublicKey, SignedPreKeyPair};
use core::borrow::Borrow;

/// Devices whose keys one answer may hold.
const MAX_USERS: usize = 1024;

/// The type byte of a Curve25519 key.
const KEY_TYPE: u8 = 0x05;

/// Asks for the keys of these devices; each costs its owner a one-time prekey. `renewed`: the server announced that
/// their identities are new, and shall not answer with what it knew before.
pub fn fetch_request(id: &str, devices: &[Jid], renewed: bool) -> Node {
    let user = |jid| Node::new("user").with("jid", jid);
    let users = devices.iter().map(|jid| if renewed { user(jid).with("reason", "identity") } else { user(jid) });
    let users = users.collect();
    iq::request(id, "get", "encrypt").with_node(Node::new("key").with_nodes(users))
}

/// A device, and its keys or why there are none.
pub type Fetched = (Jid, Result<PreKeyBundle, IqError>);

/// Reads the answer to [`fetch_request`]: what the server has for each device.
///
/// # Errors
/// The answer has no list, more than 1024 users, or keys that are not as they should be.
pub fn parse_fetch_result(answer: &Node) -> Result<Vec<Fetched>, StanzaError> {
    let users = Fields::of(answer, "iq")?.child("list")?.children("user", MAX_USERS)?;
    users.iter().map(read_user).collect()
}

fn read_user(user: &Fields<'_>) -> Result<Fetched, StanzaError> {
    let jid = user.jid("jid")?;
    if let Some(error) = IqError::inside(user) {
        return Ok((jid, Err(error)));
    }
    let registration_id = u32::from_be_bytes(user.child("registration")?.exactly()?);
    Ok((jid, Ok(read_keys(user, registration_id)?)))
}

/// Uploads one-time prekeys together with everything that a peer needs to use them.
pub fn upload_request(
    id: &str,
    registration_id: u32,
    identity: &PublicKey,
    signed: &SignedPreKeyPair,
    one_time: &[impl Borrow<PreKeyPair>],
) -> Node {
    let list = one_time
        .iter()
        .map(|prekey| prekey.borrow())
        .map(|prekey| key_node("key", prekey.id, &prekey.pair.public()))
        .collect();
    iq::request(id, "set", "encrypt").with_nodes(vec![
        registration(registration_id),
        Node::new("type").with_bytes([KEY_TYPE]),
        Node::new("identity").with_bytes(identity.0),
        Node::new("list").with_nodes(list),
        signed_node(signed.id, &signed.pair.public(), &signed.signature),
    ])
}

/// Asks how many of our one-time prekeys the server still holds.
pub fn count_request(id: &str) -> Node {
    iq::request(id, "get", "encrypt").with_node(Node::new("count"))
}

/// Reads the answer to [`count_request`].
///
/// # Errors
/// There is no count, or it is no number.
pub fn parse_count(answer: &Node) -> Result<u32, StanzaError> {
    Fields::of(answer, "iq")?.child("count")?.number("value")
}

/// Puts a new signed prekey in place of the old.
pub fn rotate_request(id: &str, signed: &SignedPreKeyPair) -> Node {
    let signed = signed_node(signed.id, &signed.pair.public(), &signed.signature);
    iq::request(id, "set", "encrypt").with_node(Node::new("rotate").with_node(signed))
}

pub(super) fn registration(registration_id: u32) -> Node {
    Node::new("registration").with_bytes(registration_id.to_be_bytes())
}

/// Reads the keys of one device: the children of `<user>` in an answer, of `<keys>` in a retry receipt.
pub(super) fn read_keys(fields: &Fields<'_>, registration_id: u32) -> Result<PreKeyBundle, StanzaError> {
    if let Some(kind) = fields.child_opt("type") {
        let [got] = kind.exactly()?;
        if got != KEY_TYPE {
            return Err(StanzaError::UnknownKeyType { got });
        }
    }
    let signed = fields.child("skey")?;
    let one_time = fields.child_opt("key").map(|key| read_key(&key)).transpose()?;
    let (signed_prekey_id, signed_prekey) = read_key(&signed)?;
    Ok(PreKeyBundle {
        registration_id,
        identity: PublicKey(fields.child("identity")?.exactly()?),
        signed_prekey_id,
        signed_prekey,
        signed_prekey_signature: signed.child("signature")?.exactly()?,
        prekey: one_time,
    })
}

/// Writes what [`read_keys`] reads.
pub(super) fn write_keys(keys: &PreKeyBundle) -> Vec<Node> {
    let mut nodes = vec![Node::new("type").with_bytes([KEY_TYPE]), Node::new("identity").with_bytes(keys.identity.0)];
    if let Some((id, key)) = &keys.prekey {
        nodes.push(key_node("key", *id, key));
    }
    nodes.push(signed_node(keys.signed_prekey_id, &keys.signed_prekey, &keys.signed_prekey_signature));
    nodes
}

fn read_key(fields: &Fields<'_>) -> Result<(u32, PublicKey), StanzaError> {
    let [a, b, c] = fields.child("id")?.exactly()?;
    Ok((u32::from_be_bytes([0, a, b, c]), PublicKey(fields.child("value")?.exactly()?)))
}

/// The lower 24 bits of the id, the wire's width; our ids never have more.
fn key_node(tag: &'static str, id: u32, key: &PublicKey) -> Node {
    let [_, id @ ..] = id.to_be_bytes();
    Node::new(tag).with_nodes(vec![Node::new("id").with_bytes(id), Node::new("value").with_bytes(key.0)])
}

fn signed_node(id: u32, key: &PublicKey, signature: &[u8; 64]) -> Node {
    key_node("skey", id, key).with_node(Node::new("signature").with_bytes(*signature))
}
