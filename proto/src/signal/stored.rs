//! A session record as bytes for the store: protobuf, laid out in `proto/schema/session.proto`.
//!
//! Written into one buffer that is cleared on drop and never grows, read straight into [`Secret`]s: no key is left
//! behind in freed memory. Every count and length is checked while reading, before anything is allocated for it.
//!
//! What this module does not know: how the store seals the bytes, and under which address it keeps them.

use std::collections::VecDeque;

use zeroize::Zeroizing;

use super::RemoteIdentity;
use super::chain_key::ChainKey;
use super::chains::{MAX_SKIPPED, ReceiverChain, RemoteRatchetKey, SenderChain, SkippedKey};
use super::key::{KeyPair, PublicKey};
use super::record::{MAX_ARCHIVED, MAX_RETIRED, SessionRecord};
use super::root_key::RootKey;
use super::session::{MAX_RECEIVER_CHAINS, Session, UsedPreKeys};
use crate::protobuf::{self, Field, FieldError, Fields};
use crate::secret::{Secret, WrongLength};

/// Stored bytes that are not a session record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// Not protobuf.
    #[error("the stored session is damaged: {0}")]
    Fields(#[from] FieldError),
    /// A key of the wrong length.
    #[error("a key of the stored session has the wrong length: {0}")]
    WrongLength(#[from] WrongLength),
    /// A field that must be there is not, or is of the wrong type.
    #[error("the stored session has no usable {field}")]
    Missing {
        /// The field.
        field: &'static str,
    },
    /// More entries of a kind than a record ever has.
    #[error("the stored session has more than {limit} {field}")]
    TooMany {
        /// The field.
        field: &'static str,
        /// How many there may be.
        limit: usize,
    },
    /// Skipped keys that are out of order or still to come.
    #[error("the stored session's skipped keys are out of order")]
    OutOfOrder,
}

impl SessionRecord {
    /// Serializes the record for the store, into a buffer that is cleared when it is dropped.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        write(self)
    }

    /// Parses what [`to_bytes`](Self::to_bytes) wrote.
    ///
    /// # Errors
    /// [`RecordError`] if the bytes are anything else.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, RecordError> {
        read(bytes)
    }
}

/// Bytes of a field with a 32-byte key.
const KEY_FIELD: usize = 34;

/// Bytes of a skipped key: the counter, big-endian, and the seed.
const SKIPPED: usize = 4 + 32;

fn write(record: &SessionRecord) -> Zeroizing<Vec<u8>> {
    let sessions = record.current.iter().chain(&record.archived);
    let len: usize = sessions.map(|session| protobuf::bytes_len(session_len(session))).sum();
    let mut out = Zeroizing::new(Vec::with_capacity(len + record.retired.len() * KEY_FIELD));
    if let Some(session) = &record.current {
        write_session(&mut out, 1, session);
    }
    for session in &record.archived {
        write_session(&mut out, 2, session);
    }
    for identity in &record.retired {
        protobuf::put_bytes(&mut out, 3, identity.as_bytes());
    }
    out
}

fn session_len(session: &Session) -> usize {
    let receivers = session.receivers.iter().map(|receiver| protobuf::bytes_len(receiver_len(receiver)));
    4 * KEY_FIELD
        + protobuf::varint_len(session.remote.registration_id.into())
        + protobuf::varint_len(session.previous_counter.into())
        + protobuf::bytes_len(sender_len(&session.sender))
        + receivers.sum::<usize>()
        + session.unproven.as_ref().map_or(0, |used| protobuf::bytes_len(used_len(used)))
        + if session.frozen { protobuf::varint_len(1) } else { 0 }
}

fn write_session(out: &mut Vec<u8>, number: u32, session: &Session) {
    let Session { local_identity, remote, base_key, root, sender, previous_counter, receivers, unproven, frozen } =
        session;
    protobuf::put_header(out, number, session_len(session));
    protobuf::put_bytes(out, 1, local_identity.as_bytes());
    protobuf::put_bytes(out, 2, remote.key.as_bytes());
    protobuf::put_varint(out, 3, remote.registration_id.into());
    protobuf::put_bytes(out, 4, base_key.as_bytes());
    protobuf::put_bytes(out, 5, root.secret().expose());
    protobuf::put_varint(out, 6, (*previous_counter).into());
    write_sender(out, 7, sender);
    for receiver in receivers {
        write_receiver(out, 8, receiver);
    }
    if let Some(used) = unproven {
        write_used(out, 9, used);
    }
    if *frozen {
        protobuf::put_varint(out, 10, 1);
    }
}

fn sender_len(sender: &SenderChain) -> usize {
    3 * KEY_FIELD + protobuf::varint_len(sender.chain.index().into())
}

fn write_sender(out: &mut Vec<u8>, number: u32, sender: &SenderChain) {
    let SenderChain { ratchet, chain } = sender;
    protobuf::put_header(out, number, sender_len(sender));
    protobuf::put_bytes(out, 1, ratchet.secret().expose());
    protobuf::put_bytes(out, 2, ratchet.public().as_bytes());
    protobuf::put_bytes(out, 3, chain.secret().expose());
    protobuf::put_varint(out, 4, chain.index().into());
}

fn receiver_len(receiver: &ReceiverChain) -> usize {
    2 * KEY_FIELD
        + protobuf::varint_len(receiver.chain.index().into())
        + receiver.skipped.len() * protobuf::bytes_len(SKIPPED)
}

fn write_receiver(out: &mut Vec<u8>, number: u32, receiver: &ReceiverChain) {
    let ReceiverChain { remote_ratchet, chain, skipped } = receiver;
    protobuf::put_header(out, number, receiver_len(receiver));
    protobuf::put_bytes(out, 1, remote_ratchet.0.as_bytes());
    protobuf::put_bytes(out, 2, chain.secret().expose());
    protobuf::put_varint(out, 3, chain.index().into());
    for SkippedKey { counter, seed } in skipped {
        protobuf::put_header(out, 4, SKIPPED);
        out.extend_from_slice(&counter.to_be_bytes());
        out.extend_from_slice(seed.expose());
    }
}

fn used_len(used: &UsedPreKeys) -> usize {
    used.prekey_id.map_or(0, |id| protobuf::varint_len(id.into())) + protobuf::varint_len(used.signed_prekey_id.into())
}

fn write_used(out: &mut Vec<u8>, number: u32, used: &UsedPreKeys) {
    let UsedPreKeys { prekey_id, signed_prekey_id } = used;
    protobuf::put_header(out, number, used_len(used));
    if let Some(id) = prekey_id {
        protobuf::put_varint(out, 1, (*id).into());
    }
    protobuf::put_varint(out, 2, (*signed_prekey_id).into());
}

fn read(bytes: &[u8]) -> Result<SessionRecord, RecordError> {
    let mut record = SessionRecord::default();
    for field in Fields::of(bytes) {
        match field? {
            (1, Field::Bytes { value, .. }) => record.current = Some(Box::new(read_session(value)?)),
            (2, Field::Bytes { value, .. }) => {
                within(record.archived.len(), MAX_ARCHIVED, "archived sessions")?;
                record.archived.push_back(Box::new(read_session(value)?));
            }
            (3, Field::Bytes { value, .. }) => {
                within(record.retired.len(), MAX_RETIRED, "retired identities")?;
                record.retired.push_back(PublicKey::from_slice(value)?);
            }
            _ => {}
        }
    }
    Ok(record)
}

fn read_session(bytes: &[u8]) -> Result<Session, RecordError> {
    let (mut local_identity, mut remote_identity, mut registration_id) = (None, None, None);
    let (mut base_key, mut root, mut previous_counter, mut sender, mut unproven) = (None, None, None, None, None);
    let (mut receivers, mut frozen) = (VecDeque::new(), false);
    for field in Fields::of(bytes) {
        match field? {
            (1, Field::Bytes { value, .. }) => local_identity = Some(PublicKey::from_slice(value)?),
            (2, Field::Bytes { value, .. }) => remote_identity = Some(PublicKey::from_slice(value)?),
            (3, Field::Varint(value)) => registration_id = u32::try_from(value).ok(),
            (4, Field::Bytes { value, .. }) => base_key = Some(PublicKey::from_slice(value)?),
            (5, Field::Bytes { value, .. }) => root = Some(RootKey::new(Secret::from_slice(value)?)),
            (6, Field::Varint(value)) => previous_counter = u32::try_from(value).ok(),
            (7, Field::Bytes { value, .. }) => sender = Some(read_sender(value)?),
            (8, Field::Bytes { value, .. }) => {
                within(receivers.len(), MAX_RECEIVER_CHAINS, "receiving chains")?;
                receivers.push_back(read_receiver(value)?);
            }
            (9, Field::Bytes { value, .. }) => unproven = Some(read_used(value)?),
            (10, Field::Varint(value)) => frozen = value != 0,
            _ => {}
        }
    }
    Ok(Session {
        local_identity: present("identity of ours", local_identity)?,
        remote: RemoteIdentity {
            key: present("identity of theirs", remote_identity)?,
            registration_id: present("registration id", registration_id)?,
        },
        base_key: present("base key", base_key)?,
        root: present("root key", root)?,
        sender: present("sending chain", sender)?,
        previous_counter: present("previous counter", previous_counter)?,
        receivers,
        unproven,
        frozen,
    })
}

fn read_sender(bytes: &[u8]) -> Result<SenderChain, RecordError> {
    let (mut secret, mut public, mut key, mut index) = (None, None, None, None);
    for field in Fields::of(bytes) {
        match field? {
            (1, Field::Bytes { value, .. }) => secret = Some(Secret::from_slice(value)?),
            (2, Field::Bytes { value, .. }) => public = Some(PublicKey::from_slice(value)?),
            (3, Field::Bytes { value, .. }) => key = Some(Secret::from_slice(value)?),
            (4, Field::Varint(value)) => index = u32::try_from(value).ok(),
            _ => {}
        }
    }
    Ok(SenderChain {
        ratchet: KeyPair::from_halves(present("ratchet secret", secret)?, present("ratchet key", public)?),
        chain: ChainKey::at(present("sending chain key", key)?, present("sending index", index)?),
    })
}

fn read_receiver(bytes: &[u8]) -> Result<ReceiverChain, RecordError> {
    let (mut remote_ratchet, mut key, mut index) = (None, None, None);
    let mut skipped = VecDeque::<SkippedKey>::new();
    for field in Fields::of(bytes) {
        match field? {
            (1, Field::Bytes { value, .. }) => remote_ratchet = Some(RemoteRatchetKey(PublicKey::from_slice(value)?)),
            (2, Field::Bytes { value, .. }) => key = Some(Secret::from_slice(value)?),
            (3, Field::Varint(value)) => index = u32::try_from(value).ok(),
            (4, Field::Bytes { value, .. }) => {
                within(skipped.len(), MAX_SKIPPED, "skipped keys in a chain")?;
                let (counter, seed) =
                    value.split_first_chunk().ok_or(WrongLength { expected: SKIPPED, got: value.len() })?;
                let key = SkippedKey { counter: u32::from_be_bytes(*counter), seed: Secret::from_slice(seed)? };
                if skipped.back().is_some_and(|last| last.counter >= key.counter) {
                    return Err(RecordError::OutOfOrder);
                }
                skipped.push_back(key);
            }
            _ => {}
        }
    }
    let chain = ChainKey::at(present("receiving chain key", key)?, present("receiving index", index)?);
    if skipped.back().is_some_and(|last| last.counter >= chain.index()) {
        return Err(RecordError::OutOfOrder);
    }
    Ok(ReceiverChain { remote_ratchet: present("ratchet key of theirs", remote_ratchet)?, chain, skipped })
}

fn read_used(bytes: &[u8]) -> Result<UsedPreKeys, RecordError> {
    let (mut prekey_id, mut signed_prekey_id) = (None, None);
    for field in Fields::of(bytes) {
        match field? {
            (1, Field::Varint(value)) => prekey_id = u32::try_from(value).ok(),
            (2, Field::Varint(value)) => signed_prekey_id = u32::try_from(value).ok(),
            _ => {}
        }
    }
    Ok(UsedPreKeys { prekey_id, signed_prekey_id: present("signed prekey id", signed_prekey_id)? })
}

fn present<T>(field: &'static str, value: Option<T>) -> Result<T, RecordError> {
    value.ok_or(RecordError::Missing { field })
}

/// Whether one more fits.
fn within(count: usize, limit: usize, field: &'static str) -> Result<(), RecordError> {
    if count < limit { Ok(()) } else { Err(RecordError::TooMany { field, limit }) }
}
