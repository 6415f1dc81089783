//! The messages of one chat that this page holds: a contiguous stretch that ends at the newest.
//!
//! Pages of history and single changes arrive in any order. This module knows neither signals nor what a bubble looks
//! like.

use causeway::view::{MessageView, Messages};

/// A contiguous stretch of a chat, up to its newest message.
#[derive(Debug, Clone, Default)]
pub struct MessageWindow {
    messages: Vec<MessageView>,
    more: bool,
    ready: bool,
    /// Another engine may have changed any of them without an update.
    stale: bool,
}

impl MessageWindow {
    /// The messages, ascending.
    pub fn messages(&self) -> &[MessageView] {
        &self.messages
    }

    /// There are older ones to ask for.
    pub fn more(&self) -> bool {
        self.more
    }

    /// The newest page has come at least once.
    pub fn is_ready(&self) -> bool {
        self.ready
    }

    /// The oldest message that is held.
    pub fn oldest(&self) -> Option<u64> {
        self.messages.first().map(|message| message.seq)
    }

    /// Marks the cached messages as stale after an engine change, because updates between the two engines are lost.
    /// They stay on screen until the newest page comes.
    pub fn mark_stale(&mut self) {
        self.stale = true;
    }

    /// Takes the newest page. What is held and does not join on to it is dropped, so that the stretch has no holes;
    /// what was stale is dropped unless the page brings it.
    pub fn take_newest(&mut self, page: Vec<MessageView>, more: bool) {
        // What came before the first page are single messages, old and new; there may be gaps between them.
        let was_ready = std::mem::replace(&mut self.ready, true);
        let was_stale = std::mem::take(&mut self.stale);
        let (Some(first), Some(last)) = (page.first().map(|m| m.seq), page.last().map(|m| m.seq)) else {
            self.more = more;
            return;
        };
        let joins =
            was_ready && !was_stale && more && self.messages.iter().any(|held| (first..=last).contains(&held.seq));
        let keeps_older = joins && self.oldest().is_some_and(|oldest| oldest < first);
        if !keeps_older {
            self.more = more;
        }
        self.messages.retain(|held| held.seq > last || (joins && held.seq < first));
        self.put_all(page);
    }

    /// Takes a page of what is older than `before`.
    pub fn take_older(&mut self, before: u64, page: Vec<MessageView>, more: bool) {
        if self.oldest() != Some(before) {
            return; // The stretch moved meanwhile; the page would leave a hole.
        }
        self.more = more;
        self.put_all(page);
    }

    /// Takes a further part of a text that begins at this byte, where the held text ends.
    pub fn take_text(&mut self, part: MessageView, from: u64) {
        let held = self.messages.iter_mut().find(|held| held.seq == part.seq);
        // The text may have been changed meanwhile.
        if let Some(held) = held.filter(|held| bytes(&held.text) == from && held.whole_bytes == part.whole_bytes) {
            held.text.push_str(&part.text);
            held.whole_bytes = part.whole_bytes.filter(|whole| bytes(&held.text) < *whole);
        }
    }

    /// Takes messages that are new or changed.
    pub fn take_changes(&mut self, changes: Messages) {
        self.messages.retain(|held| !changes.removed.contains(&held.seq));
        // What lies before the stretch is not shown yet, and will be read with its page.
        let from = if self.more { self.oldest().unwrap_or(0) } else { 0 };
        self.put_all(changes.messages.into_iter().filter(|message| message.seq >= from).collect());
    }

    /// Forgets all but the newest messages; the others are read again when they are scrolled to.
    pub fn trim(&mut self, keep: usize) {
        if let Some(excess) = self.messages.len().checked_sub(keep).filter(|excess| *excess > 0) {
            self.messages.drain(..excess);
            self.more = true;
        }
    }

    fn put_all(&mut self, messages: Vec<MessageView>) {
        for mut message in messages {
            match self.messages.binary_search_by_key(&message.seq, |held| held.seq) {
                Ok(at) => {
                    if let Some(held) = self.messages.get_mut(at) {
                        keep_text(held, &mut message);
                        *held = message;
                    }
                }
                Err(at) => self.messages.insert(at, message),
            }
        }
    }
}

fn bytes(text: &str) -> u64 {
    u64::try_from(text.len()).unwrap_or(u64::MAX)
}

/// Changes bring the beginning of a long text only: what was read of the same text beyond it stays.
fn keep_text(held: &mut MessageView, message: &mut MessageView) {
    let whole = held.whole_bytes.unwrap_or_else(|| bytes(&held.text));
    if message.whole_bytes == Some(whole) && held.text.starts_with(&message.text) {
        message.text = core::mem::take(&mut held.text);
        message.whole_bytes = held.whole_bytes;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(seq: u64) -> MessageView {
        MessageView { seq, ..Default::default() }
    }

    fn page(range: core::ops::RangeInclusive<u64>) -> Vec<MessageView> {
        range.map(message).collect()
    }

    fn held(thread: &MessageWindow) -> Vec<u64> {
        thread.messages().iter().map(|m| m.seq).collect()
    }

    fn part(text: &str, whole: u64) -> MessageView {
        MessageView { text: text.into(), whole_bytes: Some(whole), ..message(5) }
    }

    #[test]
    fn a_long_text_is_read_part_by_part() {
        let mut thread = MessageWindow::default();
        thread.take_newest(vec![part("abc", 8)], false);
        thread.take_text(part("hij", 8), 7);
        assert_eq!(thread.messages(), [part("abc", 8)], "a part from elsewhere");
        thread.take_text(part("def", 8), 3);
        assert_eq!(thread.messages(), [part("abcdef", 8)]);
        thread.take_text(part("def", 8), 3);
        assert_eq!(thread.messages(), [part("abcdef", 8)], "the same part once more");
        thread.take_text(part("gh", 8), 6);
        let whole = MessageView { text: "abcdefgh".into(), ..message(5) };
        assert_eq!(thread.messages(), core::slice::from_ref(&whole));
        // A tick brings the beginning again, and takes nothing from under the reader.
        thread.take_changes(Messages { messages: vec![part("abc", 8)], ..Default::default() });
        assert_eq!(thread.messages(), [whole]);
        thread.take_changes(Messages { messages: vec![part("xyz", 8)], ..Default::default() });
        assert_eq!(thread.messages(), [part("xyz", 8)], "it says something else now");
    }

    #[test]
    fn pages_join_without_holes() {
        let mut thread = MessageWindow::default();
        thread.take_newest(page(10..=12), true);
        thread.take_older(10, page(7..=9), true);
        assert_eq!(held(&thread), [7, 8, 9, 10, 11, 12]);
        assert!(thread.more());
        thread.take_older(7, page(1..=6), false);
        assert_eq!(thread.oldest(), Some(1));
        assert!(!thread.more());
    }

    #[test]
    fn single_messages_before_the_first_page_leave_no_hole() {
        let mut thread = MessageWindow::default();
        thread.take_changes(Messages { messages: vec![message(1), message(9), message(10)], ..Default::default() });
        thread.take_newest(page(5..=9), true);
        assert_eq!(held(&thread), [5, 6, 7, 8, 9, 10]);
        assert!(thread.more());
    }

    #[test]
    fn a_newest_page_that_does_not_join_replaces_the_stretch() {
        let mut thread = MessageWindow::default();
        thread.take_newest(page(1..=3), false);
        thread.take_newest(page(8..=9), true);
        assert_eq!(held(&thread), [8, 9]);
        assert!(thread.more());
    }

    #[test]
    fn a_newest_page_that_joins_keeps_what_is_older_and_drops_what_is_gone() {
        let mut thread = MessageWindow::default();
        thread.take_newest(page(1..=5), false);
        thread.take_newest(vec![message(4), message(6)], true);
        assert_eq!(held(&thread), [1, 2, 3, 4, 6]);
        assert!(!thread.more(), "nothing is older than message 1");
    }

    #[test]
    fn stale_messages_are_shown_until_the_page_comes_and_kept_only_if_it_has_them() {
        let mut thread = MessageWindow::default();
        thread.take_newest(page(1..=6), false);
        thread.mark_stale();
        assert_eq!(held(&thread), [1, 2, 3, 4, 5, 6]);
        thread.take_changes(Messages { messages: page(7..=7), ..Default::default() });
        let read = MessageView { seq: 4, delivery: 3, ..Default::default() };
        thread.take_newest(vec![read.clone(), message(5), message(6)], true);
        assert_eq!(held(&thread), [4, 5, 6, 7], "the ticks of older ones may be old");
        assert_eq!(thread.messages()[0], read);
        assert!(thread.more(), "older ones are read again when they are scrolled to");
        thread.take_older(4, page(1..=3), false);
        thread.take_newest(page(6..=7), true);
        assert_eq!(held(&thread), [1, 2, 3, 4, 5, 6, 7], "stale once");
    }

    #[test]
    fn what_arrives_while_the_page_is_read_stays() {
        let mut thread = MessageWindow::default();
        thread.take_changes(Messages { messages: page(6..=6), ..Default::default() });
        thread.take_newest(page(3..=5), true);
        assert_eq!(held(&thread), [3, 4, 5, 6]);
    }

    #[test]
    fn a_late_older_page_leaves_no_hole() {
        let mut thread = MessageWindow::default();
        thread.take_newest(page(10..=12), true);
        thread.take_older(8, page(5..=7), true);
        assert_eq!(held(&thread), [10, 11, 12]);
    }

    #[test]
    fn changes_replace_remove_and_stay_inside_the_stretch() {
        let mut thread = MessageWindow::default();
        thread.take_newest(page(10..=12), true);
        let changed = MessageView { seq: 11, delivery: 2, ..Default::default() };
        thread.take_changes(Messages {
            messages: vec![message(3), changed.clone(), message(13)],
            removed: vec![12],
            ..Default::default()
        });
        assert_eq!(held(&thread), [10, 11, 13]);
        assert_eq!(thread.messages()[1], changed);
    }

    #[test]
    fn trimming_keeps_the_newest() {
        let mut thread = MessageWindow::default();
        thread.take_newest(page(1..=250), false);
        thread.trim(200);
        assert_eq!(thread.oldest(), Some(51));
        assert!(thread.more());
    }
}
