//! The thin mirror of [`Model`] in signals: each part of the page listens to just what it shows.
//!
//! Rows are made once and keep their identity; what changes in a row is a signal of its own.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use causeway::io::Millis;
use causeway::view::{
    AccountView, Action, BackupPiece, ChatView, ConnectionState, ConnectionView, Done, Export, MessageView, OpenChat,
    Update,
};
use leptos::prelude::*;

use super::browser::Browser;
use super::layout::{self, Shape, Slot};
use super::model::{self, Change, Incoming, Model};

/// Messages in one page of history.
pub const PAGE: u32 = 60;

/// Between two paintings while a full mailbox is read: to paint every frame would take the processor that reads it.
const WHILE_DRAINING: Millis = 400;

/// Called with the answer to a command.
type Answer = Box<dyn FnOnce(&Done)>;

/// One chat in the list.
#[derive(Clone)]
pub struct ChatRow {
    /// The chat's id.
    pub id: Arc<str>,
    /// What the row shows.
    pub view: ArcRwSignal<ChatView>,
}

/// One row of the open chat.
#[derive(Clone)]
pub struct ThreadRow {
    /// What it is, and its identity.
    pub slot: Slot,
    /// When: of the message, or of the first message of the day.
    pub at: u64,
    /// The message, if it is one.
    pub message: Option<MessageRow>,
}

/// One message. Its direction never changes; the rest may.
#[derive(Clone)]
pub struct MessageRow {
    /// The sequence number.
    pub seq: u64,
    /// From us.
    pub outgoing: bool,
    /// What it says, and where it is.
    pub view: ArcRwSignal<MessageView>,
    /// How it joins its neighbours.
    pub shape: ArcRwSignal<Shape>,
}

/// The chat that is open.
#[derive(Clone, Copy)]
pub struct OpenThread {
    /// Its rows, ascending.
    pub rows: RwSignal<Vec<ThreadRow>>,
    /// The newest page has come.
    pub ready: RwSignal<bool>,
    /// There are older messages to ask for.
    pub more: RwSignal<bool>,
    /// Older messages have been asked for.
    pub loading: RwSignal<bool>,
    /// The newest sequence number that is held.
    pub newest: RwSignal<u64>,
    /// The newest message is in sight: nobody has scrolled away from it.
    pub at_newest: RwSignal<bool>,
}

/// Called with each piece of a file.
type Taker = Box<dyn Fn(BackupPiece)>;

/// When what has changed will be shown.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    Never,
    InAWhile,
    WithTheNextFrame,
}

struct Inner {
    model: Model,
    /// What the model has changed since the signals were last set, each once.
    changed: Vec<Change>,
    /// When they will be set.
    due: Due,
    answers: Vec<(u64, Answer)>,
    /// Who takes the pieces of the file that the command of this tag asked for.
    taker: Option<(u64, Taker)>,
    /// Ascending by sequence number.
    rows: Vec<MessageRow>,
    open: Option<String>,
    unread_after: Option<u64>,
}

/// What the pages show. Copyable: a handle, given by context.
#[derive(Clone, Copy)]
pub struct Store {
    inner: StoredValue<RefCell<Inner>, LocalStorage>,
    browser: StoredValue<Rc<dyn Browser>, LocalStorage>,
    /// Who we are; `None` until the engine has answered.
    pub account: RwSignal<Option<AccountView>>,
    /// How the connection is.
    pub connection: RwSignal<ConnectionView>,
    /// The list of chats.
    pub chats: RwSignal<Vec<ChatRow>>,
    /// Messages not read, over all chats.
    pub unread: RwSignal<u32>,
    /// The open chat's messages.
    pub thread: OpenThread,
    /// The message that came last.
    pub incoming: RwSignal<Option<Incoming>>,
}

impl Store {
    /// An empty store over a browser. Must be made under a reactive owner that lives as long as the page.
    pub fn new(browser: Rc<dyn Browser>) -> Self {
        let inner = Inner {
            model: Model::default(),
            changed: Vec::new(),
            due: Due::Never,
            answers: Vec::new(),
            taker: None,
            rows: Vec::new(),
            open: None,
            unread_after: None,
        };
        Self {
            inner: StoredValue::new_local(RefCell::new(inner)),
            browser: StoredValue::new_local(browser),
            account: RwSignal::new(None),
            connection: RwSignal::new(ConnectionView::default()),
            chats: RwSignal::new(Vec::new()),
            unread: RwSignal::new(0),
            thread: OpenThread {
                rows: RwSignal::new(Vec::new()),
                ready: RwSignal::new(false),
                more: RwSignal::new(false),
                loading: RwSignal::new(false),
                newest: RwSignal::new(0),
                at_newest: RwSignal::new(true),
            },
            incoming: RwSignal::new(None),
        }
    }

    /// The browser.
    pub fn browser(&self) -> Rc<dyn Browser> {
        self.browser.get_value()
    }

    /// Hands a command over and forgets it.
    pub fn send(&self, action: Action) {
        self.browser().send(action);
    }

    /// Hands a command over; `answer` is called once it is carried out, or is not.
    pub fn ask(&self, action: Action, answer: impl FnOnce(&Done) + 'static) {
        let tag = self.browser().send(action);
        self.with(|inner| inner.answers.push((tag, Box::new(answer))));
    }

    /// Asks for a backup file: `piece` is called with each piece of it, `answer` once it is complete, or will not be.
    pub fn export(&self, export: Export, piece: impl Fn(BackupPiece) + 'static, answer: impl FnOnce(&Done) + 'static) {
        let tag = self.browser().send(Action::Export(export));
        let store = *self;
        self.with(|inner| {
            inner.taker = Some((tag, Box::new(piece)));
            let answer = move |done: &Done| {
                store.with(|inner| inner.taker.take_if(|(taking, _)| *taking == done.tag));
                answer(done);
            };
            inner.answers.push((tag, Box::new(answer)));
        });
    }

    /// Takes an update in. It is shown with the next painting of the page, together with whatever else came until then; while
    /// a mailbox is drained, which brings thousands, a little later, unless somebody waits for it.
    pub fn take(&self, update: Update) {
        let sooner = self.with(|inner| {
            let changes = model::apply(&mut inner.model, update);
            let draining = inner.model.connection.state() == ConnectionState::Draining;
            let due = match changes.as_slice() {
                [] => return None,
                changes if draining && changes.iter().all(Change::can_wait) => Due::InAWhile,
                _ => Due::WithTheNextFrame,
            };
            for change in changes {
                // An answer and a piece of a file are news each time; the others say where to look.
                let is_news = matches!(change, Change::Done(_) | Change::Piece(_));
                if is_news || !inner.changed.contains(&change) {
                    inner.changed.push(change);
                }
            }
            (inner.due < due).then(|| {
                inner.due = due;
                due
            })
        });
        if let Some(due) = sooner {
            let store = *self;
            let after = if due == Due::InAWhile { WHILE_DRAINING } else { 0 };
            self.browser().before_paint(after, Box::new(move || store.show()));
        }
    }

    fn show(&self) {
        let changed = self.with(|inner| {
            inner.due = Due::Never;
            std::mem::take(&mut inner.changed)
        });
        for change in changed {
            self.mirror(change);
        }
    }

    /// Opens a chat and reads its newest messages; `None` closes the open one.
    pub fn open(&self, chat: Option<&str>) {
        let unchanged = self.with(|inner| {
            if inner.open.as_deref() == chat {
                return true;
            }
            if let Some(closed) = inner.open.take() {
                inner.model.close(&closed);
            }
            inner.rows.clear();
            inner.open = chat.map(str::to_owned);
            inner.unread_after = None;
            if let Some(chat) = chat {
                inner.model.open(chat);
                inner.unread_after = inner.model.chat(chat).filter(|view| view.unread > 0).map(|view| view.read_up_to);
            }
            false
        });
        if unchanged {
            return;
        }
        self.thread.rows.set(Vec::new());
        self.thread.loading.set(false);
        self.thread.newest.set(0);
        self.thread.at_newest.set(true);
        self.thread.ready.set(false);
        if let Some(chat) = chat {
            self.mirror_thread(chat);
            self.read(chat, None);
        }
    }

    /// Reads older messages of the open chat, if there are any and none are under way.
    pub fn read_older(&self) {
        if !self.thread.more.get_untracked() || self.thread.loading.get_untracked() {
            return;
        }
        let position = self.with(|inner| {
            let chat = inner.open.clone()?;
            let before = inner.model.thread(&chat)?.oldest()?;
            Some((chat, before))
        });
        if let Some((chat, before)) = position {
            self.thread.loading.set(true);
            self.read(&chat, Some(before));
        }
    }

    /// The row of a chat.
    pub fn row(&self, chat: &str) -> Option<ChatRow> {
        self.chats.with(|rows| rows.iter().find(|row| &*row.id == chat).cloned())
    }

    fn read(&self, chat: &str, before: Option<u64>) {
        // As much as is held, so that reading it again takes nothing from under the reader; the engine bounds it.
        let held = self.with(|inner| inner.model.thread(chat).map_or(0, |thread| thread.messages().len()));
        let limit = if before.is_none() { PAGE.max(u32::try_from(held).unwrap_or(u32::MAX)) } else { PAGE };
        let read = OpenChat { chat: chat.to_owned(), before, limit };
        let tag = self.browser().send(Action::OpenChat(read));
        self.with(|inner| inner.model.asked(tag, before));
    }

    fn with<T>(&self, visit: impl FnOnce(&mut Inner) -> T) -> T {
        self.inner.with_value(|inner| visit(&mut inner.borrow_mut()))
    }

    fn mirror(&self, change: Change) {
        match change {
            Change::Account => self.account.set(self.with(|inner| inner.model.account.clone())),
            Change::Connection => self.connection.set(self.with(|inner| inner.model.connection.clone())),
            Change::Order => self.mirror_order(),
            Change::Chat(id) => {
                let view = self.with(|inner| inner.model.chat(&id).cloned());
                let row = self.chats.with_untracked(|rows| rows.iter().find(|row| *row.id == *id).cloned());
                if let (Some(view), Some(row)) = (view, row) {
                    row.view.set(view);
                }
                self.mirror_unread();
            }
            Change::Thread(id) => {
                if self.with(|inner| inner.open.as_deref() == Some(&id)) {
                    if self.thread.at_newest.get_untracked() {
                        self.with(|inner| inner.model.follow(&id));
                    }
                    self.mirror_thread(&id);
                }
            }
            Change::Incoming(incoming) => self.incoming.set(Some(incoming)),
            Change::Piece(piece) => {
                let taker = self.with(|inner| inner.taker.take_if(|(tag, _)| *tag == piece.tag));
                if let Some((tag, take)) = taker {
                    take(piece);
                    // Whoever takes it may have asked for another file.
                    self.with(|inner| inner.taker.get_or_insert((tag, take)).0);
                }
            }
            Change::Done(done) => {
                let answer = self.with(|inner| {
                    let at = inner.answers.iter().position(|(tag, _)| *tag == done.tag)?;
                    Some(inner.answers.remove(at).1)
                });
                if let Some(answer) = answer {
                    answer(&done);
                }
            }
            Change::Stale => {
                for tag in self.with(|inner| inner.model.take_withdrawn()) {
                    self.browser().withdraw(tag);
                }
                if let Some(chat) = self.with(|inner| inner.open.clone()) {
                    self.with(|inner| inner.model.open(&chat));
                    self.thread.loading.set(false);
                    self.read(&chat, None);
                }
            }
        }
    }

    fn mirror_unread(&self) {
        let unread = self.with(|inner| inner.model.unread());
        if self.unread.get_untracked() != unread {
            self.unread.set(unread);
        }
    }

    fn mirror_order(&self) {
        let held = self.chats.get_untracked();
        let views = self.with(|inner| inner.model.chats().to_vec());
        let rows = views.into_iter().map(|view| match held.iter().find(|row| *row.id == *view.id) {
            Some(row) => {
                if row.view.with_untracked(|held| *held != view) {
                    row.view.set(view);
                }
                row.clone()
            }
            None => ChatRow { id: view.id.as_str().into(), view: ArcRwSignal::new(view) },
        });
        self.chats.set(rows.collect());
        self.mirror_unread();
    }

    fn mirror_thread(&self, chat: &str) {
        let browser = self.browser();
        let mirrored = self.with(|inner| {
            let thread = inner.model.thread(chat)?;
            let messages = thread.messages();
            let (slots, shapes) = layout::lay_out(messages, inner.unread_after, &|at| browser.local_day(at));
            let old = std::mem::take(&mut inner.rows);
            let mut updates = Vec::new();
            for (message, shape) in messages.iter().zip(shapes) {
                let held = old.binary_search_by_key(&message.seq, |row| row.seq).ok();
                let row = match held.and_then(|at| old.get(at)) {
                    Some(row) => {
                        updates.push((row.clone(), message.clone(), shape));
                        row.clone()
                    }
                    None => MessageRow::new(message, shape),
                };
                inner.rows.push(row);
            }
            let mut rest = inner.rows.iter().zip(messages.iter().map(|message| message.at)).peekable();
            let list: Vec<ThreadRow> = slots
                .into_iter()
                .map(|slot| {
                    let at = rest.peek().map_or(0, |(_, at)| *at);
                    let message = match slot {
                        Slot::Message(_) => rest.next().map(|(row, _)| row.clone()),
                        Slot::Day(_) | Slot::Unread => None,
                    };
                    ThreadRow { slot, at, message }
                })
                .collect();
            let newest = messages.last().map_or(0, |message| message.seq);
            Some((list, updates, newest, thread.is_ready(), thread.more()))
        });
        let Some((list, updates, newest, ready, more)) = mirrored else { return };
        // Signals are set only now, with nothing borrowed: whoever listens may ask the store again.
        for (row, message, shape) in updates {
            row.update(message, shape);
        }
        let same = self.thread.rows.with_untracked(|rows| {
            rows.len() == list.len() && rows.iter().zip(&list).all(|(held, row)| held.slot == row.slot)
        });
        if !same {
            self.thread.rows.set(list);
        }
        self.thread.newest.set(newest);
        self.thread.more.set(more);
        self.thread.loading.set(false);
        self.thread.ready.set(ready);
    }
}

impl MessageRow {
    fn new(message: &MessageView, shape: Shape) -> Self {
        Self {
            seq: message.seq,
            outgoing: message.outgoing,
            view: ArcRwSignal::new(message.clone()),
            shape: ArcRwSignal::new(shape),
        }
    }

    fn update(&self, message: MessageView, shape: Shape) {
        if self.view.with_untracked(|held| *held != message) {
            self.view.set(message);
        }
        if self.shape.get_untracked() != shape {
            self.shape.set(shape);
        }
    }
}

#[cfg(test)]
mod tests {
    use causeway::view::{Delivery, Erase, Issue, Messages, News, Snapshot, Thread};

    use super::super::browser::fake::Fake;
    use super::*;

    const CHAT: &str = "1@s.whatsapp.net";

    fn message(seq: u64, delivery: Delivery) -> MessageView {
        MessageView { seq, outgoing: true, delivery: delivery.into(), ..MessageView::default() }
    }

    fn chat(unread: u32, read_up_to: u64) -> ChatView {
        ChatView { id: CHAT.into(), unread, read_up_to, ..ChatView::default() }
    }

    /// A store that knows one chat, and the browser behind it.
    fn store(chat: ChatView) -> (Store, Rc<Fake>, Owner) {
        let owner = Owner::new();
        owner.set();
        let browser = Rc::new(Fake::default());
        let store = Store::new(browser.clone());
        store.take(News::Snapshot(Snapshot { chats: vec![chat], ..Snapshot::default() }).into());
        (store, browser, owner)
    }

    /// Answers the read that was asked for last.
    fn answer(store: Store, browser: &Fake, messages: Vec<MessageView>, more: bool) {
        let tag = browser.sent.borrow().len() as u64;
        store.take(News::Thread(Thread { chat: CHAT.into(), messages, more, tag }).into());
    }

    fn reads(browser: &Fake) -> Vec<Option<u64>> {
        let sent = browser.sent.borrow();
        let before = |action: &Action| match action {
            Action::OpenChat(read) => Some(read.before),
            _ => None,
        };
        sent.iter().filter_map(before).collect()
    }

    #[test]
    fn a_message_keeps_its_row_when_its_tick_changes() {
        let (store, browser, _owner) = store(chat(0, 0));
        store.open(Some(CHAT));
        answer(store, &browser, vec![message(1, Delivery::Queued)], false);
        let row = store.thread.rows.get_untracked().pop().and_then(|row| row.message).expect("one message");
        let sent = Messages { chat: CHAT.into(), messages: vec![message(1, Delivery::Sent)], ..Messages::default() };
        store.take(News::Messages(sent).into());
        assert_eq!(row.view.get_untracked().delivery(), Delivery::Sent);
    }

    #[test]
    fn older_messages_are_asked_for_once_at_a_time() {
        let (store, browser, _owner) = store(chat(0, 0));
        store.open(Some(CHAT));
        answer(store, &browser, vec![message(9, Delivery::Read)], true);
        store.read_older();
        store.read_older();
        assert_eq!(reads(&browser), [None, Some(9)]);
        answer(store, &browser, vec![message(8, Delivery::Read)], false);
        store.read_older();
        assert_eq!(reads(&browser).len(), 2, "there is nothing older");
        assert_eq!(store.thread.rows.with_untracked(Vec::len), 3, "a day and two messages");
    }

    #[test]
    fn a_snapshot_reads_the_open_chat_again() {
        let (store, browser, _owner) = store(chat(0, 0));
        store.open(Some(CHAT));
        store.take(News::Snapshot(Snapshot { chats: vec![chat(0, 0)], ..Snapshot::default() }).into());
        assert_eq!(reads(&browser), [None, None]);
    }

    #[test]
    fn the_unread_line_stays_where_it_was_when_the_chat_was_opened() {
        let (store, browser, _owner) = store(chat(1, 4));
        store.open(Some(CHAT));
        let theirs = |seq| MessageView { outgoing: false, ..message(seq, Delivery::Queued) };
        answer(store, &browser, vec![theirs(4), theirs(5)], false);
        store.take(News::Chat(chat(0, 5)).into());
        let slots: Vec<Slot> = store.thread.rows.with_untracked(|rows| rows.iter().map(|row| row.slot).collect());
        assert_eq!(slots, [Slot::Day(0), Slot::Message(4), Slot::Unread, Slot::Message(5)]);
        assert_eq!(store.unread.get_untracked(), 0);
    }

    #[test]
    fn an_answer_reaches_whoever_asked_and_only_once() {
        let (store, _browser, _owner) = store(chat(0, 0));
        let heard = Rc::new(RefCell::new(Vec::new()));
        let listen = heard.clone();
        store.ask(Action::Erase(Erase {}), move |done| listen.borrow_mut().push(done.issue()));
        let done = Done { tag: 1, issue: Issue::StorageFull.into(), ..Done::default() };
        store.take(News::Done(Done { tag: 2, ..Done::default() }).into());
        store.take(News::Done(done.clone()).into());
        store.take(News::Done(done).into());
        assert_eq!(*heard.borrow(), [Issue::StorageFull]);
    }
}
