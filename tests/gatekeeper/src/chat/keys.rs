//! The key directory on the wire: upload, count, fetch, rotation (wire.md §5.6, §5.7).

use super::iq::{error, result};
use super::notify;
use crate::sandbox::Sandbox;
use crate::world::{Bundle, OneTimeKey, SignedKey};
use causeway_proto::jid::Jid;
use causeway_proto::node::Node;
use causeway_proto::signal::PublicKey;

/// First byte of every key of this protocol: Curve25519.
const CURVE: u8 = 5;
/// Users in one key fetch at most.
const MAX_USERS: usize = 256;

pub(super) fn answer(sandbox: &Sandbox, who: &Jid, iq: &Node, set: bool) -> Node {
    if set {
        return match iq.child("rotate") {
            Some(rotate) => rotated(sandbox, who, iq, rotate),
            None => uploaded(sandbox, who, iq),
        };
    }
    if iq.child("count").is_some() {
        let count = sandbox.world().prekey_count(who).to_string();
        return result(iq).with_node(Node::new("count").with("value", count));
    }
    match iq.child("key") {
        Some(key) => fetched(sandbox, who, iq, key),
        // `<digest>` is a check that clients may skip; 404 makes them upload (wire.md §5.3).
        None if iq.child("digest").is_some() => error(iq, 404, "item-not-found"),
        None => error(iq, 400, "bad-request"),
    }
}

fn uploaded(sandbox: &Sandbox, who: &Jid, iq: &Node) -> Node {
    let Some((registration, identity, signed, one_time)) = upload(iq) else {
        return error(iq, 400, "bad-request");
    };
    if !signature_holds(&identity, &signed) {
        return error(iq, 406, "not-acceptable");
    }
    let stored = sandbox.world().upload(who, registration, identity, signed, one_time);
    match stored {
        Ok(affected) => {
            notify::identity_changed(sandbox, who, &affected);
            result(iq)
        }
        Err(failure) => {
            tracing::error!(error = %failure, "keys could not be recorded");
            error(iq, 500, "internal-server-error")
        }
    }
}

fn upload(iq: &Node) -> Option<(u32, [u8; 32], SignedKey, Vec<OneTimeKey>)> {
    if iq.child("type")?.bytes()? != [CURVE] {
        return None;
    }
    let registration = number::<4>(iq.child("registration")?)?;
    let identity = iq.child("identity")?.bytes()?.try_into().ok()?;
    let signed = signed_key(iq.child("skey")?)?;
    let keys = iq.child("list")?.children().iter().map(one_time_key).collect::<Option<Vec<_>>>()?;
    Some((registration, identity, signed, keys))
}

fn rotated(sandbox: &Sandbox, who: &Jid, iq: &Node, rotate: &Node) -> Node {
    let Some(signed) = rotate.child("skey").and_then(signed_key) else {
        return error(iq, 400, "bad-request");
    };
    let identity = sandbox.world().keys(who).map(|keys| keys.identity);
    let Some(identity) = identity else { return error(iq, 404, "item-not-found") };
    if !signature_holds(&identity, &signed) {
        return error(iq, 406, "not-acceptable");
    }
    let stored = sandbox.world().rotate(who, signed);
    match stored {
        Ok(true) => result(iq),
        Ok(false) => error(iq, 404, "item-not-found"),
        Err(failure) => {
            tracing::error!(error = %failure, "a signed prekey could not be recorded");
            error(iq, 500, "internal-server-error")
        }
    }
}

/// Whether the identity signed 0x05 and the prekey (wire.md §6.3).
fn signature_holds(identity: &[u8; 32], signed: &SignedKey) -> bool {
    PublicKey(*identity).verify(&PublicKey(signed.value).serialize(), &signed.signature)
}

fn fetched(sandbox: &Sandbox, who: &Jid, iq: &Node, key: &Node) -> Node {
    if key.children().len() > MAX_USERS {
        return error(iq, 406, "not-acceptable");
    }
    let users = key.children().iter().filter(|child| child.tag == "user");
    let Some(wanted) = users.map(|user| user.jid("jid").ok().flatten()).collect::<Option<Vec<Jid>>>() else {
        return error(iq, 400, "bad-request");
    };
    let users = wanted.iter().map(|of| user(sandbox, who, of)).collect();
    result(iq).with_node(Node::new("list").with_nodes(users))
}

fn user(sandbox: &Sandbox, who: &Jid, of: &Jid) -> Node {
    let user = Node::new("user").with("jid", of);
    let bundle = sandbox.world().hand_out(of, who);
    match bundle {
        Ok(Some(bundle)) => {
            notify::prekeys_low(sandbox, of);
            user.with_nodes(bundle_nodes(&bundle))
        }
        Ok(None) => user.with_node(Node::new("error").with("code", 404u32).with("text", "item-not-found")),
        Err(failure) => {
            tracing::error!(error = %failure, "a key fetch could not be recorded");
            user.with_node(Node::new("error").with("code", 500u32).with("text", "internal-server-error"))
        }
    }
}

fn bundle_nodes(bundle: &Bundle) -> Vec<Node> {
    let mut nodes = vec![
        Node::new("registration").with_bytes(bundle.registration.to_be_bytes()),
        Node::new("type").with_bytes([CURVE]),
        Node::new("identity").with_bytes(bundle.identity),
        Node::new("skey").with_nodes(vec![
            id_node(bundle.signed.id),
            Node::new("value").with_bytes(bundle.signed.value),
            Node::new("signature").with_bytes(bundle.signed.signature),
        ]),
    ];
    if let Some(key) = &bundle.one_time {
        nodes.push(Node::new("key").with_nodes(vec![id_node(key.id), Node::new("value").with_bytes(key.value)]));
    }
    nodes
}

fn id_node(id: u32) -> Node {
    Node::new("id").with_bytes(&id.to_be_bytes()[1..])
}

fn one_time_key(key: &Node) -> Option<OneTimeKey> {
    let value = key.child("value")?.bytes()?.try_into().ok()?;
    Some(OneTimeKey { id: number::<3>(key.child("id")?)?, value })
}

fn signed_key(key: &Node) -> Option<SignedKey> {
    let value = key.child("value")?.bytes()?.try_into().ok()?;
    let signature = key.child("signature")?.bytes()?.try_into().ok()?;
    Some(SignedKey { id: number::<3>(key.child("id")?)?, value, signature })
}

/// A big-endian number of exactly `N` bytes.
fn number<const N: usize>(node: &Node) -> Option<u32> {
    let bytes: [u8; N] = node.bytes()?.try_into().ok()?;
    Some(bytes.iter().fold(0, |number, byte| number << 8 | u32::from(*byte)))
}
