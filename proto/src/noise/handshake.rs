//! The three flights of Noise XX, as types that are consumed by value (docs/spec/wire.md §2.3).
//!
//! `snow` runs the pattern; this module carries its messages in WhatsApp's protobufs and puts the certificate check
//! between the second flight and the third, where it cannot be walked around: the client's own static key and payload
//! leave only from [`Verified`]. It does not know frames or sockets; messages are the payloads of frames.
//!
//! Our copies of the secrets are zeroised. snow's own chaining key is not; it is gone from use, not from memory, when
//! the handshake ends.

use super::cipher::{OpeningCipher, SealingCipher, TAG_LEN};
use super::resolver::Resolver;
use super::trust::{self, Root, TrustError, VerifiedServer};
use super::{StaticKey, Transport};
use crate::profile::Profile;
use crate::schema::handshake::{ClientFinish, ClientHello, HandshakeMessage};
use crate::secret::Secret;
use core::fmt;
use prost::Message;
use zeroize::Zeroizing;

const PATTERN: &str = "Noise_XX_25519_AESGCM_SHA256";
const KEY_LEN: usize = 32;
const SEALED_KEY_LEN: usize = KEY_LEN + TAG_LEN;

/// Largest message of the Noise specification, before it is put into a protobuf.
const MAX_NOISE_MESSAGE: usize = 65_535;

/// Why there is no channel. All of these end the connection.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum HandshakeError {
    /// The server's answer is not the protobuf it should be.
    #[error("the server hello is not readable")]
    Malformed(#[from] prost::DecodeError),
    /// A field that the second flight must have is not there.
    #[error("the server hello has no {0}")]
    Missing(&'static str),
    /// A field of the wrong length.
    #[error("the {field} in the server hello should have {expected} bytes, got {got}")]
    WrongLength {
        /// Which field.
        field: &'static str,
        /// Bytes it must have.
        expected: usize,
        /// Bytes it has.
        got: usize,
    },
    /// More than one Noise message takes.
    #[error("a handshake message may have {max} bytes, got {got}")]
    TooLong {
        /// Most that is allowed.
        max: usize,
        /// What it would be.
        got: usize,
    },
    /// The server hello was altered, or the two ends disagree about the connection header.
    #[error("the server hello does not authenticate: altered on the way, or not meant for this connection")]
    BadTag,
    /// The server sent a key of small order, which would make the shared secret public.
    #[error("the server hello carries a weak key")]
    WeakKey,
    /// It is some server, but not the one that the profile's root key vouches for.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// The Noise library refused for a reason of its own, which does not depend on what the server sent.
    #[error("the handshake cannot go on: {0}")]
    Noise(&'static str),
}

/// First flight: makes the ephemeral key (32 bytes of `rng`, drawn now) and the client hello.
///
/// The returned bytes are a `HandshakeMessage`, to be framed and sent behind the connection header.
///
/// # Errors
/// [`HandshakeError::Noise`] only, which no input is known to cause.
pub fn start(
    static_key: &StaticKey,
    profile: &Profile,
    rng: &mut dyn rand_core::CryptoRng,
) -> Result<(AwaitServerHello, Vec<u8>), HandshakeError> {
    let params = PATTERN.parse().map_err(|_| HandshakeError::Noise("unknown pattern"))?;
    let mut noise = snow::Builder::with_resolver(params, Box::new(Resolver::new(Secret::random(rng))))
        .local_private_key(static_key.secret().expose())
        .and_then(|builder| builder.prologue(&profile.connection_header))
        .and_then(|builder| builder.build_initiator())
        .map_err(refused)?;
    // snow requires space for a tag although the first message has none.
    let mut ephemeral = vec![0; KEY_LEN + TAG_LEN];
    let len = noise.write_message(&[], &mut ephemeral).map_err(refused)?;
    ephemeral.truncate(len);
    let hello = ClientHello { ephemeral: Some(ephemeral), ..ClientHello::default() };
    let message = HandshakeMessage { client_hello: Some(hello), ..HandshakeMessage::default() };
    Ok((AwaitServerHello { noise, root: Root::from(profile) }, message.encode_to_vec()))
}

/// The client hello was sent; the server hello is awaited.
pub struct AwaitServerHello {
    noise: snow::HandshakeState,
    root: Root,
}

impl AwaitServerHello {
    /// Second flight: opens the server hello and checks who sent it. `now` is unix time in seconds.
    ///
    /// # Errors
    /// Any [`HandshakeError`]; [`HandshakeError::Trust`] if the message is sound but its sender is not the server.
    pub fn read(mut self, message: &[u8], now: u64) -> Result<Verified, HandshakeError> {
        let hello = HandshakeMessage::decode(message)?.server_hello.ok_or(HandshakeError::Missing("server hello"))?;
        let ephemeral = field(hello.ephemeral.as_deref(), "ephemeral key", KEY_LEN)?;
        let sealed_key = field(hello.r#static.as_deref(), "static key", SEALED_KEY_LEN)?;
        let sealed_chain = hello.payload.as_deref().ok_or(HandshakeError::Missing("certificate chain"))?;
        let joined_len = ephemeral.len() + sealed_key.len() + sealed_chain.len();
        if joined_len > MAX_NOISE_MESSAGE {
            return Err(HandshakeError::TooLong { max: MAX_NOISE_MESSAGE, got: joined_len });
        }
        let joined = [ephemeral, sealed_key, sealed_chain].concat();
        let mut chain = vec![0; sealed_chain.len()];
        let len = self.noise.read_message(&joined, &mut chain).map_err(refused)?;
        chain.truncate(len);
        let server_static = self.noise.get_remote_static().and_then(|key| key.try_into().ok());
        let server_static = server_static.ok_or(HandshakeError::Noise("no static key after the second flight"))?;
        let server = trust::verify(&chain, server_static, &self.root, now)?;
        Ok(Verified { noise: self.noise, server })
    }
}

/// The server was authenticated; the client finish is next.
pub struct Verified {
    noise: snow::HandshakeState,
    server: VerifiedServer,
}

impl Verified {
    /// Who answered.
    pub fn server(&self) -> &VerifiedServer {
        &self.server
    }

    /// Third flight: reveals the client's static key and `client_payload`, and starts the transport phase.
    ///
    /// The returned bytes are a `HandshakeMessage`, to be framed and sent; what follows goes through the [`Transport`].
    ///
    /// # Errors
    /// [`HandshakeError::TooLong`] if the payload is: it may have 65 471 bytes.
    pub fn finish(mut self, client_payload: &[u8]) -> Result<(Vec<u8>, Transport), HandshakeError> {
        let len = SEALED_KEY_LEN + client_payload.len() + TAG_LEN;
        if len > MAX_NOISE_MESSAGE {
            return Err(HandshakeError::TooLong { max: MAX_NOISE_MESSAGE, got: len });
        }
        let mut sealed_key = vec![0; len];
        let written = self.noise.write_message(client_payload, &mut sealed_key).map_err(refused)?;
        if written != len {
            return Err(HandshakeError::Noise("a third flight of unexpected length"));
        }
        let payload = sealed_key.split_off(SEALED_KEY_LEN);
        let finish = ClientFinish { r#static: Some(sealed_key), payload: Some(payload) };
        let message = HandshakeMessage { client_finish: Some(finish), ..HandshakeMessage::default() };
        let keys = Zeroizing::new(<[[u8; 32]; 2]>::from(self.noise.dangerously_get_raw_split()));
        let [to_server, to_client] = &*keys;
        let transport = Transport { seal: SealingCipher::new(to_server), open: OpeningCipher::new(to_client) };
        Ok((message.encode_to_vec(), transport))
    }
}

fn field<'a>(bytes: Option<&'a [u8]>, field: &'static str, expected: usize) -> Result<&'a [u8], HandshakeError> {
    let bytes = bytes.ok_or(HandshakeError::Missing(field))?;
    if bytes.len() != expected {
        return Err(HandshakeError::WrongLength { field, expected, got: bytes.len() });
    }
    Ok(bytes)
}

fn refused(error: snow::Error) -> HandshakeError {
    match error {
        snow::Error::Decrypt => HandshakeError::BadTag,
        snow::Error::Dh => HandshakeError::WeakKey,
        snow::Error::Rng => HandshakeError::Noise("the random bytes were used up"),
        snow::Error::Input => HandshakeError::Noise("a message of impossible length"),
        _ => HandshakeError::Noise("the library is in the wrong state"),
    }
}

impl fmt::Debug for AwaitServerHello {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwaitServerHello").finish_non_exhaustive()
    }
}

impl fmt::Debug for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verified").field("server", &self.server).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VECTORS: &str = include_str!("../../../tests/vectors/vectors.json");

    fn vector(vectors: &serde_json::Value, pointer: &str) -> Vec<u8> {
        let hex = vectors.pointer(pointer).and_then(serde_json::Value::as_str).unwrap();
        hex.as_bytes().chunks(2).map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
    }

    /// The running hash after each flight. The first is where standard Noise would differ.
    #[test]
    fn the_running_hash_follows_the_trace_of_the_vectors() {
        let vectors: serde_json::Value = serde_json::from_str(VECTORS).unwrap();
        let trace = vectors.pointer("/noise/XX/trace").and_then(serde_json::Value::as_array).unwrap();
        let after = |step: &str| {
            let entry = trace.iter().position(|entry| entry[0].as_str() == Some(step)).unwrap();
            vector(&vectors, &format!("/noise/XX/trace/{entry}/1"))
        };
        let secret =
            |name: &str| Secret::<32>::from_slice(&vector(&vectors, &format!("/noise/keys_private/{name}"))).unwrap();
        let resolver = Resolver::new(secret("client_ephemeral"));
        let mut noise = snow::Builder::with_resolver(PATTERN.parse().unwrap(), Box::new(resolver))
            .local_private_key(secret("client_static").expose())
            .and_then(|builder| builder.prologue(b"WA\x06\x03"))
            .and_then(|builder| builder.build_initiator())
            .unwrap();
        let mut buf = [0; 1024];
        noise.write_message(&[], &mut buf).unwrap();
        assert_eq!(noise.get_handshake_hash(), after("mixHash e"));

        let hello = HandshakeMessage::decode(vector(&vectors, "/noise/XX/server_hello").as_slice()).unwrap();
        let hello = hello.server_hello.unwrap();
        let joined = [hello.ephemeral.unwrap(), hello.r#static.unwrap(), hello.payload.unwrap()].concat();
        let len = noise.read_message(&joined, &mut buf).unwrap();
        assert_eq!(buf[..len], vector(&vectors, "/noise/cert_chain"));
        assert_eq!(noise.get_handshake_hash(), after("mixHash enc(certChain)"));

        noise.write_message(&vector(&vectors, "/noise/client_payload"), &mut buf).unwrap();
        assert_eq!(noise.get_handshake_hash(), vector(&vectors, "/noise/XX/final_handshake_hash"));
        let (to_server, to_client) = noise.dangerously_get_raw_split();
        assert_eq!(to_server.to_vec(), vector(&vectors, "/noise/XX/key_client_to_server"));
        assert_eq!(to_client.to_vec(), vector(&vectors, "/noise/XX/key_server_to_client"));
    }
}
