//! Tests of the store over a browser that a test answers for.

use causeway::view::{ChatView, Delivery, Erase, Issue, MessagePage, MessageView, Messages, News, Snapshot};

use leptos::prelude::Update as _;

use super::*;
use crate::state::browser::Locale as _;
use crate::state::browser::fake::Fake;
use crate::state::scope::Scope;

const CHAT: &str = "1@s.whatsapp.net";

fn message(seq: u64, delivery: Delivery) -> MessageView {
    MessageView { seq, outgoing: true, delivery: delivery.into(), ..MessageView::default() }
}

fn chat(unread: u32, read_up_to: u64) -> ChatView {
    ChatView { id: CHAT.into(), unread, read_up_to, ..ChatView::default() }
}

/// A store that knows one chat, and the browser behind it.
fn store(chat: ChatView) -> (ViewStore, Rc<Fake>, Owner) {
    let owner = Owner::new();
    owner.set();
    let browser = Rc::new(Fake::default());
    let store = ViewStore::new(browser.clone());
    store.take(News::Snapshot(Snapshot { chats: vec![chat], ..Snapshot::default() }).into());
    (store, browser, owner)
}

/// Answers the read that was asked for last.
fn answer(store: ViewStore, browser: &Fake, messages: Vec<MessageView>, more: bool) {
    let tag = u64::try_from(browser.sent.borrow().len()).unwrap();
    store.take(News::MessagePage(MessagePage { chat: CHAT.into(), messages, more, tag }).into());
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
    assert_eq!(slots, [Slot::Day(0, 4), Slot::Message(4), Slot::Unread, Slot::Message(5)]);
    assert_eq!(store.unread.get_untracked(), 0);
}

#[test]
fn an_answer_reaches_the_one_that_asked_and_only_once() {
    let (store, _browser, owner) = store(chat(0, 0));
    let heard = Rc::new(RefCell::new(Vec::new()));
    let listen = heard.clone();
    let scope = owner.with(Scope::current);
    let answer = scope.answer(move |done: Done| listen.borrow_mut().push(done.issue()));
    store.ask(Action::Erase(Erase {}), answer);
    let done = Done { tag: 1, issue: Issue::StorageFull.into(), ..Done::default() };
    store.take(News::Done(Done { tag: 2, ..Done::default() }).into());
    store.take(News::Done(done.clone()).into());
    store.take(News::Done(done).into());
    assert_eq!(*heard.borrow(), [Issue::StorageFull]);
}

#[test]
fn an_answer_to_a_component_that_is_gone_is_dropped() {
    let (store, _browser, _owner) = store(chat(0, 0));
    let component = Owner::new();
    let (scope, busy) = component.with(|| (Scope::current(), RwSignal::new(true)));
    store.ask(Action::Erase(Erase {}), scope.answer(move |_| busy.set(!busy.get_untracked())));
    component.cleanup();
    store.take(News::Done(Done { tag: 1, ..Done::default() }).into());
}

#[test]
fn pieces_of_a_file_are_taken_until_it_is_complete() {
    let (store, _browser, owner) = store(chat(0, 0));
    let bytes = owner.with(|| RwSignal::new(Vec::<u8>::new()));
    let piece =
        owner.with(Scope::current).listener(move |piece: BackupPiece| bytes.update(|it| it.extend(piece.bytes)));
    store.export(Export::default(), piece, Answer::ignored());
    let news = |tag, byte| News::BackupPiece(BackupPiece { tag, bytes: vec![byte], ..BackupPiece::default() });
    store.take(news(1, 1).into());
    store.take(news(9, 2).into());
    store.take(news(1, 3).into());
    store.take(News::Done(Done { tag: 1, ..Done::default() }).into());
    store.take(news(1, 4).into());
    assert_eq!(bytes.get_untracked(), [1, 3]);
}

#[test]
fn another_time_zone_is_followed() {
    let (store, browser, _owner) = store(chat(0, 0));
    store.open(Some(CHAT));
    let hour = 60 * 60 * 1000;
    let at = |seq, at| MessageView { at, ..message(seq, Delivery::Read) };
    answer(store, &browser, vec![at(1, 30 * hour), at(2, 40 * hour)], false);
    let days = || -> Vec<Slot> {
        let slots: Vec<Slot> = store.thread.rows.with_untracked(|rows| rows.iter().map(|row| row.slot).collect());
        slots.into_iter().filter(|slot| matches!(slot, Slot::Day(..))).collect()
    };
    assert_eq!(days(), [Slot::Day(1, 1)]);
    let keys = || store.thread.rows.with_untracked(|rows| rows.iter().map(ThreadRow::key).collect::<Vec<_>>());
    let before = keys();
    browser.zone.set((10, 0));
    assert!(browser.follow_time_zone());
    assert!(!browser.follow_time_zone());
    store.lay_out_again();
    assert_eq!(days(), [Slot::Day(1, 1), Slot::Day(2, 2)]);
    // The times in bubbles are others, too: each is made again.
    assert!(keys().iter().all(|key| !before.contains(key)));
}

#[test]
fn a_message_of_the_future_is_placed_now() {
    let (store, browser, _owner) = store(chat(0, 0));
    store.open(Some(CHAT));
    answer(store, &browser, vec![MessageView { at: u64::MAX, ..message(1, Delivery::Read) }], false);
    let now = browser.now();
    assert_eq!(store.thread.rows.with_untracked(|rows| rows.iter().map(|row| row.at).collect::<Vec<_>>()), [now, now]);
}

#[test]
fn without_a_network_there_is_no_connection_until_one_is_made() {
    let (store, _browser, _owner) = store(chat(0, 0));
    let is = |state: ConnectionState| {
        store.take(News::Connection(ConnectionView { state: state.into(), ..ConnectionView::default() }).into());
        store.no_network.get_untracked()
    };
    assert!(!is(ConnectionState::Online));
    store.no_network.set(true);
    assert!(is(ConnectionState::Online), "the engine has not noticed yet");
    assert!(is(ConnectionState::Waiting));
    assert!(is(ConnectionState::Connecting));
    assert!(!is(ConnectionState::Online));
}
