//! The part of WhatsApp's `Message` protobuf that a phone reads and writes: text, and what changes or accompanies it
//! (docs/spec/wire.md §6.8).
//!
//! Must not know padding and encryption.

use prost::Message;

/// Number of nested wrappers that are followed.
const MAX_DEPTH: usize = 4;

#[derive(Clone, PartialEq, Message)]
struct Content {
    #[prost(string, optional, tag = "1")]
    conversation: Option<String>,
    #[prost(message, optional, tag = "2")]
    group_key: Option<GroupKey>,
    #[prost(message, optional, tag = "6")]
    extended: Option<ExtendedText>,
    #[prost(message, optional, boxed, tag = "12")]
    protocol: Option<Box<Protocol>>,
    #[prost(message, optional, boxed, tag = "31")]
    device_sent: Option<Box<DeviceSent>>,
    #[prost(message, optional, tag = "35")]
    context: Option<Context>,
    #[prost(message, optional, boxed, tag = "40")]
    ephemeral: Option<Box<Wrapper>>,
    #[prost(message, optional, tag = "46")]
    reaction: Option<Reaction>,
    #[prost(message, optional, boxed, tag = "58")]
    edited: Option<Box<Wrapper>>,
}

#[derive(Clone, PartialEq, Message)]
struct GroupKey {
    #[prost(string, optional, tag = "1")]
    group: Option<String>,
}

#[derive(Clone, PartialEq, Message)]
struct Context {
    #[prost(bytes = "vec", optional, tag = "3")]
    secret: Option<Vec<u8>>,
}

#[derive(Clone, PartialEq, Message)]
struct Key {
    #[prost(bool, optional, tag = "2")]
    from_me: Option<bool>,
    #[prost(string, optional, tag = "3")]
    id: Option<String>,
}

#[derive(Clone, PartialEq, Message)]
struct Protocol {
    #[prost(message, optional, tag = "1")]
    key: Option<Key>,
    #[prost(uint32, optional, tag = "2")]
    kind: Option<u32>,
    #[prost(uint32, optional, tag = "4")]
    seconds: Option<u32>,
    #[prost(message, optional, boxed, tag = "14")]
    edited: Option<Box<Content>>,
}

#[derive(Clone, PartialEq, Message)]
struct Reaction {
    #[prost(message, optional, tag = "1")]
    key: Option<Key>,
    #[prost(string, optional, tag = "2")]
    emoji: Option<String>,
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

/// Puts other words in place of those of a message of the phone's own.
pub fn edit(id: &str, text: &str) -> Vec<u8> {
    let edited = Content { conversation: Some(text.to_owned()), ..Content::default() };
    let protocol = Protocol { key: key(id, true), kind: Some(14), seconds: None, edited: Some(Box::new(edited)) };
    let inner = Content { protocol: Some(Box::new(protocol)), ..Content::default() };
    let wrapper = Wrapper { message: Some(Box::new(inner)) };
    Content { edited: Some(Box::new(wrapper)), ..Content::default() }.encode_to_vec()
}

/// Takes back a message of the phone's own.
pub fn revoke(id: &str) -> Vec<u8> {
    let protocol = Protocol { key: key(id, true), kind: Some(0), seconds: None, edited: None };
    Content { protocol: Some(Box::new(protocol)), ..Content::default() }.encode_to_vec()
}

/// Reacts to a message, of the phone's own or of the other end's; no text takes the reaction back.
pub fn reaction(id: &str, of_phone: bool, emoji: &str) -> Vec<u8> {
    let reaction = Reaction { key: key(id, of_phone), emoji: Some(emoji.to_owned()) };
    Content { reaction: Some(reaction), ..Content::default() }.encode_to_vec()
}

/// Messages of the chat are to disappear after these seconds; 0 for never.
pub fn timer(seconds: u32) -> Vec<u8> {
    let protocol = Protocol { key: None, kind: Some(3), seconds: Some(seconds), edited: None };
    Content { protocol: Some(Box::new(protocol)), ..Content::default() }.encode_to_vec()
}

/// A group's sender key and nothing else.
pub fn group_key() -> Vec<u8> {
    let group_key = GroupKey { group: Some("120363040237990503@g.us".to_owned()) };
    Content { group_key: Some(group_key), ..Content::default() }.encode_to_vec()
}

/// A message secret and nothing else.
pub fn context_only() -> Vec<u8> {
    let context = Context { secret: Some(vec![7; 32]) };
    Content { context: Some(context), ..Content::default() }.encode_to_vec()
}

fn key(id: &str, from_me: bool) -> Option<Key> {
    Some(Key { from_me: Some(from_me), id: Some(id.to_owned()) })
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
    use causeway_proto::content::{self, Silent, Target};

    #[test]
    fn text_comes_back_plain_or_wrapped() {
        assert_eq!(read(&write("héllo")).as_deref(), Some("héllo"));
        let inner = Content { extended: Some(ExtendedText { text: Some("in".to_owned()) }), ..Content::default() };
        let wrapped =
            Content { ephemeral: Some(Box::new(Wrapper { message: Some(Box::new(inner)) })), ..Content::default() };
        assert_eq!(read(&wrapped.encode_to_vec()).as_deref(), Some("in"));
    }

    #[test]
    fn the_client_reads_what_changes_or_accompanies_text() {
        let of_sender =
            |id: &str, is_from_sender| Target { id: id.to_owned(), is_from_sender, chat: None, author: None };
        let read = |bytes: Vec<u8>| content::parse(&bytes).unwrap();
        let target = of_sender("A", true);
        let body = Some("new".to_owned());
        assert_eq!(read(edit("A", "new")), content::Content::Edit { target: target.clone(), body });
        assert_eq!(read(revoke("A")), content::Content::Revoke { target: target.clone() });
        let emoji = Some("👍".to_owned());
        assert_eq!(
            read(reaction("B", false, "👍")),
            content::Content::Reaction { target: of_sender("B", false), emoji }
        );
        assert_eq!(read(reaction("A", true, "")), content::Content::Reaction { target, emoji: None });
        assert_eq!(read(timer(86_400)), content::Content::Timer { seconds: 86_400 });
        assert_eq!(read(group_key()), content::Content::Silent(Silent::KeyDistribution));
        assert_eq!(read(context_only()), content::Content::Silent(Silent::ContextOnly));
    }

    #[test]
    fn other_bytes_are_no_text() {
        assert_eq!(read(&[0xFF; 9]), None);
        assert_eq!(read(&[]), None);
    }
}
