//! Which kind a message is.

use super::error::ContentError;
use super::kind::{Content, Silent, UnsupportedKind};
use super::media::Media;
use super::message::Message;
use super::{protocol, reaction};

/// Longest message that is read, in bytes: as much as a frame holds by default.
pub(super) const MAX_BYTES: usize = 1 << 20;

/// Reads a message whose padding is off.
///
/// # Errors
/// Longer than 1 MiB, wrapped more than 8 times, or not a protobuf.
pub fn parse(bytes: &[u8]) -> Result<Content, ContentError> {
    if bytes.len() > MAX_BYTES {
        return Err(ContentError::TooLarge { most: MAX_BYTES, got: bytes.len() });
    }
    let message = Message::innermost(bytes)?;
    if let Some(body) = message.body()? {
        return Ok(Content::Text { body });
    }
    if let Some(protocol) = message.protocol {
        return protocol::read(protocol);
    }
    if let Some(reaction) = message.reaction {
        return reaction::read(reaction);
    }
    if let Some((kind, media)) = message.media {
        return Ok(Content::Media(Media::read(kind, media)?));
    }
    Ok(match message.other {
        Some(number) => Content::Unsupported { kind: UnsupportedKind::of_field(number) },
        None if message.has_group_key => Content::Silent(Silent::KeyDistribution),
        None if message.has_context => Content::Silent(Silent::ContextOnly),
        None => Content::Silent(Silent::Empty),
    })
}
