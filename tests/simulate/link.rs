//! One connection between the browser and the chat server: bytes that keep their order, and a tap.
//!
//! The tap is the server's end of Noise, fed at the very moment at which the engine transmits, so that every stanza that
//! ever left is seen, whatever becomes of its bytes. The server hears of a stanza when the last of its bytes has arrived.
//!
//! What this module does not know: when bytes arrive, and what stanzas mean.

use crate::agenda::{Conn, Socket};
use crate::directory::Letter;
use crate::noise::{Cipher, Symmetric, framed, key};
use causeway::io::Millis;
use causeway_proto::frame::FrameReader;
use causeway_proto::node::{Node, document};
use causeway_proto::schema::handshake::{ClientFinish, HandshakeMessage, ServerHello};
use causeway_proto::signal::KeyPair;
use prost::Message;
use rand_core::CryptoRng;
use std::collections::VecDeque;

/// What the server has to go on.
pub(crate) struct ServerKeys {
    /// Its Noise key.
    pub(crate) key: KeyPair,
    /// Its certificates, signed by the root that the deployment names.
    pub(crate) certificates: Vec<u8>,
}

enum Tap {
    Header,
    Hello,
    Finish(Box<(Symmetric, KeyPair)>),
    Open(Box<Cipher>),
}

/// What the server makes of a frame.
#[derive(Debug)]
pub(crate) enum Frame {
    /// Answer the hello with these bytes.
    Hello(Vec<u8>),
    /// The client has proved itself.
    Login,
    /// A stanza.
    Stanza(Node),
}

/// One connection.
pub(crate) struct Link {
    pub(crate) conn: Conn,
    pub(crate) owner: Socket,
    /// The browser has it open.
    pub(crate) here: bool,
    /// The server has it open.
    pub(crate) there: bool,
    /// Logged in, by the server's lights.
    pub(crate) live: bool,
    /// Bytes of this direction are lost from now on.
    pub(crate) up_lost: bool,
    pub(crate) down_lost: bool,
    /// Bytes from this offset on are not what was sent.
    pub(crate) garbled: Option<u64>,
    /// When the last bytes of each direction arrive; none arrive before them.
    pub(crate) up_at: Millis,
    pub(crate) down_at: Millis,
    /// When the last stanza of each direction is taken up.
    pub(crate) seal_at: Millis,
    pub(crate) heard_at: Millis,
    /// Letters that were delivered and not acknowledged yet, each as often as it was delivered.
    pub(crate) delivered: VecDeque<Letter>,
    /// Bytes that the engine has transmitted.
    pub(crate) sent: u64,
    tap: Tap,
    reader: FrameReader,
    header: Vec<u8>,
    seal: Option<Cipher>,
    frames: VecDeque<(u64, Frame)>,
    parsed: u64,
}

impl Link {
    pub(crate) fn new(conn: Conn, owner: Socket, now: Millis) -> Self {
        Self {
            conn,
            owner,
            here: true,
            there: true,
            live: false,
            up_lost: false,
            down_lost: false,
            garbled: None,
            up_at: now,
            down_at: now,
            seal_at: now,
            heard_at: now,
            delivered: VecDeque::new(),
            sent: 0,
            tap: Tap::Header,
            reader: FrameReader::new(1 << 20),
            header: Vec::new(),
            seal: None,
            frames: VecDeque::new(),
            parsed: 0,
        }
    }

    /// The engine transmits: the stanzas that are in the bytes.
    ///
    /// # Errors
    /// What no server would accept: the engine is wrong.
    pub(crate) fn transmit(
        &mut self,
        bytes: &[u8],
        keys: &ServerKeys,
        rng: &mut dyn CryptoRng,
    ) -> Result<Vec<Node>, String> {
        self.sent += bytes.len() as u64;
        let mut rest = bytes;
        if matches!(self.tap, Tap::Header) {
            let (header, after) = bytes.split_at_checked(4).ok_or("the engine opens with less than a header")?;
            self.header = header.to_vec();
            self.tap = Tap::Hello;
            self.parsed = 4;
            rest = after;
        }
        self.reader.feed(rest);
        let mut nodes = Vec::new();
        while let Some(frame) = self.reader.next().map_err(|error| format!("the engine's frame: {error}"))? {
            self.parsed += 3 + frame.len() as u64;
            let frame = self.frame(frame, keys, rng)?;
            if let Frame::Stanza(node) = &frame {
                nodes.push(node.clone());
            }
            self.frames.push_back((self.parsed, frame));
        }
        Ok(nodes)
    }

    fn frame(&mut self, frame: Vec<u8>, keys: &ServerKeys, rng: &mut dyn CryptoRng) -> Result<Frame, String> {
        match std::mem::replace(&mut self.tap, Tap::Header) {
            Tap::Header => Err("a frame before the header".to_owned()),
            Tap::Hello => {
                let hello = HandshakeMessage::decode(frame.as_slice()).map_err(|error| error.to_string())?;
                let client = key(hello.client_hello.and_then(|hello| hello.ephemeral));
                let ephemeral = KeyPair::generate(rng);
                let mut state = Symmetric::new(&self.header);
                state.mix_hash(&client.0);
                state.mix_hash(&ephemeral.public().0);
                state.mix_key(&ephemeral.agree(&client).map_err(|error| error.to_string())?);
                let sealed_static = state.encrypt(&keys.key.public().0);
                state.mix_key(&keys.key.agree(&client).map_err(|error| error.to_string())?);
                let payload = state.encrypt(&keys.certificates);
                let hello = ServerHello {
                    ephemeral: Some(ephemeral.public().0.to_vec()),
                    r#static: Some(sealed_static),
                    payload: Some(payload),
                };
                let message = HandshakeMessage { server_hello: Some(hello), ..Default::default() }.encode_to_vec();
                self.tap = Tap::Finish(Box::new((state, ephemeral)));
                Ok(Frame::Hello(framed(&message)))
            }
            Tap::Finish(state) => {
                let (mut state, ephemeral) = *state;
                let message = HandshakeMessage::decode(frame.as_slice()).map_err(|error| error.to_string())?;
                let ClientFinish { r#static, payload, .. } = message.client_finish.ok_or("no finish")?;
                let client = key(Some(state.decrypt(&r#static.ok_or("no key in the finish")?)));
                state.mix_key(&ephemeral.agree(&client).map_err(|error| error.to_string())?);
                state.decrypt(&payload.ok_or("no payload in the finish")?);
                let (open, seal) = state.split();
                self.tap = Tap::Open(Box::new(open));
                self.seal = Some(seal);
                Ok(Frame::Login)
            }
            Tap::Open(mut open) => {
                let plain = open.open(&frame);
                self.tap = Tap::Open(open);
                document::decode(&plain, 1 << 20).map(Frame::Stanza).map_err(|error| error.to_string())
            }
        }
    }

    /// Bytes up to `offset` are with the server: the next frame that is complete with them.
    ///
    /// # Errors
    /// The frame was damaged on the way.
    pub(crate) fn arrived(&mut self, offset: u64) -> Result<Option<Frame>, Garbled> {
        if self.frames.front().is_none_or(|(end, _)| *end > offset) {
            return Ok(None);
        }
        let Some((end, frame)) = self.frames.pop_front() else { return Ok(None) };
        if self.garbled.is_some_and(|from| from < end) { Err(Garbled) } else { Ok(Some(frame)) }
    }

    /// A stanza as bytes.
    pub(crate) fn seal(&mut self, node: &Node) -> Option<Vec<u8>> {
        self.seal.as_mut().map(|cipher| cipher.frame(node))
    }
}

/// The channel is out of step.
pub(crate) struct Garbled;
