//! Files: pictures, films, sound, documents, stickers (docs/spec/wire.md §6.8, §7).
//!
//! Only the kind and the words are read so far. Where the file is, its keys and its hashes will be fields of [`Media`].

use super::text;
use crate::protobuf::{FieldError, bytes_of};

/// A file.
#[derive(Clone, PartialEq, Eq)]
pub struct Media {
    /// What it is.
    pub kind: MediaKind,
    /// The words under it; absent if there are none.
    pub caption: Option<String>,
}

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaKind {
    /// A picture.
    Image,
    /// A film, also a round one.
    Video,
    /// Sound, also a voice note.
    Audio,
    /// Any file.
    Document,
    /// A sticker.
    Sticker,
}

impl Media {
    pub(super) fn read(kind: MediaKind, bytes: &[u8]) -> Result<Self, FieldError> {
        let caption = match kind.caption_field() {
            Some(number) => bytes_of(bytes, number)?,
            None => None,
        };
        Ok(Self { kind, caption: caption.filter(|caption| !caption.is_empty()).map(text::of) })
    }
}

impl MediaKind {
    /// The kind behind a field of `Message`.
    pub(super) fn of_field(number: u64) -> Option<Self> {
        Some(match number {
            3 => Self::Image,
            7 => Self::Document,
            8 => Self::Audio,
            9 | 66 => Self::Video,
            26 => Self::Sticker,
            _ => return None,
        })
    }

    fn caption_field(self) -> Option<u64> {
        match self {
            Self::Image => Some(3),
            Self::Video => Some(7),
            Self::Document => Some(20),
            Self::Audio | Self::Sticker => None,
        }
    }

    /// The same for all languages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Video => "video",
            Self::Audio => "audio",
            Self::Document => "document",
            Self::Sticker => "sticker",
        }
    }
}
