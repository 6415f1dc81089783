//! A page and its user. Updates go through the real page's model (`web/src/state`); commands are sent again under the
//! same tag when an engine starts, as the real page's link does (`web/src/engine_client.rs`).
//!
//! Must not know workers, time and the store.

use crate::seeded_rng::SeededRng;
use crate::state::model::{self, Change, Model};
use causeway::view::{
    Action, Command, ConnectionState, Delivery, Enlist, Hello, Issue, MAX_RETRIES, MarkRead, MessageKind, MessageRef,
    News, Notified, OpenChat, Reconnect, SaveDraft, Send, SignIn, Stage, StartChat, Update, Woken,
};

/// Messages of one request. Small, so that history is paged.
pub(crate) const PAGE: u32 = 25;

/// State of a text that the user has sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SendState {
    /// The page has no answer yet.
    Asked,
    /// The engine has confirmed it.
    Kept,
    /// The engine has refused it.
    Refused,
    /// The page was closed before the answer.
    Unknown,
}

/// A text that the user has sent.
#[derive(Debug)]
pub(crate) struct Attempt {
    pub(crate) tag: u64,
    pub(crate) chat: String,
    pub(crate) text: String,
    pub(crate) state: SendState,
    /// Number of engine instances that got the command.
    pub(crate) posted: u32,
}

/// The page.
pub(crate) struct Page {
    pub(crate) model: Model,
    pub(crate) attempts: Vec<Attempt>,
    /// Number of texts that the user will still send.
    pub(crate) texts_left: u64,
    /// The engine that sent the last update; 0 before the first.
    engine: u64,
    unanswered: Vec<Command>,
    rng: SeededRng,
}

impl Page {
    pub(crate) fn new(rng: SeededRng, texts_left: u64) -> Self {
        Self { model: Model::default(), attempts: Vec::new(), texts_left, engine: 0, unanswered: Vec::new(), rng }
    }

    /// Whether every command has its answer.
    pub(crate) fn is_answered(&self) -> bool {
        self.unanswered.is_empty()
    }

    /// Closes and reopens the page: pending commands and the model are dropped.
    pub(crate) fn reload(&mut self) -> Vec<Command> {
        for attempt in &mut self.attempts {
            if attempt.state == SendState::Asked {
                attempt.state = SendState::Unknown;
            }
        }
        self.model = Model::default();
        self.engine = 0;
        self.unanswered.clear();
        vec![self.hello()]
    }

    fn hello(&mut self) -> Command {
        Command { tag: self.tag(), action: Some(Action::Hello(Hello {})), ..Command::default() }
    }

    fn tag(&mut self) -> u64 {
        self.rng.below(u64::MAX)
    }

    /// Makes a command that is repeated until it is answered. Without an engine it is not sent yet.
    pub(crate) fn ask(&mut self, action: Action) -> Command {
        let tag = self.tag();
        if let Action::OpenChat(open) = &action {
            self.model.asked(tag, open);
        }
        let command = Command { tag, action: Some(action), engine: self.engine };
        self.unanswered.push(command.clone());
        command
    }

    fn resend_commands(&mut self, engine: u64) -> Vec<Command> {
        self.engine = engine;
        self.unanswered.iter_mut().for_each(|command| command.engine = engine);
        self.unanswered.clone()
    }

    /// Applies an update. Returns the page's next commands.
    pub(crate) fn update(&mut self, update: Update) -> Vec<Command> {
        let mut asked = Vec::new();
        match &update.news {
            Some(News::Started(started)) => {
                asked.push(self.hello());
                asked.extend(self.resend_commands(started.engine));
            }
            Some(News::Snapshot(snapshot)) if snapshot.engine != self.engine => {
                asked.extend(self.resend_commands(snapshot.engine));
            }
            Some(News::Done(done)) => {
                self.unanswered.retain(|command| command.tag != done.tag);
                if let Some(attempt) = self.attempts.iter_mut().find(|attempt| attempt.tag == done.tag) {
                    let kept = done.issue() == Issue::None;
                    if !kept && attempt.state != SendState::Refused {
                        self.texts_left += 1;
                    }
                    attempt.state = if kept { SendState::Kept } else { SendState::Refused };
                }
            }
            Some(News::MessagePage(thread)) => self.unanswered.retain(|command| command.tag != thread.tag),
            _ => {}
        }
        let mut wanted = Vec::new();
        for change in model::apply(&mut self.model, update, u64::MAX) {
            match change {
                Change::Stale | Change::Order => {
                    let stale = change == Change::Stale;
                    if stale {
                        let withdrawn = self.model.take_withdrawn();
                        self.unanswered.retain(|command| !withdrawn.contains(&command.tag));
                    }
                    for chat in self.model.chats() {
                        if stale || self.model.thread(&chat.id).is_none() {
                            wanted.push((chat.id.clone(), None));
                        }
                    }
                }
                Change::Thread(chat) => {
                    let thread = self.model.thread(&chat);
                    if let Some(before) = thread.filter(|thread| thread.more()).and_then(|thread| thread.oldest()) {
                        wanted.push((chat, Some(before)));
                    }
                }
                _ => {}
            }
        }
        for (chat, before) in wanted {
            let open = OpenChat { chat: chat.clone(), before, limit: PAGE, text_from: None };
            let under_way = |command: &Command| command.action == Some(Action::OpenChat(open.clone()));
            if before.is_some() && self.unanswered.iter().any(under_way) {
                continue;
            }
            self.model.open(&chat);
            asked.push(self.ask(Action::OpenChat(open)));
        }
        asked
    }

    /// The user's action in the chat with this number.
    pub(crate) fn act(&mut self, number: &str, seed: u64) -> Vec<Command> {
        let id = format!("{number}@s.whatsapp.net");
        let Some(chat) = self.model.chat(&id) else {
            return vec![self.ask(Action::StartChat(StartChat { phone: format!("+{number}") }))];
        };
        let newest = chat.last.as_ref().map_or(0, |last| last.seq);
        let mut commands = Vec::new();
        match self.rng.below(12) {
            0..=2 => commands.push(self.ask(Action::MarkRead(MarkRead { chat: id, up_to: newest }))),
            3 => {
                let text = format!("draft {}", self.rng.below(100));
                commands.push(self.ask(Action::SaveDraft(SaveDraft { chat: id, text })));
            }
            // What the service worker sends when a push comes, and when it has shown a notification.
            4 => commands.push(self.ask(Action::Woken(Woken {}))),
            5 => commands.push(self.ask(Action::Notified(Notified { chat: id, up_to: newest }))),
            _ if self.texts_left > 0 => {
                self.texts_left -= 1;
                let text = format!("alice {seed}/{}", self.attempts.len());
                let command = self.ask(Action::Send(Send { chat: id.clone(), text: text.clone() }));
                let tag = command.tag;
                self.attempts.push(Attempt { tag, chat: id, text, state: SendState::Asked, posted: 0 });
                commands.push(command);
            }
            _ => {}
        }
        commands
    }

    /// The user's repairs: signs in, enlists, reconnects. With `faults_ended`, failed messages are retried.
    pub(crate) fn care(&mut self, faults_ended: bool) -> Vec<Command> {
        let mut commands = Vec::new();
        let asked = |page: &Self, like: fn(&Action) -> bool| {
            page.unanswered.iter().filter_map(|command| command.action.as_ref()).any(like)
        };
        let Some(account) = &self.model.account else { return vec![self.hello()] };
        let stage = account.stage();
        let stopped = self.model.connection.state() == ConnectionState::Stopped;
        let issue = self.model.connection.issue();
        if stage == Stage::SignedOut || (stopped && issue == Issue::SignInNeeded) {
            if !asked(self, |action| matches!(action, Action::SignIn(_))) {
                let sign_in =
                    SignIn { identifier: "alice".to_owned(), password: "correct horse".to_owned(), create: true };
                commands.push(self.ask(Action::SignIn(sign_in)));
            }
        } else if stage == Stage::SignedIn || (stopped && matches!(issue, Issue::LoginRefused | Issue::NotEnlisted)) {
            if !asked(self, |action| matches!(action, Action::Enlist(_))) {
                commands.push(self.ask(Action::Enlist(Enlist::default())));
            }
        } else if stopped && !asked(self, |action| matches!(action, Action::Reconnect(_))) {
            commands.push(self.ask(Action::Reconnect(Reconnect {})));
        }
        if faults_ended {
            let again: Vec<Action> = self
                .model
                .chats()
                .iter()
                .filter_map(|chat| Some((chat, self.model.thread(&chat.id)?)))
                .flat_map(|(chat, thread)| thread.messages().iter().map(move |message| (chat, message)))
                .filter(|(_, message)| {
                    message.delivery() == Delivery::Failed
                        || (message.kind() == MessageKind::Undecryptable && message.asked > MAX_RETRIES)
                })
                .map(|(chat, message)| Action::Retry(MessageRef { chat: chat.id.clone(), seq: message.seq }))
                .filter(|action| !self.unanswered.iter().any(|command| command.action.as_ref() == Some(action)))
                .collect();
            commands.extend(again.into_iter().map(|action| self.ask(action)));
        }
        commands
    }

    /// A command reaches an engine.
    pub(crate) fn reached(&mut self, tag: u64) {
        if let Some(attempt) = self.attempts.iter_mut().find(|attempt| attempt.tag == tag) {
            attempt.posted += 1;
        }
    }
}
