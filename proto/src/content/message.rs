//! The top of the tree: which content a message has, behind which wrappers.
//!
//! Works on bytes: nothing is decoded before it is needed, and an unknown field is still there to be named.

use super::error::ContentError;
use super::media::MediaKind;
use super::text;
use crate::protobuf::{Field, FieldError, Fields, bytes_of};

/// Wrappers around wrappers that are opened. Two are in use.
pub(super) const MAX_WRAPPERS: usize = 8;

/// The fields of `Message` that matter, each in its bytes. Of several fields of one number the last counts.
#[derive(Default)]
pub(super) struct Message<'a> {
    conversation: Option<&'a [u8]>,
    extended_text: Option<&'a [u8]>,
    pub(super) protocol: Option<&'a [u8]>,
    pub(super) reaction: Option<&'a [u8]>,
    pub(super) media: Option<(MediaKind, &'a [u8])>,
    /// A sender key may accompany other content.
    pub(super) has_group_key: bool,
    /// Device list and message secret accompany other content.
    pub(super) has_context: bool,
    /// The first field that is none of the others.
    pub(super) other: Option<u64>,
    wrapped: Option<&'a [u8]>,
}

impl<'a> Message<'a> {
    /// The message inside all wrappers.
    pub(super) fn innermost(mut bytes: &'a [u8]) -> Result<Self, ContentError> {
        for _ in 0..=MAX_WRAPPERS {
            let message = Self::read(bytes)?;
            match message.wrapped {
                Some(inner) => bytes = inner,
                None => return Ok(message),
            }
        }
        Err(ContentError::TooDeep { most: MAX_WRAPPERS })
    }

    fn read(bytes: &'a [u8]) -> Result<Self, FieldError> {
        let mut message = Self::default();
        for field in Fields::of(bytes) {
            match field? {
                (1, Field::Bytes { value, .. }) => message.conversation = Some(value),
                (2, Field::Bytes { .. }) => message.has_group_key = true,
                (6, Field::Bytes { value, .. }) => message.extended_text = Some(value),
                (12, Field::Bytes { value, .. }) => message.protocol = Some(value),
                (35, Field::Bytes { .. }) => message.has_context = true,
                (46, Field::Bytes { value, .. }) => message.reaction = Some(value),
                (number, Field::Bytes { value, .. }) => {
                    if let Some(kind) = MediaKind::of_field(number) {
                        message.media = Some((kind, value));
                    } else if let Some(inner) = inside_wrapper(number, value)? {
                        message.wrapped = Some(inner);
                    } else {
                        message.other = message.other.or(Some(number));
                    }
                }
                (number, _) => message.other = message.other.or(Some(number)),
            }
        }
        Ok(message)
    }

    /// The words of a message that is words.
    pub(super) fn body(&self) -> Result<Option<String>, FieldError> {
        if let Some(conversation) = self.conversation.filter(|words| !words.is_empty()) {
            return Ok(Some(text::of(conversation)));
        }
        let words = match self.extended_text {
            Some(extended) => bytes_of(extended, 1)?,
            None => None,
        };
        Ok(words.or(self.conversation).map(text::of))
    }
}

/// The message in a wrapper, if the field is one and has one.
fn inside_wrapper(number: u64, wrapper: &[u8]) -> Result<Option<&[u8]>, FieldError> {
    match number {
        31 => bytes_of(wrapper, 2),
        37 | 40 | 53 | 55 | 58 | 59 => bytes_of(wrapper, 1),
        _ => Ok(None),
    }
}
