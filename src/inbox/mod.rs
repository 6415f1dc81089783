//! Incoming messages and receipts: dedupe, decrypt, keep, acknowledge. In that order, in one transaction.
//!
//! Every function looks up all rows first and returns [`NotLoaded`] before it has changed anything, so that it can be
//! retried once the rows are in memory.

mod acknowledge;
mod retry;

pub(crate) use acknowledge::acknowledge;
pub(crate) use retry::ask_again;

use crate::chat;
use crate::context::Context;
use crate::outbox::Outbox;
use crate::session;
use crate::store::chats::{MessageRow, UnknownRow};
use crate::store::records::Records;
use crate::store::row_cache::NotLoaded;
use crate::store::row_key;
use crate::time::SECOND;
use crate::view::{Delivery, MessageKind};
use causeway_proto::content::{self, Content};
use causeway_proto::jid::{Jid, Server};
use causeway_proto::node::{Node, xml};
use causeway_proto::signal::DecryptError;
use causeway_proto::signal::envelope::EnvelopeKind;
use causeway_proto::signal::padding;
use causeway_proto::stanza::message::{Enc, Incoming};
use causeway_proto::stanza::{Receipt, ReceiptKind};
use zeroize::Zeroizing;

/// The only padded version of message content (docs/spec/wire.md §5.8).
const ENC_VERSION: u32 = 2;
/// Largest number of stored stanzas of unknown kinds; later ones are only counted.
const MAX_UNKNOWN: u32 = 1_000;
/// Characters of a kept stanza.
const MAX_UNKNOWN_TEXT: usize = 64 * 1024;

/// Requests the rows that handling the message needs, so that many messages cost one read.
pub(crate) fn prefetch(records: &mut Records, incoming: &Incoming) {
    records.sessions.want(incoming.from.to_string().as_bytes());
    records.positions.want(&row_key::message_id(&chat_of(&incoming.from), false, &incoming.id));
}

/// Handles a message.
pub(crate) fn message(cx: &mut Context<'_>, incoming: &Incoming) -> Result<(), NotLoaded> {
    if !is_person(&incoming.from) {
        unknown(cx, &incoming.node);
        return Ok(());
    }
    let chat = chat_of(&incoming.from);
    prefetch(cx.records, incoming);
    let position = cx.records.positions.get(&row_key::message_id(&chat, false, &incoming.id))?.cloned();
    let known = match &position {
        Some(position) => cx.records.messages.get(&row_key::message(&chat, position.seq))?.cloned(),
        None => None,
    };
    cx.records.sessions.get(incoming.from.to_string().as_bytes())?;
    let placeholder = known.filter(|message| message.kind() == MessageKind::Undecryptable);
    if position.is_some() && placeholder.is_none() {
        // Already stored: send the receipt again. Nothing is decrypted twice.
        delivered(cx, incoming);
        return Ok(());
    }
    match open(cx, incoming) {
        Ok((kind, text, content)) => {
            let at = incoming.t.unwrap_or(0).saturating_mul(SECOND);
            let message = MessageRow {
                id: incoming.id.clone(),
                kind: kind.into(),
                text,
                at: if at == 0 { cx.now } else { at },
                content,
                ..MessageRow::default()
            };
            match placeholder {
                Some(old) => chat::replace(cx, &chat, MessageRow { seq: old.seq, retries: old.retries, ..message }),
                None => drop(chat::append(cx, &chat, message)),
            }
            if let Some(name) = &incoming.notify {
                chat::rename(cx, &chat, name);
            }
            delivered(cx, incoming);
        }
        // Also a key that seems to be used: it is not this message's that used it, or its id would be known. Damage can
        // make any message look like that.
        Err(error) => retry::ask(cx, incoming, &chat, placeholder, &error),
    }
    Ok(())
}

/// Decrypts a message: its kind, its text, and its bytes if this version cannot show it.
fn open(cx: &mut Context<'_>, incoming: &Incoming) -> Result<(MessageKind, String, Vec<u8>), DecryptError> {
    let readable = |enc: &&Enc| enc.version == ENC_VERSION && enc.kind.parse::<EnvelopeKind>().is_ok();
    let Some(enc) = incoming.enc.iter().flatten().find(readable) else {
        let kind = incoming.enc.iter().flatten().next().map_or("unavailable", |enc| enc.kind.as_str());
        return Ok((MessageKind::Unsupported, kind.to_owned(), Vec::new()));
    };
    let Ok(kind) = enc.kind.parse::<EnvelopeKind>() else { return Err(DecryptError::NoSession) };
    let decrypted = session::decrypt(cx, &incoming.from, kind, &enc.bytes)?;
    let mut plaintext = Zeroizing::new(decrypted.plaintext.to_vec());
    // The ratchet has moved: any content is stored from here on, never requested again.
    if padding::unpad(&mut plaintext).is_err() {
        return Ok((MessageKind::Unsupported, "padding".to_owned(), plaintext.to_vec()));
    }
    Ok(match content::parse(&plaintext) {
        Ok(Content::Text { body }) => (MessageKind::Text, body, Vec::new()),
        Ok(other) => (MessageKind::Unsupported, other.kind().into_owned(), plaintext.to_vec()),
        Err(_) => (MessageKind::Unsupported, "malformed".to_owned(), plaintext.to_vec()),
    })
}

/// Sends the delivery receipt of a message. For the server it is the ack, too (docs/spec/wire.md §5.9).
fn delivered(cx: &mut Context<'_>, incoming: &Incoming) {
    let receipt = Receipt {
        participant: incoming.participant.clone(),
        ..Receipt::new(incoming.from.clone(), incoming.id.clone(), ReceiptKind::Delivered)
    };
    cx.transmit(receipt.to_node());
}

/// Handles a receipt.
pub(crate) fn receipt(
    cx: &mut Context<'_>,
    outbox: &mut Outbox,
    receipt: &Receipt,
    node: &Node,
) -> Result<(), NotLoaded> {
    let chat = chat_of(&receipt.jid);
    if let ReceiptKind::Retry(request) = &receipt.kind {
        retry::serve(cx, outbox, &chat, receipt, request)?;
        acknowledge(cx, node);
        return Ok(());
    }
    let delivery = match receipt.kind {
        ReceiptKind::Delivered | ReceiptKind::Inactive => Delivery::Delivered,
        ReceiptKind::Read | ReceiptKind::Played => Delivery::Read,
        _ => {
            acknowledge(cx, node);
            return Ok(());
        }
    };
    for id in &receipt.ids {
        cx.records.positions.want(&row_key::message_id(&chat, true, id));
    }
    let mut raised = Vec::new();
    for id in &receipt.ids {
        let Some(seq) = cx.records.positions.get(&row_key::message_id(&chat, true, id))?.map(|position| position.seq)
        else {
            continue;
        };
        if let Some(mut message) = cx.records.messages.get(&row_key::message(&chat, seq))?.cloned()
            && message.raise(delivery)
        {
            raised.push(message);
        }
    }
    for message in raised {
        chat::replace(cx, &chat, message);
    }
    acknowledge(cx, node);
    Ok(())
}

/// Stores and counts a stanza of an unknown kind, and acknowledges it if its class requires that.
pub(crate) fn unknown(cx: &mut Context<'_>, node: &Node) {
    let account = cx.records.change_account();
    let count = account.unknown_stanzas;
    account.unknown_stanzas = count.saturating_add(1);
    let order = account.take_order();
    if count < MAX_UNKNOWN {
        let xml = xml::print(node).chars().take(MAX_UNKNOWN_TEXT).collect();
        cx.records.unknown.put(row_key::order(order), UnknownRow { xml, at: cx.now });
    }
    cx.group_commit.show_account();
    acknowledge(cx, node);
}

/// The chat of a device.
fn chat_of(from: &Jid) -> String {
    from.to_bare().to_string()
}

/// One person's address: not a group, a broadcast list, a channel or the server.
fn is_person(jid: &Jid) -> bool {
    !jid.user.is_empty()
        && matches!(jid.server, Server::User | Server::Lid | Server::Interop | Server::Legacy | Server::Messenger)
}
