//! The key directory on the wire: upload, count, fetch, rotation (docs/spec/wire.md §5.6, §5.7).

use super::notify;
use crate::sandbox::Sandbox;
use causeway_peer::stanza::iq::{error, error_node, result};
use causeway_peer::stanza::keys::{self, SignedPreKey, Upload};
use causeway_proto::jid::Jid;
use causeway_proto::node::Node;
use causeway_proto::signal::PublicKey;

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
        // `<digest>` is a check that clients may skip; 404 makes them upload (docs/spec/wire.md §5.3).
        None if iq.child("digest").is_some() => error(iq, 404, "item-not-found"),
        None => error(iq, 400, "bad-request"),
    }
}

fn uploaded(sandbox: &Sandbox, who: &Jid, iq: &Node) -> Node {
    let Some(Upload { bundle, one_time }) = keys::read_upload(iq) else {
        return error(iq, 400, "bad-request");
    };
    if !bundle.is_signed() {
        return error(iq, 406, "not-acceptable");
    }
    let stored = sandbox.world().upload(who, &bundle, &one_time);
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

fn rotated(sandbox: &Sandbox, who: &Jid, iq: &Node, rotate: &Node) -> Node {
    let Some(signed) = rotate.child("skey").and_then(keys::read_signed_key) else {
        return error(iq, 400, "bad-request");
    };
    let identity = sandbox.world().keys(who).map(|keys| keys.identity);
    let Some(identity) = identity else { return error(iq, 404, "item-not-found") };
    if !signature_holds(&identity, &signed) {
        return error(iq, 406, "not-acceptable");
    }
    let stored = sandbox.world().rotate(who, &signed);
    match stored {
        Ok(true) => result(iq),
        Ok(false) => error(iq, 404, "item-not-found"),
        Err(failure) => {
            tracing::error!(error = %failure, "a signed prekey could not be recorded");
            error(iq, 500, "internal-server-error")
        }
    }
}

/// Whether the identity signed 0x05 and the prekey (docs/spec/wire.md §6.3).
fn signature_holds(identity: &[u8; 32], signed: &SignedPreKey) -> bool {
    PublicKey(*identity).verify(&signed.key.serialize(), &signed.signature)
}

fn fetched(sandbox: &Sandbox, who: &Jid, iq: &Node, key: &Node) -> Node {
    if key.children().len() > MAX_USERS {
        return error(iq, 406, "not-acceptable");
    }
    let Some(wanted) = keys::read_fetch(iq) else { return error(iq, 400, "bad-request") };
    let users = wanted.iter().map(|of| user(sandbox, who, &sandbox.phones.reached(of))).collect();
    result(iq).with_node(Node::new("list").with_nodes(users))
}

fn user(sandbox: &Sandbox, who: &Jid, of: &Jid) -> Node {
    let user = Node::new("user").with("jid", of);
    let bundle = sandbox.world().hand_out(of, who);
    match bundle {
        Ok(Some(bundle)) => {
            notify::prekeys_low(sandbox, of);
            keys::user(of, &bundle)
        }
        Ok(None) => user.with_node(error_node(404, "item-not-found")),
        Err(failure) => {
            tracing::error!(error = %failure, "a key fetch could not be recorded");
            user.with_node(error_node(500, "internal-server-error"))
        }
    }
}
