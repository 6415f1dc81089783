//! The engine: one value, two verbs. It routes; the rooms decide.
//!
//! [`handle`](Engine::handle) takes one input, [`poll`](Engine::poll) gives outputs until it answers
//! [`Output::Idle`]. Stanzas and commands wait in one queue; the one at its head runs as soon as the rows it needs are in
//! memory. What it changes gathers in the ledger and becomes one transaction as soon as none is under way.

mod command;
mod connect;
mod export;
mod queue;
mod restore;
mod show;
mod stanza;
mod wake;

use crate::backup::kdf::Argon2Cost;
use crate::channel::{self, Channel};
use crate::context::Context;
use crate::enlist::{ApiRequest, Enlistment, Reason};
use crate::io::{Input, LoadId, Millis, Output, RequestId, StopReason, StoreFailure};
use crate::outbox::Outbox;
use crate::pending::Pending;
use crate::push::WakeRequests;
use crate::session::{self, Sessions};
use crate::store::changes::{Query, Rows, Table};
use crate::store::group_commit::{Effect, GroupCommit};
use crate::store::records::{Records, boot_queries, whole};
use crate::store::seal::Sealer;
use crate::view::{Action, Command, ConnectionState, ConnectionView, Issue, News, OpenChat, Stage, Started, Update};
use causeway_proto::secret::Secret;
use export::Export;
use queue::{Queue, Task};
use rand_core::CryptoRng;
use restore::Restoring;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Clocks are adjusted by less all the time; more than this back is a clock that was set.
const ADJUSTMENT: Millis = 1_000;

/// What an engine is made of.
#[derive(Debug)]
pub struct Config {
    /// Opens and seals rows.
    pub data_key: Secret<32>,
    /// Version of this build, for the settings page.
    pub client_version: String,
    /// Base URL of the partner server's API; empty for the page's own origin.
    pub partner_api: String,
}

/// What a read is for.
#[derive(Debug)]
enum Read {
    Boot,
    Rows(Vec<Query>),
    MessagePage { tag: u64, open: OpenChat },
    Export,
    Sessions,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The store has not been read.
    Booting,
    /// At work.
    Ready,
    /// The account row is damaged, or another engine has taken over: nothing is written any more.
    Closed,
}

/// The client core.
pub struct Engine {
    client_version: String,
    partner_api: String,
    sealer: Sealer,
    phase: Phase,
    records: Records,
    group_commit: GroupCommit,
    channel: Channel,
    enlistment: Enlistment,
    sessions: Sessions,
    outbox: Outbox,
    queue: Queue,
    reads: Pending<LoadId, Read>,
    api_requests: Pending<RequestId, ApiRequest>,
    last_id: u64,
    last_now: Millis,
    /// Drawn at each boot: what pages said to the engine of before is not meant for this one.
    engine_id: u64,
    security_codes: BTreeMap<String, (Vec<u8>, String)>,
    pending: u32,
    /// Messages of the mailbox until the next batch must be asked for; 0 when none was asked for.
    batch_left: u32,
    /// Chats whose messages a page asked for: the others' are not sent to pages.
    opened: BTreeSet<String>,
    shown: Option<ConnectionView>,
    storage: Issue,
    argon2_cost: Argon2Cost,
    wake_requests: WakeRequests,
    export: Option<Export>,
    restoring: Option<Restoring>,
    out: VecDeque<Output>,
}

impl Engine {
    /// An engine that has read nothing yet: send [`Input::Started`].
    pub fn new(config: Config) -> Self {
        Self {
            client_version: config.client_version,
            partner_api: config.partner_api,
            sealer: Sealer::new(&config.data_key),
            phase: Phase::Booting,
            records: Records::default(),
            group_commit: GroupCommit::default(),
            channel: Channel::default(),
            enlistment: Enlistment::default(),
            sessions: Sessions::default(),
            outbox: Outbox::default(),
            queue: Queue::default(),
            reads: Pending::default(),
            api_requests: Pending::default(),
            last_id: 0,
            last_now: 0,
            engine_id: 0,
            security_codes: BTreeMap::new(),
            pending: 0,
            batch_left: 0,
            opened: BTreeSet::new(),
            shown: None,
            storage: Issue::None,
            argon2_cost: Argon2Cost::default(),
            wake_requests: WakeRequests::default(),
            export: None,
            restoring: None,
            out: VecDeque::new(),
        }
    }

    /// The same engine with another price of a guess at a backup's passphrase.
    #[must_use]
    pub fn with_argon2_cost(mut self, argon2_cost: Argon2Cost) -> Self {
        self.argon2_cost = argon2_cost;
        self
    }

    /// Something happened. Drain [`poll`](Self::poll) before the next input.
    pub fn handle(&mut self, input: Input, now: Millis, rng: &mut dyn CryptoRng) {
        if self.phase == Phase::Closed {
            return;
        }
        if now.saturating_add(ADJUSTMENT) < self.last_now {
            self.channel.clock_set_back(now, rng);
        }
        self.last_now = now;
        match input {
            Input::Started => self.load(Read::Boot, boot_queries()),
            Input::Opened(socket) => self.channel.opened(socket, now, rng),
            Input::Received(socket, bytes) => self.channel.received(socket, &bytes, now, rng),
            Input::Closed(socket) => self.channel.closed(socket, now, rng),
            Input::Loaded(id, result) => self.loaded(id, result, now, rng),
            Input::Committed(transaction) => {
                // A write that works disproves a full or failing disk, but mends no damaged row.
                if self.storage != Issue::StorageDamaged {
                    self.storage = Issue::None;
                }
                if let Some(effects) = self.group_commit.committed(transaction) {
                    self.records.written();
                    self.queue.retry();
                    self.release(effects, now, rng);
                }
            }
            Input::Aborted(transaction, failure) => self.aborted(transaction, failure, now, rng),
            Input::Answered(id, answer) => {
                if let Some((_, kind)) = self.api_requests.remove(&id) {
                    let outcome =
                        self.with_context(now, rng, |modules, cx| modules.enlistment.answered(cx, kind, answer));
                    self.proceed(outcome, now, rng);
                }
            }
            Input::Elapsed => {
                self.channel.elapsed(now, rng);
                self.outbox.elapsed(now);
                if self.channel.is_live() {
                    self.with_context(now, rng, |modules, cx| modules.sessions.elapsed(cx));
                }
            }
            Input::NetworkBack => {
                if self.channel.retry_at().is_some() {
                    self.connect(now, rng);
                }
            }
            // Pages say everything that was not answered again, and in its order, when they hear that an engine has started.
            Input::Command(command) if self.phase == Phase::Ready && self.is_meant(&command) => {
                self.queue.push(Task::Command(command));
            }
            Input::Command(_) => {}
        }
        self.settle(now, rng);
    }

    /// The next thing to do; [`Output::Idle`] when there is nothing more.
    pub fn poll(&mut self) -> Output {
        self.out.pop_front().unwrap_or_else(|| Output::Idle(self.wake_at()))
    }

    fn wake_at(&self) -> Option<Millis> {
        // A moment at which nothing could be done would be asked for again and again.
        let channel = match self.channel.retry_at() {
            Some(_) if !self.may_connect() => None,
            _ => self.channel.wake_at(),
        };
        [channel, self.outbox.wake_at(), self.sessions.wake_at()].into_iter().flatten().min()
    }

    fn is_meant(&self, command: &Command) -> bool {
        let to_anybody = command.engine == 0 || matches!(command.action, Some(Action::Hello(_)));
        to_anybody || command.engine == self.engine_id
    }

    /// Brings everything to rest: the channel's news, the queue, the outbox, the group.
    fn settle(&mut self, now: Millis, rng: &mut dyn CryptoRng) {
        self.channel_news(now, rng);
        if self.phase == Phase::Ready && self.channel.retry_at().is_some_and(|at| at <= now) {
            self.connect(now, rng);
        }
        loop {
            if self.phase == Phase::Ready {
                self.work(now, rng);
                self.channel_news(now, rng);
                self.complete_wakes();
            }
            self.show_connection();
            if self.phase == Phase::Ready && !self.export.as_ref().is_some_and(Export::is_reading) {
                self.flush(now, rng);
                self.channel_news(now, rng);
                if self.export.is_some() && !self.group_commit.is_writing() {
                    self.begin_export(now, rng);
                    if self.export.is_none() {
                        // It could not be begun: what waited for it goes on.
                        continue;
                    }
                }
            }
            if !self.has_more_to_do() {
                break;
            }
        }
    }

    fn channel_news(&mut self, now: Millis, rng: &mut dyn CryptoRng) {
        while let Some(event) = self.channel.event() {
            match event {
                channel::Event::Stanza(stanza) => self.queue.push(Task::Stanza(stanza)),
                channel::Event::LoggedIn => self.with_context(now, rng, |modules, cx| {
                    modules.sessions.logged_in(cx);
                    modules.outbox.reset(cx);
                }),
                channel::Event::Paused if self.batch_left > 0 && self.queue.is_empty() => self.ask_for_batch(now, rng),
                channel::Event::Paused => {}
                channel::Event::Lost => {
                    self.queue.forget_stanzas();
                    self.pending = 0;
                    self.batch_left = 0;
                    self.sessions.lost();
                    self.with_context(now, rng, |modules, cx| modules.outbox.reset(cx));
                    // Refused or put aside: perhaps by another browser that has become the account's.
                    if self.channel.view() == ConnectionState::Stopped
                        && matches!(self.channel.issue(), Issue::Replaced | Issue::LoginRefused | Issue::NotEnlisted)
                    {
                        self.refresh_account(Reason::Refresh);
                    }
                    self.wake_lost(now, rng);
                }
            }
        }
        while let Some(output) = self.channel.output() {
            self.out.push_back(output);
        }
    }

    /// Makes the gathered group a transaction, or releases it at once if it changed nothing.
    fn flush(&mut self, now: Millis, rng: &mut dyn CryptoRng) {
        if self.waits_for_many() {
            return;
        }
        while let Some(group) = self.group_commit.take_group() {
            self.queue.close_group();
            if group.is_empty() && !self.records.is_dirty() {
                if self.reads.is_empty() {
                    self.records.trim();
                }
                return;
            }
            let effects = self.effects_of(group);
            if !self.records.is_dirty() {
                self.release(effects, now, rng);
                continue;
            }
            match self.records.take_changes(&self.sealer, rng) {
                Ok(changes) => {
                    let transaction = self.group_commit.begin(effects);
                    self.out.push_back(Output::Commit(transaction, changes));
                }
                Err(_) => self.restart(effects, Issue::StorageFailed, now, rng),
            }
            return;
        }
    }

    /// What stood on a transaction that is durable now.
    fn release(&mut self, effects: Vec<Effect>, now: Millis, rng: &mut dyn CryptoRng) {
        for effect in effects {
            match effect {
                Effect::Transmit(socket, node) => {
                    if self.channel.is_live() && self.channel.socket() == socket {
                        self.channel.transmit(&node, now, rng);
                    }
                }
                Effect::Upload(socket, iq, ids) => {
                    if self.channel.is_live()
                        && self.channel.socket() == socket
                        && let Some(node) = session::prekeys::upload(&self.records, &iq, &ids)
                    {
                        self.channel.transmit(&node, now, rng);
                    }
                }
                Effect::Update(mut update) => {
                    // The connection stands on nothing durable, and has been shown as it is now.
                    if let Some(News::Snapshot(snapshot)) = &mut update.news {
                        snapshot.connection = Some(self.connection_view());
                    }
                    self.out.push_back(Output::Update(*update));
                }
                Effect::Prepare => {
                    let partner = self.partner_api.clone();
                    let request = self.with_context(now, rng, |modules, cx| modules.enlistment.next(cx, &partner));
                    self.send_request(request);
                }
                Effect::Boot => self.load(Read::Boot, boot_queries()),
            }
        }
        self.channel_news(now, rng);
    }

    fn aborted(&mut self, transaction: u64, failure: StoreFailure, now: Millis, rng: &mut dyn CryptoRng) {
        let Some(lost) = self.group_commit.aborted(transaction) else { return };
        if failure == StoreFailure::Superseded {
            return self.close(StopReason::Superseded, now, rng);
        }
        self.restart(lost, issue_of(failure), now, rng);
    }

    /// Nothing in memory can be trusted to be durable: forget all of it, tell whose commands were lost, and begin again
    /// from the store. The server delivers again what was not acknowledged.
    fn restart(&mut self, lost: Vec<Effect>, issue: Issue, now: Millis, rng: &mut dyn CryptoRng) {
        for effect in lost {
            if let Effect::Update(update) = effect
                && let Some(News::Done(done)) = update.news
            {
                let done = crate::view::Done { issue: issue.into(), ..done };
                self.out.push_back(Output::Update(News::Done(done).into()));
            }
        }
        self.storage = issue;
        let waiting = self.wake_requests.answer();
        self.fail_wakes(waiting, issue);
        self.channel.postpone(issue, now, rng);
        self.channel_news(now, rng);
        if let Some(export) = self.export.take() {
            let done = crate::view::Done { tag: export.tag(), issue: issue.into(), ..Default::default() };
            self.out.push_back(Output::Update(News::Done(done).into()));
        }
        self.queue = Queue::default();
        self.forget();
        self.load(Read::Boot, boot_queries());
    }

    fn close(&mut self, reason: StopReason, now: Millis, rng: &mut dyn CryptoRng) {
        self.channel.stop(Issue::None, now, rng);
        self.channel_news(now, rng);
        self.phase = Phase::Closed;
        self.out.push_back(Output::Stop(reason));
    }

    fn load(&mut self, read: Read, queries: Vec<Query>) {
        self.last_id += 1;
        self.reads.insert(self.last_id, read);
        self.out.push_back(Output::Load(self.last_id, queries));
    }

    fn loaded(&mut self, id: LoadId, result: Result<Rows, StoreFailure>, now: Millis, rng: &mut dyn CryptoRng) {
        let Some((_, read)) = self.reads.remove(&id) else { return };
        if matches!(read, Read::Export) && result != Err(StoreFailure::Superseded) {
            return self.exported(result, now);
        }
        let rows = match result {
            Ok(rows) => rows,
            Err(StoreFailure::Superseded) => return self.close(StopReason::Superseded, now, rng),
            Err(failure) => return self.read_failed(read, failure),
        };
        match read {
            Read::Boot => self.boot(&rows, now, rng),
            Read::Rows(queries) => {
                self.queue.retry();
                if self.records.loaded(&queries, &rows, &self.sealer).is_err() {
                    self.storage = Issue::StorageDamaged;
                }
            }
            Read::MessagePage { tag, open } => self.message_page(tag, open, rows),
            Read::Sessions => self.renew(rows, now, rng),
            Read::Export => {}
        }
    }

    /// The store does not read: say so, and try the same again.
    fn read_failed(&mut self, read: Read, failure: StoreFailure) {
        self.storage = issue_of(failure);
        match read {
            Read::Boot => self.load(Read::Boot, boot_queries()),
            Read::Rows(queries) => self.load(Read::Rows(queries.clone()), queries),
            Read::MessagePage { tag, open } => self.open_chat(tag, open),
            Read::Sessions => self.load(Read::Sessions, vec![whole(Table::Session)]),
            Read::Export => {}
        }
    }

    fn boot(&mut self, rows: &Rows, now: Millis, rng: &mut dyn CryptoRng) {
        let empty = rows.first().is_none_or(Vec::is_empty);
        let (records, damaged) = Records::boot(rows, &self.sealer);
        self.records = records;
        self.engine_id = rng.next_u64().max(1);
        if damaged.iter().any(|row| row.table() == Table::Account) {
            // Without the account nothing may be written: a fresh account row would bury the keys that may still be saved.
            self.storage = Issue::AccountDamaged;
            self.channel.stop(Issue::AccountDamaged, now, rng);
            self.channel_news(now, rng);
            self.out.push_back(Output::Update(News::Started(Started { engine: self.engine_id }).into()));
            return self.show_connection();
        }
        if !damaged.is_empty() {
            self.storage = Issue::StorageDamaged;
        }
        self.phase = Phase::Ready;
        self.with_context(now, rng, |modules, cx| modules.outbox.reset(cx));
        self.out.push_back(Output::Update(News::Started(Started { engine: self.engine_id }).into()));
        let snapshot = self.snapshot();
        self.out.push_back(Output::Update(snapshot));
        match self.records.account().stage {
            Stage::Enlisted if self.channel.retry_at().is_none() => self.connect(now, rng),
            Stage::Enlisted => {}
            stage => {
                // A page that asks for a name wants to say at whose house, and whether the name is in use elsewhere.
                let deployment = self.enlistment.request_deployment(&self.partner_api);
                self.send_request(deployment);
                if empty || stage == Stage::SignedIn {
                    self.refresh_account(if empty { Reason::Empty } else { Reason::Refresh });
                }
            }
        }
    }

    /// Lets a room work.
    fn with_context<T>(
        &mut self,
        now: Millis,
        rng: &mut dyn CryptoRng,
        work: impl FnOnce(Modules<'_>, &mut Context<'_>) -> T,
    ) -> T {
        let socket = self.channel.socket();
        let mut cx = Context { now, rng, records: &mut self.records, group_commit: &mut self.group_commit, socket };
        let modules =
            Modules { enlistment: &mut self.enlistment, sessions: &mut self.sessions, outbox: &mut self.outbox };
        work(modules, &mut cx)
    }

    /// Answers a command that changed nothing.
    fn done(&mut self, tag: u64, issue: Issue) {
        let done = crate::view::Done { tag, issue: issue.into(), chat: String::new() };
        self.group_commit.show(Update::from(News::Done(done)));
    }
}

/// What a person is told of a store that failed.
fn issue_of(failure: StoreFailure) -> Issue {
    match failure {
        StoreFailure::QuotaExceeded => Issue::StorageFull,
        StoreFailure::Unavailable | StoreFailure::Superseded => Issue::StorageFailed,
    }
}

/// The rooms that keep something between inputs.
struct Modules<'a> {
    enlistment: &'a mut Enlistment,
    sessions: &'a mut Sessions,
    outbox: &'a mut Outbox,
}
