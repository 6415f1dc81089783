//! One connection between the browser and the chat server: bytes that keep their order, and a tap.
//!
//! The tap is the server's end of Noise, fed at the very moment at which the engine transmits, so that every stanza that
//! ever left is seen, whatever becomes of its bytes. The server hears of a stanza when the last of its bytes has arrived.
//!
//! What this module does not know: when bytes arrive, and what stanzas mean.

use crate::agenda::{Conn, Socket};
use crate::directory::Letter;
use causeway::io::Millis;
use causeway_peer::server::{Connection, Event};
use causeway_proto::node::Node;
use causeway_proto::signal::KeyPair;
use rand_core::CryptoRng;
use std::collections::VecDeque;

/// Largest frame that the server takes, in bytes.
const MAX_FRAME: usize = 1 << 20;

/// What the server has to go on.
pub(crate) struct ServerKeys {
    /// Its Noise key.
    pub(crate) key: KeyPair,
    /// Its certificates, signed by the root that the deployment names.
    pub(crate) certificates: Vec<u8>,
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
    server: Connection,
    frames: VecDeque<(u64, Frame)>,
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
            server: Connection::new(MAX_FRAME),
            frames: VecDeque::new(),
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
        self.server.feed(bytes);
        let mut nodes = Vec::new();
        while let Some(event) = self.server.poll().map_err(|error| format!("the engine's bytes: {error}"))? {
            let frame = match event {
                Event::Hello => {
                    let answer = self.server.answer_hello(&keys.key, &keys.certificates, rng);
                    Frame::Hello(answer.map_err(|error| format!("the engine's hello: {error}"))?)
                }
                Event::Login(_) => Frame::Login,
                Event::Stanza(node) => {
                    nodes.push(node.clone());
                    Frame::Stanza(node)
                }
            };
            self.frames.push_back((self.server.consumed(), frame));
        }
        Ok(nodes)
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
        self.server.is_open().then(|| self.server.seal(node).expect("every stanza of the server has an encoding"))
    }
}

/// The channel is out of step.
pub(crate) struct Garbled;
