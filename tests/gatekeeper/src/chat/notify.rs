//! The mailbox's entrance, and the server's own notifications (docs/spec/wire.md §5.7, §5.11).

use crate::sandbox::Sandbox;
use crate::world::{Class, JournalError, Posted, Stanza};
use crate::{push_caller, random};
use causeway_peer::stanza::session;
use causeway_proto::jid::Jid;
use causeway_proto::node::{Node, encode};
use causeway_proto::profile::Profile;

/// Why a stanza did not reach a mailbox.
#[derive(Debug, thiserror::Error)]
pub(super) enum PostError {
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error("a stanza cannot be written: {0}")]
    Encode(#[from] causeway_proto::node::EncodeError),
}

/// Puts a stanza into a mailbox and wakes its owner, over the connection or through the Partner. Id, sender and type
/// are read from the stanza's attributes.
pub(super) fn post(sandbox: &Sandbox, to: &Jid, class: Class, node: &Node, met: bool) -> Result<Posted, PostError> {
    let mut bytes = Vec::new();
    encode(node, &Profile::default(), &mut bytes)?;
    let text = |key| node.text(key).map(|text| text.into_owned());
    let from = node.jid("from").ok().flatten().unwrap_or_else(Jid::server);
    let stanza = Stanza { class, id: text("id").unwrap_or_default(), from, kind: text("type"), bytes };
    let posted = sandbox.world().post(to, stanza, met, sandbox.clock.now_secs())?;
    if posted == Posted::Queued {
        sandbox.hub.wake(to);
        push_caller::consider(sandbox, to);
    }
    Ok(posted)
}

/// Notifies `who` of low one-time prekeys; once, until that is acknowledged.
pub(super) fn prekeys_low(sandbox: &Sandbox, who: &Jid) {
    let count = {
        let world = sandbox.world();
        let announced =
            world.mailbox(who).any(|queued| queued.class == Class::Notification && queued.from == Jid::server());
        let count = world.prekey_count(who);
        if announced || count >= sandbox.config.prekeys_low {
            return;
        }
        count
    };
    let notice = notice(sandbox, &Jid::server(), session::prekey_count(count));
    log(post(sandbox, who, Class::Notification, &notice, false));
}

/// Notifies everyone in `affected` that `who` has a new identity key.
pub(crate) fn identity_changed(sandbox: &Sandbox, who: &Jid, affected: &[Jid]) {
    for contact in affected {
        let notice = notice(sandbox, who, Node::new("identity"));
        log(post(sandbox, contact, Class::Notification, &notice, false));
    }
}

fn notice(sandbox: &Sandbox, from: &Jid, content: Node) -> Node {
    session::key_notification(from, random::stanza_id(), content).with("t", sandbox.clock.now_secs().get())
}

fn log(posted: Result<Posted, PostError>) {
    match posted {
        Ok(Posted::Queued | Posted::Blocked | Posted::NoSuchUser) => {}
        Ok(Posted::Full) => tracing::warn!("a mailbox is full; a notification is lost"),
        Err(error) => tracing::error!(%error, "a notification could not be queued"),
    }
}
