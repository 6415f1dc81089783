//! The part of WhatsApp's `Message` protobuf that a phone reads and writes: text (docs/spec/wire.md §6.8).
//!
//! Must not know padding and encryption.

use prost::Message;

/// Number of nested wrappers that are followed.
const MAX_DEPTH: usize = 4;

#[derive(Clone, PartialEq, Message)]
struct Content {
    #[prost(string, optional, tag = "1")]
    conversation: Option<String>,
    #[prost(message, optional, tag = "6")]
    extended: Option<ExtendedText>,
    #[prost(message, optional, boxed, tag = "31")]
    device_sent: Option<Box<DeviceSent>>,
    #[prost(message, optional, boxed, tag = "40")]
    ephemeral: Option<Box<Wrapper>>,
}

#[derive(Clone, PartialEq, Message)]
struct ExtendedText {
    #[prost(string, optional, tag = "1")]
    text: Option<String>,
}

#[derive(Clone, PartialEq, Message)]
struct DeviceSent {
    #[prost(message, optional, boxed, tag = "2")]
    message: Option<Box<Content>>,
}

#[derive(Clone, PartialEq, Message)]
struct Wrapper {
    #[prost(message, optional, boxed, tag = "1")]
    message: Option<Box<Content>>,
}

/// A text message, serialised and not yet padded.
pub fn write(text: &str) -> Vec<u8> {
    Content { conversation: Some(text.to_owned()), ..Content::default() }.encode_to_vec()
}

/// The text of a message; `None` for every other kind, and for bytes that are no message.
pub fn read(bytes: &[u8]) -> Option<String> {
    let mut content = Content::decode(bytes).ok()?;
    for _ in 0..MAX_DEPTH {
        if let Some(text) = content.conversation.or(content.extended.and_then(|extended| extended.text)) {
            return Some(text);
        }
        let sent = content.device_sent.and_then(|sent| sent.message);
        content = *sent.or(content.ephemeral.and_then(|wrapper| wrapper.message))?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_comes_back_plain_or_wrapped() {
        assert_eq!(read(&write("héllo")).as_deref(), Some("héllo"));
        let inner = Content { extended: Some(ExtendedText { text: Some("in".to_owned()) }), ..Content::default() };
        let wrapped =
            Content { ephemeral: Some(Box::new(Wrapper { message: Some(Box::new(inner)) })), ..Content::default() };
        assert_eq!(read(&wrapped.encode_to_vec()).as_deref(), Some("in"));
    }

    #[test]
    fn other_bytes_are_no_text() {
        assert_eq!(read(&[0xFF; 9]), None);
        assert_eq!(read(&[]), None);
    }
}
