//! Two chats of one person become one: what the rows of both chats say together.

use super::{open, save_draft};
use crate::context::Context;
use crate::model::PeerId;
use crate::store::chats::Join;

/// Adds the row of the chat `alias` to that of the chat `id`, and deletes it. Its messages get their places behind those
/// of the other chat, but are not moved yet. Returns what is to be added to their sequence numbers; `None` if there is no
/// such chat.
pub(crate) fn begin_join(cx: &mut Context<'_>, id: &PeerId, alias: &PeerId) -> Option<u64> {
    let key = alias.as_str().as_bytes();
    let other = cx.records.chats.get(key)?.clone();
    cx.records.chats.delete(key);
    open(cx, id.chat());
    let chat = cx.records.chats.change_or_default(id.as_str().as_bytes());
    let behind = chat.next_seq.saturating_sub(1);
    let is_told = chat.unread == 0 || chat.last.as_ref().is_none_or(|last| last.seq <= chat.notified_up_to);
    if is_told && other.notified_up_to > 0 {
        chat.notified_up_to = behind.saturating_add(other.notified_up_to);
    }
    // What is not read begins where it began in the first chat of the two that has any.
    if chat.unread == 0 {
        chat.read_up_to = behind.saturating_add(other.read_up_to);
    }
    chat.unread = chat.unread.saturating_add(other.unread);
    if let Some(mut last) = other.last {
        last.seq = behind.saturating_add(last.seq);
        chat.last = Some(last);
    }
    chat.next_seq = behind.saturating_add(other.next_seq);
    // Without a message of its own it was made a moment ago.
    chat.active_at = if behind == 0 { other.active_at } else { chat.active_at.max(other.active_at) };
    add_to_draft(&mut chat.draft, &other.draft);
    chat.joins = Some(Join { from: other.id, behind });
    cx.group_commit.show_chat(id.chat());
    Some(behind)
}

/// Everything has been moved.
pub(crate) fn end_join(cx: &mut Context<'_>, id: &PeerId) {
    cx.records.chats.change_or_default(id.as_str().as_bytes()).joins = None;
}

/// Keeps a draft of the chat that was joined, from a page that still shows it.
pub(crate) fn save_joined_draft(cx: &mut Context<'_>, id: &PeerId, text: &str) {
    let Some(chat) = cx.records.chats.get(id.as_str().as_bytes()) else { return };
    let mut draft = chat.draft.clone();
    add_to_draft(&mut draft, text);
    save_draft(cx, id.chat(), &draft);
}

fn add_to_draft(draft: &mut String, text: &str) {
    if text.is_empty() || draft.ends_with(text) {
        return;
    }
    if !draft.is_empty() {
        draft.push('\n');
    }
    draft.push_str(text);
}
