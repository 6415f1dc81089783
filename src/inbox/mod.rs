//! Incoming messages and receipts.
//!
//! ```text
//!   <message> ── dedupe, decrypt ──▶ opened, durable ── receipt
//!                     │                   │
//!                     │                   └── applied: a bubble, an edit, ... (waits for rows, never for the ratchet)
//!                     └── cannot be opened: a placeholder, and it is asked for again
//! ```
//!
//! Every function looks up all rows first and returns [`NotLoaded`] before it has changed anything, so that it can be
//! retried once the rows are in memory.

mod acknowledge;
mod apply;
mod open;
mod retry;
mod sent_at;

pub(crate) use acknowledge::acknowledge;
pub(crate) use apply::apply;
pub(crate) use open::{open, prefetch};
pub(crate) use retry::ask_again;

use crate::context::Context;
use crate::id::MessageSeq;
use crate::model::StanzaId;
use crate::outbox::Outbox;
use crate::peer;
use crate::store::chats::{PositionRow, UnknownRow};
use crate::store::paged::NotLoaded;
use crate::store::records::Records;
use crate::store::row_key;
use crate::trace::Event;
use crate::view::Delivery;
use causeway_proto::node::{Node, xml};
use causeway_proto::stanza::{Incoming, Receipt, ReceiptKind};

/// Largest number of stored stanzas of unknown kinds; later ones are only counted.
const MAX_UNKNOWN: u32 = 1_000;
/// Characters of a kept stanza.
const MAX_UNKNOWN_TEXT: usize = 64 * 1024;

/// Requests the rows that handling the receipt needs: first where its messages are, then the messages themselves.
pub(crate) fn prefetch_receipt(records: &mut Records, receipt: &Receipt) {
    let Some(from) = peer::device_of(records, &receipt.jid) else { return };
    let Records { positions, messages, .. } = records;
    for id in &receipt.ids {
        let position = positions.get(&row_key::message_id(from.peer.chat(), true, &StanzaId::new(id.clone())));
        if let Ok(Some(PositionRow { seq: Some(seq) })) = position {
            messages.want(&row_key::message(from.peer.chat(), MessageSeq(*seq)));
        }
    }
}

/// Handles a receipt.
pub(crate) fn receipt(
    cx: &mut Context<'_>,
    outbox: &mut Outbox,
    receipt: &Receipt,
    node: &Node,
) -> Result<(), NotLoaded> {
    if let Some(from) = peer::device_of(cx.records, &receipt.jid) {
        let ids: Vec<StanzaId> = receipt.ids.iter().cloned().map(StanzaId::new).collect();
        match &receipt.kind {
            ReceiptKind::Retry(request) => outbox.asked_again(cx, &from, request)?,
            ReceiptKind::Delivered | ReceiptKind::Inactive => {
                outbox.receipted(cx, &from, &ids, Delivery::Delivered)?;
            }
            ReceiptKind::Read | ReceiptKind::Played => outbox.receipted(cx, &from, &ids, Delivery::Read)?,
            ReceiptKind::Sender | ReceiptKind::Other(_) => {}
        }
    }
    acknowledge(cx, node);
    Ok(())
}

/// Stores and counts a stanza of an unknown kind, and acknowledges it if its class requires that.
pub(crate) fn unknown(cx: &mut Context<'_>, node: &Node) {
    keep(cx, node);
    acknowledge(cx, node);
}

/// Handles a stanza that lacks something, or that the codec refuses. A message whose sender and id are there gets a
/// placeholder and is asked for again.
pub(crate) fn malformed(cx: &mut Context<'_>, node: &Node) -> Result<(), NotLoaded> {
    let Ok(incoming) = Incoming::from_node(node) else {
        unknown(cx, node);
        return Ok(());
    };
    if open(cx, &incoming)?.is_none() {
        keep(cx, node);
    }
    Ok(())
}

/// Stores and counts a stanza that nobody understands.
fn keep(cx: &mut Context<'_>, node: &Node) {
    cx.note(Event::StanzaRefused);
    let account = cx.records.change_account();
    let count = account.unknown_stanzas;
    account.unknown_stanzas = count.saturating_add(1);
    let order = account.take_order();
    if count < MAX_UNKNOWN {
        let xml = xml::print(node).chars().take(MAX_UNKNOWN_TEXT).collect();
        cx.records.unknown.put(row_key::order(order), UnknownRow { xml, at: cx.now.0 });
    }
    cx.group_commit.show_account();
}
