//! What the reader of content makes of what a second encoder, and nobody, has written.

use super::message::MAX_WRAPPERS;
use super::parse::MAX_BYTES;
use super::*;
use crate::jid::Jid;
use crate::protobuf::FieldError;
use crate::schema::content::{
    ContextInfo, DeviceSentMessage, ExtendedTextMessage, FutureProofMessage, ImageMessage, Message, MessageContextInfo,
    MessageKey, ProtocolMessage, ReactionMessage, SenderKeyDistributionMessage,
};
use proptest::prelude::*;
use prost::Message as _;

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

fn key(id: &str) -> Option<MessageKey> {
    Some(MessageKey {
        remote_jid: Some("14155550100@s.whatsapp.net".to_owned()),
        from_me: Some(true),
        id: Some(id.to_owned()),
        participant: None,
    })
}

fn target(id: &str) -> Target {
    Target { id: id.to_owned(), is_from_sender: true, chat: Some(Jid::user("14155550100")), author: None }
}

fn about(protocol: ProtocolMessage) -> Message {
    Message { protocol_message: Some(Box::new(protocol)), ..Message::default() }
}

fn edit(id: &str, new: Message) -> Message {
    let edited_message = Some(Box::new(new));
    about(ProtocolMessage { key: key(id), r#type: Some(14), edited_message, ..ProtocolMessage::default() })
}

/// A field of bytes, in two bytes of key at most.
fn field(number: u32, value: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    crate::protobuf::put_bytes(&mut bytes, number, value);
    bytes
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
    // A sender key or a message secret beside words takes nothing away from them.
    let accompanied = Message {
        sender_key_distribution_message: Some(SenderKeyDistributionMessage::default()),
        message_context_info: Some(MessageContextInfo::default()),
        ..words("a")
    };
    assert_eq!(read(&accompanied), text_content("a"));
}

#[test]
fn words_that_are_not_utf8_are_words() {
    assert_eq!(parse(&[0x0A, 5, b'h', b'i', 0xED, 0xA0, 0xBD]).unwrap(), text_content("hi\u{FFFD}\u{FFFD}\u{FFFD}"));
    let bad = b"hi \xFF";
    assert_eq!(parse(&field(6, &field(1, bad))).unwrap(), text_content("hi \u{FFFD}"));
    // Under a picture, a film and a document.
    for (number, caption) in [(3, 3), (9, 7), (66, 7), (7, 20)] {
        let Content::Media(media) = parse(&field(number, &field(caption, bad))).unwrap() else { panic!("{number}") };
        assert_eq!(media.caption.as_deref(), Some("hi \u{FFFD}"), "{number}");
    }
    let reaction = parse(&field(46, &[field(1, &field(3, b"A\xC3")), field(2, bad)].concat())).unwrap();
    let Content::Reaction { target, emoji } = reaction else { panic!("{reaction:?}") };
    assert_eq!((target.id.as_str(), emoji.as_deref()), ("A\u{FFFD}", Some("hi \u{FFFD}")));
}

#[test]
fn a_damaged_string_that_nobody_shows_does_not_matter() {
    let bad = b"\xFF\xFE";
    // The participant, the mentions and the text of a quote.
    let quote = [field(2, bad), field(15, bad), field(3, &field(1, bad))].concat();
    let extended = [field(1, b"a"), field(2, bad), field(6, bad), field(17, &quote)].concat();
    assert_eq!(parse(&field(6, &extended)).unwrap(), text_content("a"));
    let image = parse(&field(3, &[field(1, bad), field(2, bad), field(3, b"look"), field(17, &quote)].concat()));
    let Content::Media(image) = image.unwrap() else { panic!() };
    assert_eq!((image.kind, image.caption.as_deref()), (MediaKind::Image, Some("look")));
    // The chat of a copy, the group of a key, the title of a card.
    let sent = field(31, &[field(1, bad), field(2, &field(1, b"b"))].concat());
    assert_eq!(parse(&sent).unwrap(), text_content("b"));
    assert_eq!(parse(&field(2, &field(1, bad))).unwrap(), Content::Silent(Silent::KeyDistribution));
    assert_eq!(parse(&field(4, &field(1, bad))).unwrap().kind(), "contact");
    let revoke = field(12, &[field(1, &[field(1, bad), field(3, b"A")].concat()), vec![0x10, 0]].concat());
    assert!(matches!(parse(&revoke), Ok(Content::Revoke { target }) if target.id == "A" && target.chat.is_none()));
}

#[test]
fn every_wrapper_is_opened() {
    let disappearing = Message { ephemeral_message: wrapper(words("a")), ..Message::default() };
    assert_eq!(read(&disappearing), text_content("a"));
    let sent = DeviceSentMessage { destination_jid: Some("x@y".to_owned()), message: Some(Box::new(disappearing)) };
    assert_eq!(read(&Message { device_sent_message: Some(Box::new(sent)), ..Message::default() }), text_content("a"));
    let image = Message { image_message: Some(Box::default()), ..Message::default() };
    for message in [
        Message { view_once_message: wrapper(image.clone()), ..Message::default() },
        Message { view_once_message_v2: wrapper(image.clone()), ..Message::default() },
        Message { view_once_message_v2_extension: wrapper(image.clone()), ..Message::default() },
        Message { document_with_caption_message: wrapper(image.clone()), ..Message::default() },
    ] {
        assert_eq!(read(&message), Content::Media(Media { kind: MediaKind::Image, caption: None }));
    }
    // A wrapper around nothing is named by its field.
    assert_eq!(parse(&field(40, &[])).unwrap().kind(), "field 40");
}

#[test]
fn wrappers_beyond_the_limit_are_refused_and_those_within_are_not() {
    let wrapped = |times| {
        (0..times).fold(words("deep"), |inner, _| Message { ephemeral_message: wrapper(inner), ..Message::default() })
    };
    assert_eq!(read(&wrapped(MAX_WRAPPERS)), text_content("deep"));
    let too_deep = Err(ContentError::TooDeep { most: MAX_WRAPPERS });
    assert_eq!(parse(&wrapped(MAX_WRAPPERS + 1).encode_to_vec()), too_deep);
    // The same inside an edit, which is opened after the wrappers around it.
    assert!(
        matches!(read(&edit("A", wrapped(MAX_WRAPPERS))), Content::Edit { body: Some(body), .. } if body == "deep")
    );
    assert_eq!(parse(&edit("A", wrapped(MAX_WRAPPERS + 1)).encode_to_vec()), too_deep);
}

#[test]
fn an_edit_names_the_message_and_its_new_words() {
    let expected = |body: Option<&str>| Content::Edit { target: target("3EB0"), body: body.map(str::to_owned) };
    let direct = edit("3EB0", words("better"));
    assert_eq!(read(&direct), expected(Some("better")));
    assert_eq!(read(&Message { edited_message: wrapper(direct), ..Message::default() }), expected(Some("better")));
    let image = ImageMessage { caption: Some("look".to_owned()), ..ImageMessage::default() };
    let image = Message { image_message: Some(Box::new(image)), ..Message::default() };
    assert_eq!(read(&edit("3EB0", image)), expected(Some("look")));
    assert_eq!(read(&edit("3EB0", Message::default())), expected(None));
}

#[test]
fn a_revoke_names_the_message_and_a_timer_its_seconds() {
    let revoke = ProtocolMessage { key: key("3EB0"), r#type: Some(0), ..ProtocolMessage::default() };
    assert_eq!(read(&about(revoke.clone())), Content::Revoke { target: target("3EB0") });
    // The type that is left out is the first.
    assert_eq!(read(&about(ProtocolMessage { r#type: None, ..revoke })), Content::Revoke { target: target("3EB0") });
    let timer = ProtocolMessage { r#type: Some(3), ephemeral_expiration: Some(86_400), ..Default::default() };
    assert_eq!(read(&about(timer)), Content::Timer { seconds: 86_400 });
    let off = ProtocolMessage { r#type: Some(3), ..ProtocolMessage::default() };
    assert_eq!(read(&about(off)), Content::Timer { seconds: 0 });
    for kind in [11, 99] {
        let other = ProtocolMessage { r#type: Some(kind), ..ProtocolMessage::default() };
        let kind = u64::try_from(kind).unwrap();
        assert_eq!(read(&about(other)), Content::Silent(Silent::Protocol { kind }));
    }
}

#[test]
fn a_reaction_is_an_emoji_or_is_taken_back() {
    let reaction = |text: Option<&str>| {
        let reaction = ReactionMessage { key: key("A"), text: text.map(str::to_owned), ..ReactionMessage::default() };
        read(&Message { reaction_message: Some(reaction), ..Message::default() })
    };
    let expected = |emoji: Option<&str>| Content::Reaction { target: target("A"), emoji: emoji.map(str::to_owned) };
    assert_eq!(reaction(Some("👍")), expected(Some("👍")));
    assert_eq!(reaction(Some("")), expected(None));
    assert_eq!(reaction(None), expected(None));
}

#[test]
fn what_is_about_no_message_is_shown_as_unsupported() {
    for kind in [0, 14] {
        let protocol = ProtocolMessage { r#type: Some(kind), key: key(""), ..ProtocolMessage::default() };
        assert_eq!(read(&about(protocol)).kind(), "field 12");
        let protocol = ProtocolMessage { r#type: Some(kind), ..ProtocolMessage::default() };
        assert_eq!(read(&about(protocol)).kind(), "field 12");
    }
    let reaction = ReactionMessage { text: Some("👍".to_owned()), ..ReactionMessage::default() };
    assert_eq!(read(&Message { reaction_message: Some(reaction), ..Message::default() }).kind(), "field 46");
}

#[test]
fn what_no_person_is_to_see_is_silent() {
    let group_key = Message { sender_key_distribution_message: Some(Default::default()), ..Message::default() };
    assert_eq!(read(&group_key), Content::Silent(Silent::KeyDistribution));
    let both = Message { message_context_info: Some(MessageContextInfo::default()), ..group_key };
    assert_eq!(read(&both), Content::Silent(Silent::KeyDistribution));
    let context = Message { message_context_info: Some(MessageContextInfo::default()), ..Message::default() };
    assert_eq!(read(&context), Content::Silent(Silent::ContextOnly));
    assert_eq!(read(&Message { ephemeral_message: wrapper(context), ..Default::default() }).kind(), "context");
    assert_eq!(parse(&[]).unwrap(), Content::Silent(Silent::Empty));
}

#[test]
fn what_cannot_be_shown_is_named() {
    let context = Some(MessageContextInfo::default());
    let image = ImageMessage { caption: Some("look".to_owned()), ..ImageMessage::default() };
    let image = Message { image_message: Some(Box::new(image)), message_context_info: context, ..Default::default() };
    assert_eq!(read(&image).kind(), "image");
    for (number, kind) in [(4, "contact"), (13, "contact"), (5, "location"), (18, "location"), (7, "document")] {
        assert_eq!(parse(&field(number, &[])).unwrap().kind(), kind);
    }
    // Field 49 with one byte inside, beside a context info: a poll.
    assert_eq!(parse(&[0x9A, 0x02, 0, 0x8A, 0x03, 1, 0]).unwrap().kind(), "field 49");
    // The same poll in an ephemeral wrapper.
    assert_eq!(parse(&[0xC2, 0x02, 6, 0x0A, 4, 0x8A, 0x03, 1, 0]).unwrap().kind(), "field 49");
    // A number where words should be.
    assert_eq!(parse(&[0x08, 1]).unwrap().kind(), "field 1");
}

#[test]
fn what_people_wrote_is_not_printed() {
    assert_eq!(format!("{:?}", text_content("a secret")), "Content(text)");
}

#[test]
fn a_message_beyond_the_limit_is_not_even_read() {
    let error = parse(&vec![0xFF; MAX_BYTES + 1]).unwrap_err();
    assert_eq!(error, ContentError::TooLarge { most: MAX_BYTES, got: MAX_BYTES + 1 });
    assert_eq!(parse(&[0x0A, 5, b'h']), Err(ContentError::Malformed(FieldError::Truncated)));
    assert_eq!(parse(&field(6, &[0x0A, 5, b'h'])), Err(ContentError::Malformed(FieldError::Truncated)));
}

#[test]
fn nesting_as_deep_as_the_bytes_allow_is_an_error_and_not_a_full_stack() {
    let nested = (0..2_000).fold(Vec::new(), |inner, _| field(40, &field(1, &inner)));
    assert_eq!(parse(&nested), Err(ContentError::TooDeep { most: MAX_WRAPPERS }));
    let edits = (0..2_000).fold(Vec::new(), |inner, _| {
        field(12, &[field(1, &field(3, b"A")), vec![0x10, 14], field(14, &inner)].concat())
    });
    assert!(matches!(parse(&edits), Ok(Content::Edit { body: None, .. })));
}

/// Any tree of the fields that this module reads, in any place, with any bytes as its leaves.
fn likely() -> impl Strategy<Value = Vec<u8>> {
    const NUMBERS: [u32; 18] = [1, 2, 3, 4, 6, 7, 9, 12, 14, 31, 35, 37, 40, 46, 49, 53, 58, 66];
    let number = || prop::sample::select(&NUMBERS[..]);
    let leaf = prop_oneof![
        (number(), prop::collection::vec(any::<u8>(), 0..12)).prop_map(|(number, bytes)| field(number, &bytes)),
        (1_u8..15, any::<u8>()).prop_map(|(number, value)| vec![number << 3, value & 0x7F]),
        prop::collection::vec(any::<u8>(), 0..4),
    ];
    leaf.prop_recursive(6, 40, 4, move |inner| {
        (number(), prop::collection::vec(inner, 0..4)).prop_map(|(number, inner)| field(number, &inner.concat()))
    })
}

proptest! {
    #[test]
    fn any_words_come_back(body in "\\PC{1,200}") {
        prop_assert_eq!(parse(&text(&body)).unwrap(), text_content(&body));
    }

    #[test]
    fn any_bytes_are_words_that_a_person_can_read(body in prop::collection::vec(any::<u8>(), 1..200)) {
        let words = String::from_utf8_lossy(&body);
        prop_assert_eq!(parse(&field(1, &body)).unwrap(), text_content(&words));
        prop_assert_eq!(parse(&field(6, &field(1, &body))).unwrap(), text_content(&words));
    }

    #[test]
    fn hostile_bytes_are_refused_or_named(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(parse(&bytes).map_or(true, |content| !content.kind().is_empty()));
    }

    #[test]
    fn likely_bytes_are_refused_or_named_and_a_wrapper_changes_nothing(bytes in likely()) {
        let plain = parse(&bytes);
        prop_assert!(plain.as_ref().map_or(true, |content| !content.kind().is_empty()));
        let wrapped = parse(&field(40, &field(1, &bytes)));
        let refused = matches!(wrapped, Err(ContentError::TooDeep { .. }));
        prop_assert!(refused || wrapped == plain, "{:?} {:?}", wrapped, plain);
    }
}
