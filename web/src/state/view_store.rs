//! Mirrors [`Model`] in signals, so that each part of the page depends only on what it shows.
//!
//! Rows are made once and keep their identity; what changes in a row is a signal of its own.

use std::cell::RefCell;
use std::rc::Rc;

use causeway::io::Millis;
use causeway::view::{
    AccountView, Action, BackupPiece, ConnectionState, ConnectionView, Done, Export, OpenChat, Update,
};
use leptos::prelude::*;

use super::browser::Browser;
use super::layout::{self, Slot};
use super::model::{self, Change, Incoming, Model};
use super::rows::{ChatRow, MessageRow, OpenThread, ThreadRow};
use super::scope::{Answer, Listener, PageLifetime};

/// Messages in one page of history.
pub const PAGE: u32 = 60;

/// Between two paintings while a full mailbox is read: to paint every frame would take the processor that reads it.
const WHILE_DRAINING: Millis = Millis(400);

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
    answers: Vec<(u64, Answer<Done>)>,
    /// Who takes the pieces of the file that the command of this tag asked for.
    taker: Option<(u64, Listener<BackupPiece>)>,
    /// Ascending by sequence number.
    rows: Vec<MessageRow>,
    open: Option<String>,
    unread_after: Option<u64>,
    /// Time zones that the open chat was laid out in, before the present one.
    zones: u32,
}

/// What the pages show. Copyable: a handle, given by context; valid for as long as the page.
#[derive(Clone, Copy)]
pub struct ViewStore {
    inner: StoredValue<RefCell<Inner>, LocalStorage>,
    browser: StoredValue<Rc<dyn Browser>, LocalStorage>,
    /// Who we are; `None` until the engine has answered.
    pub account: RwSignal<Option<AccountView>>,
    /// How the connection is.
    pub connection: RwSignal<ConnectionView>,
    /// The browser says that there is no network, and no connection has been made since.
    pub no_network: RwSignal<bool>,
    /// The list of chats.
    pub chats: RwSignal<Vec<ChatRow>>,
    /// Messages not read, over all chats.
    pub unread: RwSignal<u32>,
    /// The open chat's messages.
    pub thread: OpenThread,
    /// The message that came last.
    pub incoming: RwSignal<Option<Incoming>>,
}

impl PageLifetime for ViewStore {}

impl ViewStore {
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
            zones: 0,
        };
        let no_network = !browser.has_network();
        Self {
            inner: StoredValue::new_local(RefCell::new(inner)),
            browser: StoredValue::new_local(browser),
            account: RwSignal::new(None),
            connection: RwSignal::new(ConnectionView::default()),
            no_network: RwSignal::new(no_network),
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

    /// Hands a command over; `answer` is run once it is carried out, or is not.
    pub fn ask(&self, action: Action, answer: Answer<Done>) {
        let tag = self.browser().send(action);
        self.with(|inner| inner.answers.push((tag, answer)));
    }

    /// Asks for a backup file: `piece` is called with each piece of it, `answer` is run once it is complete, or will
    /// not be.
    pub fn export(&self, export: Export, piece: Listener<BackupPiece>, answer: Answer<Done>) {
        let tag = self.browser().send(Action::Export(export));
        self.with(|inner| {
            inner.taker = Some((tag, piece));
            inner.answers.push((tag, answer));
        });
    }

    /// Takes an update in. It is shown with the next painting of the page, together with whatever else came until then;
    /// while a mailbox is drained, which brings thousands, a little later, except answers.
    pub fn take(&self, update: Update) {
        let now = self.browser().now();
        let sooner = self.with(|inner| {
            let changes = model::apply(&mut inner.model, update, now);
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
            let after = if due == Due::InAWhile { WHILE_DRAINING } else { Millis(0) };
            self.browser().before_paint(after, Answer::detached(*self, |store, ()| store.show()));
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

    /// Lays the open chat out again, every row of it: the time zone is another one.
    pub fn lay_out_again(&self) {
        self.with(|inner| inner.zones += 1);
        if let Some(chat) = self.with(|inner| inner.open.clone()) {
            self.mirror_thread(&chat);
        }
    }

    /// The row of a chat.
    pub fn row(&self, chat: &str) -> Option<ChatRow> {
        self.chats.with(|rows| rows.iter().find(|row| &*row.id == chat).cloned())
    }

    /// The chat that another one has become a part of.
    pub fn joined(&self, chat: &str) -> Option<String> {
        let has = |row: &&ChatRow| row.view.with(|view| view.has_joined(chat));
        self.chats.with(|rows| rows.iter().find(has).map(|row| row.id.to_string()))
    }

    fn read(&self, chat: &str, before: Option<u64>) {
        // As much as is held, so that reading it again takes nothing from under the reader; the engine bounds it.
        let held = self.with(|inner| inner.model.thread(chat).map_or(0, |thread| thread.messages().len()));
        let limit = if before.is_none() { PAGE.max(u32::try_from(held).unwrap_or(u32::MAX)) } else { PAGE };
        self.begin_read(OpenChat { chat: chat.to_owned(), before, limit, text_from: None });
    }

    /// Reads on in a text of the open chat that the engine has cut, if it is one and no read of it is under way.
    pub fn read_text(&self, chat: &str, seq: u64) {
        let read = self.with(|inner| {
            let held = inner.model.thread(chat)?.messages().iter().find(|message| message.seq == seq)?;
            let from = u64::try_from(held.text.len())
                .ok()
                .filter(|from| held.whole_bytes.is_some_and(|whole| whole > *from))?;
            let before = Some(seq.saturating_add(1));
            let read = OpenChat { chat: chat.to_owned(), before, limit: 1, text_from: Some(from) };
            (!inner.model.is_reading(&read)).then_some(read)
        });
        if let Some(read) = read {
            self.begin_read(read);
        }
    }

    fn begin_read(&self, read: OpenChat) {
        let tag = self.browser().send(Action::OpenChat(read.clone()));
        self.with(|inner| inner.model.asked(tag, &read));
    }

    fn with<T>(&self, visit: impl FnOnce(&mut Inner) -> T) -> T {
        self.inner.with_value(|inner| visit(&mut inner.borrow_mut()))
    }

    fn mirror(&self, change: Change) {
        match change {
            Change::Account => self.account.set(self.with(|inner| inner.model.account.clone())),
            Change::Connection => {
                let view = self.with(|inner| inner.model.connection.clone());
                let is_online = |view: &ConnectionView| view.state() == ConnectionState::Online;
                // A browser may be wrong about it: a connection that is made is a network.
                if is_online(&view) && !self.connection.with_untracked(is_online) {
                    self.no_network.set(false);
                }
                self.connection.set(view);
            }
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
                    take.run(piece);
                    // The listener may have asked for another file.
                    self.with(|inner| inner.taker.get_or_insert((tag, take)).0);
                }
            }
            Change::Done(done) => {
                let answer = self.with(|inner| {
                    inner.taker.take_if(|(tag, _)| *tag == done.tag);
                    let at = inner.answers.iter().position(|(tag, _)| *tag == done.tag)?;
                    Some(inner.answers.remove(at).1)
                });
                if let Some(answer) = answer {
                    answer.run(done);
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
            let now = browser.now();
            let (slots, shapes) = layout::lay_out(messages, inner.unread_after, now, &|at| browser.local_day(at));
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
            let mut rest = inner.rows.iter().zip(messages.iter().map(|message| message.at.min(now))).peekable();
            let list: Vec<ThreadRow> = slots
                .into_iter()
                .map(|slot| {
                    let at = rest.peek().map_or(0, |(_, at)| *at);
                    let message = match slot {
                        Slot::Message(_) => rest.next().map(|(row, _)| row.clone()),
                        Slot::Day(..) | Slot::Unread => None,
                    };
                    ThreadRow { slot, zone: inner.zones, at, message }
                })
                .collect();
            let newest = messages.last().map_or(0, |message| message.seq);
            Some((list, updates, newest, thread.is_ready(), thread.more()))
        });
        let Some((list, updates, newest, ready, more)) = mirrored else { return };
        // Signals are set only now, with nothing borrowed: an effect may use the store.
        for (row, message, shape) in updates {
            row.update(message, shape);
        }
        let same = self.thread.rows.with_untracked(|rows| {
            rows.len() == list.len() && rows.iter().zip(&list).all(|(held, row)| held.key() == row.key())
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

#[cfg(test)]
mod tests;
