//! What a message can be: each kind as a type that a chat can act on.

use super::media::Media;
use super::target::Target;
use std::borrow::Cow;

/// The content of a message.
#[derive(Clone, PartialEq, Eq)]
pub enum Content {
    /// Words.
    Text {
        /// The words.
        body: String,
    },
    /// The sender changes a message.
    Edit {
        /// Which.
        target: Target,
        /// The new words, also those under a picture; absent if it is something else.
        body: Option<String>,
    },
    /// The sender takes a message back.
    Revoke {
        /// Which.
        target: Target,
    },
    /// The sender's reaction to a message, in place of an earlier one.
    Reaction {
        /// To which.
        target: Target,
        /// An emoji; absent if the reaction is taken back.
        emoji: Option<String>,
    },
    /// Messages of the chat are to disappear after this time.
    Timer {
        /// Seconds; 0 for never.
        seconds: u32,
    },
    /// A file. Not shown yet.
    Media(Media),
    /// Nothing that a person is to see.
    Silent(Silent),
    /// Something that this version cannot show.
    Unsupported {
        /// What it is.
        kind: UnsupportedKind,
    },
}

/// Content that is for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Silent {
    /// A group's sender key and nothing else.
    KeyDistribution,
    /// What accompanies content, without any.
    ContextOnly,
    /// Nothing at all.
    Empty,
    /// A `ProtocolMessage` of a type that concerns devices of one person, or that this module does not read.
    Protocol {
        /// `ProtocolMessage.type`.
        kind: u64,
    },
}

/// Content that this version cannot show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnsupportedKind {
    /// One or several contact cards.
    Contact,
    /// A place, also one that moves.
    Location,
    /// What has no name here: the number of its field in `Message`. Also an edit, revoke or reaction that does not say
    /// to which message.
    Field(u64),
}

impl UnsupportedKind {
    pub(super) fn of_field(number: u64) -> Self {
        match number {
            4 | 13 => Self::Contact,
            5 | 18 => Self::Location,
            _ => Self::Field(number),
        }
    }
}

impl Content {
    /// A short name of the kind, the same for all languages.
    pub fn kind(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Text { .. } => "text",
            Self::Edit { .. } => "edit",
            Self::Revoke { .. } => "revoke",
            Self::Reaction { .. } => "reaction",
            Self::Timer { .. } => "timer",
            Self::Media(media) => media.kind.name(),
            Self::Silent(Silent::KeyDistribution) => "group key",
            Self::Silent(Silent::ContextOnly) => "context",
            Self::Silent(Silent::Empty) => "empty",
            Self::Silent(Silent::Protocol { .. }) => "protocol",
            Self::Unsupported { kind: UnsupportedKind::Contact } => "contact",
            Self::Unsupported { kind: UnsupportedKind::Location } => "location",
            Self::Unsupported { kind: UnsupportedKind::Field(number) } => {
                return Cow::Owned(format!("field {number}"));
            }
        })
    }
}

/// Prints the kind only: what a person wrote belongs in no log.
impl core::fmt::Debug for Content {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Content({})", self.kind())
    }
}
