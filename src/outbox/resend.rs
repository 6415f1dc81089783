//! A device could not open a message of ours and asks for it again (docs/spec/wire.md §5.10).
//!
//! The answer goes to the address that the message was encrypted for, and to nobody else; never after that device has
//! receipted it or the mailbox's 30 days are over; at most [`MAX_RETRIES`] times for each message, and so often in an
//! hour for each person. If the device has another identity key by now, the chat shows it first.

use super::Outbox;
use super::expiry::MAILBOX;
use crate::context::Context;
use crate::id::{MessageSeq, Order};
use crate::model::recipient::FINGERPRINT;
use crate::model::{DeviceAddress, Recipient, Stage, StanzaId};
use crate::peer;
use crate::session;
use crate::store::chats::MessageRow;
use crate::store::paged::{Found, NotLoaded};
use crate::store::records::Records;
use crate::store::row_key;
use crate::time::UnixMillis;
use crate::trace::{Event, ResendRefusal};
use crate::view::{Delivery, Issue, MAX_RETRIES};
use causeway_proto::signal::SessionRecord;
use causeway_proto::signal::prekey::PreKeyBundle;
use causeway_proto::stanza::receipt::RetryRequest;
use sha2::{Digest, Sha256};

/// The device that asks, and what serving it needs.
pub(crate) struct ResendPlan {
    from: DeviceAddress,
    /// `None` if there is no message of that id.
    found: Option<(MessageRow, Found<SessionRecord>)>,
}

impl ResendPlan {
    /// Looks up the message that a device asks for, and the session with it.
    ///
    /// # Errors
    /// [`NotLoaded`] while one is not in memory.
    pub(crate) fn plan(records: &Records, from: DeviceAddress, request: &RetryRequest) -> Result<Self, NotLoaded> {
        let session = row_key::session(&from);
        records.sessions.want(&session);
        let message = records.message_of(from.peer.chat(), true, &StanzaId::new(request.id.clone()))?;
        let found = match message {
            Some(message) => Some((message.clone(), records.sessions.find(session)?)),
            None => None,
        };
        Ok(Self { from, found })
    }
}

impl Outbox {
    /// Handles a request: begins a session with the keys in it, or with fetched ones, and queues the message for
    /// another envelope under the same id.
    pub(crate) fn asked_again(&mut self, cx: &mut Context<'_>, plan: ResendPlan, request: &RetryRequest) {
        let ResendPlan { from, found } = plan;
        let known =
            found.and_then(|(message, session)| Some((self.unfinished(cx, &from, &message)?, message, session)));
        let Some(((order, mut recipient), message, session)) = known else {
            return cx.note(Event::ResendRefused(ResendRefusal::Finished));
        };
        if recipient.address != from {
            return cx.note(Event::ResendRefused(ResendRefusal::OtherDevice));
        }
        // The server repeats a request whose ack was lost with a connection: it was served, and is no further try.
        let served = fingerprint(request);
        if recipient.served.contains(&served) {
            return cx.note(Event::ResendRefused(ResendRefusal::Served));
        }
        if let Some(refusal) = refusal(cx, &recipient) {
            // The device will not ask again.
            cx.note(Event::ResendRefused(refusal));
            return self.give_up(cx, order, &recipient, Some(message), Issue::NotOpened);
        }
        recipient.served.push(served);
        let begun = request.keys.as_ref().is_some_and(|bundle| session::begin(cx, &from, &session, bundle));
        if !begun && let Some(session) = cx.records.sessions.change(&session) {
            // The peer has lost this session, or it never worked: the next envelope needs freshly fetched keys.
            session.archive_current();
        }
        recipient.resends += 1;
        recipient.stage = Stage::Queued;
        // An earlier envelope may be in flight: the new one supersedes it, and acks of the old one do not count.
        self.in_flight.forget(order, &recipient.id);
        self.waiting.insert(recipient.chat.clone(), order);
        cx.records.outbox.put(row_key::order(order), recipient);
    }

    /// The recipient of a message that it has not receipted. Versions without rows of recipients kept none of a message
    /// that the server had accepted: there it was encrypted for the identity that was known then.
    fn unfinished(
        &mut self,
        cx: &mut Context<'_>,
        from: &DeviceAddress,
        message: &MessageRow,
    ) -> Option<(Order, Recipient)> {
        let id = message.stanza_id()?;
        if let Some((order, known)) = self.recipient_of(cx.records, &id) {
            return Some((order, known.clone()));
        }
        let written_at = UnixMillis(message.at);
        let of_old = message.plaintext.is_empty() && message.delivery() == Delivery::Sent;
        if !of_old || !peer::knew_identity_at(cx.records, from, written_at) {
            return None;
        }
        let mut recipient = super::recipient(from.peer.chat(), MessageSeq(message.seq), &id, written_at);
        recipient.accepted_at = Some(written_at);
        recipient.resends = message.retries;
        recipient.identity = peer::identity(cx.records, from);
        let order = cx.records.change_account().take_order();
        self.by_id.insert(recipient.id.clone(), order);
        Some((order, recipient))
    }
}

/// Why a request is not served.
fn refusal(cx: &mut Context<'_>, recipient: &Recipient) -> Option<ResendRefusal> {
    let since = recipient.accepted_at.unwrap_or(recipient.written_at);
    if since.after(MAILBOX) < cx.now {
        return Some(ResendRefusal::TooOld);
    }
    if recipient.resends >= MAX_RETRIES {
        return Some(ResendRefusal::LastTry);
    }
    (!peer::may_resend(cx, &recipient.address.peer)).then_some(ResendRefusal::TooOften)
}

/// Distinguishes another request from a repeated one.
fn fingerprint(request: &RetryRequest) -> [u8; FINGERPRINT] {
    let RetryRequest { count, id: _, t, error, registration_id, keys, device_identity: _ } = request;
    let mut digest = Sha256::new().chain_update(count.to_be_bytes()).chain_update(t.unwrap_or(0).to_be_bytes());
    digest.update(error.unwrap_or(0).to_be_bytes());
    digest.update(registration_id.unwrap_or(0).to_be_bytes());
    if let Some(PreKeyBundle { identity, signed_prekey, prekey, .. }) = keys {
        digest.update(identity.0);
        digest.update(signed_prekey.0);
        digest.update(prekey.map(|(_, key)| key.0).unwrap_or_default());
    }
    let mut fingerprint = [0; FINGERPRINT];
    fingerprint.iter_mut().zip(digest.finalize()).for_each(|(to, from)| *to = from);
    fingerprint
}
