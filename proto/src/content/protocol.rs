//! What a message says about another message, or about its chat: edit, revoke, disappearing timer.

use super::error::ContentError;
use super::kind::{Content, Silent, UnsupportedKind};
use super::media::Media;
use super::message::Message;
use super::target::Target;
use crate::protobuf::{Field, Fields};

/// `ProtocolMessage.type`
const REVOKE: u64 = 0;
/// `ProtocolMessage.type`
const EPHEMERAL_SETTING: u64 = 3;
/// `ProtocolMessage.type`
const MESSAGE_EDIT: u64 = 14;

/// `Message.protocol_message`
const FIELD: u64 = 12;

/// Reads `ProtocolMessage`.
pub(super) fn read(bytes: &[u8]) -> Result<Content, ContentError> {
    let (mut target, mut kind, mut seconds, mut edited) = (None, REVOKE, 0, None);
    for field in Fields::of(bytes) {
        match field? {
            (1, Field::Bytes { value, .. }) => target = Target::read(value)?,
            (2, Field::Varint(value)) => kind = value,
            (4, Field::Varint(value)) => seconds = value,
            (14, Field::Bytes { value, .. }) => edited = Some(value),
            _ => {}
        }
    }
    Ok(match (kind, target) {
        (REVOKE, Some(target)) => Content::Revoke { target },
        (MESSAGE_EDIT, Some(target)) => Content::Edit { target, body: edited.map(words).transpose()?.flatten() },
        (REVOKE | MESSAGE_EDIT, None) => Content::Unsupported { kind: UnsupportedKind::Field(FIELD) },
        (EPHEMERAL_SETTING, _) => Content::Timer { seconds: u32::try_from(seconds).unwrap_or(u32::MAX) },
        (kind, _) => Content::Silent(Silent::Protocol { kind }),
    })
}

/// The words of a message, or those under its file.
fn words(bytes: &[u8]) -> Result<Option<String>, ContentError> {
    let message = Message::innermost(bytes)?;
    match (message.body()?, message.media) {
        (None, Some((kind, media))) => Ok(Media::read(kind, media)?.caption),
        (body, _) => Ok(body),
    }
}
