//! Incoming messages and receipts.
//!
//! ```text
//!   <message> ── dedupe, decrypt ──▶ opened, durable ── receipt
//!                     │                   │
//!                     │                   └── applied: a bubble, an edit, ... (waits for rows, never for the ratchet)
//!                     └── cannot be opened: a placeholder, and it is asked for again
//! ```
//!
//! A plan looks up all rows that a stanza needs, and changes none: it is made again when rows that it misses are in memory.

mod acknowledge;
mod apply;
mod open;
mod retry;
mod sent_at;

pub(crate) use acknowledge::acknowledge;
pub(crate) use apply::{ApplyPlan, apply};
pub(crate) use open::{OpenPlan, prefetch};
pub(crate) use retry::ask_again;

use crate::context::Context;
use crate::model::StanzaId;
use crate::outbox::{Outbox, ReceiptedPlan, ResendPlan};
use crate::peer;
use crate::store::chats::UnknownRow;
use crate::store::paged::NotLoaded;
use crate::store::records::Records;
use crate::store::row_key;
use crate::trace::Event;
use crate::view::Delivery;
use causeway_proto::node::{Node, xml};
use causeway_proto::stanza::receipt::RetryRequest;
use causeway_proto::stanza::{Incoming, Receipt, ReceiptKind};

/// Largest number of stored stanzas of unknown kinds; later ones are only counted.
const MAX_UNKNOWN: u32 = 1_000;
/// Characters of a kept stanza.
const MAX_UNKNOWN_TEXT: usize = 64 * 1024;

/// Requests the rows that handling the receipt needs: first where its messages are, then the messages themselves.
pub(crate) fn prefetch_receipt(records: &Records, receipt: &Receipt) {
    let Some(from) = peer::device_of(records, &receipt.jid) else { return };
    for id in &receipt.ids {
        let _wanted = records.message_of(from.peer.chat(), true, &StanzaId::new(id.clone()));
    }
}

/// What a receipt says of messages of ours.
pub(crate) enum ReceiptPlan<'a> {
    /// Nothing.
    Nothing,
    /// A device asks for one again.
    Resend(ResendPlan, &'a RetryRequest),
    /// A device has them.
    Receipted(ReceiptedPlan, Delivery),
}

impl<'a> ReceiptPlan<'a> {
    /// Looks up the messages of a receipt.
    ///
    /// # Errors
    /// [`NotLoaded`] while one is not in memory.
    pub(crate) fn plan(records: &Records, receipt: &'a Receipt) -> Result<Self, NotLoaded> {
        let Some(from) = peer::device_of(records, &receipt.jid) else { return Ok(Self::Nothing) };
        let delivery = match &receipt.kind {
            ReceiptKind::Retry(request) => {
                return Ok(Self::Resend(ResendPlan::plan(records, from, request)?, request));
            }
            ReceiptKind::Delivered | ReceiptKind::Inactive => Delivery::Delivered,
            ReceiptKind::Read | ReceiptKind::Played => Delivery::Read,
            ReceiptKind::Sender | ReceiptKind::Other(_) => return Ok(Self::Nothing),
        };
        let ids = receipt.ids.iter().cloned().map(StanzaId::new).collect();
        Ok(Self::Receipted(ReceiptedPlan::plan(records, &from, ids)?, delivery))
    }

    /// Handles the receipt, and acknowledges its stanza.
    pub(crate) fn apply(self, cx: &mut Context<'_>, outbox: &mut Outbox, node: &Node) {
        match self {
            Self::Nothing => {}
            Self::Resend(plan, request) => outbox.asked_again(cx, plan, request),
            Self::Receipted(plan, delivery) => outbox.receipted(cx, plan, delivery),
        }
        acknowledge(cx, node);
    }
}

/// Stores and counts a stanza of an unknown kind, and acknowledges it if its class requires that.
pub(crate) fn unknown(cx: &mut Context<'_>, node: &Node) {
    keep(cx, node);
    acknowledge(cx, node);
}

/// A stanza that lacks something, or that the codec refuses; with what opening it needs, if it is a message whose sender
/// and id are there.
pub(crate) struct MalformedPlan(Option<(Incoming, OpenPlan)>);

impl MalformedPlan {
    /// Reads what is there, and looks up what it needs.
    ///
    /// # Errors
    /// [`NotLoaded`] while a row is not in memory.
    pub(crate) fn plan(records: &Records, node: &Node) -> Result<Self, NotLoaded> {
        let Ok(incoming) = Incoming::from_node(node) else { return Ok(Self(None)) };
        let plan = OpenPlan::plan(records, &incoming)?;
        Ok(Self(Some((incoming, plan))))
    }

    /// Keeps the stanza. A message gets a placeholder and is asked for again.
    pub(crate) fn apply(self, cx: &mut Context<'_>, node: &Node) {
        match self.0 {
            None => unknown(cx, node),
            Some((incoming, plan)) => {
                if plan.apply(cx, &incoming).is_none() {
                    keep(cx, node);
                }
            }
        }
    }
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
