//! New sessions, and the identity keys that come with them.

use crate::chat;
use crate::context::Context;
use crate::store::account::AccountKeys;
use crate::store::chats::MessageRow;
use crate::store::row_key;
use causeway_proto::jid::Jid;
use causeway_proto::signal::prekey::PreKeyBundle;
use causeway_proto::signal::{LocalIdentity, PublicKey};

/// Starts a session from a bundle and records the peer's identity. Returns false, without a change, if the bundle's
/// signature is invalid. The session row must be in memory.
pub(crate) fn begin(cx: &mut Context<'_>, peer: &Jid, bundle: &PreKeyBundle) -> bool {
    let address = peer.to_string();
    let Some(local) = cx.records.account.peek(row_key::ACCOUNT).and_then(|account| account.keys.as_ref()).map(local)
    else {
        return false;
    };
    let mut session = cx.records.sessions.peek(address.as_bytes()).cloned().unwrap_or_default();
    if session.initiate(&local, bundle, cx.rng).is_err() {
        return false;
    }
    cx.records.sessions.put(address.into_bytes(), session);
    note_identity(cx, peer, bundle.identity);
    true
}

/// Trust on first use: accepts a new identity key and adds a notice to the chat. Only the key of the primary device
/// counts.
pub(super) fn note_identity(cx: &mut Context<'_>, from: &Jid, identity: PublicKey) {
    let chat = from.to_bare().to_string();
    if from.device != 0 {
        return;
    }
    chat::open(cx, &chat);
    let known = cx.records.chats.change_or_default(chat.as_bytes());
    if known.identity == identity.0 {
        return;
    }
    let changed = !known.identity.is_empty();
    known.identity = identity.0.to_vec();
    if changed {
        let notice: MessageRow = chat::identity_notice(cx.now);
        chat::append(cx, &chat, notice);
    }
    cx.group_commit.show_chat(&chat);
}

pub(super) fn local(keys: &AccountKeys) -> LocalIdentity<'_> {
    LocalIdentity { pair: &keys.identity, registration_id: keys.registration_id }
}
