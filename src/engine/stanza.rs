//! Routes each stanza to the module that handles it.

use super::state::Engine;
use crate::inbox;
use crate::session::IqOutcome;
use crate::store::records::Records;
use crate::store::row_cache::NotLoaded;
use crate::time::Millis;
use causeway_proto::stanza::{Ib, NotificationBody, Stanza, passive};
use rand_core::CryptoRng;

/// Requests the rows that handling the stanza will need.
pub(super) fn prefetch(records: &mut Records, stanza: &Stanza) {
    if let Stanza::Message(incoming) = stanza {
        inbox::prefetch(records, incoming);
    }
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
    pub(super) fn stanza(&mut self, stanza: &Stanza, now: Millis, rng: &mut dyn CryptoRng) -> Result<(), NotLoaded> {
        self.route(stanza, now, rng)?;
        if was_queued(stanza) && self.batch_left > 0 {
            self.batch_left -= 1;
            if self.batch_left == 0 {
                self.ask_for_batch(now, rng);
            }
        }
        Ok(())
    }

    /// Requests the next batch of the mailbox, once everything of the previous one is durable. This is the
    /// back-pressure: a browser cannot pause a socket, but the server sends no more than the requested number. If it
    /// sends fewer, the next batch is requested when it pauses.
    pub(super) fn ask_for_batch(&mut self, now: Millis, rng: &mut dyn CryptoRng) {
        self.batch_left = self.records.account().deployment.as_ref().map_or(100, |d| d.profile.offline_batch);
        let request = passive::offline_batch(self.batch_left);
        self.with_context(now, rng, |_, cx| cx.transmit(request));
    }

    fn route(&mut self, stanza: &Stanza, now: Millis, rng: &mut dyn CryptoRng) -> Result<(), NotLoaded> {
        match stanza {
            Stanza::Message(incoming) => {
                self.with_context(now, rng, |_, cx| inbox::message(cx, incoming))?;
                self.pending = self.pending.saturating_sub(u32::from(incoming.offline));
                Ok(())
            }
            Stanza::Receipt(receipt, node) => {
                self.with_context(now, rng, |modules, cx| inbox::receipt(cx, modules.outbox, receipt, node))
            }
            Stanza::Ack(ack) => self.with_context(now, rng, |modules, cx| modules.outbox.acknowledged(cx, ack)),
            Stanza::Iq(iq) => {
                let outcome = self.with_context(now, rng, |modules, cx| modules.sessions.iq(cx, iq))?;
                self.with_context(now, rng, |modules, cx| match outcome {
                    IqOutcome::Nothing => Ok(()),
                    IqOutcome::Busy => {
                        modules.outbox.pause(now);
                        Ok(())
                    }
                    IqOutcome::Unreachable(peers) => {
                        peers.iter().try_for_each(|(peer, issue)| modules.outbox.fail_peer(cx, peer, *issue))
                    }
                })
            }
            Stanza::Ib(ib) => self.info_broadcast(ib, now, rng),
            Stanza::Notification(notification) => self.with_context(now, rng, |modules, cx| {
                match &notification.body {
                    NotificationBody::PreKeyCount(count) => modules.sessions.server_holds(cx, *count),
                    NotificationBody::IdentityChanged => modules.sessions.identity_announced(cx, &notification.from)?,
                    NotificationBody::Other => {}
                }
                inbox::acknowledge(cx, &notification.node);
                Ok(())
            }),
            Stanza::Unknown(node) | Stanza::Malformed { node, .. } => {
                self.with_context(now, rng, |_, cx| inbox::unknown(cx, node));
                Ok(())
            }
            // Handled by the channel.
            Stanza::Success(_) | Stanza::Failure(_) | Stanza::StreamError(_) | Stanza::StreamEnd => Ok(()),
        }
    }

    fn info_broadcast(&mut self, ib: &Ib, now: Millis, rng: &mut dyn CryptoRng) -> Result<(), NotLoaded> {
        match ib {
            Ib::OfflinePreview { message, .. } => {
                self.pending = *message;
                self.ask_for_batch(now, rng);
            }
            Ib::Offline { .. } => {
                self.pending = 0;
                self.batch_left = 0;
                self.channel.drained();
                self.records.change_account().synced_at = now;
                self.with_context(now, rng, |modules, cx| modules.sessions.mailbox_read(cx));
            }
            Ib::EdgeRouting(_) => {}
            Ib::Other(node) => self.with_context(now, rng, |_, cx| inbox::unknown(cx, node)),
        }
        Ok(())
    }
}
