//! Carries out the engine's outputs and feeds it their results.
//!
//! One input, then every output, then the next input: the engine's contract, kept by a single loop. Commits, reads and
//! HTTP exchanges run side by side; what the engine asked for first begins first. Everything that is under way ends
//! with the driver: a transaction whose commit was not yet requested is aborted.
//!
//! What this module does not know: why the engine requests something, and what the tabs do with its updates.

use crate::port::clock::{self, Sleep};
use crate::port::http;
use crate::port::idb::Store;
use crate::port::socket::{Socket, SocketEvent};
use causeway::io::{
    Computation, ComputeFailure, Computed, Input, Millis, Output, SocketId, StopReason, StoreFailure, UnixMillis,
};
use causeway::view::Update;
use core::cell::Cell;
use core::future::poll_fn;
use core::pin::Pin;
use core::task::{Context, Poll};
use futures::FutureExt;
use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use futures::future::{Either, LocalBoxFuture, select};
use futures::stream::{FuturesUnordered, StreamExt};
use rand_core::CryptoRng;
use std::rc::Rc;

/// Longest run of the engine without a break; the worker's event loop must run in between.
const LONGEST_RUN: Millis = Millis(30);
/// Clocks jump and timers of sleeping devices are late: the engine gets the time at least this often.
const LONGEST_SLEEP: Millis = Millis(60_000);
/// After a read that failed.
const BEFORE_READING_AGAIN: Millis = Millis(1000);
/// Time for the code of a computation to come. The computation itself cannot be interrupted.
const LONGEST_FETCH: Millis = Millis(30_000);
/// Bytes that a server may send ahead of us. A browser cannot slow it down; past this, the connection is given up.
const MOST_UNREAD: usize = 16 * 1024 * 1024;
/// A message that is as long gets no further frame.
const LONGEST_MESSAGE: usize = 64 * 1024;

/// A computation that is under way.
pub type Computing = LocalBoxFuture<'static, Result<Computed, ComputeFailure>>;

/// What the driver drives: the engine, or a test's stand-in for it. After each input, `poll` until [`Output::Idle`].
pub trait Machine {
    /// Something happened.
    fn handle(&mut self, input: Input, now: UnixMillis, rng: &mut dyn CryptoRng);
    /// The next thing to do.
    fn poll(&mut self) -> Output;
    /// Carries out [`Output::Compute`], with code that may have to be fetched first.
    fn compute(computation: Computation) -> Computing;
}

/// The queue of inputs to a driver.
pub struct Inputs {
    sender: UnboundedSender<Input>,
    receiver: UnboundedReceiver<Input>,
}

impl Default for Inputs {
    fn default() -> Self {
        let (sender, receiver) = unbounded();
        Self { sender, receiver }
    }
}

impl Inputs {
    /// Returns a function that queues inputs for as long as the driver runs.
    pub fn sender(&self) -> impl Fn(Input) + Clone + 'static {
        let sender = self.sender.clone();
        move |input| {
            // Fails only when the driver is gone; the input is not needed then.
            let _ = sender.unbounded_send(input);
        }
    }
}

/// Runs the engine until it stops. Dropping the future stops it at once.
pub async fn run<M: Machine>(
    mut engine: M,
    inputs: Inputs,
    store: Rc<Store>,
    rng: &mut dyn CryptoRng,
    tell: impl Fn(Update),
) -> StopReason {
    let mut driver = Driver {
        inputs,
        store,
        sockets: Vec::new(),
        under_way: FuturesUnordered::new(),
        unsent: None,
        wake_at: None,
        timer: None,
        compute: M::compute,
    };
    let mut input = Input::Started;
    let mut began = clock::now();
    loop {
        if let Input::Closed(socket) = input {
            driver.disconnect(socket);
        }
        engine.handle(input, clock::now(), rng);
        let wake_at = loop {
            match engine.poll() {
                Output::Idle(wake_at) => break wake_at,
                Output::Stop(reason) => return reason,
                Output::Update(update) => tell(update),
                other => driver.perform(other),
            }
        };
        driver.send();
        if clock::now().since(began) > LONGEST_RUN {
            clock::sleep(Millis(0)).await;
            began = clock::now();
        }
        driver.wake_at(wake_at);
        input = match driver.next().now_or_never() {
            Some(input) => input,
            None => {
                let input = driver.next().await;
                began = clock::now();
                input
            }
        };
    }
}

struct Driver {
    inputs: Inputs,
    store: Rc<Store>,
    /// At most a few: the one in use, and those that are being closed.
    sockets: Vec<(SocketId, Connected)>,
    under_way: FuturesUnordered<LocalBoxFuture<'static, Input>>,
    /// Frames that go out as one message, as soon as the engine has nothing more to say: each message is a call into
    /// the browser, and its boundaries mean nothing.
    unsent: Option<(SocketId, Vec<u8>)>,
    /// When the engine wants to be woken.
    wake_at: Option<UnixMillis>,
    /// Runs until that moment or before: to move a timer on with each frame would cost more than one idle round.
    timer: Option<(UnixMillis, Sleep)>,
    compute: fn(Computation) -> Computing,
}

struct Connected {
    socket: Socket,
    unread: Rc<Cell<usize>>,
}

impl Driver {
    fn perform(&mut self, output: Output) {
        if !matches!(output, Output::Transmit(..)) {
            self.send();
        }
        match output {
            Output::Connect(id, url) => self.connect(id, &url),
            Output::Transmit(id, bytes) => match &mut self.unsent {
                Some((socket, unsent)) if *socket == id && unsent.len() < LONGEST_MESSAGE => unsent.extend(bytes),
                _ => {
                    self.send();
                    self.unsent = Some((id, bytes));
                }
            },
            Output::Close(id) => self.disconnect(id),
            Output::Load(id, queries) => {
                let store = Rc::clone(&self.store);
                let load = async move {
                    let rows = store.load(&queries).await;
                    if matches!(rows, Err(StoreFailure::QuotaExceeded | StoreFailure::Unavailable)) {
                        // The engine asks for the same again at once.
                        clock::sleep(BEFORE_READING_AGAIN).await;
                    }
                    Input::Loaded(id, rows)
                };
                self.under_way.push(load.boxed_local());
            }
            Output::Commit(id, changes) => {
                let store = Rc::clone(&self.store);
                let commit = async move {
                    match store.commit(&changes).await {
                        Ok(()) => Input::Committed(id),
                        Err(failure) => Input::Aborted(id, failure),
                    }
                };
                self.under_way.push(commit.boxed_local());
            }
            Output::Request(id, request) => {
                self.under_way.push(async move { Input::Answered(id, http::exchange(&request).await) }.boxed_local());
            }
            Output::Compute(id, computation) => {
                let computing = (self.compute)(computation);
                let computed = async move {
                    match select(computing, clock::sleep(LONGEST_FETCH)).await {
                        Either::Left((result, _)) => Input::Computed(id, result),
                        Either::Right(_) => Input::Computed(id, Err(ComputeFailure::NotLoaded)),
                    }
                };
                self.under_way.push(computed.boxed_local());
            }
            // Met in the loop, which alone can end it or speak for it.
            Output::Update(_) | Output::Stop(_) | Output::Idle(_) => {}
        }
    }

    fn send(&mut self) {
        if let Some((id, bytes)) = self.unsent.take()
            && let Some(Connected { socket, .. }) = self.connected(id)
        {
            socket.send(&bytes);
        }
    }

    fn connected(&self, id: SocketId) -> Option<&Connected> {
        self.sockets.iter().find(|(socket, _)| *socket == id).map(|(_, connected)| connected)
    }

    fn disconnect(&mut self, id: SocketId) {
        self.sockets.retain(|(socket, _)| *socket != id);
    }

    fn connect(&mut self, id: SocketId, url: &str) {
        let unread = Rc::new(Cell::new(0_usize));
        let say = self.inputs.sender();
        let opened = Socket::open(url, {
            let (unread, say) = (Rc::clone(&unread), say.clone());
            move |event| match event {
                SocketEvent::Opened => say(Input::Opened(id)),
                SocketEvent::Closed => say(Input::Closed(id)),
                SocketEvent::Received(bytes) => {
                    let total = unread.get().saturating_add(bytes.len());
                    unread.set(total);
                    say(if total > MOST_UNREAD { Input::Closed(id) } else { Input::Received(id, bytes) });
                }
            }
        });
        match opened {
            Ok(socket) => self.sockets.push((id, Connected { socket, unread })),
            Err(_) => say(Input::Closed(id)),
        }
    }

    fn wake_at(&mut self, wake_at: Option<UnixMillis>) {
        self.wake_at = wake_at;
        if let Some(at) = wake_at
            && self.timer.as_ref().is_none_or(|(until, _)| *until > at)
        {
            self.timer = Some((at, clock::sleep(at.since(clock::now()).min(LONGEST_SLEEP))));
        }
    }

    /// The next thing that happens. Time goes first, or a busy socket would starve it.
    async fn next(&mut self) -> Input {
        poll_fn(|context| self.poll_next(context)).await
    }

    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Input> {
        if let Some((_, sleep)) = &mut self.timer
            && Pin::new(sleep).poll_unpin(context).is_ready()
        {
            self.timer = None;
            if self.wake_at.is_some() {
                return Poll::Ready(Input::Elapsed);
            }
        }
        if let Poll::Ready(Some(input)) = self.under_way.poll_next_unpin(context) {
            return Poll::Ready(input);
        }
        match self.inputs.receiver.poll_next_unpin(context) {
            Poll::Ready(Some(input)) => {
                if let Input::Received(id, bytes) = &input
                    && let Some(Connected { unread, .. }) = self.connected(*id)
                {
                    unread.set(unread.get().saturating_sub(bytes.len()));
                }
                Poll::Ready(input)
            }
            // Never closed: we hold a sender ourselves.
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
        }
    }
}
