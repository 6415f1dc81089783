//! The chat server's half of the handshake: two calls, as the bytes come (docs/spec/wire.md §2.3).

use super::messages::{HandshakeMessage, ServerHello};
use super::resolver::Resolver;
use super::{KEY, MAX_MESSAGE, OpeningCipher, PATTERN, SealingCipher, TAG};
use prost::Message;
use rand_core::CryptoRng;
use snow::{Builder, HandshakeState};
use zeroize::Zeroize;

/// Why a handshake failed. The caller closes the socket without an answer: the other end has proved nothing yet.
#[derive(Debug, thiserror::Error)]
pub enum ResponderError {
    /// Not a protobuf.
    #[error("a handshake message is no protobuf: {0}")]
    Protobuf(#[from] prost::DecodeError),
    /// The message lacks a field or the field is of another length.
    #[error("the handshake message's {field} is missing or malformed ({got} bytes)")]
    Field {
        /// Which field.
        field: &'static str,
        /// Bytes that came; 0 when missing.
        got: usize,
    },
    /// `snow` refused: a wrong tag, or a degenerate key.
    #[error("the handshake failed: {0}")]
    Noise(#[from] snow::Error),
}

/// Waits for the client's last message.
pub struct AwaitFinish(HandshakeState);

/// A finished handshake.
pub struct Accepted {
    /// The client's static public key, proven.
    pub client_static: [u8; KEY],
    /// The serialised ClientPayload.
    pub payload: Vec<u8>,
    /// Server to client.
    pub seal: SealingCipher,
    /// Client to server.
    pub open: OpeningCipher,
}

/// Reads a client hello: the state that waits for the client finish, and the server hello to send.
///
/// `prologue` is the connection header that the client has sent (docs/spec/wire.md §1.1). `rng` gives the ephemeral
/// key.
///
/// # Errors
/// [`ResponderError`] on anything but a well-formed XX client hello.
pub fn respond(
    prologue: &[u8; 4],
    static_secret: &[u8; KEY],
    certificates: &[u8],
    client_hello: &[u8],
    rng: &mut dyn CryptoRng,
) -> Result<(AwaitFinish, Vec<u8>), ResponderError> {
    let hello = HandshakeMessage::decode(client_hello)?.client_hello;
    let ephemeral = hello.and_then(|hello| hello.ephemeral).unwrap_or_default();
    if ephemeral.len() != KEY {
        return Err(ResponderError::Field { field: "clientHello.ephemeral", got: ephemeral.len() });
    }
    let mut state = Builder::with_resolver(PATTERN.parse()?, Box::new(Resolver::new(rng)))
        .local_private_key(static_secret)?
        .prologue(prologue)?
        .build_responder()?;
    let mut nothing = [0; KEY];
    state.read_message(&ephemeral, &mut nothing)?;
    let mut message = vec![0; KEY + KEY + TAG + certificates.len() + TAG];
    let length = state.write_message(certificates, &mut message)?;
    message.truncate(length);
    let payload = message.split_off(KEY + KEY + TAG);
    let sealed_static = message.split_off(KEY);
    let hello = ServerHello { ephemeral: Some(message), sealed_static: Some(sealed_static), payload: Some(payload) };
    let answer = HandshakeMessage { server_hello: Some(hello), ..Default::default() };
    Ok((AwaitFinish(state), answer.encode_to_vec()))
}

impl AwaitFinish {
    /// Reads the client finish.
    ///
    /// # Errors
    /// [`ResponderError`] when a field is missing or a tag is wrong.
    pub fn finish(self, client_finish: &[u8]) -> Result<Accepted, ResponderError> {
        let Self(mut state) = self;
        let finish = HandshakeMessage::decode(client_finish)?.client_finish.unwrap_or_default();
        let mut message = finish.sealed_static.unwrap_or_default();
        if message.len() != KEY + TAG {
            return Err(ResponderError::Field { field: "clientFinish.static", got: message.len() });
        }
        let sealed_payload = finish.payload.unwrap_or_default();
        if sealed_payload.len() < TAG || message.len() + sealed_payload.len() > MAX_MESSAGE {
            return Err(ResponderError::Field { field: "clientFinish.payload", got: sealed_payload.len() });
        }
        message.extend_from_slice(&sealed_payload);
        let mut payload = vec![0; sealed_payload.len()];
        let length = state.read_message(&message, &mut payload)?;
        payload.truncate(length);
        let key = state.get_remote_static().and_then(|key| key.try_into().ok());
        let client_static = key.ok_or(ResponderError::Field { field: "clientFinish.static", got: 0 })?;
        let (mut to_server, mut to_client) = state.dangerously_get_raw_split();
        let accepted = Accepted {
            client_static,
            payload,
            seal: SealingCipher::new(&to_client),
            open: OpeningCipher::new(&to_server),
        };
        to_server.zeroize();
        to_client.zeroize();
        Ok(accepted)
    }
}
