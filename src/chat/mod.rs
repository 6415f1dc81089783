//! Conversations: order, unread counts, drafts, what the list shows.
//!
//! What this module does not know: how messages are encrypted or sent.

mod activity;
mod joined;

pub(crate) use activity::take_back_the_future;
pub(crate) use joined::{begin_join, end_join, save_joined_draft};

use crate::context::Context;
use crate::id::MessageSeq;
use crate::model::{ChatId, Peer, StanzaId};
use crate::store::chats::{ChatRow, MessageRow, PositionRow};
use crate::store::row_key;
use crate::time::UnixMillis;
use crate::view::{ChatView, MessageKind, OtherAddresses};
use causeway_proto::jid::{Jid, Server};

/// Characters of the newest message that a row of the list keeps.
const PREVIEW: usize = 160;
/// Last characters of a LID that stand for it.
const LID_SHOWN: usize = 4;
/// Characters of a draft.
const MAX_DRAFT: usize = 100_000;

/// Creates the chat with a peer unless it exists.
pub(crate) fn open(cx: &mut Context<'_>, id: &ChatId) {
    if cx.records.chats.get(id.as_bytes()).is_none() {
        let chat = ChatRow { id: id.as_str().to_owned(), next_seq: 1, active_at: cx.now.0, ..ChatRow::default() };
        cx.records.chats.put(id.as_bytes().to_vec(), chat);
        cx.group_commit.show_chat(id);
    }
}

/// Appends a message to its chat, which is created if there is none. Returns the sequence number.
pub(crate) fn append(cx: &mut Context<'_>, id: &ChatId, mut message: MessageRow) -> MessageSeq {
    open(cx, id);
    let chat = cx.records.chats.change_or_default(id.as_bytes());
    let seq = chat.next_seq;
    message.seq = seq;
    chat.next_seq = seq.saturating_add(1);
    chat.active_at = cx.now.0;
    chat.last = Some(preview(&message));
    match message.outgoing {
        true => {
            chat.unread = 0;
            chat.read_up_to = seq;
        }
        false => chat.unread = chat.unread.saturating_add(u32::from(!message.kind().is_notice())),
    }
    if let Some(stanza) = message.stanza_id() {
        let key = row_key::message_id(id, message.outgoing, &stanza);
        cx.records.positions.put(key, PositionRow { seq: Some(seq) });
    }
    cx.records.messages.put(row_key::message(id, MessageSeq(seq)), message);
    cx.group_commit.show_chat(id);
    cx.group_commit.show_message(id, MessageSeq(seq));
    MessageSeq(seq)
}

/// Writes a changed message back, and into the list if it is the newest.
pub(crate) fn replace(cx: &mut Context<'_>, id: &ChatId, message: MessageRow) {
    let seq = message.seq;
    if let Some(chat) = cx.records.chats.get(id.as_bytes())
        && chat.last.as_ref().is_some_and(|last| last.seq == seq)
    {
        let chat = cx.records.chats.change_or_default(id.as_bytes());
        chat.last = Some(preview(&message));
        cx.group_commit.show_chat(id);
    }
    cx.records.messages.put(row_key::message(id, MessageSeq(seq)), message);
    cx.group_commit.show_message(id, MessageSeq(seq));
}

/// Removes a message.
pub(crate) fn remove(cx: &mut Context<'_>, id: &ChatId, message: &MessageRow) {
    cx.records.messages.delete(&row_key::message(id, MessageSeq(message.seq)));
    let stanza = StanzaId::new(message.id.clone());
    cx.records.positions.delete(&row_key::message_id(id, message.outgoing, &stanza));
    if let Some(chat) = cx.records.chats.change(id.as_bytes()) {
        if chat.last.as_ref().is_some_and(|last| last.seq == message.seq) {
            chat.last = None;
        }
        if !message.outgoing && !message.kind().is_notice() && message.seq > chat.read_up_to {
            chat.unread = chat.unread.saturating_sub(1);
        }
    }
    cx.group_commit.show_chat(id);
    cx.group_commit.show_removed(id, MessageSeq(message.seq));
}

/// Marks everything up to a message as read.
pub(crate) fn mark_read(cx: &mut Context<'_>, id: &ChatId, up_to: MessageSeq) {
    if let Some(chat) = cx.records.chats.get(id.as_bytes())
        && (chat.unread > 0 || chat.read_up_to < up_to.0)
        && up_to.0.saturating_add(1) >= chat.next_seq
    {
        let chat = cx.records.chats.change_or_default(id.as_bytes());
        chat.unread = 0;
        chat.read_up_to = up_to.0.min(chat.next_seq.saturating_sub(1));
        cx.group_commit.show_chat(id);
    }
}

/// Records that a notification has shown everything up to a message.
pub(crate) fn notified(cx: &mut Context<'_>, id: &ChatId, up_to: MessageSeq) {
    if let Some(chat) = cx.records.chats.get(id.as_bytes()) {
        let up_to = up_to.0.min(chat.next_seq.saturating_sub(1));
        if chat.notified_up_to < up_to {
            cx.records.chats.change_or_default(id.as_bytes()).notified_up_to = up_to;
            cx.group_commit.show_chat(id);
        }
    }
}

/// Stores the draft, cut to [`MAX_DRAFT`] characters.
pub(crate) fn save_draft(cx: &mut Context<'_>, id: &ChatId, text: &str) {
    if let Some(chat) = cx.records.chats.get(id.as_bytes())
        && chat.draft != text
    {
        cx.records.chats.change_or_default(id.as_bytes()).draft = text.chars().take(MAX_DRAFT).collect();
        cx.group_commit.show_chat(id);
    }
}

/// A notice of this kind.
pub(crate) fn notice(kind: MessageKind, at: UnixMillis) -> MessageRow {
    MessageRow { kind: kind.into(), at: at.0, ..MessageRow::default() }
}

/// The chat as pages show it.
pub(crate) fn view(chat: &ChatRow, peer: Option<&Peer>, security_code: String) -> ChatView {
    ChatView {
        id: chat.id.clone(),
        address: address(&chat.id, peer),
        name: peer.and_then(|peer| peer.name.clone()).unwrap_or_default(),
        unread: chat.unread,
        last: chat.last.clone(),
        active_at: chat.active_at,
        draft: chat.draft.clone(),
        security_code,
        read_up_to: chat.read_up_to,
        notified_up_to: chat.notified_up_to,
        others: peer
            .filter(|peer| !peer.aliases.is_empty())
            .map(|peer| Box::new(OtherAddresses { all: peer.aliases.iter().map(ToString::to_string).collect() })),
    }
}

fn address(name: &str, peer: Option<&Peer>) -> String {
    let number = |jid: &Jid| (jid.server == Server::User).then(|| format!("+{}", jid.user));
    match name.parse::<Jid>() {
        Ok(jid) if jid.server == Server::User => format!("+{}", jid.user),
        Ok(jid)
            if jid.server == Server::Lid
                && let Some(number) = peer.and_then(|peer| peer.aliases.iter().find_map(number)) =>
        {
            number
        }
        // A LID is a number that is nobody's phone number: only its end is shown, to tell two people apart.
        Ok(jid) if jid.server == Server::Lid => {
            let begin = jid.user.char_indices().nth_back(LID_SHOWN - 1).map_or(0, |(at, _)| at);
            format!("…{}", jid.user.get(begin..).unwrap_or_default())
        }
        Ok(jid) => jid.user,
        Err(_) => name.to_owned(),
    }
}

fn preview(message: &MessageRow) -> crate::view::MessageView {
    let mut view = message.view();
    if let Some((cut, _)) = view.text.char_indices().nth(PREVIEW) {
        view.text.truncate(cut);
    }
    view
}
