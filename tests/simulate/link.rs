//! One connection between the browser and the chat server: ordered bytes, and the server's end of the channel.
//!
//! The server's end is fed when the engine transmits, so that every stanza is seen, whatever becomes of its bytes. The
//! server processes a stanza when the last of its bytes has arrived.
//!
//! Must not know when bytes arrive, and what stanzas mean.

use crate::clock::Millis;
use crate::directory::QueuedStanza;
use crate::event_queue::{Conn, Socket};
use crate::garbage;
use causeway_peer::server::{Connection, Event};
use causeway_proto::node::Node;
use causeway_proto::signal::KeyPair;
use rand_core::CryptoRng;
use std::collections::VecDeque;

/// Largest frame that the server takes, in bytes.
const MAX_FRAME: usize = 1 << 20;

/// Key material of the server.
pub(crate) struct ServerKeys {
    /// The static Noise key.
    pub(crate) key: KeyPair,
    /// The certificate chain, signed by the root of the deployment.
    pub(crate) certificates: Vec<u8>,
}

/// What the server reads from the bytes.
#[derive(Debug)]
pub(crate) enum Frame {
    /// Answer the hello with these bytes.
    Hello(Vec<u8>),
    /// The client has finished the handshake.
    Login,
    /// A stanza.
    Stanza(Node),
}

/// One connection.
pub(crate) struct Link {
    pub(crate) conn: Conn,
    pub(crate) owner: Socket,
    /// The browser has it open.
    pub(crate) open_at_client: bool,
    /// The server has it open.
    pub(crate) open_at_server: bool,
    /// The server has accepted the login.
    pub(crate) logged_in: bool,
    /// Bytes of this direction are lost from now on.
    pub(crate) upstream_lost: bool,
    pub(crate) downstream_lost: bool,
    /// Bytes from this offset on were changed.
    pub(crate) corrupted_from: Option<u64>,
    /// When the last bytes of each direction arrive; none arrive earlier.
    pub(crate) upstream_at: Millis,
    pub(crate) downstream_at: Millis,
    /// When the last stanza of each direction is processed.
    pub(crate) seal_at: Millis,
    pub(crate) taken_at: Millis,
    /// Mailbox stanzas that were delivered and not acknowledged, each as often as it was delivered.
    pub(crate) delivered: VecDeque<QueuedStanza>,
    /// Number of bytes that the engine has transmitted.
    pub(crate) sent: u64,
    server: Connection,
    frames: VecDeque<(u64, Frame)>,
}

impl Link {
    pub(crate) fn new(conn: Conn, owner: Socket, now: Millis) -> Self {
        Self {
            conn,
            owner,
            open_at_client: true,
            open_at_server: true,
            logged_in: false,
            upstream_lost: false,
            downstream_lost: false,
            corrupted_from: None,
            upstream_at: now,
            downstream_at: now,
            seal_at: now,
            taken_at: now,
            delivered: VecDeque::new(),
            sent: 0,
            server: Connection::new(MAX_FRAME),
            frames: VecDeque::new(),
        }
    }

    /// The engine transmits. Returns the stanzas in the bytes.
    ///
    /// # Errors
    /// Bytes that no server accepts.
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

    /// Bytes up to `offset` have arrived at the server. Returns the next frame that is complete with them.
    ///
    /// # Errors
    /// The frame was changed on the way.
    pub(crate) fn arrived(&mut self, offset: u64) -> Result<Option<Frame>, Corrupted> {
        if self.frames.front().is_none_or(|(end, _)| *end > offset) {
            return Ok(None);
        }
        let Some((end, frame)) = self.frames.pop_front() else { return Ok(None) };
        if self.corrupted_from.is_some_and(|from| from < end) { Err(Corrupted) } else { Ok(Some(frame)) }
    }

    /// A stanza as bytes; `None` before the login.
    pub(crate) fn seal(&mut self, node: &Node) -> Option<Vec<u8>> {
        self.server.is_open().then(|| match garbage::bytes(node) {
            Some(document) => self.server.seal_bytes(&document).expect("a few bytes fit into a frame"),
            None => self.server.seal(node).expect("every stanza of the server has an encoding"),
        })
    }
}

/// The channel can't be decrypted any more.
pub(crate) struct Corrupted;
