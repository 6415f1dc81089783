//! Leader election: of all workers of an origin, the one that holds the lock runs the engine.
//!
//! ```text
//!             granted            opened
//!    queued ----------> opening --------> leading
//!      ^                   |                 |
//!      |  after a pause    | failed          | superseded, lock lost
//!      +-------------------+-----------------+
//!                          |                 |
//!                          +---> retired <---+   only another build, or another browser, helps
//! ```
//!
//! Every worker goes through these states on its own. The browser grants the lock to one worker at a time and frees it
//! when its holder dies; candidates exchange no messages.
//!
//! A leader that is frozen or stuck keeps the lock. The leader therefore answers a page's liveness probe at once, even
//! while its store opens; a page that gets no answer requests a takeover from its own worker, which steals the lock.
//! The store's generation then stops the former leader if it resumes.
//!
//! What this module does not know: what the engine does. It knows only how a term begins and ends.

use crate::driver::{self, Inputs, Machine};
use crate::engine_client::{ASK, COMMANDS, UPDATES, WAKE};
use crate::port::channel::{Channel, ChannelError};
use crate::port::clock;
use crate::port::events::Returns;
use crate::port::idb::{OpenError, Store};
use crate::port::key::{self, KeyError};
use crate::port::lock::{self, Lock, LockError};
use crate::port::rng::{self, NoRandomness};
use causeway::io::{Input, Millis, StopReason, StoreFailure};
use causeway::protobuf::Message;
use causeway::view::{Action, Command, ConnectionState, ConnectionView, Hello, Issue, News, Update};
use causeway_proto::secret::Secret;
use core::cell::Cell;
use core::pin::pin;
use futures::channel::oneshot;
use futures::future::{Either, FutureExt, select};
use futures::stream::{Stream, StreamExt};
use std::rc::Rc;
use zeroize::Zeroizing;

/// The names by which the tabs of one origin find each other.
#[derive(Debug, Clone, Copy)]
pub struct LeaderNames {
    /// The lock that makes its holder the one engine.
    pub lock: &'static str,
    /// The database.
    pub database: &'static str,
}

impl Default for LeaderNames {
    fn default() -> Self {
        Self { lock: "causeway-engine", database: "causeway" }
    }
}

/// Pause before the second election; doubled for each further one.
const FIRST_PAUSE: Millis = Millis(500);
/// Longest pause between elections.
const LONGEST_PAUSE: Millis = Millis(30_000);

/// How a term, or the attempt at one, ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TermEnd {
    /// No lock.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// No channel to the pages.
    #[error(transparent)]
    Channel(#[from] ChannelError),
    /// No randomness.
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
    /// The store did not open.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The data key did not open.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The engine led, and stopped.
    #[error("the engine stopped")]
    Stopped(StopReason),
    /// The lock was taken away.
    #[error("the lock was taken away")]
    LockLost,
}

/// What to do after a term.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterTerm {
    /// Report the issue to the pages, if there is one, pause, and stand for election again.
    RunAgain(Millis, Option<Issue>),
    /// Report the issue to the pages; this worker does not stand for election again.
    Retire(Issue),
}

/// Decides what to do after each term, and how long to pause.
#[derive(Debug, Default)]
pub struct ElectionBackoff {
    failures: u32,
}

impl ElectionBackoff {
    /// A term has ended.
    pub fn after(&mut self, end: TermEnd) -> AfterTerm {
        let issue = match end {
            // Another worker leads, or is about to: this is no failure.
            TermEnd::Stopped(StopReason::Superseded)
            | TermEnd::LockLost
            | TermEnd::Key(KeyError::Store(StoreFailure::Superseded)) => None,
            TermEnd::Stopped(StopReason::StoreTooNew) | TermEnd::Open(OpenError::TooNew) => {
                return AfterTerm::Retire(Issue::StorageNewer);
            }
            TermEnd::Lock(LockError::Unsupported)
            | TermEnd::Channel(ChannelError)
            | TermEnd::Randomness(NoRandomness)
            | TermEnd::Key(KeyError::Unsupported | KeyError::NotKept) => return AfterTerm::Retire(Issue::KeysNotKept),
            TermEnd::Open(OpenError::QuotaExceeded) | TermEnd::Key(KeyError::Store(StoreFailure::QuotaExceeded)) => {
                Some(Issue::StorageFull)
            }
            TermEnd::Key(KeyError::Damaged | KeyError::Missing) => Some(Issue::AccountDamaged),
            TermEnd::Lock(LockError::Refused)
            | TermEnd::Open(OpenError::Unavailable)
            | TermEnd::Key(KeyError::Store(StoreFailure::Unavailable)) => Some(Issue::StorageFailed),
        };
        // There is a pause after a superseded term, too: two workers that supersede each other must not do so in a busy
        // loop.
        let pause = Millis(FIRST_PAUSE.0.saturating_mul(1 << self.failures.min(10))).min(LONGEST_PAUSE);
        self.failures = if issue.is_some() { self.failures.saturating_add(1) } else { 0 };
        AfterTerm::RunAgain(pause, issue)
    }
}

/// Runs this worker's elections for as long as the worker lives. Each term begins with a new engine, made with the
/// store's data key. On each item of `takeovers` the lock is stolen instead of waited for.
pub async fn run<M: Machine>(
    names: LeaderNames,
    mut takeovers: impl Stream<Item = ()> + Unpin,
    engine: impl Fn(Secret<32>) -> M,
) {
    let mut backoff = ElectionBackoff::default();
    loop {
        let end = run_term(names, &mut takeovers, &engine).await;
        if matches!(end, TermEnd::LockLost | TermEnd::Stopped(StopReason::Superseded)) {
            request_snapshot();
        }
        match backoff.after(end) {
            AfterTerm::RunAgain(pause, None) => clock::sleep(pause).await,
            AfterTerm::RunAgain(pause, Some(issue)) => {
                select(pin!(report_unavailable(issue)), clock::sleep(pause)).await;
            }
            AfterTerm::Retire(issue) => loop {
                report_unavailable(issue).await;
            },
        }
    }
}

/// A former leader that was frozen may have sent stale updates when it resumed. Asks the current leader for a snapshot,
/// which all pages get.
fn request_snapshot() {
    let hello =
        Command { tag: rng::tag().unwrap_or_default(), action: Some(Action::Hello(Hello {})), ..Command::default() };
    if let Ok(commands) = Channel::speaking_only(COMMANDS) {
        commands.send(&hello.encode_to_vec());
    }
}

/// Queues for the lock and leads once it is granted. Returns when the term is over and the lock is free again.
async fn run_term<M: Machine>(
    names: LeaderNames,
    takeovers: &mut (impl Stream<Item = ()> + Unpin),
    engine: impl Fn(Secret<32>) -> M,
) -> TermEnd {
    // Requests from before this election were about a former term.
    while takeovers.next().now_or_never().flatten().is_some() {}
    let lock = match select(pin!(lock::acquire(names.lock)), takeovers.next()).await {
        Either::Right((Some(()), _)) => lock::steal(names.lock).await,
        // The sender is gone: no takeover will be requested.
        Either::Right((None, line)) => line.await,
        Either::Left((lock, _)) => lock,
    };
    match lock {
        Ok(lock) => hold_term(names, &lock, engine).await.unwrap_or_else(|end| end),
        Err(error) => error.into(),
    }
}

async fn hold_term<M: Machine>(
    names: LeaderNames,
    lock: &Lock,
    engine: impl Fn(Secret<32>) -> M,
) -> Result<TermEnd, TermEnd> {
    let mut rng = rng::open()?;
    let inputs = Inputs::default();
    let updates = Rc::new(Channel::speaking_only(UPDATES)?);
    // Opened first, so that no command is lost while the store opens.
    let _commands = Channel::open(COMMANDS, {
        let (say, updates) = (inputs.sender(), Rc::clone(&updates));
        move |message| match Zeroizing::new(message).as_slice() {
            WAKE => say(Input::NetworkBack),
            ASK => updates.send(&[]),
            // A message that does not parse comes from another build and is dropped.
            message => drop(Command::decode(message).map(|command| say(Input::Command(command)))),
        }
    })?;
    let _returns = Returns::listen({
        let say = inputs.sender();
        move |_| say(Input::NetworkBack)
    });
    let store = Rc::new(Store::open(names.database).await?);
    let data_key = key::open(&store, &mut rng).await?;
    let tell = |update: Update| updates.send(&update.encode_to_vec());
    let term = pin!(driver::run(engine(data_key), inputs, store, &mut rng, tell));
    match select(term, pin!(lock.lost())).await {
        Either::Left((reason, _)) => Ok(TermEnd::Stopped(reason)),
        Either::Right(_) => Ok(TermEnd::LockLost),
    }
}

/// Reports to the pages why no engine runs, now and after each of their commands, until one of them is `Reconnect`.
async fn report_unavailable(issue: Issue) {
    let Ok(updates) = Channel::speaking_only(UPDATES) else { return core::future::pending().await };
    let report = Update::from(News::Connection(ConnectionView {
        state: ConnectionState::Stopped.into(),
        issue: issue.into(),
        ..ConnectionView::default()
    }))
    .encode_to_vec();
    updates.send(&report);
    let (again, asked) = oneshot::channel();
    let again = Cell::new(Some(again));
    let _commands = Channel::open(COMMANDS, move |message| {
        updates.send(&report);
        if let Ok(Command { action: Some(Action::Reconnect(_)), .. }) =
            Command::decode(Zeroizing::new(message).as_slice())
        {
            again.take().map(|again| again.send(()));
        }
    });
    if asked.await.is_err() {
        // The channel is closed: no command can arrive.
        core::future::pending::<()>().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn being_superseded_is_no_failure() {
        let mut backoff = ElectionBackoff::default();
        for end in [
            TermEnd::Stopped(StopReason::Superseded),
            TermEnd::LockLost,
            TermEnd::Key(KeyError::Store(StoreFailure::Superseded)),
            TermEnd::Stopped(StopReason::Superseded),
        ] {
            assert_eq!(backoff.after(end), AfterTerm::RunAgain(FIRST_PAUSE, None));
        }
    }

    #[test]
    fn a_newer_store_ends_the_elections_of_this_tab() {
        let retired = AfterTerm::Retire(Issue::StorageNewer);
        assert_eq!(ElectionBackoff::default().after(TermEnd::Open(OpenError::TooNew)), retired);
        assert_eq!(ElectionBackoff::default().after(TermEnd::Stopped(StopReason::StoreTooNew)), retired);
    }

    #[test]
    fn a_browser_that_cannot_is_not_asked_again() {
        for end in [
            TermEnd::Lock(LockError::Unsupported),
            TermEnd::Channel(ChannelError),
            TermEnd::Randomness(NoRandomness),
            TermEnd::Key(KeyError::Unsupported),
            TermEnd::Key(KeyError::NotKept),
        ] {
            assert_eq!(ElectionBackoff::default().after(end), AfterTerm::Retire(Issue::KeysNotKept));
        }
    }

    #[test]
    fn a_missing_key_is_told_and_looked_for_again() {
        let again = AfterTerm::RunAgain(FIRST_PAUSE, Some(Issue::AccountDamaged));
        assert_eq!(ElectionBackoff::default().after(TermEnd::Key(KeyError::Missing)), again);
    }

    #[test]
    fn pauses_grow_up_to_a_limit_and_shrink_after_a_term() {
        let mut backoff = ElectionBackoff::default();
        let mut pause = || match backoff.after(TermEnd::Open(OpenError::QuotaExceeded)) {
            AfterTerm::RunAgain(pause, Some(Issue::StorageFull)) => pause,
            other => panic!("expected another attempt, got {other:?}"),
        };
        assert_eq!([pause(), pause(), pause()], [500, 1000, 2000].map(Millis));
        assert!((0..100).map(|_| pause()).all(|pause| pause <= LONGEST_PAUSE));
        backoff.after(TermEnd::LockLost);
        assert_eq!(backoff.after(TermEnd::LockLost), AfterTerm::RunAgain(FIRST_PAUSE, None));
    }
}
