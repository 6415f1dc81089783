//! The first step of an incoming message: dedupe, decrypt, receipt. The ratchet moves here and nowhere else.

use super::acknowledge::acknowledge;
use super::sent_at::sent_at;
use super::{retry, unknown};
use crate::chat;
use crate::context::Context;
use crate::model::{ChatId, DeviceAddress, Opened, StanzaId};
use crate::peer;
use crate::session::{self, OpenError};
use crate::store::chats::{MessageRow, PositionRow};
use crate::store::paged::{Found, NotLoaded};
use crate::store::records::Records;
use crate::store::row_key;
use crate::trace::Event;
use crate::view::MessageKind;
use causeway_proto::signal::envelope::EnvelopeKind;
use causeway_proto::signal::{DecryptError, SessionRecord, padding};
use causeway_proto::stanza::message::{Enc, Incoming};
use causeway_proto::stanza::{Receipt, ReceiptKind};

/// The only padded version of message content (docs/spec/wire.md §5.8).
const ENC_VERSION: u32 = 2;

/// Requests the rows that opening the message needs, so that many messages cost one read.
pub(crate) fn prefetch(records: &Records, incoming: &Incoming) {
    if let Some(from) = peer::device_of(records, &incoming.from) {
        records.sessions.want(&row_key::session(&from));
        records.positions.want(&row_key::message_id(from.peer.chat(), false, &StanzaId::new(incoming.id.clone())));
    }
}

/// Who sent a message, and what opening it needs.
#[derive(Debug)]
pub(crate) struct OpenPlan {
    /// `None` if its sender is no device of a person.
    from: Option<DeviceAddress>,
    /// `None` if it was opened before.
    unopened: Option<Unopened>,
}

#[derive(Debug)]
struct Unopened {
    session: Found<SessionRecord>,
    /// What is known of its id; nothing if there is no placeholder.
    position: Found<PositionRow>,
    /// What stands for a message that could not be opened.
    placeholder: Option<MessageRow>,
}

impl OpenPlan {
    /// Looks up whether a message is known, and the session with its sender.
    ///
    /// # Errors
    /// [`NotLoaded`] while a row is not in memory.
    pub(crate) fn plan(records: &Records, incoming: &Incoming) -> Result<Self, NotLoaded> {
        let Some(from) = peer::device_of(records, &incoming.from) else {
            return Ok(Self { from: None, unopened: None });
        };
        prefetch(records, incoming);
        let (chat, id) = (from.peer.chat(), StanzaId::new(incoming.id.clone()));
        let position = records.positions.find(row_key::message_id(chat, false, &id))?;
        let placeholder = records.message_of(chat, false, &id)?.filter(|message| message.kind().is_placeholder());
        let session = records.sessions.find(row_key::session(&from))?;
        let is_known = records.positions.row(&position).is_some() && placeholder.is_none();
        let unopened = (!is_known).then(|| Unopened { session, position, placeholder: placeholder.cloned() });
        Ok(Self { from: Some(from), unopened })
    }

    /// Opens the message, and receipts it when everything changed so far is durable. Returns what is to be applied;
    /// `None` if the message is known, or could not be opened and has a placeholder now.
    pub(crate) fn apply(self, cx: &mut Context<'_>, incoming: &Incoming) -> Option<Opened> {
        let Some(from) = self.from else {
            unknown(cx, &incoming.node);
            return None;
        };
        let Some(Unopened { session, position, placeholder }) = self.unopened else {
            // Its receipt was lost. Nothing is decrypted twice.
            receipt(cx, incoming);
            return None;
        };
        match decrypt(cx, &from, &session, incoming) {
            Ok(opened) => {
                if placeholder.is_none() {
                    cx.records.positions.set(&position, PositionRow { seq: None });
                }
                receipt(cx, incoming);
                Some(opened)
            }
            // Also a key that seems to be used: it is not this message's that used it, or its id would be known. Damage
            // can make any message look like that.
            Err(OpenError::Decrypt(error)) if peer::is_known(cx.records, &from) => {
                retry::ask(cx, incoming, from.peer.chat(), placeholder, &error);
                None
            }
            // Also damage to what an unknown device sent: it is asked for nothing.
            Err(_) => {
                unknown_device(cx, incoming, from.peer.chat(), placeholder);
                None
            }
        }
    }
}

fn decrypt(
    cx: &mut Context<'_>,
    from: &DeviceAddress,
    session: &Found<SessionRecord>,
    incoming: &Incoming,
) -> Result<Opened, OpenError> {
    let readable = |enc: &&Enc| enc.version == ENC_VERSION && enc.kind.parse::<EnvelopeKind>().is_ok();
    let enc = incoming.enc.iter().flatten().find(readable).ok_or(DecryptError::NoSession)?;
    let kind = enc.kind.parse().map_err(|_| DecryptError::NoSession)?;
    let decrypted = session::decrypt(cx, from, session, kind, &enc.bytes, incoming.device_identity.as_deref())?;
    let mut plaintext = decrypted.plaintext;
    // From here on any content is kept, and none requested again. Wrong padding is content that nobody can read.
    let _unreadable = padding::unpad(&mut plaintext);
    Ok(Opened {
        from: from.clone(),
        identity: decrypted.remote_identity,
        id: StanzaId::new(incoming.id.clone()),
        at: sent_at(cx, incoming),
        name: incoming.notify.clone(),
        plaintext,
    })
}

/// Shows a placeholder for a message of a device that the person's phone does not vouch for, and acknowledges it. It is
/// neither receipted nor requested again: its sender learns nothing.
fn unknown_device(cx: &mut Context<'_>, incoming: &Incoming, chat: &ChatId, placeholder: Option<MessageRow>) {
    if placeholder.is_none() {
        let message = MessageRow {
            id: incoming.id.clone(),
            kind: MessageKind::UnknownDevice.into(),
            at: sent_at(cx, incoming).0,
            ..MessageRow::default()
        };
        chat::append(cx, chat, message);
    }
    cx.note(Event::UnknownDevice);
    acknowledge(cx, &incoming.node);
}

/// Sends the delivery receipt of a message. For the server it is the ack, too (docs/spec/wire.md §5.9).
fn receipt(cx: &mut Context<'_>, incoming: &Incoming) {
    let receipt = Receipt {
        participant: incoming.participant.clone(),
        ..Receipt::new(incoming.from.clone(), incoming.id.clone(), ReceiptKind::Delivered)
    };
    cx.transmit(receipt.to_node());
}
