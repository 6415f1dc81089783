//! The types that a field may have.

use super::writer::Writer;
use causeway_proto::protobuf::{Field, FieldError, ValueType, numbers};

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

pub(super) fn bytes_of(field: Field<'_>) -> Result<&[u8], FieldError> {
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
