//! What pages have opened, and what was shown to all of them.
//!
//! What this module does not know: rows.

use super::security_codes::SecurityCodes;
use crate::model::ChatId;
use crate::sorted_set::SortedSet;
use crate::view::ConnectionView;

/// Number of opened chats from which those without a row are dropped.
const MAX_OPENED: usize = 1_000;

/// The pages of this browser, as one.
#[derive(Debug, Default)]
pub(super) struct Pages {
    /// Chats that a page has opened: only their messages are sent to pages.
    opened: SortedSet<ChatId>,
    /// Their security codes.
    pub(super) codes: SecurityCodes,
    /// The last state of the connection.
    connection: Option<ConnectionView>,
}

impl Pages {
    /// A page opens a chat, perhaps one that is none yet. Pages may open any number of those, so they are bounded.
    pub(super) fn open(&mut self, id: ChatId, is_chat: impl Fn(&ChatId) -> bool) {
        if self.opened.len() >= MAX_OPENED {
            self.opened.retain(&is_chat);
            self.codes.retain(&is_chat);
        }
        self.opened.insert(id);
    }

    /// Whether a page has opened the chat.
    pub(super) fn have_opened(&self, id: &ChatId) -> bool {
        self.opened.contains(id)
    }

    /// A chat is a part of another one now.
    pub(super) fn join(&mut self, id: &ChatId, alias: &ChatId) {
        self.codes.remove(alias);
        if self.opened.remove(alias) {
            self.opened.insert(id.clone());
        }
    }

    /// Whether this state of the connection is another one than was shown, and by more than the number of messages that
    /// wait, or by any difference. It counts as shown then.
    pub(super) fn show_connection(&mut self, view: &ConnectionView, any: bool) -> bool {
        let is_same = |shown: &ConnectionView| match any {
            true => shown == view,
            false => ConnectionView { pending: view.pending, ..*shown } == *view,
        };
        let is_news = !self.connection.as_ref().is_some_and(is_same);
        if is_news {
            self.connection = Some(view.clone());
        }
        is_news
    }

    /// The store is another one: its chats are not these.
    pub(super) fn forget(&mut self) {
        let connection = self.connection.take();
        *self = Self { connection, ..Self::default() };
    }
}
