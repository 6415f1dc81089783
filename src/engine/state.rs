//! The engine's state, and the context that it lends to modules.

use super::export::Export;
use super::queue::Queue;
use super::restore::Restoring;
use crate::backup::kdf::{Argon2Cost, Keys};
use crate::channel::Channel;
use crate::compute::{Computation, ComputeFailure, Computed};
use crate::context::Context;
use crate::enlist::Enlistment;
use crate::http_requests::HttpRequests;
use crate::id::{CommandTag, EngineId};
use crate::io::{ComputationId, LoadId, Output, UnixMillis};
use crate::iq::PendingIqs;
use crate::model::{ChatId, PeerId};
use crate::outbox::Outbox;
use crate::pending::Pending;
use crate::push::WakeRequests;
use crate::session::Sessions;
use crate::sorted_map::SortedMap;
use crate::sorted_set::SortedSet;
use crate::store::changes::{Query, Rows};
use crate::store::group_commit::GroupCommit;
use crate::store::records::Records;
use crate::store::seal::Sealer;
use crate::trace::Trace;
use crate::view::{ConnectionView, Done, Issue, News, OpenChat, Update};
use causeway_proto::secret::Secret;
use causeway_proto::signal::PublicKey;
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

/// The security code of a chat, and the peer's identities that it was computed from.
#[derive(Debug, Default)]
pub(super) struct SecurityCode {
    pub(super) identities: Vec<PublicKey>,
    pub(super) code: String,
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
    pub(super) reads: Pending<LoadId, Read>,
    pub(super) http_requests: HttpRequests,
    pub(super) last_load: LoadId,
    pub(super) last_computation: ComputationId,
    pub(super) last_now: UnixMillis,
    /// Drawn at each boot: commands for an earlier engine are ignored.
    pub(super) engine_id: Option<EngineId>,
    pub(super) security_codes: SortedMap<ChatId, Box<SecurityCode>>,
    pub(super) pending: u32,
    /// Messages left of the requested mailbox batch; 0 when none was requested.
    pub(super) batch_left: u32,
    /// Chats that a page has opened: only their messages are sent to pages.
    pub(super) opened: SortedSet<ChatId>,
    pub(super) shown: Option<ConnectionView>,
    pub(super) storage: Issue,
    /// A transaction failed: what the boot after it changes is written with the next event. Otherwise boots and failures
    /// would follow each other without end.
    pub(super) flush_later: bool,
    pub(super) argon2_cost: Argon2Cost,
    pub(super) wake_requests: WakeRequests,
    pub(super) export: Option<Export>,
    pub(super) restoring: Option<Restoring>,
    /// Keys of a file that is to be restored, for the command with this tag.
    pub(super) restore_keys: Option<(CommandTag, Result<Keys, ComputeFailure>)>,
    pub(super) computations: Pending<ComputationId, Purpose>,
    /// Rows that are moved next, as the store has them.
    pub(super) joined_rows: Option<Rows>,
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
            reads: Pending::default(),
            http_requests: HttpRequests::default(),
            last_load: LoadId::default(),
            last_computation: ComputationId::default(),
            last_now: UnixMillis(0),
            engine_id: None,
            security_codes: SortedMap::default(),
            pending: 0,
            batch_left: 0,
            opened: SortedSet::default(),
            shown: None,
            storage: Issue::None,
            flush_later: false,
            argon2_cost: Argon2Cost::default(),
            wake_requests: WakeRequests::default(),
            export: None,
            restoring: None,
            restore_keys: None,
            computations: Pending::default(),
            joined_rows: None,
            out: VecDeque::new(),
            iqs: PendingIqs::default(),
            trace: Trace::default(),
        }
    }

    /// Sets the cost of deriving a key from a backup passphrase, for new backups.
    #[must_use]
    pub fn with_argon2_cost(mut self, argon2_cost: Argon2Cost) -> Self {
        self.argon2_cost = argon2_cost;
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
        self.last_computation = self.last_computation.next();
        self.computations.insert(self.last_computation, purpose);
        self.out.push_back(Output::Compute(self.last_computation, computation));
    }

    pub(super) fn computed(
        &mut self,
        id: ComputationId,
        result: Result<Computed, ComputeFailure>,
        now: UnixMillis,
        rng: &mut dyn CryptoRng,
    ) {
        let Some((_, purpose)) = self.computations.remove(&id) else { return };
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
