//! The engine's state, and the context that it lends to modules.

use super::backups::Backups;
use super::joins::Joins;
use super::mailbox::Mailbox;
use super::pages::Pages;
use super::queue::Queue;
use crate::backup::kdf::Argon2Cost;
use crate::channel::Channel;
use crate::compute::{Computation, ComputeFailure, Computed};
use crate::context::Context;
use crate::enlist::Enlistment;
use crate::http_requests::HttpRequests;
use crate::id::{CommandTag, EngineId};
use crate::io::{ComputationId, LoadId, Output, UnixMillis};
use crate::iq::PendingIqs;
use crate::model::PeerId;
use crate::outbox::Outbox;
use crate::pending::Numbered;
use crate::push::WakeRequests;
use crate::session::Sessions;
use crate::store::changes::Query;
use crate::store::group_commit::GroupCommit;
use crate::store::records::Records;
use crate::store::seal::Sealer;
use crate::trace::Trace;
use crate::view::{Done, Issue, News, OpenChat, Update};
use causeway_proto::secret::Secret;
use rand_core::CryptoRng;
use std::collections::VecDeque;

/// What an engine is created from.
#[derive(Debug)]
pub struct Config {
    /// Opens and seals rows.
    pub data_key: Secret<32>,
    /// Version of this build, for the settings page.
    pub client_version: String,
    /// Base URL of the partner server's API; empty for the page's own origin.
    pub partner_api: String,
}

/// Purpose of a read.
#[derive(Debug)]
pub(super) enum Read {
    Boot,
    Rows(Vec<Query>),
    /// What is needed to repair damaged rows; `empty`: the store had no account row.
    Repair {
        empty: bool,
    },
    MessagePage {
        tag: CommandTag,
        open: OpenChat,
    },
    /// Rows of this chat, which are to be moved.
    Join(PeerId),
    Export,
    Sessions,
}

/// Purpose of a computation.
#[derive(Debug)]
pub(super) enum Purpose {
    Export,
    Restore {
        /// Tag of the command that gave the first piece.
        tag: CommandTag,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// The store has not been read.
    Booting,
    /// Handles inputs.
    Ready,
    /// The account row is damaged, or another engine has taken over: inputs are ignored and nothing is written.
    Closed,
}

/// The client core.
pub struct Engine {
    pub(super) client_version: String,
    pub(super) partner_api: String,
    pub(super) sealer: Sealer,
    pub(super) phase: Phase,
    pub(super) records: Records,
    pub(super) group_commit: GroupCommit,
    pub(super) channel: Channel,
    pub(super) enlistment: Enlistment,
    pub(super) sessions: Sessions,
    pub(super) outbox: Outbox,
    pub(super) queue: Queue,
    pub(super) reads: Numbered<LoadId, Read>,
    pub(super) http_requests: HttpRequests,
    pub(super) last_now: UnixMillis,
    /// Drawn at each boot: commands for an earlier engine are ignored.
    pub(super) engine_id: Option<EngineId>,
    pub(super) mailbox: Mailbox,
    pub(super) pages: Pages,
    pub(super) storage: Issue,
    /// A transaction failed: what the boot after it changes is written with the next event. Otherwise boots and failures
    /// would follow each other without end.
    pub(super) flush_later: bool,
    pub(super) wake_requests: WakeRequests,
    pub(super) backups: Backups,
    pub(super) computations: Numbered<ComputationId, Purpose>,
    pub(super) joins: Joins,
    pub(super) out: VecDeque<Output>,
    pub(super) iqs: PendingIqs,
    pub(super) trace: Trace,
}

impl Engine {
    /// Creates an engine that has read nothing yet; its first input is [`Input::Started`](crate::io::Input::Started).
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
            reads: Numbered::default(),
            http_requests: HttpRequests::default(),
            last_now: UnixMillis(0),
            engine_id: None,
            mailbox: Mailbox::default(),
            pages: Pages::default(),
            storage: Issue::None,
            flush_later: false,
            wake_requests: WakeRequests::default(),
            backups: Backups::default(),
            computations: Numbered::default(),
            joins: Joins::default(),
            out: VecDeque::new(),
            iqs: PendingIqs::default(),
            trace: Trace::default(),
        }
    }

    /// Sets the cost of deriving a key from a backup passphrase, for new backups.
    #[must_use]
    pub fn with_argon2_cost(mut self, argon2_cost: Argon2Cost) -> Self {
        self.backups.argon2_cost = argon2_cost;
        self
    }

    /// Runs `work` with the modules that keep state and a context for this input.
    pub(super) fn with_context<T>(
        &mut self,
        now: UnixMillis,
        rng: &mut dyn CryptoRng,
        work: impl FnOnce(Modules<'_>, &mut Context<'_>) -> T,
    ) -> T {
        let socket = self.channel.socket();
        let mut cx = Context {
            now,
            rng,
            records: &mut self.records,
            group_commit: &mut self.group_commit,
            iqs: &mut self.iqs,
            trace: &mut self.trace,
            socket,
        };
        let modules =
            Modules { enlistment: &mut self.enlistment, sessions: &mut self.sessions, outbox: &mut self.outbox };
        work(modules, &mut cx)
    }

    /// The engine's id in messages to pages; before the first boot, when none is sent, it has none.
    pub(super) fn engine_number(&self) -> u64 {
        self.engine_id.map_or(0, EngineId::get)
    }

    pub(super) fn compute(&mut self, purpose: Purpose, computation: Computation) {
        let id = self.computations.insert(purpose);
        self.out.push_back(Output::Compute(id, computation));
    }

    pub(super) fn computed(
        &mut self,
        id: ComputationId,
        result: Result<Computed, ComputeFailure>,
        now: UnixMillis,
        rng: &mut dyn CryptoRng,
    ) {
        let Some(purpose) = self.computations.remove(id) else { return };
        let keys = result.map(|Computed::BackupKeys(keys)| keys);
        match purpose {
            Purpose::Export => self.export_keyed(keys, now, rng),
            Purpose::Restore { tag } => self.restore_keyed(tag, keys),
        }
    }

    /// Completes a command: its `Done` is sent when everything changed so far is durable.
    pub(super) fn done(&mut self, tag: CommandTag, issue: Issue) {
        let done = Done { tag: tag.0, issue: issue.into(), ..Done::default() };
        self.group_commit.show(Update::from(News::Done(done)));
    }
}

/// The modules that keep state between inputs.
pub(super) struct Modules<'a> {
    pub(super) enlistment: &'a mut Enlistment,
    pub(super) sessions: &'a mut Sessions,
    pub(super) outbox: &'a mut Outbox,
}
