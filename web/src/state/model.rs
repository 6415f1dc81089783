//! The page's copy of the engine's state, and how each update changes it. Plain data: no signals, no browser.
//!
//! [`apply`] returns what changed, so that the layer of signals touches nothing else.

use causeway::view::{
    AccountView, BackupPiece, ChatView, ConnectionState, ConnectionView, Done, MessageKind, MessageView, News,
    OpenChat, Update,
};
use causeway::visible;

use super::message_window::MessageWindow;
use super::peer_name;

/// Messages that a closed chat keeps for a quick return.
const KEPT: usize = 200;
/// An open chat that is scrolled to its newest message holds at most the first number; beyond, it is cut to the second.
const FOLLOWED: (usize, usize) = (120, 60);

/// Chats whose messages are held at once; the others are read again when they are opened.
const THREADS: usize = 8;

/// All that this page knows.
#[derive(Debug, Default)]
pub struct Model {
    /// Who we are; `None` until the engine has answered.
    pub account: Option<AccountView>,
    /// How the connection is.
    pub connection: ConnectionView,
    chats: Vec<ChatView>,
    /// The chat's id and what is held of it; the least recently opened first. Few: a list is smaller than any map.
    threads: Vec<(String, MessageWindow)>,
    /// The chat that is looked at.
    open: Option<String>,
    /// Reads under way, with the tags of their commands.
    reads: Vec<(u64, Read)>,
    /// Tags of reads whose answers are not needed any more.
    withdrawn: Vec<u64>,
}

/// What an update changed.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// [`Model::account`].
    Account,
    /// [`Model::connection`].
    Connection,
    /// Chats were added or removed, or their order is new.
    Order,
    /// One chat's row.
    Chat(String),
    /// One chat's messages.
    Thread(String),
    /// A message came that is worth an announcement.
    Incoming(Incoming),
    /// A piece of a backup file.
    Piece(BackupPiece),
    /// A command was carried out, or was not.
    Done(Done),
    /// What is held may have missed something: read the open chat again.
    Stale,
}

/// What a read of this page's asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Read {
    /// The newest messages.
    Newest,
    /// What is older than a message.
    Older { before: u64 },
    /// The text of one message, from this byte on.
    Text { seq: u64, from: u64 },
}

impl Read {
    fn of(open: &OpenChat) -> Self {
        match (open.before, open.text_from) {
            (Some(before), Some(from)) => Self::Text { seq: before.saturating_sub(1), from },
            (Some(before), None) => Self::Older { before },
            (None, _) => Self::Newest,
        }
    }
}

impl Change {
    /// The change may be shown late while a mailbox is drained.
    pub fn can_wait(&self) -> bool {
        matches!(self, Self::Order | Self::Chat(_) | Self::Thread(_) | Self::Connection | Self::Incoming(_))
    }
}

/// A message that just came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incoming {
    /// The chat's id.
    pub chat: String,
    /// What to call the sender.
    pub sender: String,
    /// Its text; empty for a message that has none.
    pub text: String,
}

impl Model {
    /// Every chat, the most recent first.
    pub fn chats(&self) -> &[ChatView] {
        &self.chats
    }

    /// One chat.
    pub fn chat(&self, id: &str) -> Option<&ChatView> {
        self.chats.iter().find(|chat| chat.id == id)
    }

    /// Messages of a chat, as far as they are held.
    pub fn thread(&self, chat: &str) -> Option<&MessageWindow> {
        self.threads.iter().find(|(id, _)| id == chat).map(|(_, thread)| thread)
    }

    /// Messages not read, over all chats.
    pub fn unread(&self) -> u32 {
        self.chats.iter().fold(0, |sum, chat| sum.saturating_add(chat.unread))
    }

    /// Creates a chat's message window before its messages are requested, so that none that arrives meanwhile is
    /// missed.
    pub fn open(&mut self, chat: &str) {
        let held = self.threads.iter().position(|(id, _)| id == chat).map(|at| self.threads.remove(at));
        if self.threads.len() >= THREADS {
            self.threads.remove(0);
        }
        self.threads.push(held.unwrap_or_else(|| (chat.to_owned(), MessageWindow::default())));
        self.open = Some(chat.to_owned());
    }

    /// The chat is no longer looked at.
    pub fn close(&mut self, chat: &str) {
        self.open = None;
        if let Some(thread) = self.thread_mut(chat) {
            thread.trim(KEPT);
        }
    }

    /// Drops old messages of an open chat that is scrolled to its newest message, if it holds many.
    pub fn follow(&mut self, chat: &str) {
        let (most, keep) = FOLLOWED;
        if let Some(thread) = self.thread_mut(chat).filter(|thread| thread.messages().len() > most) {
            thread.trim(keep);
        }
    }

    /// Remembers what the command of this tag reads.
    pub fn asked(&mut self, tag: u64, open: &OpenChat) {
        self.reads.push((tag, Read::of(open)));
    }

    /// The reads that have become idle since the last call: they need not be sent again.
    pub fn take_withdrawn(&mut self) -> Vec<u64> {
        core::mem::take(&mut self.withdrawn)
    }

    fn thread_mut(&mut self, chat: &str) -> Option<&mut MessageWindow> {
        self.threads.iter_mut().find(|(id, _)| id == chat).map(|(_, thread)| thread)
    }

    /// Whether a read of this is under way.
    pub fn is_reading(&self, open: &OpenChat) -> bool {
        self.reads.iter().any(|(_, read)| *read == Read::of(open))
    }

    /// The read of this tag has come to its end: what it read, if this page asked for it.
    fn answered(&mut self, tag: u64) -> Option<Read> {
        let at = self.reads.iter().position(|(asked, _)| *asked == tag)?;
        Some(self.reads.remove(at).1)
    }

    /// Inserts a chat in the order of activity; returns its position. Of two at the same moment, the later one is first.
    fn place(&mut self, chat: ChatView) -> usize {
        let at = self.chats.partition_point(|held| held.active_at > chat.active_at);
        self.chats.insert(at, chat);
        at
    }
}

/// When a chat was active, unix milliseconds: no later than now. The device's clock may have been ahead; the newest message of the peer has
/// the server's time.
fn active_at(chat: &ChatView, now: u64) -> u64 {
    let told = chat.last.as_ref().filter(|last| !last.outgoing).map_or(now, |last| last.at);
    if chat.active_at > now { told.min(now) } else { chat.active_at }
}

/// When the newest message was sent, unix milliseconds, for the list; when the chat was active, if it has none.
pub fn listed_at(chat: &ChatView) -> u64 {
    chat.last.as_ref().map_or(chat.active_at, |last| last.at)
}

/// Applies an update at a time, in unix milliseconds, and returns what changed. An update that this build doesn't know changes nothing.
pub fn apply(model: &mut Model, update: Update, now: u64) -> Vec<Change> {
    let Some(news) = update.news else { return Vec::new() };
    match news {
        News::Started(_) => Vec::new(), // The link answers it, and a snapshot follows.
        News::Snapshot(snapshot) => {
            model.account = snapshot.account.map(|account| *account);
            model.connection = snapshot.connection.unwrap_or_default();
            model.chats.clear();
            // From the last to the first: those of the same moment keep their order.
            for mut chat in snapshot.chats.into_iter().rev() {
                chat.active_at = active_at(&chat, now);
                model.place(chat);
            }
            // It may be another engine, which sends no updates for chats that no page has opened there.
            let Model { chats, threads, open, .. } = model;
            threads.retain(|(id, _)| open.as_ref() == Some(id) && chats.iter().any(|chat| chat.id == *id));
            threads.iter_mut().for_each(|(_, thread)| thread.mark_stale());
            model.withdrawn.extend(model.reads.drain(..).map(|(tag, _)| tag));
            vec![Change::Account, Change::Connection, Change::Order, Change::Stale]
        }
        News::Account(account) => {
            model.account = Some(account);
            vec![Change::Account]
        }
        News::Connection(connection) => {
            model.connection = connection;
            vec![Change::Connection]
        }
        News::Chat(chat) => apply_chat(model, chat, now),
        News::MessagePage(page) => {
            let Some(read) = model.answered(page.tag) else { return Vec::new() }; // Another tab's.
            let Some(thread) = model.thread_mut(&page.chat) else { return Vec::new() };
            match read {
                Read::Newest => thread.take_newest(page.messages, page.more),
                Read::Older { before } => thread.take_older(before, page.messages, page.more),
                Read::Text { seq, from } => {
                    if let Some(part) = page.messages.into_iter().find(|message| message.seq == seq) {
                        thread.take_text(part, from);
                    }
                }
            }
            vec![Change::Thread(page.chat)]
        }
        News::Messages(changes) => {
            let Some(thread) = model.thread_mut(&changes.chat) else { return Vec::new() };
            let chat = changes.chat.clone();
            thread.take_changes(changes);
            vec![Change::Thread(chat)]
        }
        News::BackupPiece(piece) => vec![Change::Piece(piece)],
        News::Done(done) => {
            model.answered(done.tag);
            vec![Change::Done(done)]
        }
    }
}

fn apply_chat(model: &mut Model, mut chat: ChatView, now: u64) -> Vec<Change> {
    let mut changes = Vec::new();
    let id = chat.id.clone();
    let chats = model.chats.len();
    model.chats.retain(|held| !chat.has_joined(&held.id));
    // Two chats were one person's: what is new in this row was there before.
    let is_joined = chats > model.chats.len();
    if is_joined {
        changes.push(Change::Order);
    }
    let held = model.chats.iter().find(|held| held.id == id);
    let newest = |chat: &ChatView| chat.last.as_ref().map_or(0, |last| last.seq);
    let newest_before = held.map_or(0, newest);
    chat.active_at = match held {
        // Without a message it was not active again, whatever the time is by now.
        Some(held) if chat.active_at > now && newest(&chat) == newest_before => held.active_at,
        _ => active_at(&chat, now),
    };
    // While the mailbox is read, every message is old news: one announcement each would be a flood.
    let old = is_joined || model.connection.state() == ConnectionState::Draining;
    if let Some(last) = chat.last.as_ref().filter(|last| last.seq > newest_before && is_from_peer(last) && !old) {
        let text =
            if last.kind() == MessageKind::Text { visible::trimmed(&last.text).to_owned() } else { String::new() };
        changes.push(Change::Incoming(Incoming { chat: id.clone(), sender: peer_name::title(&chat), text }));
    }
    let moved = held.is_none_or(|held| held.active_at != chat.active_at);
    match model.chats.iter().position(|held| held.id == id) {
        Some(at) if !moved => {
            if let Some(held) = model.chats.get_mut(at) {
                *held = chat;
            }
        }
        before => {
            if let Some(at) = before {
                model.chats.remove(at);
            }
            if before != Some(model.place(chat)) {
                changes.push(Change::Order);
            }
        }
    }
    changes.push(Change::Chat(id));
    changes
}

fn is_from_peer(message: &MessageView) -> bool {
    !message.outgoing && !message.kind().is_notice()
}

#[cfg(test)]
mod tests {
    use causeway::view::{MessagePage as Page, Messages, OtherAddresses, Snapshot, Started};

    use super::*;

    /// At a time when nothing is in the future.
    fn apply(model: &mut Model, update: Update) -> Vec<Change> {
        super::apply(model, update, u64::MAX)
    }

    fn chat(id: &str, active_at: u64, last: Option<MessageView>) -> ChatView {
        ChatView { id: id.into(), address: format!("+{id}"), active_at, last, ..Default::default() }
    }

    fn incoming(seq: u64, text: &str) -> MessageView {
        MessageView { seq, text: text.into(), ..Default::default() }
    }

    fn with_chats(chats: Vec<ChatView>) -> Model {
        let mut model = Model::default();
        apply(&mut model, News::Snapshot(Snapshot { chats, ..Default::default() }).into());
        model
    }

    fn ids(model: &Model) -> Vec<&str> {
        model.chats().iter().map(|chat| chat.id.as_str()).collect()
    }

    #[test]
    fn a_snapshot_replaces_everything_and_asks_for_a_fresh_read() {
        let mut model = with_chats(vec![chat("1", 5, None)]);
        model.open("1");
        let changes = apply(
            &mut model,
            News::Snapshot(Snapshot { chats: vec![chat("2", 1, None), chat("3", 9, None)], ..Default::default() })
                .into(),
        );
        assert_eq!(ids(&model), ["3", "2"]);
        assert!(model.thread("1").is_none(), "a chat that is gone keeps no messages");
        assert!(changes.contains(&Change::Stale));
    }

    #[test]
    fn a_chat_that_becomes_active_moves_to_the_top_and_is_announced() {
        let mut model = with_chats(vec![chat("1", 9, None), chat("2", 5, None)]);
        let changes = apply(&mut model, News::Chat(chat("2", 10, Some(incoming(1, "hi")))).into());
        assert_eq!(ids(&model), ["2", "1"]);
        let hi = Incoming { chat: "2".into(), sender: "+2".into(), text: "hi".into() };
        assert_eq!(changes, [Change::Incoming(hi), Change::Order, Change::Chat("2".into())]);
    }

    #[test]
    fn a_change_of_a_message_is_no_new_message() {
        let mut model = with_chats(vec![chat("1", 9, Some(incoming(4, "hi")))]);
        let changes = apply(&mut model, News::Chat(chat("1", 9, Some(incoming(4, "hi")))).into());
        assert_eq!(changes, [Change::Chat("1".into())]);
        let mine = MessageView { seq: 5, outgoing: true, ..Default::default() };
        let changes = apply(&mut model, News::Chat(chat("1", 9, Some(mine))).into());
        assert_eq!(changes, [Change::Chat("1".into())]);
    }

    #[test]
    fn a_full_mailbox_is_not_read_out_message_by_message() {
        let mut model = with_chats(vec![chat("1", 9, None)]);
        let draining = ConnectionView { state: ConnectionState::Draining.into(), ..Default::default() };
        apply(&mut model, News::Connection(draining).into());
        let changes = apply(&mut model, News::Chat(chat("1", 10, Some(incoming(1, "hi")))).into());
        assert!(!changes.iter().any(|change| matches!(change, Change::Incoming(_))));
    }

    #[test]
    fn pages_are_taken_only_by_the_tab_that_asked() {
        let mut model = with_chats(vec![chat("1", 9, None)]);
        model.open("1");
        model.asked(7, &OpenChat::default());
        let page =
            |tag| News::MessagePage(Page { chat: "1".into(), messages: vec![incoming(1, "a")], more: false, tag });
        assert!(apply(&mut model, page(8).into()).is_empty());
        assert_eq!(apply(&mut model, page(7).into()), [Change::Thread("1".into())]);
        assert!(model.thread("1").is_some_and(MessageWindow::is_ready));
    }

    #[test]
    fn a_snapshot_withdraws_the_reads_that_it_outdates() {
        let mut model = with_chats(vec![chat("1", 9, None)]);
        model.open("1");
        model.asked(7, &OpenChat::default());
        apply(&mut model, News::Snapshot(Snapshot { chats: vec![chat("1", 9, None)], ..Default::default() }).into());
        assert_eq!(model.take_withdrawn(), [7]);
        assert!(model.take_withdrawn().is_empty(), "returned once");
    }

    #[test]
    fn messages_of_a_chat_that_was_never_opened_are_not_held() {
        let mut model = with_chats(vec![chat("1", 9, None)]);
        let messages = Messages { chat: "1".into(), messages: vec![incoming(1, "a")], ..Default::default() };
        assert!(apply(&mut model, News::Messages(messages).into()).is_empty());
    }

    #[test]
    fn a_chat_that_is_followed_stays_small() {
        let mut model = with_chats(vec![chat("1", 9, None)]);
        model.open("1");
        let (most, keep) = FOLLOWED;
        for seq in 1..=u64::try_from(most).unwrap() {
            let messages = Messages { chat: "1".into(), messages: vec![incoming(seq, "a")], ..Default::default() };
            apply(&mut model, News::Messages(messages).into());
        }
        model.follow("1");
        assert_eq!(model.thread("1").map(|thread| thread.messages().len()), Some(most));
        let messages = Messages { chat: "1".into(), messages: vec![incoming(999, "a")], ..Default::default() };
        apply(&mut model, News::Messages(messages).into());
        model.follow("1");
        let thread = model.thread("1").unwrap();
        assert_eq!((thread.messages().len(), thread.more()), (keep, true));
        assert_eq!(thread.messages().last().map(|newest| newest.seq), Some(999));
    }

    #[test]
    fn held_chats_are_bounded() {
        let mut model = Model::default();
        for chat in 0..20 {
            model.open(&chat.to_string());
        }
        assert_eq!(model.threads.len(), THREADS);
        assert!(model.thread("19").is_some());
    }

    #[test]
    fn unread_is_the_sum_and_unknown_updates_change_nothing() {
        let mut model = with_chats(vec![
            ChatView { unread: 2, ..chat("1", 1, None) },
            ChatView { unread: 3, ..chat("2", 2, None) },
        ]);
        assert_eq!(model.unread(), 5);
        assert!(apply(&mut model, Update { news: None }).is_empty());
        assert!(apply(&mut model, News::Started(Started { engine: 1 }).into()).is_empty());
    }

    #[test]
    fn a_chat_that_was_joined_to_another_one_leaves_the_list_without_a_word() {
        let mut model = with_chats(vec![chat("1", 1, None), chat("2", 5, Some(incoming(1, "hi")))]);
        let others = OtherAddresses { all: vec!["2".into(), "3".into()] };
        let joined = ChatView { others: Some(Box::new(others)), ..chat("1", 5, Some(incoming(1, "hi"))) };
        let changes = apply(&mut model, News::Chat(joined).into());
        assert_eq!(ids(&model), ["1"]);
        assert_eq!(changes, [Change::Order, Change::Chat("1".into())]);
    }

    fn placed(model: &mut Model, chat: ChatView, now: u64) -> Vec<String> {
        super::apply(model, News::Chat(chat).into(), now);
        ids(model).into_iter().map(str::to_owned).collect()
    }

    #[test]
    fn a_clock_that_was_ahead_pins_no_chat() {
        const AHEAD: u64 = 100_000;
        let mine = MessageView { seq: 1, outgoing: true, at: AHEAD, ..MessageView::default() };
        let theirs = MessageView { seq: 1, at: 50, ..MessageView::default() };
        let ahead = [chat("mine", AHEAD, Some(mine.clone())), chat("theirs", AHEAD, Some(theirs)), chat("1", 90, None)];
        let mut model = Model::default();
        let snapshot = Snapshot { chats: ahead.to_vec(), ..Default::default() };
        super::apply(&mut model, News::Snapshot(snapshot).into(), 100);
        // The server's time is known of one of them.
        assert_eq!(ids(&model), ["mine", "1", "theirs"]);
        assert_eq!(placed(&mut model, chat("1", 101, Some(incoming(1, "hi"))), 101), ["1", "mine", "theirs"]);
        // Its row changes, but it was not active again; then it is.
        let read = ChatView { unread: 0, draft: "d".into(), ..chat("mine", AHEAD, Some(mine.clone())) };
        assert_eq!(placed(&mut model, read, 102), ["1", "mine", "theirs"]);
        let again = MessageView { seq: 2, ..mine };
        assert_eq!(placed(&mut model, chat("mine", AHEAD, Some(again)), 103), ["mine", "1", "theirs"]);
        assert_eq!(placed(&mut model, chat("theirs", 103, Some(incoming(2, "hi"))), 103), ["theirs", "mine", "1"]);
    }

    #[test]
    fn mail_of_past_days_is_ordered_by_arrival_and_listed_by_its_own_time() {
        let late = |seq, at| MessageView { seq, at, ..MessageView::default() };
        let mut model = with_chats(vec![chat("1", 100, Some(late(1, 100))), chat("2", 50, Some(late(1, 50)))]);
        assert_eq!(placed(&mut model, chat("2", 200, Some(late(2, 60))), 200), ["2", "1"]);
        assert_eq!(model.chats().iter().map(listed_at).collect::<Vec<_>>(), [60, 100]);
        assert_eq!(listed_at(&chat("3", 7, None)), 7);
    }
}
