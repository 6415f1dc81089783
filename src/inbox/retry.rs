//! Retry receipts of ours: requests for messages that could not be decrypted (docs/spec/wire.md §5.10).

use super::acknowledge::acknowledge;
use super::sent_at::sent_at;
use crate::chat;
use crate::context::Context;
use crate::id::RegistrationId;
use crate::model::ChatId;
use crate::session;
use crate::store::chats::MessageRow;
use crate::store::row_key;
use crate::time::UnixMillis;
use crate::trace::Event;
use crate::view::{MAX_RETRIES, MessageKind};
use causeway_proto::jid::Jid;
use causeway_proto::signal::DecryptError;
use causeway_proto::stanza::message::Incoming;
use causeway_proto::stanza::receipt::RetryRequest;
use causeway_proto::stanza::{Receipt, ReceiptKind};
use sha2::{Digest, Sha256};

/// From this attempt on the receipt carries our keys, so that the peer can establish a session at once.
const KEYS_FROM: u32 = 2;

/// Shows a placeholder, sends a retry receipt, and acknowledges the stanza, which would otherwise be delivered again
/// and again.
///
/// The placeholder stores a fingerprint of the bytes. The same bytes again are not another attempt of the sender: the
/// server repeats the delivery because our receipt was lost with a connection, and gets the same receipt again.
pub(super) fn ask(
    cx: &mut Context<'_>,
    incoming: &Incoming,
    chat: &ChatId,
    placeholder: Option<MessageRow>,
    error: &DecryptError,
) {
    cx.note(Event::NotDecrypted(error.retry_code()));
    let fingerprint = fingerprint(incoming);
    let tries = match &placeholder {
        Some(message) if message.content == fingerprint => message.retries,
        Some(message) => message.retries.saturating_add(1),
        None => 1,
    };
    match placeholder {
        Some(message) => chat::replace(cx, chat, MessageRow { retries: tries, content: fingerprint, ..message }),
        None => {
            let message = MessageRow {
                id: incoming.id.clone(),
                kind: MessageKind::Undecryptable.into(),
                at: sent_at(cx, incoming).0,
                retries: tries,
                content: fingerprint,
                ..MessageRow::default()
            };
            chat::append(cx, chat, message);
        }
    }
    if tries <= MAX_RETRIES {
        let request = Request {
            to: incoming.from.clone(),
            participant: incoming.participant.clone(),
            id: incoming.id.clone(),
            t: incoming.t,
            count: tries,
            error: error.retry_code(),
        };
        cx.note(Event::AskedAgain(tries));
        request.send(cx, tries >= KEYS_FROM || matches!(error, DecryptError::NoSession));
    }
    acknowledge(cx, &incoming.node);
}

/// The user requests a message again that could not be decrypted: restarts at the first attempt, with our keys.
pub(crate) fn ask_again(cx: &mut Context<'_>, chat: &ChatId, message: MessageRow) {
    let Ok(to) = chat.as_str().parse::<Jid>() else { return };
    if message.outgoing || message.kind() != MessageKind::Undecryptable {
        return;
    }
    let t = UnixMillis(message.at).seconds().0;
    let request = Request { to, participant: None, id: message.id.clone(), t: Some(t), count: 1, error: 0 };
    request.send(cx, true);
    chat::replace(cx, chat, MessageRow { retries: 1, ..message });
}

/// "I could not open this."
struct Request {
    to: Jid,
    participant: Option<Jid>,
    id: String,
    t: Option<u64>,
    count: u32,
    error: u32,
}

impl Request {
    fn send(self, cx: &mut Context<'_>, with_keys: bool) {
        let keys = with_keys.then(|| session::own_bundle(cx)).flatten();
        let Self { to, participant, id, t, count, error } = self;
        let registration_id = Some(registration_id(cx).map_or(0, |id| id.0));
        let error = Some(error);
        let request = RetryRequest { count, id: id.clone(), t, error, registration_id, keys, device_identity: None };
        let receipt = Receipt { participant, ..Receipt::new(to, id, ReceiptKind::Retry(Box::new(request))) };
        cx.transmit(receipt.to_node());
    }
}

/// Distinguishes a resend, which is encrypted again, from a repeated delivery of the same bytes.
fn fingerprint(incoming: &Incoming) -> Vec<u8> {
    let digest =
        incoming.enc.iter().flatten().fold(Sha256::new(), |digest, enc| digest.chain_update(&enc.bytes)).finalize();
    digest.to_vec()
}

fn registration_id(cx: &Context<'_>) -> Option<RegistrationId> {
    let account = cx.records.account.get(row_key::ACCOUNT);
    account.and_then(|account| account.keys.as_ref()).map(|keys| keys.registration_id)
}
