//! The next step of a recipient whose turn it is: its message is encrypted, sent, or given up. What this module does not
//! know: whose turn it is.

use crate::model::recipient::Plaintext;
use crate::model::{Recipient, Stage};
use crate::peer;
use crate::store::chats::MessageRow;
use crate::store::paged::{Found, NotLoaded};
use crate::store::records::Records;
use crate::store::row_key;
use crate::view::MAX_RETRIES;
use causeway_proto::signal::SessionRecord;

/// What is next for a recipient whose message waits.
pub(super) enum Step {
    /// Its envelope is sent.
    Send,
    /// The message is encrypted: for the first time, or because the device has another identity key since, which makes it
    /// a resend. There is no plaintext if the message was deleted.
    Encrypt { plaintext: Option<Plaintext>, session: Found<SessionRecord> },
    /// It would be one resend too many.
    GiveUp(Option<MessageRow>),
}

impl Step {
    /// Looks up what the next step needs.
    ///
    /// # Errors
    /// [`NotLoaded`] while a row is not in memory.
    pub(super) fn plan(records: &Records, recipient: &Recipient) -> Result<Self, NotLoaded> {
        let is_current = is_current(records, recipient);
        if is_current && recipient.stage != Stage::Queued {
            return Ok(Self::Send);
        }
        let message = records.message(&recipient.chat, recipient.seq);
        if !is_current && recipient.resends >= MAX_RETRIES {
            return Ok(Self::GiveUp(message?.cloned()));
        }
        let session = records.sessions.find(row_key::session(&recipient.address));
        Ok(Self::Encrypt { plaintext: message?.map(MessageRow::to_encrypt), session: session? })
    }
}

/// Whether a recipient's device has the identity key still that the envelope was encrypted for. Versions that did not keep
/// that key sent what they had encrypted.
pub(super) fn is_current(records: &Records, recipient: &Recipient) -> bool {
    match recipient.stage {
        Stage::Sealed { .. } => {
            recipient.identity.is_none() || recipient.identity == peer::identity(records, &recipient.address)
        }
        Stage::Queued | Stage::Accepted => true,
    }
}
