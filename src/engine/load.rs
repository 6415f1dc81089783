//! Reads from the store, the first one included.

use super::commit::issue_of;
use super::connect::Cause;
use super::join::join_queries;
use super::queue::Task;
use super::state::{Engine, Phase, Read};
use crate::chat;
use crate::enlist::Reason;
use crate::id::{EngineId, Order};
use crate::io::{LoadId, Output, StopReason, StoreFailure, UnixMillis};
use crate::peer;
use crate::store::account::Account;
use crate::store::changes::{Query, Rows, Table};
use crate::store::records::{Records, boot_queries, whole};
use crate::store::row_key;
use crate::trace::Event;
use crate::view::{Issue, News, Stage, Started};
use rand_core::CryptoRng;

impl Engine {
    pub(super) fn load(&mut self, read: Read, queries: Vec<Query>) {
        let id = self.reads.insert(read);
        self.out.push_back(Output::Load(id, queries));
    }

    pub(super) fn loaded(
        &mut self,
        id: LoadId,
        result: Result<Rows, StoreFailure>,
        now: UnixMillis,
        rng: &mut dyn CryptoRng,
    ) {
        let Some(read) = self.reads.remove(id) else { return };
        if matches!(read, Read::Export) && result != Err(StoreFailure::Superseded) {
            return self.exported(result, now);
        }
        let rows = match result {
            Ok(rows) => rows,
            Err(StoreFailure::Superseded) => return self.close(StopReason::Superseded, now, rng),
            Err(failure) => {
                self.trace.note(now, Event::StoreFailed);
                return self.read_failed(read, failure);
            }
        };
        match read {
            Read::Boot => self.boot(&rows, now, rng),
            Read::Rows(queries) => {
                self.queue.retry();
                if let Err(damaged) = self.records.loaded(&queries, &rows, &self.sealer) {
                    self.trace.note(now, Event::RowDamaged(damaged.table().number()));
                    self.storage = Issue::StorageDamaged;
                }
            }
            Read::MessagePage { tag, open } => self.message_page(tag, open, rows),
            Read::Join(_) => self.joins.loaded(rows),
            Read::Sessions => self.renew(rows, now, rng),
            Read::Repair { empty } => self.begin(empty, rows, now, rng),
            Read::Export => {}
        }
    }

    /// A read failed: shows the issue and issues the same read again.
    pub(super) fn read_failed(&mut self, read: Read, failure: StoreFailure) {
        self.storage = issue_of(failure);
        match read {
            Read::Boot => self.load(Read::Boot, boot_queries()),
            Read::Rows(queries) => self.load(Read::Rows(queries.clone()), queries),
            Read::MessagePage { tag, open } => self.open_chat(tag, open),
            Read::Join(from) => {
                let queries = join_queries(&from);
                self.load(Read::Join(from), queries);
            }
            Read::Sessions => self.load(Read::Sessions, vec![whole(Table::Session)]),
            Read::Repair { empty } => self.load(Read::Repair { empty }, self.repair_queries()),
            Read::Export => {}
        }
    }

    pub(super) fn boot(&mut self, rows: &Rows, now: UnixMillis, rng: &mut dyn CryptoRng) {
        let empty = rows.first().is_none_or(Vec::is_empty);
        let (records, damaged) = Records::boot(rows, &self.sealer);
        for row in &damaged {
            self.trace.note(now, Event::RowDamaged(row.table().number()));
        }
        self.records = records;
        self.engine_id = Some(EngineId::random(rng));
        if damaged.iter().any(|row| row.table() == Table::Account) {
            // Nothing may be written: a fresh account row would overwrite keys that may still be recoverable.
            self.storage = Issue::AccountDamaged;
            self.channel.stop(Issue::AccountDamaged, now, rng);
            self.drain_channel(now, rng);
            self.out.push_back(Output::Update(News::Started(Started { engine: self.engine_number() }).into()));
            return self.show_connection();
        }
        if !damaged.is_empty() {
            self.storage = Issue::StorageDamaged;
            let queries = self.repair_queries();
            if !queries.is_empty() {
                return self.load(Read::Repair { empty }, queries);
            }
        }
        self.begin(empty, Rows::new(), now, rng);
    }

    /// Everything is in memory, and what the repair of damaged rows needs: from here on the engine handles inputs.
    fn begin(&mut self, empty: bool, repair: Rows, now: UnixMillis, rng: &mut dyn CryptoRng) {
        self.phase = Phase::Ready;
        self.trace.note(now, Event::Started);
        let is_damaged = self.storage == Issue::StorageDamaged;
        self.repair(repair, now, rng);
        self.with_context(now, rng, |modules, cx| {
            peer::adopt(cx);
            chat::take_back_the_future(cx);
            modules.outbox.reset(cx);
        });
        self.find_joins();
        let kept: Vec<Order> = self.records.opened.iter().filter_map(|(key, _)| row_key::order_of(key)).collect();
        for order in kept.into_iter().rev() {
            self.queue.push_front(Task::Apply(order));
        }
        self.out.push_back(Output::Update(News::Started(Started { engine: self.engine_number() }).into()));
        for update in self.snapshot() {
            // What was repaired is shown when it is durable.
            match is_damaged {
                true => self.group_commit.show(update),
                false => self.out.push_back(Output::Update(update)),
            }
        }
        self.note_replaced();
        let Account { stage, replaced, .. } = *self.records.account();
        match stage {
            Stage::Enlisted if replaced => self.channel.stop(Issue::Replaced, now, rng),
            Stage::Enlisted if self.channel.retry_at().is_none() => self.connect(Cause::Automatic, now, rng),
            Stage::Enlisted => {}
            stage => {
                // The sign-in page shows the provider's name, and whether the account is in use in another browser.
                let deployment = self.enlistment.request_deployment(&self.partner_api);
                self.send_request(deployment);
                if empty || stage == Stage::SignedIn {
                    self.refresh_account(if empty { Reason::Empty } else { Reason::Refresh });
                }
            }
        }
    }
}
