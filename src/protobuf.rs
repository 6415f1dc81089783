//! Structs as protobuf messages: the rows of the store, and what crosses between pages and the engine.
//!
//! A list of numbers and field names (the macro `message!`) gives a struct both directions. It is used instead of prost's
//! derived code for two reasons (docs/decisions/0038-lists-of-field-numbers.md): the same code serves every message, which
//! makes the download smaller; and a row can borrow, so that no key is copied into a buffer that is not cleared. What is
//! written is proto3: a field at its default is left out, and unknown fields are skipped.
//!
//! What this module does not know: which messages there are and what their fields mean.

mod lists;
#[cfg(test)]
mod tests;
mod value;
mod writer;

pub(crate) use lists::{message, one_of};
pub use value::Value;
pub use writer::Writer;

use causeway_proto::protobuf::{Field, FieldError, Fields};
use causeway_proto::width;

/// A message: a struct whose fields have numbers. Implemented by the macro `message!`.
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
        let mut out = Writer::writing(self.encoded_len());
        self.put_fields(&mut out);
        out.written()
    }

    /// The same behind its length.
    fn encode_delimited(&self) -> Vec<u8> {
        const LENGTH: usize = 10;
        let len = self.encoded_len();
        let mut out = Writer::writing(LENGTH + len);
        out.raw(width::to_u64(len));
        self.put_fields(&mut out);
        out.written()
    }

    /// Bytes of the message.
    fn encoded_len(&self) -> usize {
        let mut out = Writer::counting();
        self.put_fields(&mut out);
        out.counted()
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

/// The variant of a message of which there is one of several. Implemented by the macro `one_of!`.
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
    let len = message.encoded_len();
    out.header(number, len);
    if !out.counts(len) {
        message.put_fields(out);
    }
}

/// Takes the fields of a message that is the value of a field.
///
/// # Errors
/// [`FieldError`].
pub fn take_nested<'a>(message: &mut impl Message<'a>, field: Field<'a>) -> Result<(), FieldError> {
    read(value::bytes_of(field)?, &mut |number, field| message.take_field(number, field))
}
