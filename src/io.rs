//! The engine's boundary: inputs are events of the environment, outputs are requests to it.
//!
//! What this module does not know: sockets, IndexedDB, tabs. A driver maps both to the browser.

use crate::store::changes::{Changes, Query, Rows};
use crate::view::{Command, Update};

pub use crate::compute::{Computation, ComputeFailure, Computed};
pub use crate::id::{ComputationId, LoadId, RequestId, SocketId, TransactionId};
pub use crate::store::failure::StoreFailure;
pub use crate::time::{Millis, UnixMillis};

/// An event.
#[derive(Debug)]
pub enum Input {
    /// The driver holds the lock and the store is open. The first input of every engine.
    Started,
    /// The socket is open.
    Opened(SocketId),
    /// Bytes arrived on the socket. WebSocket message boundaries carry no meaning.
    Received(SocketId, Vec<u8>),
    /// The socket is closed, or could not be opened.
    Closed(SocketId),
    /// The result of [`Output::Load`]: one list of rows for each query.
    Loaded(LoadId, Result<Rows, StoreFailure>),
    /// The transaction is durable.
    Committed(TransactionId),
    /// The transaction had no effect.
    Aborted(TransactionId, StoreFailure),
    /// The response to [`Output::Request`].
    Answered(RequestId, Result<HttpResponse, HttpFailure>),
    /// The result of [`Output::Compute`].
    Computed(ComputationId, Result<Computed, ComputeFailure>),
    /// The time of [`Output::Idle`] may have come. Spurious ones are harmless.
    Elapsed,
    /// The network is back, or the device woke up: retries a waiting connection now.
    NetworkBack,
    /// A command of the user, from any tab.
    Command(Command),
}

/// A request to the driver.
#[derive(Debug)]
pub enum Output {
    /// Open a binary WebSocket.
    Connect(SocketId, String),
    /// Send bytes on the socket.
    Transmit(SocketId, Vec<u8>),
    /// Close the socket.
    Close(SocketId),
    /// Read rows; respond with [`Input::Loaded`].
    Load(LoadId, Vec<Query>),
    /// Make the changes durable in one strict transaction; respond with [`Input::Committed`] or [`Input::Aborted`].
    Commit(TransactionId, Changes),
    /// Do an HTTP request; respond with [`Input::Answered`].
    Request(RequestId, HttpRequest),
    /// Compute this, outside the engine; respond with [`Input::Computed`], within a bounded time.
    Compute(ComputationId, Computation),
    /// Send this to every tab.
    Update(Update),
    /// Stop for good: another engine has taken over, or the store is unusable. Release the lock; drop the engine.
    Stop(StopReason),
    /// No more outputs. Send [`Input::Elapsed`] at this time, if one is given.
    Idle(Option<UnixMillis>),
}

/// Why an engine stops.
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
    /// Largest response body to accept, in bytes.
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

/// A response of any status.
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

/// A request without a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HttpFailure {
    /// The network failed, or the browser refused (CSP, CORS).
    #[error("no answer from the server")]
    Unreachable,
    /// The response is larger than [`HttpRequest::max_answer`].
    #[error("the answer is larger than expected")]
    TooLarge,
}
