//! The message proper inside an envelope of either kind: version, header, ciphertext, authenticator
//! (docs/spec/wire.md §6.5).
//!
//! What this module does not know: prekeys, and whether what it reads is genuine.

use core::ops::Range;

use super::key::{KeyError, PublicKey};
use super::message_key::{Direction, MAC_LEN, MessageKeys, ciphertext_len};
use crate::protobuf::{self, Field, FieldError, Fields};

/// Message version 3 in the high half, the newest version that the sender knows, 3, in the low half.
pub(super) const VERSION: u8 = 0x33;

/// The plaintext header of a message: which key of which chain it was encrypted with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) ratchet_key: PublicKey,
    pub(super) counter: u32,
    pub(super) previous_counter: u32,
}

impl Header {
    /// Bytes of the message with `plaintext_len` bytes inside.
    pub(super) fn message_len(&self, plaintext_len: usize) -> usize {
        1 + protobuf::bytes_len(PublicKey::SERIALIZED_LEN)
            + protobuf::varint_len(self.counter.into())
            + protobuf::varint_len(self.previous_counter.into())
            + protobuf::bytes_len(ciphertext_len(plaintext_len))
            + MAC_LEN
    }

    /// Appends version, body and authenticator.
    pub(super) fn write_message(
        &self,
        keys: &MessageKeys,
        direction: &Direction,
        plaintext: &[u8],
        out: &mut Vec<u8>,
    ) -> Layout {
        let start = out.len();
        out.push(VERSION);
        protobuf::put_bytes(out, 1, &self.ratchet_key.serialize());
        protobuf::put_varint(out, 2, self.counter.into());
        protobuf::put_varint(out, 3, self.previous_counter.into());
        protobuf::put_header(out, 4, ciphertext_len(plaintext.len()));
        let ciphertext = out.len();
        keys.encrypt(plaintext, out);
        let ciphertext = ciphertext..out.len();
        let mac = keys.mac(direction, out.get(start..).unwrap_or_default());
        let authenticated = start..out.len();
        out.extend_from_slice(&mac);
        Layout { header: self.clone(), authenticated, ciphertext, mac }
    }
}

/// Where the parts of a message are in the bytes of its envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    header: Header,
    authenticated: Range<usize>,
    ciphertext: Range<usize>,
    mac: [u8; MAC_LEN],
}

impl Layout {
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        let (authenticated, mac) = bytes.split_last_chunk().ok_or(EnvelopeError::TooShort { got: bytes.len() })?;
        let body = versioned(authenticated)?;
        let (mut ratchet_key, mut counter, mut previous_counter, mut ciphertext) = (None, None, None, None);
        for field in Fields::of(body) {
            match field? {
                (1, field) => ratchet_key = Some(public_key("ratchet key", field)?),
                (2, field) => counter = Some(number("counter", field)?),
                (3, field) => previous_counter = Some(number("previous counter", field)?),
                (4, Field::Bytes { at, value }) => ciphertext = Some(1 + at..1 + at + value.len()),
                (4, _) => return Err(EnvelopeError::WrongType { field: "ciphertext" }),
                _ => {}
            }
        }
        Ok(Self {
            header: Header {
                ratchet_key: ratchet_key.ok_or(EnvelopeError::Missing { field: "ratchet key" })?,
                counter: counter.ok_or(EnvelopeError::Missing { field: "counter" })?,
                previous_counter: previous_counter.unwrap_or_default(),
            },
            authenticated: 0..authenticated.len(),
            ciphertext: ciphertext.ok_or(EnvelopeError::Missing { field: "ciphertext" })?,
            mac: *mac,
        })
    }

    /// The same message, seen from `by` bytes before its beginning.
    pub(super) fn shifted(self, by: usize) -> Self {
        let shift = |range: Range<usize>| range.start + by..range.end + by;
        Self { authenticated: shift(self.authenticated), ciphertext: shift(self.ciphertext), ..self }
    }

    pub(super) fn view<'a>(&'a self, bytes: &'a [u8]) -> Message<'a> {
        let part = |range: &Range<usize>| bytes.get(range.clone()).unwrap_or_default();
        Message {
            header: &self.header,
            authenticated: part(&self.authenticated),
            ciphertext: part(&self.ciphertext),
            mac: &self.mac,
        }
    }
}

/// The message of an envelope of either kind, in parts.
pub(super) struct Message<'a> {
    pub(super) header: &'a Header,
    /// What the authenticator covers: version and body.
    pub(super) authenticated: &'a [u8],
    pub(super) ciphertext: &'a [u8],
    pub(super) mac: &'a [u8; MAC_LEN],
}

/// Splits off the version byte and checks it.
pub(super) fn versioned(bytes: &[u8]) -> Result<&[u8], EnvelopeError> {
    let (version, body) = bytes.split_first().ok_or(EnvelopeError::TooShort { got: 0 })?;
    // The low half is what the sender could speak, not what it did speak: any value will do.
    if version >> 4 != VERSION >> 4 {
        return Err(EnvelopeError::WrongVersion { got: version >> 4 });
    }
    Ok(body)
}

pub(super) fn number(name: &'static str, field: Field<'_>) -> Result<u32, EnvelopeError> {
    let Field::Varint(value) = field else { return Err(EnvelopeError::WrongType { field: name }) };
    u32::try_from(value).map_err(|_| EnvelopeError::TooLarge { field: name, got: value })
}

pub(super) fn public_key(name: &'static str, field: Field<'_>) -> Result<PublicKey, EnvelopeError> {
    let Field::Bytes { value, .. } = field else { return Err(EnvelopeError::WrongType { field: name }) };
    PublicKey::from_serialized(value).map_err(|error| EnvelopeError::Key { field: name, error })
}

/// Bytes that are not an envelope. The sender should be asked to encrypt again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// Too few bytes for a version and an authenticator.
    #[error("an encrypted message of {got} bytes is too short")]
    TooShort {
        /// Bytes that came.
        got: usize,
    },
    /// Another version of the protocol.
    #[error("the message is of protocol version {got}, only version 3 is supported")]
    WrongVersion {
        /// The message's version.
        got: u8,
    },
    /// Not protobuf.
    #[error("the encrypted message is damaged: {0}")]
    Fields(#[from] FieldError),
    /// A field that must be there is not.
    #[error("the encrypted message has no {field}")]
    Missing {
        /// The field.
        field: &'static str,
    },
    /// A number where bytes belong, or the other way round.
    #[error("the encrypted message's {field} is of the wrong type")]
    WrongType {
        /// The field.
        field: &'static str,
    },
    /// A number of more than 32 bits.
    #[error("the encrypted message's {field} is {got}, at most 4294967295 is possible")]
    TooLarge {
        /// The field.
        field: &'static str,
        /// The number that came.
        got: u64,
    },
    /// A key that is none.
    #[error("the encrypted message's {field} is unusable: {error}")]
    Key {
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        error: KeyError,
    },
}
