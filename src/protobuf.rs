//! Structs as protobuf messages: the rows of the store, and what crosses between pages and the engine.
//!
//! A list of numbers and field names ([`message!`]) gives a struct both directions. It is used instead of prost's derived
//! code for two reasons: the same code serves every message, which is a third of the size in the download; and a row can
//! borrow, so that no key is copied into a buffer that is not cleared. What is written is proto3: a field at its default
//! is left out, and unknown fields are skipped.
//!
//! What this module does not know: which messages there are and what their fields mean.

use causeway_proto::protobuf::{Field, FieldError, Fields, ValueType, numbers, raw_varint};
use causeway_proto::width;

/// A message: a struct whose fields have numbers. Implemented by [`message!`].
pub trait Message<'a>: Default {
    /// Appends every field that is not at its default.
    fn put_fields(&self, out: &mut Writer);
    /// Takes the value of one field; one with an unknown number is skipped.
    ///
    /// # Errors
    /// [`FieldError`] for a value of another type.
    fn take_field(&mut self, number: u32, field: Field<'a>) -> Result<(), FieldError>;

    /// The message, in a buffer that never grows: nothing of it stays elsewhere in memory.
    fn encode_to_vec(&self) -> Vec<u8> {
        let mut out = Writer { bytes: Vec::with_capacity(self.encoded_len()), counted: None };
        self.put_fields(&mut out);
        out.bytes
    }

    /// The same behind its length.
    fn encode_delimited(&self) -> Vec<u8> {
        const LENGTH: usize = 10;
        let len = self.encoded_len();
        let mut out = Writer { bytes: Vec::with_capacity(LENGTH + len), counted: None };
        out.raw(width::to_u64(len));
        self.put_fields(&mut out);
        out.bytes
    }

    /// Bytes of the message.
    fn encoded_len(&self) -> usize {
        let mut out = Writer { bytes: Vec::new(), counted: Some(0) };
        self.put_fields(&mut out);
        out.counted.unwrap_or_default()
    }

    /// Reads a message.
    ///
    /// # Errors
    /// [`FieldError`] for bytes that are none, and for a field of another type.
    fn decode(bytes: &'a [u8]) -> Result<Self, FieldError> {
        let mut message = Self::default();
        read(bytes, &mut |number, field| message.take_field(number, field))?;
        Ok(message)
    }
}

/// One function for every kind of message.
fn read<'a>(bytes: &'a [u8], take: &mut dyn FnMut(u32, Field<'a>) -> Result<(), FieldError>) -> Result<(), FieldError> {
    for field in Fields::of(bytes) {
        let (number, field) = field?;
        // No message of ours has a field with a greater number.
        if let Ok(number) = u32::try_from(number) {
            take(number, field)?;
        }
    }
    Ok(())
}

/// Takes the fields of a message, or only counts their bytes.
#[derive(Debug)]
pub struct Writer {
    bytes: Vec<u8>,
    counted: Option<usize>,
}

impl Writer {
    fn append(&mut self, bytes: &[u8]) {
        match &mut self.counted {
            Some(counted) => *counted += bytes.len(),
            None => self.bytes.extend_from_slice(bytes),
        }
    }

    fn raw(&mut self, value: u64) {
        raw_varint(value, &mut |byte| self.append(&[byte]));
    }

    fn number(&mut self, number: u32, value: u64) {
        self.raw(u64::from(number) << 3);
        self.raw(value);
    }

    fn header(&mut self, number: u32, len: usize) {
        self.raw(u64::from(number) << 3 | 2);
        self.raw(width::to_u64(len));
    }

    fn bytes(&mut self, number: u32, value: &[u8]) {
        self.header(number, value.len());
        self.append(value);
    }
}

/// A value of a field.
pub trait Value<'a>: Default {
    /// A repeated one may come as one field with all values.
    const PACKS: bool = false;

    /// Whether it is left out.
    fn is_absent(&self) -> bool;
    /// Appends it as a field of this number, absent or not.
    fn put(&self, number: u32, out: &mut Writer);
    /// Takes the value that came.
    ///
    /// # Errors
    /// [`FieldError`] for a value of another type.
    fn take(&mut self, field: Field<'a>) -> Result<(), FieldError>;

    /// Appends it as a field of this number, unless it is absent.
    fn put_present(&self, number: u32, out: &mut Writer) {
        if !self.is_absent() {
            self.put(number, out);
        }
    }
}

fn expected(expected: ValueType) -> FieldError {
    FieldError::Unexpected { expected }
}

fn number_of(field: Field<'_>) -> Result<u64, FieldError> {
    match field {
        Field::Varint(value) => Ok(value),
        Field::Bytes { .. } | Field::Fixed => Err(expected(ValueType::Number)),
    }
}

fn bytes_of(field: Field<'_>) -> Result<&[u8], FieldError> {
    match field {
        Field::Bytes { value, .. } => Ok(value),
        Field::Varint(_) | Field::Fixed => Err(expected(ValueType::Bytes)),
    }
}

fn text_of(field: Field<'_>) -> Result<&str, FieldError> {
    core::str::from_utf8(bytes_of(field)?).map_err(|_| expected(ValueType::Text))
}

impl<'a> Value<'a> for u64 {
    const PACKS: bool = true;

    fn is_absent(&self) -> bool {
        *self == 0
    }
    fn put(&self, number: u32, out: &mut Writer) {
        out.number(number, *self);
    }
    fn take(&mut self, field: Field<'a>) -> Result<(), FieldError> {
        *self = number_of(field)?;
        Ok(())
    }
}

impl<'a> Value<'a> for u32 {
    fn is_absent(&self) -> bool {
        *self == 0
    }
    fn put(&self, number: u32, out: &mut Writer) {
        out.number(number, (*self).into());
    }
    fn take(&mut self, field: Field<'a>) -> Result<(), FieldError> {
        *self = u32::try_from(number_of(field)?).map_err(|_| expected(ValueType::Number32))?;
        Ok(())
    }
}

/// A variant of an enumeration, which has no negative ones.
impl<'a> Value<'a> for i32 {
    fn is_absent(&self) -> bool {
        *self == 0
    }
    fn put(&self, number: u32, out: &mut Writer) {
        out.number(number, self.unsigned_abs().into());
    }
    fn take(&mut self, field: Field<'a>) -> Result<(), FieldError> {
        *self = i32::try_from(number_of(field)?).map_err(|_| expected(ValueType::Variant))?;
        Ok(())
    }
}

impl<'a> Value<'a> for bool {
    fn is_absent(&self) -> bool {
        !self
    }
    fn put(&self, number: u32, out: &mut Writer) {
        out.number(number, u64::from(*self));
    }
    fn take(&mut self, field: Field<'a>) -> Result<(), FieldError> {
        *self = number_of(field)? != 0;
        Ok(())
    }
}

impl<'a> Value<'a> for &'a [u8] {
    fn is_absent(&self) -> bool {
        self.is_empty()
    }
    fn put(&self, number: u32, out: &mut Writer) {
        out.bytes(number, self);
    }
    fn take(&mut self, field: Field<'a>) -> Result<(), FieldError> {
        *self = bytes_of(field)?;
        Ok(())
    }
}

impl<'a> Value<'a> for &'a str {
    fn is_absent(&self) -> bool {
        self.is_empty()
    }
    fn put(&self, number: u32, out: &mut Writer) {
        out.bytes(number, self.as_bytes());
    }
    fn take(&mut self, field: Field<'a>) -> Result<(), FieldError> {
        *self = text_of(field)?;
        Ok(())
    }
}

impl<'a> Value<'a> for Vec<u8> {
    fn is_absent(&self) -> bool {
        self.is_empty()
    }
    fn put(&self, number: u32, out: &mut Writer) {
        out.bytes(number, self);
    }
    fn take(&mut self, field: Field<'a>) -> Result<(), FieldError> {
        *self = bytes_of(field)?.to_vec();
        Ok(())
    }
}

impl<'a> Value<'a> for String {
    fn is_absent(&self) -> bool {
        self.is_empty()
    }
    fn put(&self, number: u32, out: &mut Writer) {
        out.bytes(number, self.as_bytes());
    }
    fn take(&mut self, field: Field<'a>) -> Result<(), FieldError> {
        *self = text_of(field)?.to_owned();
        Ok(())
    }
}

/// A value that is written even at its default, if there is one.
impl<'a, V: Value<'a>> Value<'a> for Option<V> {
    fn is_absent(&self) -> bool {
        self.is_none()
    }
    fn put(&self, number: u32, out: &mut Writer) {
        if let Some(value) = self {
            value.put(number, out);
        }
    }
    fn take(&mut self, field: Field<'a>) -> Result<(), FieldError> {
        self.get_or_insert_default().take(field)
    }
}

impl<'a, V: Value<'a>> Value<'a> for Box<V> {
    fn is_absent(&self) -> bool {
        V::is_absent(self)
    }
    fn put(&self, number: u32, out: &mut Writer) {
        V::put(self, number, out);
    }
    fn take(&mut self, field: Field<'a>) -> Result<(), FieldError> {
        V::take(self, field)
    }
}

/// A repeated value: a field for each.
impl<'a, V: Value<'a>> Value<'a> for Vec<V> {
    fn is_absent(&self) -> bool {
        self.is_empty()
    }
    fn put(&self, number: u32, out: &mut Writer) {
        for value in self {
            value.put(number, out);
        }
    }
    fn take(&mut self, field: Field<'a>) -> Result<(), FieldError> {
        let mut add = |field| {
            let mut value = V::default();
            value.take(field)?;
            self.push(value);
            Ok(())
        };
        match field {
            Field::Bytes { value, .. } if V::PACKS => numbers(value).try_for_each(|number| add(Field::Varint(number?))),
            field => add(field),
        }
    }
}

/// The variant of a message of which there is one of several. Implemented by [`one_of!`].
pub trait OneOf<'a>: Sized {
    /// Appends the variant under its number.
    fn put_variant(&self, out: &mut Writer);
    /// The variant of this number, if there is one.
    ///
    /// # Errors
    /// [`FieldError`] for a value of another type.
    fn take_variant(number: u32, field: Field<'a>) -> Result<Option<Self>, FieldError>;
}

/// Appends a message as the value of a field.
pub fn put_nested<'a>(message: &impl Message<'a>, number: u32, out: &mut Writer) {
    out.header(number, message.encoded_len());
    message.put_fields(out);
}

/// Takes the fields of a message that is the value of a field.
///
/// # Errors
/// [`FieldError`].
pub fn take_nested<'a>(message: &mut impl Message<'a>, field: Field<'a>) -> Result<(), FieldError> {
    read(bytes_of(field)?, &mut |number, field| message.take_field(number, field))
}

/// Gives the fields of a struct their numbers: `message!(Row { 1 => id, 2 => kind: Kind, ..choice });`. A field without a
/// number does not compile. `kind: Kind` is an enumeration kept as a number, with a getter of its name; `..choice` is an
/// `Option` of an enum of [`one_of!`].
macro_rules! message {
    ($name:ident $(<$life:lifetime>)? {
        $($number:literal => $field:ident $(: $kind:ident)?),* $(,)? $(..$choice:ident)?
    }) => {
        $crate::protobuf::message!(@impl $name [$(<$life>)?] $($life)? 'a; [$($number => $field),*] [$($choice)?]);
        $($($crate::protobuf::message!(@getter $name $field $kind);)?)*
    };
    (@getter $name:ident $field:ident $kind:ident) => {
        impl $name {
            #[doc = concat!("The variant of `", stringify!($field), "`; the first one for a variant of a later version.")]
            pub fn $field(&self) -> $kind {
                $kind::try_from(self.$field).unwrap_or_default()
            }
        }
    };
    (@impl $name:ident [$($own:tt)*] $life:lifetime $($none:lifetime)?;
        [$($number:literal => $field:ident),*] [$($choice:ident)?]
    ) => {
        impl<$life> $crate::protobuf::Message<$life> for $name $($own)* {
            fn put_fields(&self, _out: &mut $crate::protobuf::Writer) {
                let Self { $($field,)* $($choice)? } = self;
                $($crate::protobuf::Value::put_present($field, $number, _out);)*
                $(if let Some(choice) = $choice {
                    $crate::protobuf::OneOf::put_variant(choice, _out);
                })?
            }
            fn take_field(
                &mut self,
                number: u32,
                _field: causeway_proto::protobuf::Field<$life>,
            ) -> Result<(), causeway_proto::protobuf::FieldError> {
                match number {
                    $($number => $crate::protobuf::Value::take(&mut self.$field, _field),)*
                    _ => {
                        $(if let Some(choice) = $crate::protobuf::OneOf::take_variant(number, _field)? {
                            self.$choice = Some(choice);
                        })?
                        Ok(())
                    }
                }
            }
        }
        impl<$life> $crate::protobuf::Value<$life> for $name $($own)* {
            fn is_absent(&self) -> bool {
                false
            }
            fn put(&self, number: u32, out: &mut $crate::protobuf::Writer) {
                $crate::protobuf::put_nested(self, number, out);
            }
            fn take(
                &mut self,
                field: causeway_proto::protobuf::Field<$life>,
            ) -> Result<(), causeway_proto::protobuf::FieldError> {
                $crate::protobuf::take_nested(self, field)
            }
        }
    };
}
pub(crate) use message;

/// Gives the variants of an enum, which hold a message each, their numbers: `one_of!(Entry { 1 => Row, 2 => End });`.
macro_rules! one_of {
    ($name:ident { $($number:literal => $variant:ident),* $(,)? }) => {
        impl<'a> $crate::protobuf::OneOf<'a> for $name {
            fn put_variant(&self, out: &mut $crate::protobuf::Writer) {
                match self {
                    $(Self::$variant(message) => $crate::protobuf::put_nested(message, $number, out),)*
                }
            }
            fn take_variant(
                number: u32,
                field: causeway_proto::protobuf::Field<'a>,
            ) -> Result<Option<Self>, causeway_proto::protobuf::FieldError> {
                Ok(Some(match number {
                    $($number => {
                        let mut message = Default::default();
                        $crate::protobuf::take_nested(&mut message, field)?;
                        Self::$variant(message)
                    })*
                    _ => return Ok(None),
                }))
            }
        }
    };
}
pub(crate) use one_of;

#[cfg(test)]
mod tests {
    use super::*;
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
        let bytes =
            Ours { text: "a".into(), bytes: vec![1, 2], words: vec!["b".into(), "c".into()], ..Ours::default() };
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
}
