//! The second step of an incoming message: what it means for the chat. It may be retried as often as rows are missing,
//! because the message is open already.

use crate::chat;
use crate::context::Context;
use crate::model::{ChatId, Opened, StanzaId};
use crate::peer;
use crate::store::chats::{MessageRow, PositionRow};
use crate::store::paged::NotLoaded;
use crate::store::records::Records;
use crate::store::row_key;
use crate::view::MessageKind;
use causeway_proto::content::{self, Content};

/// What an opened message changes.
enum Change {
    /// A bubble of its own: its kind, and the kind's name where it cannot be shown.
    Bubble(MessageKind, String),
    /// The message with this id says something else now.
    Edit(StanzaId),
    /// The message with this id was taken back.
    Revoke(StanzaId),
    /// A reaction to the message with this id; true for one of the peer's own.
    React(StanzaId, bool),
    /// Nothing that anybody sees.
    Silent,
}

/// What an opened message means, and the messages that it concerns.
pub(crate) struct ApplyPlan {
    change: Change,
    placeholder: Option<MessageRow>,
    target: Option<MessageRow>,
}

impl ApplyPlan {
    /// Looks up the messages that an opened one concerns.
    ///
    /// # Errors
    /// [`NotLoaded`] while one is not in memory.
    pub(crate) fn plan(records: &Records, opened: &Opened) -> Result<Self, NotLoaded> {
        let chat = opened.from.peer.chat();
        let placeholder =
            records.message_of(chat, false, &opened.id)?.filter(|message| message.kind().is_placeholder()).cloned();
        let change = change(opened);
        let target = match &change {
            Change::Edit(id) | Change::Revoke(id) => records.message_of(chat, false, id)?,
            Change::React(id, theirs) => records.message_of(chat, !theirs, id)?,
            Change::Bubble(..) | Change::Silent => None,
        };
        let target = target.cloned();
        Ok(Self { change, placeholder, target })
    }
}

/// Applies an opened message.
pub(crate) fn apply(cx: &mut Context<'_>, opened: &Opened, plan: ApplyPlan) {
    let chat = opened.from.peer.chat();
    let ApplyPlan { change, placeholder, target } = plan;
    match (change, target) {
        (Change::Bubble(kind, name), _) => bubble(cx, opened, placeholder, kind, name),
        (Change::Edit(_), Some(target)) if target.kind() == MessageKind::Text => {
            remove(cx, chat, placeholder);
            let edited =
                MessageRow { text: String::new(), plaintext: opened.plaintext.to_vec(), edited: true, ..target };
            chat::replace(cx, chat, edited);
        }
        // The message was never seen here, or was deleted: its new words are words all the same.
        (Change::Edit(_), _) => bubble(cx, opened, placeholder, MessageKind::Text, String::new()),
        (Change::Revoke(_), Some(target)) if !target.kind().is_notice() => {
            remove(cx, chat, placeholder);
            let kind = MessageKind::Revoked.into();
            let gone = MessageRow { kind, text: String::new(), plaintext: Vec::new(), content: Vec::new(), ..target };
            chat::replace(cx, chat, gone);
        }
        (Change::React(..), Some(target)) if !target.kind().is_notice() => {
            remove(cx, chat, placeholder);
            // Kept for a version that shows it.
            chat::replace(cx, chat, MessageRow { reaction: opened.plaintext.to_vec(), ..target });
        }
        (Change::Revoke(_) | Change::React(..) | Change::Silent, _) => remove(cx, chat, placeholder),
    }
    if let Some(name) = &opened.name {
        peer::rename(cx, &opened.from.peer, name);
    }
}

fn change(opened: &Opened) -> Change {
    match content::parse(&opened.plaintext) {
        Ok(Content::Text { .. }) => Change::Bubble(MessageKind::Text, String::new()),
        // Nobody changes or takes back what somebody else wrote.
        Ok(Content::Edit { target, body: Some(_) }) if target.is_from_sender => Change::Edit(StanzaId::new(target.id)),
        Ok(Content::Revoke { target }) if target.is_from_sender => Change::Revoke(StanzaId::new(target.id)),
        Ok(Content::Reaction { target, .. }) => Change::React(StanzaId::new(target.id), target.is_from_sender),
        Ok(Content::Edit { .. } | Content::Revoke { .. } | Content::Timer { .. } | Content::Silent(_)) => {
            Change::Silent
        }
        Ok(other) => Change::Bubble(MessageKind::Unsupported, other.kind().into_owned()),
        Err(_) => Change::Bubble(MessageKind::Unsupported, "malformed".to_owned()),
    }
}

fn bubble(cx: &mut Context<'_>, opened: &Opened, placeholder: Option<MessageRow>, kind: MessageKind, name: String) {
    let message = MessageRow {
        id: opened.id.as_str().to_owned(),
        kind: kind.into(),
        text: name,
        at: opened.at.0,
        plaintext: opened.plaintext.to_vec(),
        ..MessageRow::default()
    };
    let chat = opened.from.peer.chat();
    match placeholder {
        Some(old) => chat::replace(cx, chat, MessageRow { seq: old.seq, retries: old.retries, ..message }),
        None => drop(chat::append(cx, chat, message)),
    }
}

/// Removes the placeholder of a message that has no bubble. Its id stays known.
fn remove(cx: &mut Context<'_>, chat: &ChatId, placeholder: Option<MessageRow>) {
    if let Some(placeholder) = placeholder {
        chat::remove(cx, chat, &placeholder);
        let key = row_key::message_id(chat, false, &StanzaId::new(placeholder.id));
        cx.records.positions.put(key, PositionRow { seq: None });
    }
}
