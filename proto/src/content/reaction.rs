//! An emoji on another message.

use super::error::ContentError;
use super::kind::{Content, UnsupportedKind};
use super::target::Target;
use super::text;
use crate::protobuf::{Field, Fields};

/// `Message.reaction_message`
const FIELD: u64 = 46;

/// Reads `ReactionMessage`. Empty text takes the reaction back.
pub(super) fn read(bytes: &[u8]) -> Result<Content, ContentError> {
    let (mut target, mut emoji) = (None, None);
    for field in Fields::of(bytes) {
        match field? {
            (1, Field::Bytes { value, .. }) => target = Target::read(value)?,
            (2, Field::Bytes { value, .. }) => emoji = Some(value),
            _ => {}
        }
    }
    let emoji = emoji.filter(|emoji| !emoji.is_empty()).map(text::of);
    Ok(match target {
        Some(target) => Content::Reaction { target, emoji },
        None => Content::Unsupported { kind: UnsupportedKind::Field(FIELD) },
    })
}
