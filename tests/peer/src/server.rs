//! The server's end of one connection: bytes in, protocol events out (docs/spec/wire.md §2.3).
//!
//! Header, client hello, client finish, then stanzas, in this order. The caller answers the hello, decides on the login
//! and on every stanza. Must not know sockets, accounts and what a stanza means.

use crate::channel::{Channel, ChannelError};
use crate::frame::{FrameBuffer, FrameError, framed};
use crate::noise::{self, AwaitFinish, ResponderError};
use causeway_proto::node::Node;
use causeway_proto::signal::KeyPair;
use rand_core::CryptoRng;

/// What has arrived.
#[derive(Debug)]
pub enum Event {
    /// A client hello. The connection waits for [`Connection::answer_hello`].
    Hello,
    /// The client has finished the handshake.
    Login(Login),
    /// A stanza.
    Stanza(Node),
}

/// Who has finished a handshake, and with which payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// The client's static public key, proven.
    pub client_static: [u8; 32],
    /// The serialised ClientPayload.
    pub payload: Vec<u8>,
}

/// Why a connection can't go on.
#[derive(Debug, thiserror::Error)]
pub enum ConnectionError {
    /// The bytes are no frames.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// The handshake failed.
    #[error(transparent)]
    Handshake(#[from] ResponderError),
    /// A frame after the handshake is no stanza.
    #[error(transparent)]
    Channel(#[from] ChannelError),
    /// The call does not fit the stage of the connection, or the connection failed before.
    #[error("the connection is not at this stage")]
    Stage,
}

enum Stage {
    Header,
    Hello([u8; 4]),
    Answer([u8; 4], Vec<u8>),
    Finish(Box<AwaitFinish>),
    Open(Box<Channel>),
    Failed,
}

/// One connection, from its first byte on.
pub struct Connection {
    frames: FrameBuffer,
    stage: Stage,
}

impl Connection {
    /// A fresh connection that takes frames of at most `max_frame` bytes.
    pub fn new(max_frame: usize) -> Self {
        Self { frames: FrameBuffer::new(max_frame), stage: Stage::Header }
    }

    /// Appends received bytes.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.frames.feed(bytes);
    }

    /// Number of received bytes up to the end of the last event.
    pub fn consumed(&self) -> u64 {
        self.frames.consumed()
    }

    /// Whether the handshake is done, so that stanzas can be sent.
    pub fn is_open(&self) -> bool {
        matches!(self.stage, Stage::Open(_))
    }

    /// The next event, or `None` until more bytes arrive or the hello is answered.
    ///
    /// # Errors
    /// [`ConnectionError`]; the connection is of no use any more.
    pub fn poll(&mut self) -> Result<Option<Event>, ConnectionError> {
        if let Stage::Header = self.stage {
            let Some(header) = self.frames.header()? else { return Ok(None) };
            self.stage = Stage::Hello(header);
        }
        match self.stage {
            Stage::Answer(..) => return Ok(None),
            Stage::Failed => return Err(ConnectionError::Stage),
            _ => {}
        }
        let Some(frame) = self.frames.frame()? else { return Ok(None) };
        match std::mem::replace(&mut self.stage, Stage::Failed) {
            Stage::Hello(header) => {
                self.stage = Stage::Answer(header, frame);
                Ok(Some(Event::Hello))
            }
            Stage::Finish(state) => {
                let accepted = state.finish(&frame)?;
                self.stage = Stage::Open(Box::new(Channel::new(accepted.seal, accepted.open)));
                let login = Login { client_static: accepted.client_static, payload: accepted.payload };
                Ok(Some(Event::Login(login)))
            }
            Stage::Open(mut channel) => {
                let node = channel.open(&frame)?;
                self.stage = Stage::Open(channel);
                Ok(Some(Event::Stanza(node)))
            }
            Stage::Header | Stage::Answer(..) | Stage::Failed => Err(ConnectionError::Stage),
        }
    }

    /// The framed server hello, under the server's static key pair and its serialised certificate chain.
    ///
    /// # Errors
    /// [`ConnectionError::Handshake`] on a malformed hello, [`ConnectionError::Stage`] unless [`Event::Hello`] was the
    /// last event.
    pub fn answer_hello(
        &mut self,
        key: &KeyPair,
        certificates: &[u8],
        rng: &mut dyn CryptoRng,
    ) -> Result<Vec<u8>, ConnectionError> {
        let Stage::Answer(header, hello) = std::mem::replace(&mut self.stage, Stage::Failed) else {
            return Err(ConnectionError::Stage);
        };
        let (state, answer) = noise::respond(&header, key.secret().expose(), certificates, &hello, rng)?;
        self.stage = Stage::Finish(Box::new(state));
        framed(&answer).ok_or(ConnectionError::Channel(ChannelError::TooLong(answer.len())))
    }

    /// A stanza as one framed, sealed message.
    ///
    /// # Errors
    /// [`ConnectionError::Stage`] before the login, [`ConnectionError::Channel`] if it has no encoding.
    pub fn seal(&mut self, node: &Node) -> Result<Vec<u8>, ConnectionError> {
        match &mut self.stage {
            Stage::Open(channel) => Ok(channel.seal(node)?),
            _ => Err(ConnectionError::Stage),
        }
    }

    /// These bytes in place of a stanza, as one framed, sealed message.
    ///
    /// # Errors
    /// [`ConnectionError::Stage`] before the login, [`ConnectionError::Channel`] if they do not fit into a frame.
    pub fn seal_bytes(&mut self, document: &[u8]) -> Result<Vec<u8>, ConnectionError> {
        match &mut self.stage {
            Stage::Open(channel) => Ok(channel.seal_bytes(document)?),
            _ => Err(ConnectionError::Stage),
        }
    }

    /// The buffer and the channel of a logged-in connection, for a caller that drives them itself.
    ///
    /// # Errors
    /// [`ConnectionError::Stage`] before the login.
    pub fn into_channel(self) -> Result<(FrameBuffer, Channel), ConnectionError> {
        match self.stage {
            Stage::Open(channel) => Ok((self.frames, *channel)),
            _ => Err(ConnectionError::Stage),
        }
    }
}
