//! WhatsApp's push calls: a Partner's server is told that mail waits for a user who is not connected (seed 001 §3.2).
//!
//! A call is made after the mail is durable, and never covers mail that came after it began: what arrives meanwhile
//! leads to one more call, after a pause. So a hundred messages are a few calls, and the last is always told of. Mail
//! that a connection leaves behind is told of when the connection ends. What is not kept: calls due when the process
//! ends. What this module does not know: how a call is made ([`call`]) and what a letter says.

mod keys;
mod token;

pub use keys::PushKeyError;

use causeway_proto::jid::Jid;
use keys::SigningKeys;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, Semaphore, SemaphorePermit};

/// Calls under way at once, of all users together.
const MAX_CALLS: usize = 16;

/// Time for one attempt, connecting included.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The HTTP client of push calls. It follows no redirect: a token is for one server.
pub(crate) fn client() -> Result<reqwest::Client, reqwest::Error> {
    reqwest::Client::builder().timeout(TIMEOUT).redirect(reqwest::redirect::Policy::none()).no_proxy().build()
}

/// How the last attempt ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    /// The Partner answered with this HTTP status.
    Status(u16),
    /// The Partner did not answer, for this reason.
    Unreachable(String),
    /// A fault had the call get lost.
    Lost,
}

/// What became of one user's calls.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Tally {
    /// Calls begun, each with one attempt or several.
    pub(crate) calls: u64,
    /// HTTP requests made.
    pub(crate) attempts: u64,
    /// Calls that the Partner answered with 2xx.
    pub(crate) delivered: u64,
    pub(crate) last: Option<Outcome>,
    /// Unix milliseconds of the last outcome, by the sandbox's clock.
    pub(crate) last_at: Option<u64>,
    /// A call is due or under way, or its pause is not over.
    pub(crate) pending: bool,
    /// Newest letter that the Partner must hear of.
    #[serde(skip)]
    newest: u64,
    /// Newest letter when the last call began.
    #[serde(skip)]
    told: u64,
    /// Asked for by a test, whatever there is to tell.
    #[serde(skip)]
    ordered: bool,
}

#[derive(Default)]
struct Book {
    users: BTreeMap<Jid, Tally>,
    /// Users whose calls nobody attends to yet.
    fresh: Vec<Jid>,
}

/// The calls of all users.
pub(crate) struct Pushes {
    book: Mutex<Book>,
    asked: Notify,
    permits: Semaphore,
    keys: Mutex<SigningKeys>,
}

impl Pushes {
    /// Loads the signing keys from the data folder, or makes the first.
    pub(crate) fn open(folder: &Path) -> Result<Self, PushKeyError> {
        Ok(Self {
            book: Mutex::default(),
            asked: Notify::new(),
            permits: Semaphore::new(MAX_CALLS),
            keys: Mutex::new(SigningKeys::open(folder)?),
        })
    }

    /// Letter `seq` is kept for a user who is not connected.
    pub(crate) fn tell(&self, who: &Jid, seq: u64) {
        self.ask(who, |tally| tally.newest = tally.newest.max(seq));
    }

    /// Makes one call, mail or not.
    pub(crate) fn order(&self, who: &Jid) {
        self.ask(who, |tally| tally.ordered = true);
    }

    /// What became of everyone's calls.
    pub(crate) fn tallies(&self) -> BTreeMap<Jid, Tally> {
        self.book().users.clone()
    }

    /// The public keys, as WhatsApp serves them.
    pub(crate) fn jwks(&self) -> serde_json::Value {
        self.keys().jwks()
    }

    /// Makes a key that signs from now on; the one before stays published. Its name.
    pub(crate) fn rotate(&self) -> Result<String, PushKeyError> {
        self.keys().rotate()
    }

    /// A token for the Partner that calls itself `audience`, issued at `now` (unix seconds).
    pub(crate) fn token(&self, audience: &str, now: u64) -> Result<String, PushKeyError> {
        token::token(&self.keys(), audience, now)
    }

    /// Waits for one of the permits for concurrent calls. `None` never happens: the semaphore is not closed.
    pub(crate) async fn permit(&self) -> Option<SemaphorePermit<'_>> {
        self.permits.acquire().await.ok()
    }

    /// Users whose calls became due since the last time. Completes when there may be some.
    pub(crate) async fn due(&self) -> Vec<Jid> {
        self.asked.notified().await;
        std::mem::take(&mut self.book().fresh)
    }

    fn ask(&self, who: &Jid, change: impl FnOnce(&mut Tally)) {
        let mut book = self.book();
        let tally = book.users.entry(who.clone()).or_default();
        change(tally);
        if !tally.pending && tally.due() {
            tally.pending = true;
            book.fresh.push(who.clone());
            self.asked.notify_one();
        }
    }

    /// Whether there is a call to make now; it then counts as begun.
    pub(crate) fn begin(&self, who: &Jid, online: bool) -> bool {
        let mut book = self.book();
        let tally = book.users.entry(who.clone()).or_default();
        // Whoever is connected gets the mail there; what the connection leaves is asked for again when it ends.
        tally.pending = tally.ordered || (tally.due() && !online);
        if tally.pending {
            tally.ordered = false;
            tally.told = tally.newest;
            tally.calls += 1;
        }
        tally.pending
    }

    pub(crate) fn note(&self, who: &Jid, outcome: Outcome, now_ms: u64) {
        let mut book = self.book();
        let tally = book.users.entry(who.clone()).or_default();
        tally.attempts += u64::from(outcome != Outcome::Lost);
        tally.delivered += u64::from(matches!(outcome, Outcome::Status(200..=299)));
        (tally.last, tally.last_at) = (Some(outcome), Some(now_ms));
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        // A panic while holding the lock leaves counts that are still counts.
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keys(&self) -> MutexGuard<'_, SigningKeys> {
        // A key is written to disk before it is put among the others.
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tally {
    fn due(&self) -> bool {
        self.ordered || self.newest > self.told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pushes() -> (tempfile::TempDir, Pushes, Jid) {
        let folder = tempfile::tempdir().unwrap();
        let pushes = Pushes::open(folder.path()).unwrap();
        (folder, pushes, Jid::interop(1, "10853634039893"))
    }

    #[test]
    fn mail_that_comes_during_a_call_leads_to_one_more() {
        let (_folder, pushes, alice) = pushes();
        pushes.tell(&alice, 1);
        assert!(pushes.begin(&alice, false));
        for seq in 2..=100 {
            pushes.tell(&alice, seq);
        }
        assert!(pushes.begin(&alice, false));
        assert!(!pushes.begin(&alice, false));
        assert_eq!((pushes.tallies()[&alice].calls, pushes.book().fresh.len()), (2, 1));
    }

    #[test]
    fn mail_that_a_connection_leaves_behind_is_told_of_once() {
        let (_folder, pushes, alice) = pushes();
        pushes.tell(&alice, 1);
        assert!(!pushes.begin(&alice, true), "there is a connection");
        pushes.tell(&alice, 1);
        assert!(pushes.begin(&alice, false));
        assert!(!pushes.begin(&alice, false));
        pushes.book().fresh.clear();
        pushes.tell(&alice, 1);
        assert!(pushes.book().fresh.is_empty(), "the Partner knows of this letter");
    }

    #[test]
    fn an_order_needs_no_mail_and_no_absence() {
        let (_folder, pushes, alice) = pushes();
        pushes.order(&alice);
        assert!(pushes.begin(&alice, true));
        assert!(!pushes.begin(&alice, true));
    }
}
