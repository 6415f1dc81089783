//! The engine: one value, two verbs. It routes; the rooms decide.
//!
//! [`handle`](Engine::handle) takes one input, [`poll`](Engine::poll) gives outputs until it answers
//! [`Output::Idle`]. Stanzas and commands wait in one queue; the one at its head runs as soon as the rows it needs are in
//! memory. What it changes gathers in the ledger and becomes one transaction as soon as none is under way.

mod apply_backup;
mod backup_issue;
mod command;
mod commit;
mod connect;
mod export;
mod load;
mod make_backup;
mod queue;
mod restore;
mod show;
mod stanza;
mod state;
mod wake;
mod work;

pub use state::{Config, Engine};

use crate::channel;
use crate::enlist::Reason;
use crate::io::{Input, Millis, Output};
use crate::store::records::boot_queries;
use crate::view::{Action, Command, ConnectionState, Issue};
use causeway_proto::curve;
use export::Export;
use queue::Task;
use rand_core::CryptoRng;
use state::{Phase, Read};

/// Clocks are adjusted by less all the time; more than this back is a clock that was set.
const ADJUSTMENT: Millis = 1_000;

impl Engine {
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
            Input::Started => {
                curve::prepare();
                self.load(Read::Boot, boot_queries());
            }
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
        self.drain_channel(now, rng);
        if self.phase == Phase::Ready && self.channel.retry_at().is_some_and(|at| at <= now) {
            self.connect(now, rng);
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

    fn drain_channel(&mut self, now: Millis, rng: &mut dyn CryptoRng) {
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
}
