//! Protobuf fields, read in place and written straight into the output.
//!
//! Envelopes, stored sessions, content and device identities are read with this instead of generated types for three
//! reasons: nothing is copied before it is checked, so a hostile message costs no memory; no key passes through a buffer
//! that is not cleared; and a string that nobody reads need not be UTF-8.
//!
//! What this module does not know: which fields a message has and what they mean.

use crate::width;

const VARINT: u64 = 0;
const FIXED64: u64 = 1;
const BYTES: u64 = 2;
const FIXED32: u64 = 5;

/// The value of one field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field<'a> {
    /// A number.
    Varint(u64),
    /// Bytes, a string or a nested message, and the offset at which it begins in the bytes that are read.
    Bytes { at: usize, value: &'a [u8] },
    /// A number of fixed width: no message of ours has one, so its value is skipped.
    Fixed,
}

/// The fields of one message, in the order in which they come. Stops after the first error.
pub(crate) struct Fields<'a> {
    rest: &'a [u8],
    len: usize,
}

impl<'a> Fields<'a> {
    pub(crate) fn of(message: &'a [u8]) -> Self {
        Self { rest: message, len: message.len() }
    }

    fn varint(&mut self) -> Result<u64, FieldError> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.rest.split_first().ok_or(FieldError::Truncated)?;
            self.rest = rest;
            let bits = u64::from(byte & 0x7F);
            if shift == 63 && bits > 1 {
                break;
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(FieldError::LongVarint)
    }

    fn take(&mut self, len: u64) -> Result<&'a [u8], FieldError> {
        let len = usize::try_from(len).map_err(|_| FieldError::Truncated)?;
        let (value, rest) = self.rest.split_at_checked(len).ok_or(FieldError::Truncated)?;
        self.rest = rest;
        Ok(value)
    }

    fn field(&mut self) -> Result<(u64, Field<'a>), FieldError> {
        let key = self.varint()?;
        let value = match key & 7 {
            VARINT => Field::Varint(self.varint()?),
            BYTES => {
                let len = self.varint()?;
                let at = self.len - self.rest.len();
                Field::Bytes { at, value: self.take(len)? }
            }
            FIXED64 => self.take(8).map(|_| Field::Fixed)?,
            FIXED32 => self.take(4).map(|_| Field::Fixed)?,
            got => return Err(FieldError::UnknownType { got: got.to_le_bytes()[0] }),
        };
        Ok((key >> 3, value))
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Field<'a>), FieldError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            self.rest = &[];
        }
        Some(field)
    }
}

/// The bytes of the last field of this number.
pub(crate) fn bytes_of(message: &[u8], wanted: u64) -> Result<Option<&[u8]>, FieldError> {
    let mut found = None;
    for field in Fields::of(message) {
        if let (number, Field::Bytes { value, .. }) = field?
            && number == wanted
        {
            found = Some(value);
        }
    }
    Ok(found)
}

/// Bytes that are not a protobuf message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FieldError {
    /// A field is longer than the bytes left.
    #[error("a field goes on after the end of its message")]
    Truncated,
    /// A number that does not fit 64 bits.
    #[error("a number is longer than 64 bits")]
    LongVarint,
    /// A wire type that protobuf does not have, or no longer has.
    #[error("a field has the unknown wire type {got}")]
    UnknownType {
        /// The wire type that came, 3, 4, 6 or 7.
        got: u8,
    },
}

/// Appends a number.
pub(crate) fn put_varint(out: &mut Vec<u8>, number: u32, value: u64) {
    raw_varint(out, u64::from(number) << 3 | VARINT);
    raw_varint(out, value);
}

/// Appends bytes.
pub(crate) fn put_bytes(out: &mut Vec<u8>, number: u32, value: &[u8]) {
    put_header(out, number, value.len());
    out.extend_from_slice(value);
}

/// Appends what stands before `len` bytes, which the caller appends.
pub(crate) fn put_header(out: &mut Vec<u8>, number: u32, len: usize) {
    raw_varint(out, u64::from(number) << 3 | BYTES);
    raw_varint(out, width::to_u64(len));
}

/// Bytes that [`put_varint`] appends for a field number below 16.
pub(crate) fn varint_len(value: u64) -> usize {
    1 + raw_varint_len(value)
}

/// Bytes that [`put_bytes`] appends for a field number below 16 and `len` bytes.
pub(crate) fn bytes_len(len: usize) -> usize {
    1 + raw_varint_len(width::to_u64(len)) + len
}

fn raw_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
}

fn raw_varint_len(value: u64) -> usize {
    let bits = u64::BITS - (value | 1).leading_zeros();
    width::to_usize(bits.div_ceil(7))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_has_the_predicted_length() {
        for value in [0, 1, 127, 128, 16_383, 16_384, u64::from(u32::MAX), u64::MAX] {
            let mut out = Vec::new();
            put_varint(&mut out, 6, value);
            assert_eq!(out.len(), varint_len(value));
            assert_eq!(Fields::of(&out).collect::<Vec<_>>(), [Ok((6, Field::Varint(value)))]);
        }
        for len in [0, 1, 127, 128, 20_000] {
            let (mut out, value) = (Vec::new(), vec![7; len]);
            put_bytes(&mut out, 15, &value);
            assert_eq!(out.len(), bytes_len(len));
            let at = out.len() - len;
            assert_eq!(Fields::of(&out).collect::<Vec<_>>(), [Ok((15, Field::Bytes { at, value: &value }))]);
        }
    }

    #[test]
    fn fixed_fields_are_skipped() {
        let message = [0x0D, 1, 2, 3, 4, 0x11, 1, 2, 3, 4, 5, 6, 7, 8, 0x18, 9];
        let fields: Vec<_> = Fields::of(&message).collect();
        assert_eq!(fields, [Ok((1, Field::Fixed)), Ok((2, Field::Fixed)), Ok((3, Field::Varint(9)))]);
    }

    #[test]
    fn broken_messages_end_with_one_error() {
        let error = |message: &[u8]| {
            let mut fields = Fields::of(message);
            let error = fields.find_map(Result::err);
            assert_eq!(fields.next(), None);
            error
        };
        assert_eq!(error(&[0x08]), Some(FieldError::Truncated));
        assert_eq!(error(&[0x0A, 2, 1]), Some(FieldError::Truncated));
        assert_eq!(
            error(&[0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1]),
            Some(FieldError::Truncated)
        );
        assert_eq!(
            error(&[0x08, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 2]),
            Some(FieldError::LongVarint)
        );
        assert_eq!(error(&[0x0B]), Some(FieldError::UnknownType { got: 3 }));
    }
}
