//! Which room a stanza belongs to.

use super::Engine;
use crate::inbox;
use crate::io::Millis;
use crate::session::Answered;
use crate::store::records::Records;
use crate::store::shelf::Missing;
use causeway_proto::stanza::{Ib, NotificationBody, Stanza, passive};
use rand_core::CryptoRng;

/// Notes what a stanza will look up.
pub(super) fn prefetch(records: &mut Records, stanza: &Stanza) {
    if let Stanza::Message(incoming) = stanza {
        inbox::prefetch(records, incoming);
    }
}

/// It waited in the mailbox.
fn was_queued(stanza: &Stanza) -> bool {
    match stanza {
        Stanza::Message(incoming) => incoming.offline,
        Stanza::Receipt(_, node) => node.attr("offline").is_some(),
        Stanza::Notification(notification) => notification.node.attr("offline").is_some(),
        _ => false,
    }
}

impl Engine {
    pub(super) fn stanza(&mut self, stanza: &Stanza, now: Millis, rng: &mut dyn CryptoRng) -> Result<(), Missing> {
        self.route(stanza, now, rng)?;
        if was_queued(stanza) && self.batch_left > 0 {
            self.batch_left -= 1;
            if self.batch_left == 0 {
                self.ask_for_batch(now, rng);
            }
        }
        Ok(())
    }

    /// The next stanzas of the mailbox, once everything of those before is durable: no browser can slow a socket down, but
    /// a server that is asked for so many at a time sends no more.
    /// A server that sends fewer is asked again when it pauses.
    pub(super) fn ask_for_batch(&mut self, now: Millis, rng: &mut dyn CryptoRng) {
        self.batch_left = self.records.account().deployment.as_ref().map_or(100, |d| d.profile.offline_batch);
        let request = passive::offline_batch(self.batch_left);
        self.room(now, rng, |_, turn| turn.transmit(request));
    }

    fn route(&mut self, stanza: &Stanza, now: Millis, rng: &mut dyn CryptoRng) -> Result<(), Missing> {
        match stanza {
            Stanza::Message(incoming) => {
                self.room(now, rng, |_, turn| inbox::message(turn, incoming))?;
                self.pending = self.pending.saturating_sub(u32::from(incoming.offline));
                Ok(())
            }
            Stanza::Receipt(receipt, node) => {
                self.room(now, rng, |rooms, turn| inbox::receipt(turn, rooms.outbox, receipt, node))
            }
            Stanza::Ack(ack) => self.room(now, rng, |rooms, turn| rooms.outbox.acknowledged(turn, ack)),
            Stanza::Iq(iq) => {
                let answered = self.room(now, rng, |rooms, turn| rooms.sessions.iq(turn, iq))?;
                self.room(now, rng, |rooms, turn| match answered {
                    Answered::Nothing => Ok(()),
                    Answered::Busy => {
                        rooms.outbox.pause(now);
                        Ok(())
                    }
                    Answered::Unreachable(peers) => {
                        peers.iter().try_for_each(|(peer, issue)| rooms.outbox.fail_peer(turn, peer, *issue))
                    }
                })
            }
            Stanza::Ib(ib) => self.bulletin(ib, now, rng),
            Stanza::Notification(notification) => self.room(now, rng, |rooms, turn| {
                match &notification.body {
                    NotificationBody::PreKeyCount(count) => rooms.sessions.server_holds(turn, *count),
                    NotificationBody::IdentityChanged => rooms.sessions.identity_announced(turn, &notification.from)?,
                    NotificationBody::Other => {}
                }
                inbox::acknowledge(turn, &notification.node);
                Ok(())
            }),
            Stanza::Unknown(node) | Stanza::Malformed { node, .. } => {
                self.room(now, rng, |_, turn| inbox::unknown(turn, node));
                Ok(())
            }
            // The channel dealt with these.
            Stanza::Success(_) | Stanza::Failure(_) | Stanza::StreamError(_) | Stanza::StreamEnd => Ok(()),
        }
    }

    fn bulletin(&mut self, ib: &Ib, now: Millis, rng: &mut dyn CryptoRng) -> Result<(), Missing> {
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
                self.room(now, rng, |rooms, turn| rooms.sessions.mailbox_read(turn));
            }
            Ib::EdgeRouting(_) => {}
            Ib::Other(node) => self.room(now, rng, |_, turn| inbox::unknown(turn, node)),
        }
        Ok(())
    }
}
