//! The content of a message, once it is decrypted and unpadded (docs/spec/wire.md §6.8).
//!
//! Writes text, reads text, and gives everything else a name, so that a person sees "unsupported: image" and not
//! nothing. It does not know envelopes, padding, or how a message is shown. It keeps no bytes: the caller has them.

use crate::schema::content::{Message, ProtocolMessage};
use prost::Message as _;
use prost::encoding::{WireType, encode_key, encode_varint};
use std::borrow::Cow;

/// `Message.conversation`.
const CONVERSATION: u32 = 1;

/// Longest message that is read, in bytes: as much as a frame holds by default.
const MAX_BYTES: usize = 1 << 20;

/// Wrappers around wrappers that are opened. Two are in use.
const MAX_WRAPPERS: usize = 8;

/// The content of a message.
#[derive(Clone, PartialEq, Eq)]
pub enum Content {
    /// Words.
    Text {
        /// The words.
        body: String,
    },
    /// About another message, or about the chat.
    Protocol(Protocol),
    /// Something that this version cannot show.
    Unsupported {
        /// "image", "location", ..., or "field 49" for what has no name here.
        kind: Cow<'static, str>,
    },
}

/// About another message, or about the chat.
#[derive(Clone, PartialEq, Eq)]
pub enum Protocol {
    /// The sender takes a message back.
    Revoke {
        /// Its id.
        id: String,
    },
    /// The sender changes a message.
    Edit {
        /// Its id.
        id: String,
        /// The new words, if it is words.
        body: Option<String>,
    },
    /// Messages are to disappear after this time.
    Timer {
        /// Seconds; 0 for never.
        seconds: u32,
    },
    /// A type that this module does not read.
    Other {
        /// `ProtocolMessage.type`.
        kind: i32,
    },
}

/// Why bytes are no message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ContentError {
    /// Too long to be read.
    #[error("a message may have {most} bytes, got {got}")]
    TooLarge {
        /// Most that is read.
        most: usize,
        /// What came.
        got: usize,
    },
    /// Wrapped too often.
    #[error("a message may be wrapped {most} times")]
    TooDeep {
        /// Most that is opened.
        most: usize,
    },
    /// Not the protobuf it should be.
    #[error("the message is not readable")]
    Malformed(#[from] prost::DecodeError),
}

/// The bytes of a text message, not yet padded.
pub fn text(body: &str) -> Vec<u8> {
    // One field, written by itself: encoding the whole schema would carry the code of every kind of media along.
    let mut bytes = Vec::with_capacity(body.len() + 8);
    encode_key(CONVERSATION, WireType::LengthDelimited, &mut bytes);
    encode_varint(u64::try_from(body.len()).unwrap_or(u64::MAX), &mut bytes);
    bytes.extend_from_slice(body.as_bytes());
    bytes
}

/// Reads a message whose padding is off.
///
/// # Errors
/// Longer than 1 MiB, wrapped more than 8 times, or not a protobuf.
pub fn parse(bytes: &[u8]) -> Result<Content, ContentError> {
    if bytes.len() > MAX_BYTES {
        return Err(ContentError::TooLarge { most: MAX_BYTES, got: bytes.len() });
    }
    let whole = Message::decode(bytes)?;
    let inner = unwrap(bytes)?;
    let message = if inner.len() == bytes.len() { whole } else { Message::decode(inner)? };
    Ok(classify(message, inner))
}

impl Content {
    /// A short name of the kind, the same for all languages.
    pub fn kind(&self) -> &str {
        match self {
            Self::Text { .. } => "text",
            Self::Protocol(Protocol::Revoke { .. }) => "revoke",
            Self::Protocol(Protocol::Edit { .. }) => "edit",
            Self::Protocol(Protocol::Timer { .. }) => "timer",
            Self::Protocol(Protocol::Other { .. }) => "protocol",
            Self::Unsupported { kind } => kind,
        }
    }
}

/// Prints the kind only: what a person wrote belongs in no log.
impl core::fmt::Debug for Content {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Content({})", self.kind())
    }
}

fn classify(message: Message, bytes: &[u8]) -> Content {
    if let Some(body) = body(&message) {
        return Content::Text { body: body.to_owned() };
    }
    if let Some(protocol) = message.protocol_message {
        return Content::Protocol(read_protocol(*protocol));
    }
    let named = [
        (message.image_message.is_some(), "image"),
        (message.video_message.is_some() || message.ptv_message.is_some(), "video"),
        (message.audio_message.is_some(), "audio"),
        (message.document_message.is_some(), "document"),
        (message.sticker_message.is_some(), "sticker"),
        (message.contact_message.is_some() || message.contacts_array_message.is_some(), "contact"),
        (message.location_message.is_some(), "location"),
        (message.reaction_message.is_some(), "reaction"),
        (message.sender_key_distribution_message.is_some(), "group key"),
    ];
    let name = named.into_iter().find_map(|(is, name)| is.then_some(Cow::Borrowed(name)));
    let kind = name.unwrap_or_else(|| match Fields(bytes).find(|field| field.number != CONTEXT_INFO) {
        Some(field) => format!("field {}", field.number).into(),
        None => "empty".into(),
    });
    Content::Unsupported { kind }
}

/// The words of a message that is words.
fn body(message: &Message) -> Option<&str> {
    let extended = || message.extended_text_message.as_ref().and_then(|extended| extended.text.as_deref());
    let conversation = message.conversation.as_deref();
    conversation.filter(|body| !body.is_empty()).or_else(extended).or(conversation)
}

fn read_protocol(protocol: ProtocolMessage) -> Protocol {
    let id = protocol.key.and_then(|key| key.id);
    match (protocol.r#type.unwrap_or(0), id) {
        (0, Some(id)) => Protocol::Revoke { id },
        (14, Some(id)) => {
            let edited = protocol.edited_message;
            Protocol::Edit { id, body: edited.as_deref().and_then(body).map(str::to_owned) }
        }
        (3, _) => Protocol::Timer { seconds: protocol.ephemeral_expiration.unwrap_or(0) },
        (kind, _) => Protocol::Other { kind },
    }
}

/// `Message.messageContextInfo` accompanies any content and is none itself.
const CONTEXT_INFO: u64 = 35;

/// The innermost message of nested wrappers. It works on bytes, so that an unknown field is still there to be named.
fn unwrap(mut bytes: &[u8]) -> Result<&[u8], ContentError> {
    for _ in 0..=MAX_WRAPPERS {
        let wrapped = Fields(bytes).find_map(|field| {
            // Field of `Message`, and the field of that in which the message is.
            let inside = match field.number {
                31 => 2,
                37 | 40 | 53 | 55 | 58 | 59 => 1,
                _ => return None,
            };
            Fields(field.bytes?).find(|field| field.number == inside)?.bytes
        });
        match wrapped {
            Some(inner) => bytes = inner,
            None => return Ok(bytes),
        }
    }
    Err(ContentError::TooDeep { most: MAX_WRAPPERS })
}

/// The fields of a protobuf, without knowing its schema. Ends at the first byte that is none.
struct Fields<'a>(&'a [u8]);

struct Field<'a> {
    number: u64,
    /// The content of a length-delimited field.
    bytes: Option<&'a [u8]>,
}

impl<'a> Fields<'a> {
    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = self.0.split_first()?;
            self.0 = rest;
            value |= u64::from(byte & 0x7F) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    fn take(&mut self, len: u64) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(usize::try_from(len).ok()?)?;
        self.0 = rest;
        Some(taken)
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Field<'a>;

    fn next(&mut self) -> Option<Field<'a>> {
        let key = self.varint()?;
        let bytes = match key & 7 {
            0 => self.varint().map(|_| None)?,
            1 => self.take(8).map(|_| None)?,
            2 => {
                let len = self.varint()?;
                Some(self.take(len)?)
            }
            5 => self.take(4).map(|_| None)?,
            _ => return None,
        };
        Some(Field { number: key >> 3, bytes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::content::{
        ContextInfo, DeviceSentMessage, ExtendedTextMessage, FutureProofMessage, ImageMessage, MessageContextInfo,
        MessageKey,
    };
    use proptest::prelude::*;

    fn words(body: &str) -> Message {
        Message { conversation: Some(body.to_owned()), ..Message::default() }
    }

    fn read(message: &Message) -> Content {
        parse(&message.encode_to_vec()).unwrap()
    }

    fn text_content(body: &str) -> Content {
        Content::Text { body: body.to_owned() }
    }

    fn wrapper(inner: Message) -> Option<Box<FutureProofMessage>> {
        Some(Box::new(FutureProofMessage { message: Some(Box::new(inner)) }))
    }

    #[test]
    fn text_is_what_the_vectors_encrypt() {
        assert_eq!(text("hello"), [0x0A, 5, b'h', b'e', b'l', b'l', b'o']);
    }

    #[test]
    fn styled_and_quoting_text_is_text() {
        let context_info = ContextInfo { quoted_message: Some(Box::new(words("quoted"))), ..ContextInfo::default() };
        let extended = ExtendedTextMessage {
            text: Some("see https://example.org".to_owned()),
            context_info: Some(Box::new(context_info)),
            ..ExtendedTextMessage::default()
        };
        let message = Message { extended_text_message: Some(Box::new(extended)), ..Message::default() };
        assert_eq!(read(&message), text_content("see https://example.org"));
        assert_eq!(read(&words("")), text_content(""));
    }

    #[test]
    fn every_wrapper_is_opened() {
        let disappearing = Message { ephemeral_message: wrapper(words("a")), ..Message::default() };
        assert_eq!(read(&disappearing), text_content("a"));
        let sent = DeviceSentMessage { destination_jid: Some("x@y".to_owned()), message: Some(Box::new(disappearing)) };
        assert_eq!(
            read(&Message { device_sent_message: Some(Box::new(sent)), ..Message::default() }),
            text_content("a")
        );
        let image = Message { image_message: Some(Box::default()), ..Message::default() };
        for message in [
            Message { view_once_message: wrapper(image.clone()), ..Message::default() },
            Message { view_once_message_v2: wrapper(image.clone()), ..Message::default() },
            Message { view_once_message_v2_extension: wrapper(image.clone()), ..Message::default() },
            Message { document_with_caption_message: wrapper(image.clone()), ..Message::default() },
        ] {
            assert_eq!(read(&message).kind(), "image");
        }
    }

    #[test]
    fn wrappers_beyond_the_limit_are_refused_and_those_within_are_not() {
        let wrapped = |times| {
            (0..times)
                .fold(words("deep"), |inner, _| Message { ephemeral_message: wrapper(inner), ..Message::default() })
        };
        assert_eq!(read(&wrapped(MAX_WRAPPERS)), text_content("deep"));
        let error = parse(&wrapped(MAX_WRAPPERS + 1).encode_to_vec()).unwrap_err();
        assert_eq!(error, ContentError::TooDeep { most: MAX_WRAPPERS });
    }

    #[test]
    fn an_edit_names_the_message_and_its_new_words() {
        let protocol = ProtocolMessage {
            key: Some(MessageKey { id: Some("3EB0".to_owned()), ..MessageKey::default() }),
            r#type: Some(14),
            edited_message: Some(Box::new(words("better"))),
            ..ProtocolMessage::default()
        };
        let edit = Message { protocol_message: Some(Box::new(protocol)), ..Message::default() };
        let edit = Message { edited_message: wrapper(edit), ..Message::default() };
        let expected = Protocol::Edit { id: "3EB0".to_owned(), body: Some("better".to_owned()) };
        assert_eq!(read(&edit), Content::Protocol(expected));
    }

    #[test]
    fn a_revoke_names_the_message_and_a_timer_its_seconds() {
        let key = MessageKey { id: Some("3EB0".to_owned()), ..MessageKey::default() };
        let about = |protocol| Message { protocol_message: Some(Box::new(protocol)), ..Message::default() };
        let revoke = ProtocolMessage { key: Some(key), r#type: Some(0), ..ProtocolMessage::default() };
        assert_eq!(read(&about(revoke)), Content::Protocol(Protocol::Revoke { id: "3EB0".to_owned() }));
        let timer = ProtocolMessage { r#type: Some(3), ephemeral_expiration: Some(86_400), ..Default::default() };
        assert_eq!(read(&about(timer)), Content::Protocol(Protocol::Timer { seconds: 86_400 }));
        let other = ProtocolMessage { r#type: Some(99), ..ProtocolMessage::default() };
        assert_eq!(read(&about(other)), Content::Protocol(Protocol::Other { kind: 99 }));
    }

    #[test]
    fn what_cannot_be_shown_is_named() {
        let context = Some(MessageContextInfo::default());
        let image = ImageMessage { caption: Some("look".to_owned()), ..ImageMessage::default() };
        let image =
            Message { image_message: Some(Box::new(image)), message_context_info: context, ..Default::default() };
        assert_eq!(read(&image).kind(), "image");
        assert_eq!(parse(&[]).unwrap().kind(), "empty");
        // Field 49 with one byte inside, beside a context info: a poll.
        assert_eq!(parse(&[0x9A, 0x02, 0, 0x8A, 0x03, 1, 0]).unwrap().kind(), "field 49");
        // The same poll in an ephemeral wrapper.
        assert_eq!(parse(&[0xC2, 0x02, 6, 0x0A, 4, 0x8A, 0x03, 1, 0]).unwrap().kind(), "field 49");
    }

    #[test]
    fn what_people_wrote_is_not_printed() {
        assert_eq!(format!("{:?}", text_content("a secret")), "Content(text)");
    }

    #[test]
    fn a_message_beyond_the_limit_is_not_even_read() {
        let error = parse(&vec![0xFF; MAX_BYTES + 1]).unwrap_err();
        assert_eq!(error, ContentError::TooLarge { most: MAX_BYTES, got: MAX_BYTES + 1 });
        assert!(matches!(parse(&[0x0A, 5, b'h']), Err(ContentError::Malformed(_))));
    }

    #[test]
    fn nesting_as_deep_as_the_bytes_allow_is_an_error_and_not_a_full_stack() {
        let mut bytes = Vec::new();
        for _ in 0..10_000 {
            // ephemeralMessage { message: ... }
            let mut inner = vec![0x0A];
            prost::encode_length_delimiter(bytes.len(), &mut inner).unwrap();
            inner.append(&mut bytes);
            bytes = vec![0xC2, 0x02];
            prost::encode_length_delimiter(inner.len(), &mut bytes).unwrap();
            bytes.append(&mut inner);
        }
        assert!(matches!(parse(&bytes), Err(ContentError::Malformed(_))));
    }

    proptest! {
        #[test]
        fn any_words_come_back(body in "\\PC{1,200}") {
            prop_assert_eq!(parse(&text(&body)).unwrap(), text_content(&body));
        }

        #[test]
        fn hostile_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            drop(parse(&bytes));
        }
    }
}
