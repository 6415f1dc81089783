//! Messages that could not be decrypted: asking for them again, and serving those who ask us (wire.md §5.10).

use crate::chat;
use crate::outbox::Outbox;
use crate::session;
use crate::store::chats::Message;
use crate::store::keys;
use crate::store::shelf::Missing;
use crate::turn::Turn;
use crate::view::MessageKind;
use causeway_proto::signal::DecryptError;
use causeway_proto::stanza::message::Incoming;
use causeway_proto::stanza::receipt::RetryRequest;
use causeway_proto::stanza::{Receipt, ReceiptKind};

/// After this many tries nobody asks again.
const MAX_TRIES: u32 = 5;
/// From this try on our keys go along, so that the peer can begin a session at once.
const KEYS_FROM: u32 = 2;

/// Shows a placeholder and asks the sender to send again. Then the stanza is acknowledged, or it would come for ever.
pub(super) fn ask(
    turn: &mut Turn<'_>,
    incoming: &Incoming,
    chat: &str,
    placeholder: Option<Message>,
    error: &DecryptError,
) {
    let tries = placeholder.as_ref().map_or(0, |message| message.retries).saturating_add(1);
    match placeholder {
        Some(message) => chat::replace(turn, chat, Message { retries: tries, ..message }),
        None => {
            let at = incoming.t.saturating_mul(super::SECOND);
            let message = Message {
                id: incoming.id.clone(),
                kind: MessageKind::Undecryptable.into(),
                at: if at == 0 { turn.now } else { at },
                retries: tries,
                ..Message::default()
            };
            chat::append(turn, chat, message);
        }
    }
    if tries <= MAX_TRIES {
        let no_session = matches!(error, DecryptError::NoSession);
        let keys = (tries >= KEYS_FROM || no_session).then(|| session::own_bundle(turn)).flatten();
        let registration_id = registration_id(turn);
        let request = RetryRequest {
            count: tries,
            id: incoming.id.clone(),
            t: incoming.t,
            error: Some(error.retry_code()),
            registration_id,
            keys,
        };
        let receipt = Receipt {
            participant: incoming.participant.clone(),
            ..Receipt::new(incoming.from.clone(), incoming.id.clone(), ReceiptKind::Retry(Box::new(request)))
        };
        turn.transmit(receipt.to_node());
    }
    super::acknowledge(turn, &incoming.node);
}

/// A peer could not decrypt what we sent: begin a session from the keys it sent, or from fresh ones, and send it anew.
pub(super) fn serve(
    turn: &mut Turn<'_>,
    outbox: &mut Outbox,
    chat: &str,
    receipt: &Receipt,
    request: &RetryRequest,
) -> Result<(), Missing> {
    let address = receipt.jid.to_string();
    turn.records.sessions.want(address.as_bytes());
    let position = turn.records.positions.get(&keys::message_id(chat, true, &request.id))?.cloned();
    let Some(position) = position else { return Ok(()) };
    let message = turn.records.messages.get(&keys::message(chat, position.seq))?.cloned();
    turn.records.sessions.get(address.as_bytes())?;
    let Some(mut message) = message.filter(|message| message.retries < MAX_TRIES) else { return Ok(()) };
    let begun = request.keys.as_ref().is_some_and(|bundle| session::begin(turn, &receipt.jid, bundle));
    if !begun && let Ok(Some(session)) = turn.records.sessions.change(address.as_bytes()) {
        // The peer has lost this session, or it never worked: the next envelope stands on freshly fetched keys.
        session.archive_current();
    }
    message.retries = message.retries.saturating_add(1);
    outbox.resend(turn, chat, &message, &receipt.jid);
    chat::replace(turn, chat, message);
    Ok(())
}

fn registration_id(turn: &Turn<'_>) -> u32 {
    let account = turn.records.account.peek(keys::ACCOUNT);
    account.and_then(|account| account.keys.as_ref()).map_or(0, |keys| keys.registration_id)
}
