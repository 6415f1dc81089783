//! Routes each stanza to the module that handles it.

use super::queue::Task;
use super::state::Engine;
use crate::id::Order;
use crate::inbox::{self, ApplyPlan, MalformedPlan, OpenPlan, ReceiptPlan};
use crate::model::{Opened, StanzaId};
use crate::peer;
use crate::session::{AnswerPlan, IdentityPlan, IqOutcome};
use crate::store::paged::NotLoaded;
use crate::store::records::Records;
use crate::store::row_key;
use crate::time::UnixMillis;
use crate::trace::Event;
use causeway_proto::jid::Jid;
use causeway_proto::node::Node;
use causeway_proto::stanza::{Ib, Incoming, Iq, IqKind, Notification, NotificationBody, Stanza, passive};
use rand_core::CryptoRng;

/// Bytes of an address or of an id, beyond which a stanza is kept as one of an unknown kind: both become keys of rows and
/// parts of every update.
const MAX_NAME: usize = 256;
/// Chats, all of which are in memory, beyond which strangers' messages are kept as stanzas of an unknown kind.
const MAX_CHATS: usize = 20_000;

/// Requests the rows that handling the stanza will need.
pub(super) fn prefetch(records: &Records, stanza: &Stanza) {
    match stanza {
        Stanza::Message(incoming) => inbox::prefetch(records, incoming),
        Stanza::Receipt(receipt, _) => inbox::prefetch_receipt(records, receipt),
        _ => {}
    }
}

/// The node of a stanza that names somebody, or something, by more than [`MAX_NAME`] bytes.
fn with_long_name(stanza: &Stanza) -> Option<&Node> {
    let long = |jid: &Jid| jid.user.len().saturating_add(jid.server.as_str().len()) > MAX_NAME;
    let (node, is_long) = match stanza {
        Stanza::Message(incoming) => (&incoming.node, long(&incoming.from) || incoming.id.len() > MAX_NAME),
        Stanza::Receipt(receipt, node) => {
            (node, long(&receipt.jid) || receipt.ids.iter().any(|id| id.len() > MAX_NAME))
        }
        Stanza::Notification(notification) => (&notification.node, long(&notification.from)),
        _ => return None,
    };
    is_long.then_some(node)
}

/// Whether the stanza was queued in the mailbox.
fn was_queued(stanza: &Stanza) -> bool {
    match stanza {
        Stanza::Message(incoming) => incoming.offline,
        Stanza::Receipt(_, node) => node.attr("offline").is_some(),
        Stanza::Notification(notification) => notification.node.attr("offline").is_some(),
        Stanza::Malformed { node, .. } | Stanza::Unknown(node) => node.attr("offline").is_some(),
        _ => false,
    }
}

impl Engine {
    pub(super) fn stanza(
        &mut self,
        stanza: &Stanza,
        now: UnixMillis,
        rng: &mut dyn CryptoRng,
    ) -> Result<(), NotLoaded> {
        self.route(stanza, now, rng)?;
        if was_queued(stanza) && self.mailbox.took_stanza() {
            self.ask_for_batch(now, rng);
        }
        Ok(())
    }

    /// Requests the next batch of the mailbox, once everything of the previous one is durable. This is the
    /// back-pressure: a browser cannot pause a socket, but the server sends no more than the requested number. If it
    /// sends fewer, the next batch is requested when it pauses.
    pub(super) fn ask_for_batch(&mut self, now: UnixMillis, rng: &mut dyn CryptoRng) {
        let offered = self.records.account().deployment.as_ref().map_or(100, |d| d.profile.offline_batch);
        let batch = self.channel.batch(offered);
        self.mailbox.requested(batch);
        let request = passive::offline_batch(batch);
        self.with_context(now, rng, |_, cx| cx.transmit(request));
    }

    /// Whether a message would make a chat although there are too many.
    fn is_one_chat_too_many(&self, incoming: &Incoming) -> bool {
        let chats = &self.records.chats;
        chats.len() >= MAX_CHATS
            && peer::device_of(&self.records, &incoming.from)
                .is_some_and(|from| chats.get(from.peer.as_str().as_bytes()).is_none())
    }

    fn route(&mut self, stanza: &Stanza, now: UnixMillis, rng: &mut dyn CryptoRng) -> Result<(), NotLoaded> {
        if let Some(node) = with_long_name(stanza) {
            self.with_context(now, rng, |_, cx| inbox::unknown(cx, node));
            return Ok(());
        }
        match stanza {
            Stanza::Message(incoming) if self.is_one_chat_too_many(incoming) => {
                self.with_context(now, rng, |_, cx| inbox::unknown(cx, &incoming.node));
                Ok(())
            }
            Stanza::Message(incoming) => {
                self.with_context(now, rng, |_, cx| peer::link(cx, &incoming.from, &incoming.aliases));
                if !self.records.joining.is_empty() {
                    return Err(NotLoaded);
                }
                let plan = OpenPlan::plan(&self.records, incoming)?;
                if let Some(opened) = self.with_context(now, rng, |_, cx| plan.apply(cx, incoming)) {
                    self.apply_now(opened, now, rng);
                }
                if incoming.offline {
                    self.mailbox.took_message();
                }
                Ok(())
            }
            Stanza::Receipt(receipt, node) => {
                let plan = ReceiptPlan::plan(&self.records, receipt)?;
                self.with_context(now, rng, |modules, cx| plan.apply(cx, modules.outbox, node));
                Ok(())
            }
            Stanza::Ack(ack) => {
                let plan = self.outbox.plan_acknowledged(&self.records, ack)?;
                self.with_context(now, rng, |modules, cx| modules.outbox.acknowledged(cx, plan));
                Ok(())
            }
            Stanza::Iq(iq) => self.iq(iq, now, rng),
            Stanza::Ib(ib) => self.info_broadcast(ib, now, rng),
            Stanza::Notification(Notification { from, body, node, .. }) => {
                match body {
                    NotificationBody::PreKeyCount(count) => {
                        self.with_context(now, rng, |modules, cx| modules.sessions.server_holds(cx, *count));
                    }
                    NotificationBody::IdentityChanged => {
                        let plan = IdentityPlan::plan(&self.records, from)?;
                        self.with_context(now, rng, |modules, cx| modules.sessions.identity_announced(cx, plan));
                    }
                    NotificationBody::Other => {}
                }
                self.with_context(now, rng, |_, cx| inbox::acknowledge(cx, node));
                Ok(())
            }
            Stanza::Unknown(node) => {
                self.with_context(now, rng, |_, cx| inbox::unknown(cx, node));
                Ok(())
            }
            Stanza::Malformed { node, .. } => {
                let plan = MalformedPlan::plan(&self.records, node)?;
                self.with_context(now, rng, |_, cx| plan.apply(cx, node));
                Ok(())
            }
            // Handled by the channel.
            Stanza::Success(_) | Stanza::Failure(_) | Stanza::StreamError(_) | Stanza::StreamEnd => Ok(()),
        }
    }

    /// Applies a message that was opened just now. If rows are missing, it is kept with what was changed so far, and
    /// applied before anything else when they are in memory.
    fn apply_now(&mut self, opened: Opened, now: UnixMillis, rng: &mut dyn CryptoRng) {
        match ApplyPlan::plan(&self.records, &opened) {
            Ok(plan) => self.with_context(now, rng, |_, cx| inbox::apply(cx, &opened, plan)),
            Err(NotLoaded) => {
                let order = self.records.change_account().take_order();
                self.records.opened.put(row_key::order(order), opened);
                self.queue.push_front(Task::Apply(order));
            }
        }
    }

    /// Applies a kept message.
    ///
    /// # Errors
    /// [`NotLoaded`] while rows that it needs are not in memory; the queue retries it.
    pub(super) fn apply(&mut self, order: Order, now: UnixMillis, rng: &mut dyn CryptoRng) -> Result<(), NotLoaded> {
        let key = row_key::order(order);
        let Some(opened) = self.records.opened.get(&key).cloned() else { return Ok(()) };
        let plan = ApplyPlan::plan(&self.records, &opened)?;
        self.with_context(now, rng, |_, cx| inbox::apply(cx, &opened, plan));
        self.records.opened.delete(&key);
        Ok(())
    }

    /// Handles an IQ: the answer to one of ours, or a request of the server, all of which are refused.
    fn iq(&mut self, iq: &Iq, now: UnixMillis, rng: &mut dyn CryptoRng) -> Result<(), NotLoaded> {
        if matches!(iq.kind, IqKind::Get | IqKind::Set) {
            self.with_context(now, rng, |_, cx| cx.transmit(iq.refuse()));
            return Ok(());
        }
        let Some(id) = iq.id.clone().map(StanzaId::new) else { return Ok(()) };
        let Some(purpose) = self.iqs.get(&id).cloned() else { return Ok(()) };
        let plan = AnswerPlan::plan(&self.records, iq, &purpose)?;
        let outcome = self.with_context(now, rng, |modules, cx| modules.sessions.answered(cx, iq, &purpose, plan));
        self.iqs.remove(&id);
        match outcome {
            IqOutcome::Nothing => {}
            IqOutcome::Busy => self.outbox.pause(now),
            IqOutcome::Unreachable(peers) => {
                for (peer, issue) in peers {
                    self.queue.push_front(Task::Unreachable(peer, issue));
                }
            }
        }
        Ok(())
    }

    fn info_broadcast(&mut self, ib: &Ib, now: UnixMillis, rng: &mut dyn CryptoRng) -> Result<(), NotLoaded> {
        match ib {
            Ib::OfflinePreview { message, .. } => {
                self.mailbox.announced(*message);
                self.ask_for_batch(now, rng);
            }
            Ib::Offline { .. } => {
                self.trace.note(now, Event::MailboxRead);
                self.queue.push(Task::Expire);
                self.mailbox.close();
                self.channel.drained();
                self.records.change_account().synced_at = Some(now);
                self.with_context(now, rng, |modules, cx| modules.sessions.mailbox_read(cx));
            }
            Ib::EdgeRouting(_) => {}
            Ib::Other(node) => self.with_context(now, rng, |_, cx| inbox::unknown(cx, node)),
        }
        Ok(())
    }
}
