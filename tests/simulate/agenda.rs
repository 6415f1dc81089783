//! What will happen, in the order of its time. What is due at the same moment happens in the order in which it was put
//! down.

use causeway::io::{HttpFailure, HttpResponse, LoadId, Millis, RequestId, SocketId, StoreFailure, TransactionId};
use causeway::store::changes::Rows;
use causeway::view::Command;
use causeway_proto::node::Node;
use std::collections::BTreeMap;

/// One life of an engine: from its start to its end, by whatever cause.
pub(crate) type Life = u32;
/// One connection, over all lives.
pub(crate) type Conn = u64;

/// Something that will happen.
#[derive(Debug)]
pub(crate) enum Event {
    /// A worker starts an engine.
    Start,
    /// The socket is open, or could not be opened.
    Connected(Conn, bool),
    /// Bytes up to this offset reach the server.
    Up(Conn, u64),
    /// Bytes reach the browser.
    Down(Conn, Vec<u8>),
    /// The browser hears that the connection is over.
    ClosedHere(Conn),
    /// The server hears that the connection is over.
    ClosedThere(Conn),
    /// The server's hand is on the link: this stanza, the letter of this number if it is one, is sealed now.
    Seal(Conn, Node, Option<u64>),
    /// The server takes up a stanza that came over the link.
    Heard(Conn, Node),
    /// The transaction is durable, or has failed.
    Durable(Life, TransactionId, Result<(), StoreFailure>),
    /// The engine hears of it.
    Reported(Life, TransactionId, Result<(), StoreFailure>),
    /// Rows were read.
    Loaded(Life, LoadId, Result<Rows, StoreFailure>),
    /// An HTTP exchange is over.
    Answered(Life, RequestId, Result<HttpResponse, HttpFailure>),
    /// The timer of this number has run out.
    Timer(Life, u64),
    /// A page's command reaches the worker, if there is one.
    Command(Command),
    /// The person does the next thing.
    Person,
    /// The person looks after what does not mend itself, once the storm is over.
    Care,
    /// The peer writes.
    Writes(usize),
    /// The peer's phone takes the next stanza of its mailbox.
    Reads(usize),
    /// A stanza of the peer's reaches the server.
    FromPhone(usize, Node),
    /// The peer is back.
    Back(usize),
    /// A frozen worker wakes: what it was about to do happens now.
    Thaw(Life),
}

/// What will happen.
#[derive(Default)]
pub(crate) struct Agenda {
    entries: BTreeMap<(Millis, u64), Event>,
    last: u64,
}

impl Agenda {
    /// Puts something down.
    pub(crate) fn put(&mut self, at: Millis, event: Event) {
        self.last += 1;
        self.entries.insert((at, self.last), event);
    }

    /// The next thing, and when.
    pub(crate) fn next(&mut self) -> Option<(Millis, Event)> {
        self.entries.pop_first().map(|((at, _), event)| (at, event))
    }

    /// Nothing is under way but timers and people.
    pub(crate) fn is_quiet(&self) -> bool {
        self.entries.values().all(|event| matches!(event, Event::Timer(..) | Event::Care))
    }
}

/// A socket of one engine.
pub(crate) type Socket = (Life, SocketId);
