//! The page's connection to the engine, in whichever tab the engine runs: sends commands, receives updates.
//!
//! The engine may stop in one tab and start in another at any moment. A command is kept here until the engine reports
//! it done, and is sent again when an engine starts; its tag keeps it from having a second effect. Every command names
//! the engine that it is meant for. Otherwise a command in flight during start-up could overtake commands that pages
//! must resend.
//!
//! A page that is left, or loaded again, leaves what a person wrote and no engine has confirmed to the next page of its
//! tab. That page gives it to the engine, and shows drafts among it before the engine does: an engine that starts tells
//! of its chats before it takes commands.
//!
//! While a command is unanswered, the client sends a liveness probe every second. An engine that does not answer,
//! although that only requires its worker to run its event loop, is frozen or stuck; then another worker must lead.
//!
//! What this module does not know: what the commands and the updates mean.

use crate::carried_commands;
use crate::port::channel::{Channel, ChannelError};
use crate::port::events::{Return, Returns};
use crate::port::rng::{self, NoRandomness};
use crate::port::{clock, spawn};
use causeway::io::Millis;
use causeway::protobuf::Message;
use causeway::view::{Action, Command, Hello, Issue, News, SaveDraft, Update};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::{Rc, Weak};
use zeroize::Zeroizing;

/// From the pages to the engine.
pub const COMMANDS: &str = "causeway-commands";
/// From the engine to the pages.
pub const UPDATES: &str = "causeway-updates";
/// A liveness probe in place of a command; it does not decode as one. The leader answers with an empty update.
pub const ASK: &[u8] = &[0];
/// A hint in place of a command: a page was brought to the front, or the network is back. No command is empty.
pub const WAKE: &[u8] = &[];

/// Interval between liveness probes while a command is unanswered.
const TICK: Millis = Millis(1_000);
/// A tick that took longer than this means that the page itself was frozen, or that the machine is overloaded.
const LONGEST_TICK: Millis = Millis(5_000);
/// Number of unanswered probes after which a time-out is reported.
const MOST_TICKS: u32 = 3;

/// Most commands that are kept, more than a person can type while no engine answers. Past it the oldest is dropped.
const MOST_UNANSWERED: usize = 10_000;

/// The page cannot reach any engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EngineClientError {
    /// No channel between tabs.
    #[error(transparent)]
    Channel(#[from] ChannelError),
    /// No randomness for tags.
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
}

/// A handle; clones share the connection.
#[derive(Clone)]
pub struct EngineClient(Rc<Inner>);

struct Inner {
    /// Absent only while the client is being made: the two channels and the closures between them know each other.
    ends: RefCell<Option<Ends>>,
    unanswered: RefCell<Unanswered>,
    /// The engine of the last update that named one.
    engine: Cell<Option<u64>>,
    /// An update has arrived since the last tick.
    heard: Cell<bool>,
    /// The liveness probe runs.
    watched: Cell<bool>,
    /// The page is being left: what is sent now must outlive it.
    leaving: Cell<bool>,
    /// Tags of the commands of the tab's former page.
    carried: Vec<u64>,
    on_timeout: Box<dyn Fn()>,
}

/// Kept alive for as long as updates may come.
struct Ends {
    commands: Channel,
    _updates: Channel,
    _returns: Returns,
}

impl EngineClient {
    /// Joins, and asks whichever engine runs for a snapshot. `on_update` gets everything that engines say from now on;
    /// `on_timeout` is called, again and again, while something is unanswered and no engine gives a sign of life.
    ///
    /// # Errors
    /// [`EngineClientError`] when this browser cannot run the client.
    pub fn connect(
        on_update: impl Fn(Update) + 'static,
        on_timeout: impl Fn() + 'static,
    ) -> Result<Self, EngineClientError> {
        let carried = carried_commands::take();
        let inner = Rc::new(Inner {
            ends: RefCell::new(None),
            carried: carried.iter().map(|(tag, _)| *tag).collect(),
            unanswered: RefCell::new(Unanswered(carried.into())),
            leaving: Cell::new(false),
            engine: Cell::new(None),
            heard: Cell::new(false),
            watched: Cell::new(false),
            on_timeout: Box::new(on_timeout),
        });
        rng::open()?;
        let commands = Channel::speaking_only(COMMANDS)?;
        let updates = Channel::open(UPDATES, {
            let inner = Rc::downgrade(&inner);
            move |bytes| {
                let (Some(inner), Ok(mut update)) = (inner.upgrade(), Update::decode(bytes.as_slice())) else { return };
                inner.heard.set(true);
                let refused = inner.refused_message(&update);
                let observed = inner.unanswered.borrow_mut().observe(&update);
                inner.unanswered.borrow().put_drafts(&inner.carried, &mut update);
                // Commands that the page sends because of this update are sent again below, if an engine has just
                // started.
                on_update(update);
                if let Some(draft) = refused {
                    inner.give(Action::SaveDraft(draft));
                }
                let Observed { engine: Some(engine), started } = observed else { return };
                let another = inner.engine.replace(Some(engine)) != Some(engine);
                if started {
                    inner.greet();
                }
                if started || another {
                    inner.resend();
                }
            }
        })?;
        let returns = Returns::listen({
            let inner = Rc::downgrade(&inner);
            move |what| {
                let Some(inner) = inner.upgrade() else { return };
                if what == Return::Left {
                    inner.leaving.set(true);
                    return carried_commands::keep(inner.unanswered.borrow().commands());
                }
                inner.post(WAKE);
                if what == Return::Shown {
                    if inner.leaving.replace(false) {
                        carried_commands::forget();
                    }
                    inner.greet();
                    inner.resend();
                }
            }
        });
        *inner.ends.borrow_mut() = Some(Ends { commands, _updates: updates, _returns: returns });
        if !inner.carried.is_empty() {
            inner.watch();
        }
        inner.greet();
        Ok(Self(inner))
    }

    /// Sends a command and keeps it until it is done. The tag comes back in [`causeway::view::Done`].
    pub fn send(&self, action: Action) -> u64 {
        self.0.give(action)
    }
}

impl EngineClient {
    /// Drops a command whose answer is not needed any more: it is not sent again.
    pub fn withdraw(&self, tag: u64) {
        self.0.unanswered.borrow_mut().forget(tag);
    }
}

impl Inner {
    /// Sends a command and keeps it until it is done. Returns its tag.
    fn give(self: &Rc<Self>, action: Action) -> u64 {
        // Randomness was proven in `connect`.
        let tag = rng::tag().unwrap_or_default();
        let command = Zeroizing::new(Command { tag, action: Some(action), ..Command::default() }.encode_to_vec());
        self.send(&command);
        self.unanswered.borrow_mut().keep(tag, command);
        if self.leaving.get() {
            carried_commands::keep(self.unanswered.borrow().commands());
        }
        self.watch();
        tag
    }

    fn watch(self: &Rc<Self>) {
        if !self.watched.replace(true) {
            spawn(watch(Rc::downgrade(self)));
        }
    }

    /// The text of a message of the tab's former page that the engine refuses: no other page has it any more, so it
    /// becomes a draft.
    fn refused_message(&self, update: &Update) -> Option<SaveDraft> {
        let Some(News::Done(done)) = &update.news else { return None };
        if done.issue() == Issue::None || !self.carried.contains(&done.tag) {
            return None;
        }
        match self.unanswered.borrow().action(done.tag)? {
            Action::Send(message) => Some(SaveDraft { chat: message.chat, text: message.text }),
            _ => None,
        }
    }

    fn post(&self, message: &[u8]) {
        if let Some(ends) = &*self.ends.borrow() {
            ends.commands.send(message);
        }
    }

    /// Asks the engine for a snapshot, which names it.
    fn greet(&self) {
        let tag = rng::tag().unwrap_or_default();
        self.post(&Command { tag, action: Some(Action::Hello(Hello {})), ..Command::default() }.encode_to_vec());
    }

    /// Sends the unanswered commands again.
    fn resend(&self) {
        for command in self.unanswered.borrow().commands() {
            self.send(command);
        }
    }

    /// Sends a command to the engine that is known; before any is, the command waits with the others.
    fn send(&self, command: &[u8]) {
        if let Some(engine) = self.engine.get() {
            self.post(&addressed(command, engine));
        }
    }
}

/// The encoded command, with the engine's name put in. Fields of a protobuf message may come in any order.
fn addressed(command: &[u8], engine: u64) -> Zeroizing<Vec<u8>> {
    let name = Command { engine, ..Command::default() };
    let mut bytes = Zeroizing::new(Vec::with_capacity(command.len() + name.encoded_len()));
    bytes.extend_from_slice(command);
    bytes.extend(name.encode_to_vec());
    bytes
}

/// Probes the engine for as long as a command is unanswered.
async fn watch(inner: Weak<Inner>) {
    let mut timeouts = TimeoutCounter::default();
    let mut before = clock::now();
    loop {
        clock::sleep(TICK).await;
        let Some(inner) = inner.upgrade() else { return };
        if inner.unanswered.borrow().0.is_empty() {
            inner.watched.set(false);
            return;
        }
        let now = clock::now();
        if timeouts.tick(inner.heard.replace(false), now.since(before)) {
            (inner.on_timeout)();
        }
        before = now;
        inner.post(ASK);
    }
}

/// Counts unanswered probes in a row.
#[derive(Default)]
struct TimeoutCounter(u32);

impl TimeoutCounter {
    /// A tick has passed and `took` this long. Returns whether to report a time-out.
    fn tick(&mut self, heard: bool, took: Millis) -> bool {
        self.0 = if heard || took > LONGEST_TICK { 0 } else { self.0 + 1 };
        let silent = self.0 > MOST_TICKS;
        if silent {
            self.0 = 0;
        }
        silent
    }
}

/// Commands without an answer, in the order in which they were given.
#[derive(Default)]
struct Unanswered(VecDeque<(u64, Zeroizing<Vec<u8>>)>);

/// What an update means for the client.
#[derive(Debug, Default, PartialEq, Eq)]
struct Observed {
    /// The engine's name, if the update has it.
    engine: Option<u64>,
    /// It has just started.
    started: bool,
}

impl Unanswered {
    fn keep(&mut self, tag: u64, command: Zeroizing<Vec<u8>>) {
        if self.0.len() >= MOST_UNANSWERED {
            self.0.pop_front();
        }
        self.0.push_back((tag, command));
    }

    fn observe(&mut self, update: &Update) -> Observed {
        let answered = match &update.news {
            Some(News::Started(started)) => return Observed { engine: Some(started.engine), started: true },
            Some(News::Snapshot(snapshot)) => return Observed { engine: Some(snapshot.engine), started: false },
            Some(News::Done(done)) => done.tag,
            Some(News::MessagePage(thread)) => thread.tag,
            _ => return Observed::default(),
        };
        self.forget(answered);
        Observed::default()
    }

    fn forget(&mut self, tag: u64) {
        self.0.retain(|(kept, _)| *kept != tag);
    }

    /// What a command without an answer asks for.
    fn action(&self, tag: u64) -> Option<Action> {
        let (_, command) = self.0.iter().find(|(kept, _)| *kept == tag)?;
        Command::decode(command.as_slice()).ok()?.action
    }

    /// Puts the drafts among the commands of these tags into the rows of their chats, the last one of each: the composer
    /// takes its draft from the first row that it sees.
    fn put_drafts(&self, tags: &[u64], update: &mut Update) {
        let chats = match &mut update.news {
            Some(News::Snapshot(snapshot)) => snapshot.chats.as_mut_slice(),
            Some(News::Chat(chat)) => core::slice::from_mut(chat),
            _ => return,
        };
        for tag in tags {
            if let Some(Action::SaveDraft(draft)) = self.action(*tag)
                && let Some(chat) = chats.iter_mut().find(|chat| chat.id == draft.chat)
            {
                chat.draft = draft.text;
            }
        }
    }

    fn commands(&self) -> impl Iterator<Item = &[u8]> {
        self.0.iter().map(|(_, command)| command.as_slice())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use causeway::view::{ChatView, Done, MessagePage, Snapshot, Started};

    fn three() -> Unanswered {
        let mut unanswered = Unanswered::default();
        for tag in [7, 3, 5] {
            unanswered.keep(tag, Zeroizing::new(vec![u8::try_from(tag).unwrap()]));
        }
        unanswered
    }

    #[test]
    fn an_engine_that_starts_gets_every_unanswered_command_in_order() {
        let mut unanswered = three();
        let started = unanswered.observe(&News::Started(Started { engine: 9 }).into());
        assert_eq!(started, Observed { engine: Some(9), started: true });
        assert_eq!(unanswered.commands().collect::<Vec<_>>(), [[7], [3], [5]]);
    }

    #[test]
    fn an_answer_ends_only_its_own_command() {
        let mut unanswered = three();
        unanswered.observe(&News::Done(Done { tag: 3, ..Done::default() }).into());
        unanswered.observe(&News::Done(Done { tag: 99, ..Done::default() }).into());
        unanswered.observe(&News::MessagePage(MessagePage { tag: 5, ..MessagePage::default() }).into());
        assert_eq!(unanswered.commands().collect::<Vec<_>>(), [[7]]);
    }

    #[test]
    fn a_row_shows_the_last_draft_that_the_former_page_left_until_it_is_answered() {
        let mut unanswered = Unanswered::default();
        for (tag, chat, text) in [(7, "a", ""), (3, "a", "newer"), (5, "b", "of this page")] {
            let draft = Action::SaveDraft(SaveDraft { chat: chat.to_owned(), text: text.to_owned() });
            let command = Command { tag, action: Some(draft), ..Command::default() };
            unanswered.keep(tag, Zeroizing::new(command.encode_to_vec()));
        }
        let chat = |id: &str, draft: &str| ChatView { id: id.into(), draft: draft.into(), ..ChatView::default() };
        let shown = |unanswered: &Unanswered, news: News| {
            let mut update = Update::from(news);
            unanswered.put_drafts(&[7, 3], &mut update);
            update.news
        };
        let snapshot = |draft| {
            News::Snapshot(Snapshot { chats: vec![chat("b", "kept"), chat("a", draft)], ..Snapshot::default() })
        };
        assert_eq!(shown(&unanswered, snapshot("older")), Some(snapshot("newer")));
        assert_eq!(shown(&unanswered, News::Chat(chat("a", ""))), Some(News::Chat(chat("a", "newer"))));
        unanswered.observe(&News::Done(Done { tag: 7, ..Done::default() }).into());
        unanswered.observe(&News::Done(Done { tag: 3, ..Done::default() }).into());
        assert_eq!(shown(&unanswered, snapshot("newest")), Some(snapshot("newest")));
    }

    #[test]
    fn a_command_carries_the_name_of_its_engine() {
        let command = Command { tag: 7, action: Some(Action::Hello(Hello {})), ..Command::default() };
        let bytes = addressed(&command.encode_to_vec(), u64::MAX);
        assert_eq!(Command::decode(bytes.as_slice()), Ok(Command { engine: u64::MAX, ..command }));
    }

    #[test]
    fn four_ticks_without_an_update_are_a_timeout_and_any_update_resets_it() {
        let mut timeouts = TimeoutCounter::default();
        assert_eq!([false; 4].map(|heard| timeouts.tick(heard, TICK)), [false, false, false, true]);
        assert_eq!([false, false, true, false, false].map(|heard| timeouts.tick(heard, TICK)), [false; 5]);
    }

    #[test]
    fn a_page_that_was_frozen_itself_reports_no_timeout() {
        let mut timeouts = TimeoutCounter::default();
        assert_eq!([TICK, TICK, TICK, Millis(60_000), TICK, TICK].map(|took| timeouts.tick(false, took)), [false; 6]);
    }

    #[test]
    fn probes_and_hints_are_no_commands() {
        assert!(Command::decode(ASK).is_err());
        assert_eq!(Command::decode(WAKE).map(|command| command.action), Ok(None));
    }

    #[test]
    fn the_oldest_command_is_dropped_when_there_are_too_many() {
        let mut unanswered = Unanswered::default();
        for tag in 0..=u64::try_from(MOST_UNANSWERED).unwrap() {
            unanswered.keep(tag, Zeroizing::new(vec![]));
        }
        assert_eq!(unanswered.0.len(), MOST_UNANSWERED);
        assert_eq!(unanswered.0.front().map(|(tag, _)| *tag), Some(1));
    }
}
