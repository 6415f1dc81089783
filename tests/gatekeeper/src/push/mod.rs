//! State of the push calls: a Partner's server is notified that mail waits for a user who is not connected
//! (docs/spec/enlistment.md §3.2.1).
//!
//! A call is made after the mail is durable, and never covers mail that came after it began: what arrives meanwhile
//! leads to one more call, after a pause. So a hundred messages are a few calls, and the last is always covered. Mail
//! that a connection leaves behind is covered by a call after its end. Calls that are due when the process ends are
//! lost. Must not know how a call is made.

mod keys;
mod token;

pub use keys::PushKeyError;

use crate::time::{UnixMillis, UnixSeconds};
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
    /// When the last outcome was noted, by the sandbox's clock.
    pub(crate) last_at: Option<UnixMillis>,
    /// A call is due or under way, or its pause is not over.
    pub(crate) pending: bool,
    /// Number of the newest stanza that a call must cover.
    #[serde(skip)]
    newest: u64,
    /// Number of the newest stanza when the last call began.
    #[serde(skip)]
    announced: u64,
    /// Asked for by a test, whatever there is to tell.
    #[serde(skip)]
    ordered: bool,
}

#[derive(Default)]
struct CallTable {
    users: BTreeMap<Jid, Tally>,
    /// Users whose calls are not started yet.
    due: Vec<Jid>,
}

/// The calls of all users.
pub(crate) struct Pushes {
    table: Mutex<CallTable>,
    asked: Notify,
    permits: Semaphore,
    keys: Mutex<SigningKeys>,
}

impl Pushes {
    /// Loads the signing keys from the data folder, or makes the first.
    pub(crate) fn open(folder: &Path) -> Result<Self, PushKeyError> {
        Ok(Self {
            table: Mutex::default(),
            asked: Notify::new(),
            permits: Semaphore::new(MAX_CALLS),
            keys: Mutex::new(SigningKeys::open(folder)?),
        })
    }

    /// Stanza number `seq` is queued for a user who is not connected.
    pub(crate) fn mail_queued(&self, who: &Jid, seq: u64) {
        self.ask(who, |tally| tally.newest = tally.newest.max(seq));
    }

    /// Makes one call, mail or not.
    pub(crate) fn order(&self, who: &Jid) {
        self.ask(who, |tally| tally.ordered = true);
    }

    /// What became of everyone's calls.
    pub(crate) fn tallies(&self) -> BTreeMap<Jid, Tally> {
        self.table().users.clone()
    }

    /// The public keys, as WhatsApp serves them.
    pub(crate) fn jwks(&self) -> serde_json::Value {
        self.keys().jwks()
    }

    /// Makes a key that signs from now on; the one before stays published. Its name.
    pub(crate) fn rotate(&self) -> Result<String, PushKeyError> {
        self.keys().rotate()
    }

    /// A token for the Partner that calls itself `audience`, issued at `now`.
    pub(crate) fn token(&self, audience: &str, now: UnixSeconds) -> Result<String, PushKeyError> {
        token::token(&self.keys(), audience, now)
    }

    /// Waits for one of the permits for concurrent calls. `None` never happens: the semaphore is not closed.
    pub(crate) async fn permit(&self) -> Option<SemaphorePermit<'_>> {
        self.permits.acquire().await.ok()
    }

    /// Users whose calls became due since the last time. Completes when there may be some.
    pub(crate) async fn due(&self) -> Vec<Jid> {
        self.asked.notified().await;
        std::mem::take(&mut self.table().due)
    }

    fn ask(&self, who: &Jid, change: impl FnOnce(&mut Tally)) {
        let mut table = self.table();
        let tally = table.users.entry(who.clone()).or_default();
        change(tally);
        if !tally.pending && tally.due() {
            tally.pending = true;
            table.due.push(who.clone());
            self.asked.notify_one();
        }
    }

    /// Whether there is a call to make now; it then counts as begun.
    pub(crate) fn begin(&self, who: &Jid, online: bool) -> bool {
        let mut table = self.table();
        let tally = table.users.entry(who.clone()).or_default();
        // A connected user gets the mail there; what the connection leaves is scheduled again when it ends.
        tally.pending = tally.ordered || (tally.due() && !online);
        if tally.pending {
            tally.ordered = false;
            tally.announced = tally.newest;
            tally.calls += 1;
        }
        tally.pending
    }

    pub(crate) fn note(&self, who: &Jid, outcome: Outcome, now: UnixMillis) {
        let mut table = self.table();
        let tally = table.users.entry(who.clone()).or_default();
        tally.attempts += u64::from(outcome != Outcome::Lost);
        tally.delivered += u64::from(matches!(outcome, Outcome::Status(200..=299)));
        (tally.last, tally.last_at) = (Some(outcome), Some(now));
    }

    fn table(&self) -> MutexGuard<'_, CallTable> {
        // A panic while holding the lock leaves counts that are still counts.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keys(&self) -> MutexGuard<'_, SigningKeys> {
        // A key is written to disk before it is put among the others.
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tally {
    fn due(&self) -> bool {
        self.ordered || self.newest > self.announced
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
        pushes.mail_queued(&alice, 1);
        assert!(pushes.begin(&alice, false));
        for seq in 2..=100 {
            pushes.mail_queued(&alice, seq);
        }
        assert!(pushes.begin(&alice, false));
        assert!(!pushes.begin(&alice, false));
        assert_eq!((pushes.tallies()[&alice].calls, pushes.table().due.len()), (2, 1));
    }

    #[test]
    fn mail_that_a_connection_leaves_behind_is_pushed_once() {
        let (_folder, pushes, alice) = pushes();
        pushes.mail_queued(&alice, 1);
        assert!(!pushes.begin(&alice, true), "there is a connection");
        pushes.mail_queued(&alice, 1);
        assert!(pushes.begin(&alice, false));
        assert!(!pushes.begin(&alice, false));
        pushes.table().due.clear();
        pushes.mail_queued(&alice, 1);
        assert!(pushes.table().due.is_empty(), "the Partner was notified of this stanza");
    }

    #[test]
    fn an_order_needs_no_mail_and_no_absence() {
        let (_folder, pushes, alice) = pushes();
        pushes.order(&alice);
        assert!(pushes.begin(&alice, true));
        assert!(!pushes.begin(&alice, true));
    }
}
