//! Times of activity that are still to come, which a clock that was ahead has left in rows.

use crate::context::Context;

/// Moves them all back by what the clock was ahead: no chat stays on top until the time has come, and their order stays.
pub(crate) fn take_back_the_future(cx: &mut Context<'_>) {
    let now = cx.now.0;
    let ahead = cx.records.chats.iter().filter(|(_, chat)| chat.active_at > now);
    let ahead: Vec<_> = ahead.map(|(key, chat)| (key.to_vec(), chat.active_at)).collect();
    let last = ahead.iter().map(|(_, at)| *at).max().unwrap_or(now);
    for (key, at) in ahead {
        cx.records.chats.change_or_default(&key).active_at = now.saturating_sub(last.saturating_sub(at));
    }
}
