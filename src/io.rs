//! What crosses the engine's boundary: inputs (the world happened) and outputs (please make the world happen).
//!
//! What this module does not know: sockets, IndexedDB, tabs. A driver translates.

use crate::store::changes::{Changes, Query, Rows};
use crate::view::{Command, Update};

pub use crate::id::{LoadId, RequestId, SocketId, TransactionId};
pub use crate::store::failure::StoreFailure;
pub use crate::time::Millis;

/// Something that happened.
#[derive(Debug)]
pub enum Input {
    /// The driver holds the lock and the store is open: begin.
    Started,
    /// The socket is open.
    Opened(SocketId),
    /// Bytes came on the socket. Message boundaries carry no meaning.
    Received(SocketId, Vec<u8>),
    /// The socket is closed, or could not be opened.
    Closed(SocketId),
    /// The answer to [`Output::Load`].
    Loaded(LoadId, Result<Rows, StoreFailure>),
    /// The transaction is durable.
    Committed(TransactionId),
    /// The transaction had no effect.
    Aborted(TransactionId, StoreFailure),
    /// The answer to [`Output::Request`].
    Answered(RequestId, Result<HttpResponse, HttpFailure>),
    /// The time asked for in [`Output::Idle`] has come, or may have.
    Elapsed,
    /// The browser says that the network is back, or the device woke up: try now.
    NetworkBack,
    /// A person asked for something in some tab.
    Command(Command),
}

/// Something to do.
#[derive(Debug)]
pub enum Output {
    /// Open a binary WebSocket.
    Connect(SocketId, String),
    /// Send bytes on the socket.
    Transmit(SocketId, Vec<u8>),
    /// Close the socket.
    Close(SocketId),
    /// Read rows. Answer with [`Input::Loaded`].
    Load(LoadId, Vec<Query>),
    /// Make the changes durable in one strict transaction. Answer with [`Input::Committed`] or [`Input::Aborted`].
    Commit(TransactionId, Changes),
    /// Do an HTTP exchange. Answer with [`Input::Answered`].
    Request(RequestId, HttpRequest),
    /// Show this in every tab.
    Update(Update),
    /// Stop for good: another engine has taken over, or the store is unusable. Release the lock; drop the engine.
    Stop(StopReason),
    /// Nothing more for now. Send [`Input::Elapsed`] at this time, if one is given.
    Idle(Option<Millis>),
}

/// Why the engine gives up its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopReason {
    /// A newer generation has written to the store.
    Superseded,
    /// The store's schema is newer than this build.
    StoreTooNew,
}

/// A request, bounded in size by the engine.
#[derive(Clone)]
pub struct HttpRequest {
    /// The method.
    pub method: Method,
    /// Absolute URL, or a path of the page's own origin.
    pub url: String,
    /// An `application/x-www-form-urlencoded` body. Never printed: it may hold a password.
    pub form: Option<zeroize::Zeroizing<String>>,
    /// Largest answer to accept, in bytes.
    pub max_answer: usize,
}

impl core::fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Self { method, url, form: _, max_answer: _ } = self;
        write!(f, "HttpRequest({method:?} {url})")
    }
}

/// An HTTP method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// GET.
    Get,
    /// POST.
    Post,
    /// DELETE.
    Delete,
}

/// An answer, whatever its status.
#[derive(Clone)]
pub struct HttpResponse {
    /// Status code.
    pub status: u16,
    /// Body. Never printed: it may hold a token.
    pub body: Vec<u8>,
}

impl core::fmt::Debug for HttpResponse {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "HttpResponse({}, {} bytes)", self.status, self.body.len())
    }
}

/// No answer came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HttpFailure {
    /// The network failed, or the browser refused (CSP, CORS).
    #[error("no answer from the server")]
    Unreachable,
    /// The answer is larger than [`HttpRequest::max_answer`].
    #[error("the answer is larger than expected")]
    TooLarge,
}
