//! The engine routes inputs to the modules that decide, and turns their changes into transactions.
//!
//! [`handle`](Engine::handle) takes one input, [`poll`](Engine::poll) returns outputs until [`Output::Idle`]. Stanzas
//! and commands wait in one queue; the task at its head runs as soon as the rows that it needs are in memory. Its
//! changes and effects gather in the group commit and become one transaction as soon as none is in progress.
//!
//! What this module does not know: sockets, the database, the clock. A driver carries out the outputs.
//!
//! ```
//! # use causeway::engine::{Config, Engine};
//! # use causeway::io::{Input, Output, UnixMillis};
//! # use causeway::view::{News, Stage};
//! # use causeway_proto::secret::Secret;
//! # use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
//! let config = Config { data_key: Secret::new([7; 32]), client_version: "1.0.0".into(), partner_api: String::new() };
//! let mut engine = Engine::new(config);
//! let mut rng = ChaCha8Rng::seed_from_u64(1);
//!
//! // One input, then every output until `Idle`. The first output is a read of the store.
//! engine.handle(Input::Started, UnixMillis(1_000), &mut rng);
//! let Output::Load(id, queries) = engine.poll() else { panic!("an engine starts with a read") };
//! while !matches!(engine.poll(), Output::Idle(_)) {}
//!
//! // The store of a fresh browser is empty: no rows for any query. The engine then shows what pages need.
//! engine.handle(Input::Loaded(id, Ok(vec![vec![]; queries.len()])), UnixMillis(1_001), &mut rng);
//! let mut stage = None;
//! loop {
//!     match engine.poll() {
//!         Output::Update(update) => {
//!             if let Some(News::Snapshot(snapshot)) = update.news {
//!                 stage = snapshot.account.map(|account| account.stage());
//!             }
//!         }
//!         Output::Idle(_) => break,
//!         _ => {}
//!     }
//! }
//! assert_eq!(stage, Some(Stage::SignedOut));
//! ```

mod apply_backup;
mod backup_issue;
mod command;
mod commit;
mod connect;
mod export;
mod join;
mod load;
mod make_backup;
mod queue;
mod repair;
mod replace;
mod restore;
mod show;
mod stanza;
mod state;
mod support_log;
mod wake;
mod work;

pub use state::{Config, Engine};

use crate::channel;
use crate::chat;
use crate::enlist::Reason;
use crate::id::EngineId;
use crate::io::{HttpFailure, Input, Millis, Output, UnixMillis};
use crate::store::records::boot_queries;
use crate::trace;
use crate::view::{Action, Command, ConnectionState, Issue};
use causeway_proto::curve;
use connect::Cause;
use export::Export;
use queue::Task;
use rand_core::CryptoRng;
use state::{Phase, Read};

/// Largest backward step of the clock that counts as an adjustment, in milliseconds. A larger one restarts the timers.
const ADJUSTMENT: Millis = Millis(1_000);

impl Engine {
    /// Handles one input at time `now`. Drain [`poll`](Self::poll) before the next input.
    pub fn handle(&mut self, input: Input, now: UnixMillis, rng: &mut dyn CryptoRng) {
        if self.phase == Phase::Closed {
            return;
        }
        if now.after(ADJUSTMENT) < self.last_now {
            self.channel.clock_set_back(now, rng);
            if self.phase == Phase::Ready {
                self.with_context(now, rng, |_, cx| chat::take_back_the_future(cx));
            }
        }
        self.last_now = now;
        // Not a response to what the boot requested.
        if !matches!(input, Input::Loaded(..) | Input::Answered(..) | Input::Computed(..)) {
            self.flush_later = false;
        }
        match input {
            Input::Started => {
                curve::prepare();
                self.load(Read::Boot, boot_queries());
            }
            Input::Opened(socket) => self.channel.opened(socket, now, rng),
            Input::Received(socket, bytes) => self.channel.received(socket, &bytes, now, rng),
            Input::Closed(socket) => self.channel.closed(socket, now, rng),
            Input::Loaded(id, result) => self.loaded(id, result, now, rng),
            Input::Committed(transaction) => {
                // A successful write clears a full or failing disk, but repairs no damaged row.
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
                if let Some(request) = self.http_requests.answered(id) {
                    self.answered(request, answer, now, rng);
                }
            }
            Input::Computed(id, result) => self.computed(id, result, now, rng),
            Input::Elapsed => {
                for request in self.http_requests.overdue(now) {
                    self.answered(request, Err(HttpFailure::Unreachable), now, rng);
                }
                self.channel.elapsed(now, rng);
                self.outbox.elapsed(now);
                // Its rows may have to be read first: until then no timer is asked for again.
                if self.channel.is_caught_up() && self.outbox.take_expired(now) {
                    self.queue.push(Task::Expire);
                }
                if self.channel.is_live() {
                    for purpose in self.iqs.overdue(now) {
                        self.trace.note(now, trace::Event::IqTimeout);
                        self.with_context(now, rng, |modules, cx| modules.sessions.timed_out(cx, purpose));
                    }
                }
            }
            Input::NetworkBack => {
                if self.channel.retry_at().is_some() {
                    self.connect(Cause::Automatic, now, rng);
                }
            }
            // When an engine starts, pages resend every command without a response, in order; earlier ones are dropped.
            Input::Command(command) if self.phase == Phase::Ready && self.is_meant(&command) => {
                self.queue.push(Task::Command(command));
            }
            Input::Command(_) => {}
        }
        self.settle(now, rng);
    }

    /// Takes the next output; [`Output::Idle`] when there is none.
    pub fn poll(&mut self) -> Output {
        self.out.pop_front().unwrap_or_else(|| Output::Idle(self.wake_at()))
    }

    fn wake_at(&self) -> Option<UnixMillis> {
        // Report no retry time while connecting is impossible; the driver would busy-loop.
        let channel = match self.channel.retry_at() {
            Some(_) if !self.may_connect() => None,
            _ => self.channel.wake_at(),
        };
        let outbox = self.outbox.wake_at(self.channel.is_caught_up());
        [channel, outbox, self.iqs.wake_at(), self.http_requests.wake_at()].into_iter().flatten().min()
    }

    fn is_meant(&self, command: &Command) -> bool {
        let engine = EngineId::named(command.engine);
        engine.is_none() || engine == self.engine_id || matches!(command.action, Some(Action::Hello(_)))
    }

    /// Runs until nothing more can be done: channel events, the queue, the outbox, the group.
    fn settle(&mut self, now: UnixMillis, rng: &mut dyn CryptoRng) {
        self.drain_channel(now, rng);
        if self.phase == Phase::Ready && self.channel.retry_at().is_some_and(|at| at <= now) {
            self.connect(Cause::Automatic, now, rng);
        }
        loop {
            if self.phase == Phase::Ready {
                self.work(now, rng);
                self.drain_channel(now, rng);
                self.complete_wakes();
            }
            self.show_connection();
            if self.phase == Phase::Ready && !self.export.as_ref().is_some_and(Export::is_reading) {
                self.flush(now, rng);
                self.drain_channel(now, rng);
                if self.export.is_some() && !self.group_commit.is_writing() {
                    self.begin_export(now);
                    if self.export.is_none() {
                        // It could not be started: tasks that waited for it continue.
                        continue;
                    }
                }
            }
            if !self.has_more_to_do() {
                break;
            }
        }
    }

    fn drain_channel(&mut self, now: UnixMillis, rng: &mut dyn CryptoRng) {
        while let Some(event) = self.channel.event() {
            match event {
                channel::Event::Stanza(stanza, weight) => self.queue.push(Task::Stanza(stanza, weight)),
                channel::Event::LoggedIn => {
                    self.trace.note(now, trace::Event::LoggedIn);
                    self.iqs.clear();
                    self.with_context(now, rng, |modules, cx| {
                        modules.sessions.logged_in(cx);
                        modules.outbox.reset(cx);
                    });
                }
                channel::Event::Paused if self.batch_left > 0 && self.queue.is_empty() => self.ask_for_batch(now, rng),
                channel::Event::Paused => {}
                channel::Event::Lost => {
                    self.trace.note(now, trace::Event::Disconnected(self.channel.issue().into()));
                    self.queue.forget_stanzas();
                    self.pending = 0;
                    self.batch_left = 0;
                    self.iqs.clear();
                    self.sessions.lost();
                    self.with_context(now, rng, |modules, cx| modules.outbox.reset(cx));
                    self.note_replaced();
                    // Refused or replaced: possibly because the account moved to another browser.
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
}
