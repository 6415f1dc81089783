//! What an encrypted message looks like on the wire: the bytes of one `<enc>` (docs/spec/wire.md §6.5).
//!
//! Two kinds. A *plain* envelope belongs to a session that both sides have. A *prekey* envelope wraps a plain one and
//! adds what the receiver needs to build the session. Reading checks the layout and every field's length; the
//! ciphertext stays where it is.
//!
//! What this module does not know: keys. It does not detect forged envelopes.

use core::str::FromStr;

use super::key::PublicKey;
use super::message::{self, EnvelopeError, Header, Layout, Message, VERSION};
use super::message_key::{Direction, MessageKeys};
use crate::protobuf::{self, Field, Fields};

/// An encrypted message of either kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Envelope {
    /// Carries what it takes to build the session.
    PreKey(PreKeyEnvelope),
    /// Belongs to an existing session.
    Plain(PlainEnvelope),
}

impl Envelope {
    /// Reads the bytes of an `<enc>` whose `type` is `kind`.
    ///
    /// # Errors
    /// [`EnvelopeError`] if the bytes are not an envelope of that kind and of version 3.
    pub fn parse(kind: EnvelopeKind, bytes: &[u8]) -> Result<Self, EnvelopeError> {
        match kind {
            EnvelopeKind::PreKey => PreKeyEnvelope::parse(bytes).map(Self::PreKey),
            EnvelopeKind::Plain => PlainEnvelope::parse(bytes).map(Self::Plain),
        }
    }

    /// Which of the two it is, for the stanza's `type`.
    pub fn kind(&self) -> EnvelopeKind {
        match self {
            Self::PreKey(_) => EnvelopeKind::PreKey,
            Self::Plain(_) => EnvelopeKind::Plain,
        }
    }

    /// The bytes for the wire.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::PreKey(envelope) => &envelope.bytes,
            Self::Plain(envelope) => &envelope.bytes,
        }
    }

    /// The bytes for the wire, without a copy.
    pub fn into_bytes(self) -> Vec<u8> {
        match self {
            Self::PreKey(envelope) => envelope.bytes,
            Self::Plain(envelope) => envelope.bytes,
        }
    }
}

/// The `type` of an `<enc>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EnvelopeKind {
    /// `pkmsg`
    PreKey,
    /// `msg`
    Plain,
}

impl EnvelopeKind {
    /// The attribute's value.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PreKey => "pkmsg",
            Self::Plain => "msg",
        }
    }
}

impl FromStr for EnvelopeKind {
    type Err = UnknownEnvelopeKind;

    fn from_str(text: &str) -> Result<Self, UnknownEnvelopeKind> {
        match text {
            "pkmsg" => Ok(Self::PreKey),
            "msg" => Ok(Self::Plain),
            _ => Err(UnknownEnvelopeKind),
        }
    }
}

/// An `<enc>` of a type other than `pkmsg` and `msg`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the encrypted part is neither a \"pkmsg\" nor a \"msg\"; this client cannot read it")]
pub struct UnknownEnvelopeKind;

/// A message of an existing session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlainEnvelope {
    bytes: Vec<u8>,
    layout: Layout,
}

impl PlainEnvelope {
    fn parse(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        Ok(Self { layout: Layout::parse(bytes)?, bytes: bytes.to_vec() })
    }

    /// Encrypts `plaintext` straight into the buffer that goes out.
    pub(super) fn seal(header: &Header, keys: &MessageKeys, direction: &Direction, plaintext: &[u8]) -> Self {
        let mut bytes = Vec::with_capacity(header.message_len(plaintext.len()));
        let layout = header.write_message(keys, direction, plaintext, &mut bytes);
        Self { bytes, layout }
    }

    pub(super) fn message(&self) -> Message<'_> {
        self.layout.view(&self.bytes)
    }
}

/// A message with the prekeys that its session is built from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreKeyEnvelope {
    bytes: Vec<u8>,
    layout: Layout,
    introduction: Introduction,
}

impl PreKeyEnvelope {
    fn parse(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        let body = message::versioned(bytes)?;
        let (mut prekey_id, mut base_key, mut identity_key, mut inner) = (None, None, None, None);
        let (mut registration_id, mut signed_prekey_id) = (None, None);
        for field in Fields::of(body) {
            match field? {
                (1, field) => prekey_id = Some(message::number("prekey id", field)?),
                (2, field) => base_key = Some(message::public_key("base key", field)?),
                (3, field) => identity_key = Some(message::public_key("identity key", field)?),
                (4, Field::Bytes { at, value }) => inner = Some((at, value)),
                (4, _) => return Err(EnvelopeError::WrongType { field: "message" }),
                (5, field) => registration_id = Some(message::number("registration id", field)?),
                (6, field) => signed_prekey_id = Some(message::number("signed prekey id", field)?),
                _ => {}
            }
        }
        let (at, inner) = inner.ok_or(EnvelopeError::Missing { field: "message" })?;
        Ok(Self {
            layout: Layout::parse(inner)?.shifted(1 + at),
            introduction: Introduction {
                prekey_id,
                signed_prekey_id: signed_prekey_id.ok_or(EnvelopeError::Missing { field: "signed prekey id" })?,
                base_key: base_key.ok_or(EnvelopeError::Missing { field: "base key" })?,
                identity_key: identity_key.ok_or(EnvelopeError::Missing { field: "identity key" })?,
                registration_id: registration_id.unwrap_or_default(),
            },
            bytes: bytes.to_vec(),
        })
    }

    /// Encrypts `plaintext` straight into the buffer that goes out, inside `introduction`.
    pub(super) fn seal(
        introduction: Introduction,
        header: &Header,
        keys: &MessageKeys,
        direction: &Direction,
        plaintext: &[u8],
    ) -> Self {
        let Introduction { prekey_id, signed_prekey_id, base_key, identity_key, registration_id } = &introduction;
        let message_len = header.message_len(plaintext.len());
        let len = 1
            + prekey_id.map_or(0, |id| protobuf::varint_len(id.into()))
            + 2 * protobuf::bytes_len(PublicKey::SERIALIZED_LEN)
            + protobuf::bytes_len(message_len)
            + protobuf::varint_len((*registration_id).into())
            + protobuf::varint_len((*signed_prekey_id).into());
        let mut bytes = Vec::with_capacity(len);
        bytes.push(VERSION);
        if let Some(id) = prekey_id {
            protobuf::put_varint(&mut bytes, 1, (*id).into());
        }
        protobuf::put_bytes(&mut bytes, 2, &base_key.serialize());
        protobuf::put_bytes(&mut bytes, 3, &identity_key.serialize());
        protobuf::put_header(&mut bytes, 4, message_len);
        let layout = header.write_message(keys, direction, plaintext, &mut bytes);
        protobuf::put_varint(&mut bytes, 5, (*registration_id).into());
        protobuf::put_varint(&mut bytes, 6, (*signed_prekey_id).into());
        Self { bytes, layout, introduction }
    }

    /// The one-time prekey of ours that the sender used, if it had one.
    pub fn prekey_id(&self) -> Option<u32> {
        self.introduction.prekey_id
    }

    /// The signed prekey of ours that the sender used.
    pub fn signed_prekey_id(&self) -> u32 {
        self.introduction.signed_prekey_id
    }

    /// The sender's identity, as the sender states it: unproven until the envelope was decrypted.
    pub fn identity_key(&self) -> PublicKey {
        self.introduction.identity_key
    }

    /// The sender's base key, which names the session.
    pub fn base_key(&self) -> PublicKey {
        self.introduction.base_key
    }

    /// The sender's registration id, 0 if it did not send one.
    pub fn registration_id(&self) -> u32 {
        self.introduction.registration_id
    }

    pub(super) fn message(&self) -> Message<'_> {
        self.layout.view(&self.bytes)
    }
}

/// The fields of a prekey envelope besides its message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Introduction {
    pub(super) prekey_id: Option<u32>,
    pub(super) signed_prekey_id: u32,
    pub(super) base_key: PublicKey,
    pub(super) identity_key: PublicKey,
    pub(super) registration_id: u32,
}
