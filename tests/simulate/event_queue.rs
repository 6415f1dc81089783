//! The event queue: events ordered by time; events of the same moment in the order in which they were scheduled.

use crate::clock::Millis;
use causeway::io::{HttpFailure, HttpResponse, LoadId, RequestId, SocketId, StoreFailure, TransactionId};
use causeway::store::changes::Rows;
use causeway::view::Command;
use causeway_proto::node::Node;
use std::collections::BTreeMap;

/// Number of an engine instance, from its start to its end.
pub(crate) type Instance = u32;
/// Number of a connection, over all instances.
pub(crate) type Conn = u64;

/// An event.
#[derive(Debug)]
pub(crate) enum Event {
    /// A worker starts an engine.
    Start,
    /// The socket is open, or could not be opened.
    Connected(Conn, bool),
    /// Bytes up to this offset reach the server.
    BytesAtServer(Conn, u64),
    /// Bytes reach the browser.
    BytesAtClient(Conn, Vec<u8>),
    /// The browser learns that the connection is closed.
    ClosedAtClient(Conn),
    /// The server learns that the connection is closed.
    ClosedAtServer(Conn),
    /// The server seals and sends this stanza; with its number if it is from the mailbox.
    SendStanza(Conn, Node, Option<u64>),
    /// The server processes a stanza of Alice's.
    StanzaAtServer(Conn, Node),
    /// The transaction is durable, or has failed.
    Durable(Instance, TransactionId, Result<(), StoreFailure>),
    /// The engine is told of the end of the transaction.
    Reported(Instance, TransactionId, Result<(), StoreFailure>),
    /// Rows were read.
    Loaded(Instance, LoadId, Result<Rows, StoreFailure>),
    /// An HTTP exchange is over.
    Answered(Instance, RequestId, Result<HttpResponse, HttpFailure>),
    /// The timer of this number expires.
    Timer(Instance, u64),
    /// A page's command reaches the worker, if there is one.
    Command(Command),
    /// Alice's next action.
    UserActs,
    /// Alice repairs what needs a person: she signs in again, retries failed messages.
    UserRepairs,
    /// The peer writes a message.
    PeerWrites(usize),
    /// The peer's phone reads the next stanza of its mailbox.
    PeerReads(usize),
    /// A stanza of the peer reaches the server.
    StanzaFromPeer(usize, Node),
    /// The peer is back online.
    PeerReturns(usize),
    /// A frozen worker resumes.
    Thaw(Instance),
}

/// Scheduled events.
#[derive(Default)]
pub(crate) struct EventQueue {
    entries: BTreeMap<(Millis, u64), Event>,
    last: u64,
}

impl EventQueue {
    /// Schedules an event.
    pub(crate) fn schedule(&mut self, at: Millis, event: Event) {
        self.last += 1;
        self.entries.insert((at, self.last), event);
    }

    /// Takes out the next event, with its time.
    pub(crate) fn pop(&mut self) -> Option<(Millis, Event)> {
        self.entries.pop_first().map(|((at, _), event)| (at, event))
    }

    /// Whether only timers and user repairs are scheduled.
    pub(crate) fn is_idle(&self) -> bool {
        self.entries.values().all(|event| matches!(event, Event::Timer(..) | Event::UserRepairs))
    }
}

/// A socket of one engine instance.
pub(crate) type Socket = (Instance, SocketId);
