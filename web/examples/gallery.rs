//! The pages without an engine: a small one that plays along, for looking at them and for pictures. Not shipped.
//!
//! `?scene=` chooses where it begins: `account`, `elsewhere`, `lost`, `sharing`, `enlisting`, `refused`, `reachable`,
//! `empty`, `chats`, `odd`, `offline`, `reading`, `stopped`, `moved`, `handed-over`, or one of the storage's troubles: `full`,
//! `unsaved`, `row` while it runs, `closed-full`, `closed`, `damaged`, `newer` when it does not open. What this engine
//! does not know: networks, keys, storage. Everything is delivered, and forgotten on reload.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use causeway::io::Millis;
use causeway::view::{
    AccountView, Action, BackupPiece, BackupView, ChatView, ConnectionState, ConnectionView, Delivery, Done, Issue,
    MessageKind, MessagePage, MessageView, Messages, News, Snapshot, Stage, Update,
};
use causeway_web::browser_adapter::BrowserAdapter;
use causeway_web::port::{clock, locale, spawn};
use leptos::prelude::location;

const MINUTE: u64 = 60 * 1000;
const DAY: u64 = 24 * 60 * MINUTE;
const ANNA: &str = "4915112345678@s.whatsapp.net";

fn main() {
    let scene = location().search().unwrap_or_default().trim_start_matches("?scene=").to_owned();
    let browser = Rc::new(BrowserAdapter::new());
    let take: Take = Box::new(causeway_web::ui::mount(browser.clone(), |answer| {
        answer.run(Some(causeway_web::ui::secondary_pages()));
    }));
    let engine = Rc::new(Engine { take, tags: Cell::new(0), state: RefCell::new(state(&scene)) });
    let hearing = engine.clone();
    browser.connect(move |action| hearing.clone().hear(action), |_| {});
    match trouble_of_opening(&scene) {
        Some(issue) => engine.say(News::Connection(ConnectionView {
            state: ConnectionState::Stopped.into(),
            issue: issue.into(),
            ..ConnectionView::default()
        })),
        None => engine.snapshot(),
    }
}

/// Why there is nothing to show.
fn trouble_of_opening(scene: &str) -> Option<Issue> {
    match scene {
        "closed-full" => Some(Issue::StorageFull),
        "closed" => Some(Issue::StorageFailed),
        "damaged" => Some(Issue::AccountDamaged),
        "newer" => Some(Issue::StorageNewer),
        _ => None,
    }
}

/// Where updates go.
type Take = Box<dyn Fn(Update)>;

struct State {
    account: AccountView,
    connection: ConnectionView,
    chats: Vec<(ChatView, Vec<MessageView>)>,
}

struct Engine {
    take: Take,
    tags: Cell<u64>,
    state: RefCell<State>,
}

impl Engine {
    fn say(&self, news: News) {
        (self.take)(news.into());
    }

    fn snapshot(&self) {
        let snapshot = {
            let state = self.state.borrow();
            Snapshot {
                account: Some(Box::new(state.account.clone())),
                connection: Some(state.connection.clone()),
                chats: state.chats.iter().map(|(chat, _)| chat.clone()).collect(),
                engine: 1,
            }
        };
        self.say(News::Snapshot(snapshot));
    }

    fn stage(&self, stage: Stage) {
        self.state.borrow_mut().account.stage = stage.into();
        let account = self.state.borrow().account.clone();
        self.say(News::Account(account));
    }

    fn hear(self: Rc<Self>, action: Action) -> u64 {
        let tag = self.tags.get() + 1;
        self.tags.set(tag);
        later(30, move || self.answer(tag, action));
        tag
    }

    fn answer(self: Rc<Self>, tag: u64, action: Action) {
        let mut done = Done { tag, ..Done::default() };
        match action {
            Action::SignIn(sign_in) if sign_in.identifier == "taken" => done.issue = Issue::IdentifierTaken.into(),
            Action::SignIn(sign_in) => {
                self.state.borrow_mut().account.identifier = sign_in.identifier;
                self.stage(Stage::SignedIn);
            }
            Action::Enlist(_) => {
                self.stage(Stage::Enlisting);
                let engine = self.clone();
                later(1500, move || {
                    engine.state.borrow_mut().connection = connection(ConnectionState::Online);
                    engine.state.borrow_mut().account = account(Stage::Enlisted);
                    engine.snapshot();
                });
            }
            Action::SignOut(_) => self.stage(Stage::SignedOut),
            Action::SignedIn(_) => done.issue = Issue::SignInNeeded.into(),
            Action::HideText(choice) => {
                self.state.borrow_mut().account.hide_text = choice.hide;
                self.snapshot();
            }
            Action::SupportLog(_) => done.log = "version 0.0.0\nstage 3\n\nseconds ago, event\n12 logged in\n".into(),
            // What service workers ask for.
            Action::Woken(_) | Action::Notified(_) => {}
            Action::StartChat(start) => {
                done.chat = format!("{}@s.whatsapp.net", start.phone.replace(|char: char| !char.is_ascii_digit(), ""));
                let new = chat(&done.chat, &start.phone, "", locale::now());
                self.state.borrow_mut().chats.push((new.clone(), Vec::new()));
                self.say(News::Chat(new));
            }
            Action::OpenChat(open) => {
                let before = open.before.unwrap_or(u64::MAX);
                let all = self.messages(&open.chat);
                let older: Vec<_> = all.iter().filter(|message| message.seq < before).cloned().collect();
                let from = older.len().saturating_sub(usize::try_from(open.limit).unwrap_or(usize::MAX));
                let messages = older.into_iter().skip(from).collect();
                let page = MessagePage { chat: open.chat, messages, more: from > 0, tag };
                return self.say(News::MessagePage(page));
            }
            Action::Send(send) if send.text == "fail" => done.issue = Issue::StorageFull.into(),
            Action::Send(send) => {
                let seq = self.messages(&send.chat).last().map_or(1, |last| last.seq + 1);
                let mut mine = text(seq, true, &send.text, locale::now(), Delivery::Queued);
                self.put(&send.chat, mine.clone());
                for (delay, delivery) in [(500, Delivery::Sent), (1200, Delivery::Delivered), (2500, Delivery::Read)] {
                    mine.delivery = delivery.into();
                    let (engine, chat, mine) = (self.clone(), send.chat.clone(), mine.clone());
                    later(delay, move || engine.put(&chat, mine));
                }
                let echo = text(seq + 1000, false, &send.text, locale::now(), Delivery::Queued);
                let engine = self.clone();
                later(1800, move || engine.put(&send.chat, echo));
            }
            Action::MarkRead(read) => self.change(&read.chat, |chat| {
                chat.unread = 0;
                chat.read_up_to = read.up_to;
            }),
            Action::SaveDraft(draft) => self.change(&draft.chat, |chat| chat.draft = draft.text),
            Action::Discard(gone) => {
                if let Some((_, messages)) = self.state.borrow_mut().chats.iter_mut().find(|(c, _)| c.id == gone.chat) {
                    messages.retain(|message| message.seq != gone.seq);
                }
                self.say(News::Messages(Messages { chat: gone.chat, removed: vec![gone.seq], ..Messages::default() }));
            }
            Action::Reconnect(_) => {
                self.state.borrow_mut().connection = connection(ConnectionState::Online);
                self.snapshot();
            }
            Action::Erase(_) => {
                *self.state.borrow_mut() = state("account");
                self.snapshot();
            }
            Action::Export(export) => {
                let mut piece = BackupPiece { tag, bytes: vec![7; 1000], progress: 400, ..BackupPiece::default() };
                self.say(News::BackupPiece(piece.clone()));
                let engine = self.clone();
                return later(1500, move || {
                    piece = BackupPiece { at: 1000, last: true, progress: 1000, ..piece };
                    engine.say(News::BackupPiece(piece));
                    let now = locale::now();
                    let moved_at = if export.hand_over { now } else { 0 };
                    engine.state.borrow_mut().account.backup = Some(BackupView { made_at: now, moved_at });
                    engine.stage(Stage::Enlisted);
                    engine.say(News::Done(done));
                });
            }
            Action::Restore(piece) if piece.passphrase == "wrong" => done.issue = Issue::BackupLocked.into(),
            Action::Restore(piece) if piece.at + length(&piece.piece) < piece.total => {}
            Action::Restore(_) => {
                *self.state.borrow_mut() = state("");
                self.snapshot();
            }
            Action::ContinueHere(_) => {
                self.state.borrow_mut().account.backup = None;
                self.state.borrow_mut().connection = connection(ConnectionState::Online);
                self.snapshot();
            }
            Action::Retry(_) | Action::Hello(_) => {}
        }
        self.say(News::Done(done));
    }

    fn messages(&self, chat: &str) -> Vec<MessageView> {
        let state = self.state.borrow();
        state.chats.iter().find(|(view, _)| view.id == chat).map(|(_, all)| all.clone()).unwrap_or_default()
    }

    fn change(&self, chat: &str, change: impl FnOnce(&mut ChatView)) {
        let changed = self.state.borrow_mut().chats.iter_mut().find(|(view, _)| view.id == chat).map(|(view, _)| {
            change(view);
            view.clone()
        });
        if let Some(changed) = changed {
            self.say(News::Chat(changed));
        }
    }

    fn put(&self, chat: &str, message: MessageView) {
        if let Some((_, all)) = self.state.borrow_mut().chats.iter_mut().find(|(view, _)| view.id == chat) {
            all.retain(|held| held.seq != message.seq);
            all.push(message.clone());
            all.sort_by_key(|held| held.seq);
        }
        let last = self.messages(chat).last().cloned();
        self.change(chat, |view| {
            view.active_at = last.as_ref().map_or(0, |last| last.at);
            view.unread += u32::from(!message.outgoing);
            view.last = last;
        });
        self.say(News::Messages(Messages { chat: chat.into(), messages: vec![message], ..Messages::default() }));
    }
}

fn length<T>(items: &[T]) -> u64 {
    u64::try_from(items.len()).unwrap_or(u64::MAX)
}

fn later(millis: u64, action: impl FnOnce() + 'static) {
    spawn(async move {
        clock::sleep(Millis(millis)).await;
        action();
    });
}

fn state(scene: &str) -> State {
    let enlisted = |state| (account(Stage::Enlisted), connection(state), conversations());
    let enlisted_but = |state, issue: Issue| {
        let connection = ConnectionView { issue: issue.into(), ..connection(state) };
        (account(Stage::Enlisted), connection, conversations())
    };
    let (account, connection, chats) = match scene {
        "account" => {
            (AccountView { partner: "Nordlicht".into(), ..Default::default() }, Default::default(), Vec::new())
        }
        "sharing" => (account(Stage::SignedIn), Default::default(), Vec::new()),
        "elsewhere" => (elsewhere(Stage::SignedIn, 0), Default::default(), Vec::new()),
        "lost" => (elsewhere(Stage::SignedIn, locale::now()), Default::default(), Vec::new()),
        "moved" => {
            let moved = ConnectionView { issue: Issue::MovedElsewhere.into(), ..connection(ConnectionState::Stopped) };
            (elsewhere(Stage::Enlisted, 0), moved, conversations())
        }
        "enlisting" => (account(Stage::Enlisting), Default::default(), Vec::new()),
        "empty" => (account(Stage::Enlisted), connection(ConnectionState::Online), Vec::new()),
        "odd" => (account(Stage::Enlisted), connection(ConnectionState::Online), odd_conversations()),
        "offline" => enlisted(ConnectionState::Waiting),
        "reading" => enlisted(ConnectionState::Draining),
        "handed-over" => {
            let backup = Some(BackupView { made_at: 0, moved_at: locale::now() - MINUTE });
            let issue = Issue::MovedElsewhere.into();
            let connection = ConnectionView { issue, ..connection(ConnectionState::Stopped) };
            (AccountView { backup, ..account(Stage::Enlisted) }, connection, conversations())
        }
        "stopped" => enlisted(ConnectionState::Stopped),
        "full" => enlisted_but(ConnectionState::Waiting, Issue::StorageFull),
        "unsaved" => enlisted_but(ConnectionState::Waiting, Issue::StorageFailed),
        "row" => enlisted_but(ConnectionState::Online, Issue::StorageDamaged),
        _ => enlisted(ConnectionState::Online),
    };
    State { account, connection, chats }
}

fn account(stage: Stage) -> AccountView {
    AccountView {
        stage: stage.into(),
        identifier: "alice".into(),
        login: "1-10853634039893@interop".into(),
        identity_key: "05a1f6c29b0d7e4483b1c95d20e67fa8914c3b5de07f2a6b88c1d4935e7a0f1b2c".into(),
        registration_id: 11_873,
        protocol_version: "2.3000.0".into(),
        client_version: "0.1.0".into(),
        partner: "Nordlicht".into(),
        prekeys_on_server: Some(92),
        unknown_stanzas: 2,
        max_text_bytes: 4096,
        elsewhere_since: 0,
        lost_at: 0,
        backup: None,
        hide_text: false,
        signs_in_elsewhere: false,
        passkeys: true,
    }
}

fn elsewhere(stage: Stage, lost_at: u64) -> AccountView {
    AccountView { elsewhere_since: locale::now() - 2 * DAY, lost_at, ..account(stage) }
}

fn connection(state: ConnectionState) -> ConnectionView {
    let now = locale::now();
    ConnectionView {
        state: state.into(),
        retry_at: now + 25_000,
        issue: if state == ConnectionState::Stopped { Issue::SignInNeeded } else { Issue::None }.into(),
        synced_at: now - 2 * MINUTE,
        pending: 12,
    }
}

fn chat(id: &str, address: &str, name: &str, active_at: u64) -> ChatView {
    ChatView { id: id.into(), address: address.into(), name: name.into(), active_at, ..ChatView::default() }
}

fn text(seq: u64, outgoing: bool, says: &str, at: u64, delivery: Delivery) -> MessageView {
    MessageView { seq, outgoing, text: says.into(), at, delivery: delivery.into(), ..MessageView::default() }
}

fn conversations() -> Vec<(ChatView, Vec<MessageView>)> {
    let now = locale::now();
    let mut anna: Vec<MessageView> = (1..=300)
        .map(|seq| {
            let outgoing = seq % 3 == 0;
            let says = format!(
                "An older message, number {seq}. {}",
                "It goes on for a while. ".repeat(usize::try_from(seq % 4).unwrap_or_default())
            );
            text(seq, outgoing, &says, now - 3 * DAY - (300 - seq) * 20 * MINUTE, Delivery::Read)
        })
        .collect();
    let said = [
        (false, "Are you still coming on Saturday?", DAY + 3 * MINUTE, Delivery::Read),
        (true, "Yes! I’ll take the 9:40 and should be there before noon.", DAY, Delivery::Read),
        (true, "Shall I bring anything?", DAY - MINUTE, Delivery::Read),
        (false, "Just yourself :)", 50 * MINUTE, Delivery::Read),
        (
            false,
            "We meet at the old harbour first, then walk along the causeway when the tide is out. Here is the \
             timetable: https://tides.example/holm?day=saturday (check it, it changes every day).\n\nWarm clothes!",
            49 * MINUTE,
            Delivery::Read,
        ),
        (true, "Perfect, thank you.", 47 * MINUTE, Delivery::Read),
        (true, "I checked: low water is at 13:20, so we have all afternoon.", 46 * MINUTE, Delivery::Delivered),
        (true, "See you!", 9 * MINUTE, Delivery::Sent),
        (true, "Oh, and could you send me the address of the café again?", 2 * MINUTE, Delivery::Queued),
    ];
    for (outgoing, says, ago, delivery) in said {
        anna.push(text(length(&anna) + 1, outgoing, says, now - ago, delivery));
    }
    let mut failed = text(400, true, "And the parking, if you know it", now - MINUTE, Delivery::Failed);
    failed.issue = Issue::MessageRefused.into();
    anna.push(failed);
    let odd = |seq, kind: MessageKind, says: &str| MessageView {
        kind: kind.into(),
        ..text(seq, false, says, now - 3 * MINUTE, Delivery::Queued)
    };
    let bo = vec![
        text(1, false, "Hi, new phone!", now - 5 * MINUTE, Delivery::Queued),
        odd(2, MessageKind::IdentityChanged, ""),
        odd(3, MessageKind::Unsupported, "image"),
        odd(4, MessageKind::Undecryptable, ""),
        text(5, false, "Can you read this?", now - 3 * MINUTE, Delivery::Queued),
        text(6, false, "سلام، چطوری؟", now - 2 * MINUTE, Delivery::Queued),
    ];
    let long = vec![text(1, false, "Minutes of the meeting are attached below", now - DAY, Delivery::Queued)];
    let code = "482910573620194857261038475610293847561029384756102938475610";
    let mut chats = vec![
        (chat(ANNA, "+49 1511 2345678", "Anna Sørensen", now - MINUTE), anna),
        (
            ChatView {
                unread: 2,
                read_up_to: 4,
                ..chat("2@s.whatsapp.net", "+45 20 12 34 56", "Bo", now - 2 * MINUTE)
            },
            bo,
        ),
        (
            chat(
                "3@s.whatsapp.net",
                "+31 6 12345678",
                "Chairwoman of the allotment association, section north",
                now - DAY,
            ),
            long,
        ),
        (
            ChatView {
                draft: "I wanted to ask".into(),
                ..chat("4@s.whatsapp.net", "+33 6 12 34 56 78", "", now - 9 * DAY)
            },
            Vec::new(),
        ),
    ];
    for (view, messages) in &mut chats {
        view.last = messages.last().cloned();
        if !messages.is_empty() {
            view.security_code = code.into();
        }
    }
    chats
}

/// Names and texts that are hard to show: long, turned, invisible, of the future.
fn odd_conversations() -> Vec<(ChatView, Vec<MessageView>)> {
    let now = locale::now();
    let texts = [
        format!("a{}", "\u{35C}\u{30D}\u{488}".repeat(20)),
        "ที่".repeat(60),
        "\u{20DD}".repeat(40),
        "Hello\nשלום 3 items (x)\nand (y)".to_owned(),
        "\n\n  hi \n\n".to_owned(),
        "\u{200B}".to_owned(),
        "https://a.example/x。谢谢（https://a.example）https://www.аррӏе.com/中国".to_owned(),
        format!("http://a{}", ")".repeat(65_000)),
        "line\n".repeat(500),
    ];
    let messages = (1..).zip(&texts).map(|(seq, says)| text(seq, seq % 4 == 0, says, now - MINUTE, Delivery::Read));
    let mut odd: Vec<_> = messages.collect();
    for (seq, at) in (10..).zip([now - 3 * DAY, now + 400 * DAY, now - 3 * DAY, now - 2 * DAY, now]) {
        odd.push(text(seq, false, "What day is it?", at, Delivery::Read));
    }
    let names = ["Bob\u{202E}", "\u{200B}", "+49 30 123456", "דוד", &format!("Z{}", "\u{35C}\u{30D}".repeat(40))];
    let chats = (1..).zip(names).map(|(number, name): (u64, &str)| {
        let id = format!("{number}@s.whatsapp.net");
        let view = chat(&id, &format!("+49 1511 000000{number}"), name, now - number * MINUTE);
        (ChatView { last: odd.last().cloned(), ..view }, odd.clone())
    });
    chats.collect()
}
