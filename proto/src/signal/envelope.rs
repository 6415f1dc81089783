//! What an encrypted message looks like on the wire: the bytes of one `<enc>` (wire.md §6.5).
//!
//! Two kinds. A *plain* envelope belongs to a session that both sides have. A *prekey* envelope wraps a plain one and
//! adds what the receiver needs to build the session. Reading checks the layout and every field's length; the
//! ciphertext stays where it is.
//!
//! What this module does not know: any key. It cannot tell a genuine envelope from a forged one.

use core::ops::Range;
use core::str::FromStr;

use super::fields::{self, Field, FieldError, Fields};
use super::key::{KeyError, PublicKey};
use super::message_key::{Direction, MAC_LEN, MessageKeys, ciphertext_len};

/// Message version 3 in the high half, the newest version that the sender knows, 3, in the low half.
const VERSION: u8 = 0x33;

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

/// A message that also tells how to build the session it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreKeyEnvelope {
    bytes: Vec<u8>,
    layout: Layout,
    introduction: Introduction,
}

impl PreKeyEnvelope {
    fn parse(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        let body = versioned(bytes)?;
        let (mut prekey_id, mut base_key, mut identity_key, mut message) = (None, None, None, None);
        let (mut registration_id, mut signed_prekey_id) = (None, None);
        for field in Fields::of(body) {
            match field? {
                (1, field) => prekey_id = Some(number("prekey id", field)?),
                (2, field) => base_key = Some(public_key("base key", field)?),
                (3, field) => identity_key = Some(public_key("identity key", field)?),
                (4, Field::Bytes { at, value }) => message = Some((at, value)),
                (4, _) => return Err(EnvelopeError::WrongType { field: "message" }),
                (5, field) => registration_id = Some(number("registration id", field)?),
                (6, field) => signed_prekey_id = Some(number("signed prekey id", field)?),
                _ => {}
            }
        }
        let (at, message) = message.ok_or(EnvelopeError::Missing { field: "message" })?;
        Ok(Self {
            layout: Layout::parse(message)?.shifted(1 + at),
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
            + prekey_id.map_or(0, |id| fields::varint_len(id.into()))
            + 2 * fields::bytes_len(PublicKey::SERIALIZED_LEN)
            + fields::bytes_len(message_len)
            + fields::varint_len((*registration_id).into())
            + fields::varint_len((*signed_prekey_id).into());
        let mut bytes = Vec::with_capacity(len);
        bytes.push(VERSION);
        if let Some(id) = prekey_id {
            fields::put_varint(&mut bytes, 1, (*id).into());
        }
        fields::put_bytes(&mut bytes, 2, &base_key.serialize());
        fields::put_bytes(&mut bytes, 3, &identity_key.serialize());
        fields::put_header(&mut bytes, 4, message_len);
        let layout = header.write_message(keys, direction, plaintext, &mut bytes);
        fields::put_varint(&mut bytes, 5, (*registration_id).into());
        fields::put_varint(&mut bytes, 6, (*signed_prekey_id).into());
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

/// What a prekey envelope says besides the message that it carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Introduction {
    pub(super) prekey_id: Option<u32>,
    pub(super) signed_prekey_id: u32,
    pub(super) base_key: PublicKey,
    pub(super) identity_key: PublicKey,
    pub(super) registration_id: u32,
}

/// What a message says in clear: which key of which chain it was encrypted with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) ratchet_key: PublicKey,
    pub(super) counter: u32,
    pub(super) previous_counter: u32,
}

impl Header {
    /// Bytes of the message with `plaintext_len` bytes inside.
    fn message_len(&self, plaintext_len: usize) -> usize {
        1 + fields::bytes_len(PublicKey::SERIALIZED_LEN)
            + fields::varint_len(self.counter.into())
            + fields::varint_len(self.previous_counter.into())
            + fields::bytes_len(ciphertext_len(plaintext_len))
            + MAC_LEN
    }

    /// Appends version, body and authenticator.
    fn write_message(&self, keys: &MessageKeys, direction: &Direction, plaintext: &[u8], out: &mut Vec<u8>) -> Layout {
        let start = out.len();
        out.push(VERSION);
        fields::put_bytes(out, 1, &self.ratchet_key.serialize());
        fields::put_varint(out, 2, self.counter.into());
        fields::put_varint(out, 3, self.previous_counter.into());
        fields::put_header(out, 4, ciphertext_len(plaintext.len()));
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
struct Layout {
    header: Header,
    authenticated: Range<usize>,
    ciphertext: Range<usize>,
    mac: [u8; MAC_LEN],
}

impl Layout {
    fn parse(bytes: &[u8]) -> Result<Self, EnvelopeError> {
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
    fn shifted(self, by: usize) -> Self {
        let shift = |range: Range<usize>| range.start + by..range.end + by;
        Self { authenticated: shift(self.authenticated), ciphertext: shift(self.ciphertext), ..self }
    }

    fn view<'a>(&'a self, bytes: &'a [u8]) -> Message<'a> {
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
fn versioned(bytes: &[u8]) -> Result<&[u8], EnvelopeError> {
    let (version, body) = bytes.split_first().ok_or(EnvelopeError::TooShort { got: 0 })?;
    // The low half is what the sender could speak, not what it did speak: any value will do.
    if version >> 4 != VERSION >> 4 {
        return Err(EnvelopeError::WrongVersion { got: version >> 4 });
    }
    Ok(body)
}

fn number(name: &'static str, field: Field<'_>) -> Result<u32, EnvelopeError> {
    let Field::Varint(value) = field else { return Err(EnvelopeError::WrongType { field: name }) };
    u32::try_from(value).map_err(|_| EnvelopeError::TooLarge { field: name, got: value })
}

fn public_key(name: &'static str, field: Field<'_>) -> Result<PublicKey, EnvelopeError> {
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
