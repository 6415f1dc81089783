//! What is written is what prost writes, and hostile bytes end with a result.

use super::{Message, message, one_of};
use causeway_proto::protobuf::FieldError;
use proptest::prelude::*;

/// Every kind of field, and the same for prost.
macro_rules! twins {
    ($($(#[$($attribute:tt)*])* $field:ident: $type:ty),* $(,)?) => {
        #[derive(Debug, Clone, PartialEq, Default)]
        struct Ours { $($field: $type,)* nested: Option<Inner>, list: Vec<Inner>, boxed: Option<Box<Inner>>, choice: Option<Choice> }
        #[derive(Clone, PartialEq, prost::Message)]
        struct Theirs {
            $($(#[$($attribute)*])* $field: $type,)*
            #[prost(message, optional, tag = "20")] nested: Option<TheirInner>,
            #[prost(message, repeated, tag = "21")] list: Vec<TheirInner>,
            #[prost(message, optional, boxed, tag = "22")] boxed: Option<Box<TheirInner>>,
            #[prost(oneof = "TheirChoice", tags = "23, 24")] choice: Option<TheirChoice>,
        }
    };
}
twins! {
    #[prost(uint64, tag = "1")] long: u64,
    #[prost(uint32, tag = "2")] short: u32,
    #[prost(bool, tag = "3")] flag: bool,
    #[prost(string, tag = "4")] text: String,
    #[prost(bytes = "vec", tag = "5")] bytes: Vec<u8>,
    #[prost(uint64, optional, tag = "6")] maybe: Option<u64>,
    #[prost(string, optional, tag = "7")] word: Option<String>,
    #[prost(string, repeated, tag = "8")] words: Vec<String>,
    #[prost(uint64, repeated, packed = "false", tag = "9")] numbers: Vec<u64>,
    #[prost(int32, tag = "16")] variant: i32,
}
message!(Ours {
    1 => long, 2 => short, 3 => flag, 4 => text, 5 => bytes, 6 => maybe, 7 => word, 8 => words, 9 => numbers,
    16 => variant, 20 => nested, 21 => list, 22 => boxed, ..choice
});

#[derive(Debug, Clone, PartialEq, Default)]
struct Inner {
    at: u64,
    name: String,
}
message!(Inner { 1 => at, 17 => name });
#[derive(Clone, PartialEq, prost::Message)]
struct TheirInner {
    #[prost(uint64, tag = "1")]
    at: u64,
    #[prost(string, tag = "17")]
    name: String,
}

#[derive(Debug, Clone, PartialEq)]
enum Choice {
    One(Inner),
    Other(Empty),
}
one_of!(Choice { 23 => One, 24 => Other });
#[derive(Debug, Clone, PartialEq, Default)]
struct Empty {}
message!(Empty {});
#[derive(Clone, PartialEq, prost::Oneof)]
enum TheirChoice {
    #[prost(message, tag = "23")]
    One(TheirInner),
    #[prost(message, tag = "24")]
    Other(TheirEmpty),
}
#[derive(Clone, PartialEq, prost::Message)]
struct TheirEmpty {}

#[derive(Debug, PartialEq, Default)]
struct Borrowed<'a> {
    text: &'a str,
    bytes: &'a [u8],
    words: Vec<&'a str>,
}
message!(Borrowed<'a> { 4 => text, 5 => bytes, 8 => words });

fn inner() -> impl Strategy<Value = Inner> {
    (any::<u64>(), ".*").prop_map(|(at, name)| Inner { at, name })
}

prop_compose! {
    fn ours()(
        (long, short, flag, text) in (prop_oneof![Just(0), any::<u64>()], any::<u32>(), any::<bool>(), ".*"),
        (bytes, maybe, word, words) in (any::<Vec<u8>>(), any::<Option<u64>>(), any::<Option<String>>(), any::<Vec<String>>()),
        (numbers, variant) in (any::<Vec<u64>>(), 0..i32::MAX),
        (nested, list, boxed) in (prop::option::of(inner()), prop::collection::vec(inner(), 0..4), prop::option::of(inner())),
        choice in prop::option::of(prop_oneof![inner().prop_map(Choice::One), Just(Choice::Other(Empty {}))]),
    ) -> Ours {
        Ours { long, short, flag, text, bytes, maybe, word, words, numbers, variant, nested, list, boxed: boxed.map(Box::new), choice }
    }
}

proptest! {
    #[test]
    fn what_is_written_is_what_prost_writes_and_is_read_by_both(message in ours()) {
        let bytes = message.encode_to_vec();
        prop_assert_eq!(bytes.len(), message.encoded_len());
        prop_assert_eq!(bytes.capacity(), bytes.len(), "the buffer never grew");
        let theirs = <Theirs as prost::Message>::decode(bytes.as_slice()).unwrap();
        prop_assert_eq!(prost::Message::encode_to_vec(&theirs), &*bytes);
        prop_assert_eq!(Ours::decode(&bytes), Ok(message));
    }

    #[test]
    fn hostile_bytes_end_with_a_result(bytes: Vec<u8>, cut in any::<prop::sample::Index>(), message in ours()) {
        let _any = Ours::decode(&bytes);
        let whole = message.encode_to_vec();
        let cut = &whole[..cut.index(whole.len() + 1)];
        if let Ok(read) = Ours::decode(cut) {
            prop_assert!(read.encoded_len() <= cut.len());
        }
    }
}

#[test]
fn a_row_borrows_what_it_reads() {
    let bytes = Ours { text: "a".into(), bytes: vec![1, 2], words: vec!["b".into(), "c".into()], ..Ours::default() };
    let bytes = bytes.encode_to_vec();
    let read = Borrowed::decode(&bytes).unwrap();
    assert_eq!(read, Borrowed { text: "a", bytes: &[1, 2], words: vec!["b", "c"] });
    assert!(bytes.as_ptr_range().contains(&read.bytes.as_ptr()));
    assert_eq!(read.encode_to_vec(), bytes);
}

#[test]
fn repeated_numbers_may_come_in_one_field() {
    let mut message = Vec::from([9 << 3 | 2, 3, 1, 0xAC, 2]);
    assert_eq!(Ours::decode(&message).unwrap().numbers, [1, 300]);
    message.extend([9 << 3, 7]);
    assert_eq!(Ours::decode(&message).unwrap().numbers, [1, 300, 7]);
    assert_eq!(Ours::decode(&[9 << 3 | 2, 1, 0x80]), Err(FieldError::Truncated));
}

#[test]
fn a_value_of_another_type_is_an_error_and_an_unknown_field_is_none() {
    let error = |bytes: &[u8]| Ours::decode(bytes).map_err(|error| error.to_string()).unwrap_err();
    assert_eq!(error(&[1 << 3 | 2, 0]), "expected a number");
    assert_eq!(error(&[2 << 3, 0x80, 0x80, 0x80, 0x80, 0x10]), "expected a number of 32 bits");
    assert_eq!(error(&[4 << 3, 1]), "expected bytes");
    assert_eq!(error(&[4 << 3 | 2, 1, 0xFF]), "expected UTF-8");
    assert_eq!(error(&[20 << 3 & 0x7F | 0x80, 1, 1]), "expected bytes");
    assert_eq!(Ours::decode(&[0xF8, 7, 1, 0xF5, 7, 1, 2, 3, 4]), Ok(Ours::default()));
}
