//! A phone's half of the handshake. The caller checks the server's certificates, as every client must.

use super::messages::{ClientFinish, ClientHello, HandshakeMessage};
use super::resolver::Resolver;
use super::{KEY, MAX_MESSAGE, OpeningCipher, PATTERN, SealingCipher, TAG};
use prost::Message;
use rand_core::CryptoRng;
use snow::{Builder, HandshakeState};
use zeroize::Zeroize;

/// Why a phone could not log in.
#[derive(Debug, thiserror::Error)]
pub enum InitiatorError {
    /// Not a protobuf.
    #[error("the server hello is no protobuf: {0}")]
    Protobuf(#[from] prost::DecodeError),
    /// A field of the server hello is missing or of another length.
    #[error("the server hello is malformed")]
    Malformed,
    /// `snow` refused.
    #[error("the handshake failed: {0}")]
    Noise(#[from] snow::Error),
}

/// Waits for the server hello.
pub struct AwaitHello(HandshakeState);

/// Has read the server hello. The caller checks the certificates before it calls [`finish`](Self::finish).
pub struct AwaitVerdict {
    state: HandshakeState,
    /// The serialised certificate chain.
    pub certificates: Vec<u8>,
    /// The server's static public key.
    pub server_static: [u8; KEY],
}

/// Starts a handshake: the state and the client hello. `rng` gives the ephemeral key.
///
/// # Errors
/// [`InitiatorError::Noise`] when the key is unusable.
pub fn initiate(
    prologue: &[u8; 4],
    static_secret: &[u8; KEY],
    rng: &mut dyn CryptoRng,
) -> Result<(AwaitHello, Vec<u8>), InitiatorError> {
    let mut state = Builder::with_resolver(PATTERN.parse()?, Box::new(Resolver::new(rng)))
        .local_private_key(static_secret)?
        .prologue(prologue)?
        .build_initiator()?;
    // `snow` asks for space for a tag even where nothing is sealed yet.
    let mut ephemeral = vec![0; KEY + TAG];
    let length = state.write_message(&[], &mut ephemeral)?;
    ephemeral.truncate(length);
    let hello = ClientHello { ephemeral: Some(ephemeral) };
    let message = HandshakeMessage { client_hello: Some(hello), ..Default::default() };
    Ok((AwaitHello(state), message.encode_to_vec()))
}

impl AwaitHello {
    /// Reads the server hello.
    ///
    /// # Errors
    /// [`InitiatorError`] when it is malformed or does not authenticate.
    pub fn read(self, server_hello: &[u8]) -> Result<AwaitVerdict, InitiatorError> {
        let Self(mut state) = self;
        let hello = HandshakeMessage::decode(server_hello)?.server_hello.ok_or(InitiatorError::Malformed)?;
        let mut message = hello.ephemeral.unwrap_or_default();
        message.extend(hello.sealed_static.unwrap_or_default());
        if message.len() != KEY + KEY + TAG {
            return Err(InitiatorError::Malformed);
        }
        let sealed = hello.payload.unwrap_or_default();
        if message.len() + sealed.len() > MAX_MESSAGE {
            return Err(InitiatorError::Malformed);
        }
        message.extend_from_slice(&sealed);
        let mut certificates = vec![0; sealed.len()];
        let length = state.read_message(&message, &mut certificates)?;
        certificates.truncate(length);
        let key = state.get_remote_static().and_then(|key| key.try_into().ok());
        Ok(AwaitVerdict { certificates, server_static: key.ok_or(InitiatorError::Malformed)?, state })
    }
}

impl AwaitVerdict {
    /// The client finish, which carries the ClientPayload, and the two ciphers.
    ///
    /// # Errors
    /// [`InitiatorError::Noise`] when the payload is too long.
    pub fn finish(mut self, payload: &[u8]) -> Result<(Vec<u8>, SealingCipher, OpeningCipher), InitiatorError> {
        let mut message = vec![0; KEY + TAG + payload.len() + TAG];
        let length = self.state.write_message(payload, &mut message)?;
        message.truncate(length);
        let sealed_payload = message.split_off(KEY + TAG);
        let finish = ClientFinish { sealed_static: Some(message), payload: Some(sealed_payload) };
        let message = HandshakeMessage { client_finish: Some(finish), ..Default::default() };
        let (mut to_server, mut to_client) = self.state.dangerously_get_raw_split();
        let ciphers = (SealingCipher::new(&to_server), OpeningCipher::new(&to_client));
        to_server.zeroize();
        to_client.zeroize();
        Ok((message.encode_to_vec(), ciphers.0, ciphers.1))
    }
}
