//! How the fields of events are written as JSON: JIDs as text, bytes and keys as base64.
//!
//! Must not know what an event is.

/// JIDs as their text.
pub(super) mod jid {
    use causeway_proto::jid::Jid;
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(crate) fn serialize<S: Serializer>(jid: &Jid, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(jid)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Jid, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

/// Byte strings as base64.
pub(super) mod bytes {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(crate) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&BASE64.encode(bytes))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        BASE64.decode(String::deserialize(from)?).map_err(D::Error::custom)
    }
}

/// Keys and signatures as base64 of exactly their length.
pub(super) mod blob {
    use crate::world::encoding::bytes;
    use serde::{Deserializer, Serializer, de::Error as _};

    pub(crate) fn serialize<S: Serializer, const N: usize>(bytes: &[u8; N], to: S) -> Result<S::Ok, S::Error> {
        bytes::serialize(bytes, to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>, const N: usize>(from: D) -> Result<[u8; N], D::Error> {
        let bytes = bytes::deserialize(from)?;
        <[u8; N]>::try_from(bytes).map_err(|bytes| D::Error::invalid_length(bytes.len(), &"a key of its exact length"))
    }
}
