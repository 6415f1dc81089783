//! The way to a connection: requests to the partner server, and the effects of its responses.

use super::state::{Engine, Phase, Read};
use crate::channel::Login;
use crate::enlist::{ApiRequest, Outcome, PreparedRequest, Purpose, Reason, device, form};
use crate::id::CommandTag;
use crate::io::{HttpFailure, HttpResponse, Output, UnixMillis};
use crate::session;
use crate::store::account::Stale;
use crate::store::changes::{Rows, Table};
use crate::store::group_commit::Effect;
use crate::store::records::{self, whole};
use crate::store::row_key;
use crate::trace::Event;
use crate::view::{ConnectionState, Issue, Stage};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

/// Who wants a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// A person: that ends a stop, and is not limited.
    Person,
    /// A timer, the network, a push, a boot: never while stopped, and only a limited number of times.
    Automatic,
}

impl Engine {
    /// Whether the account is enlisted and no connection is being prepared.
    pub(super) fn may_connect(&self) -> bool {
        let stage = self.records.account.get(row_key::ACCOUNT).map(|account| account.stage);
        self.phase == Phase::Ready && stage == Some(Stage::Enlisted) && !self.enlistment.is_preparing()
    }

    /// Starts to connect, if that is possible and not in progress.
    pub(super) fn connect(&mut self, cause: Cause, now: UnixMillis, rng: &mut dyn CryptoRng) {
        if !self.may_connect() || !self.channel.is_idle() {
            return;
        }
        match cause {
            Cause::Person => {
                self.channel.resume();
                if self.records.account().replaced {
                    self.records.change_account().replaced = false;
                }
            }
            Cause::Automatic if !self.channel.may_begin(now) => return,
            Cause::Automatic => {}
        }
        // The account was handed over: its ratchets continue in another browser.
        if self.records.account().moved_at.is_some() {
            return self.channel.stop(Issue::MovedElsewhere, now, rng);
        }
        self.channel.begin_attempt(now);
        self.prepare(Purpose::Connect, now, rng);
    }

    /// The connection may have been replaced by another one: then no later engine connects either, unasked.
    pub(super) fn note_replaced(&mut self) {
        let is_replaced = self.channel.view() == ConnectionState::Stopped && self.channel.issue() == Issue::Replaced;
        if is_replaced && self.phase == Phase::Ready && !self.records.account().replaced {
            self.records.change_account().replaced = true;
        }
    }

    pub(super) fn prepare(&mut self, purpose: Purpose, now: UnixMillis, rng: &mut dyn CryptoRng) {
        let partner = self.partner_api.clone();
        let requests = self.with_context(now, rng, |modules, cx| modules.enlistment.prepare(cx, purpose, &partner));
        for request in requests {
            self.send_request(Some(request));
        }
    }

    /// Requests the account's state from the partner server.
    pub(super) fn refresh_account(&mut self, reason: Reason) {
        let request = self.enlistment.request_account(reason, &self.partner_api);
        self.send_request(Some(request));
    }

    pub(super) fn send_request(&mut self, request: Option<PreparedRequest>) {
        if let Some((kind, http)) = request {
            let id = self.http_requests.insert(kind, self.last_now);
            self.out.push_back(Output::Request(id, http));
        }
    }

    /// Hands a response, or that there was none, to the module that asked.
    pub(super) fn answered(
        &mut self,
        request: ApiRequest,
        answer: Result<HttpResponse, HttpFailure>,
        now: UnixMillis,
        rng: &mut dyn CryptoRng,
    ) {
        let status = answer.as_ref().ok().map(|response| response.status);
        self.trace.note(now, Event::HttpAnswered(status));
        let outcome = self.with_context(now, rng, |modules, cx| modules.enlistment.answered(cx, request, answer));
        self.proceed(outcome, now, rng);
    }

    /// Carries out the outcome of a response.
    fn proceed(&mut self, outcome: Outcome, now: UnixMillis, rng: &mut dyn CryptoRng) {
        match outcome {
            Outcome::Nothing => {}
            // Handed over while the request was in flight.
            Outcome::Ready(_) if self.records.account().moved_at.is_some() => {
                self.channel.stop(Issue::MovedElsewhere, now, rng);
            }
            Outcome::Ready(token) => match self.login(token) {
                Some(login) => self.channel.start(login, now),
                // Its login is of no use; only an enlistment gives another.
                None => self.channel.stop(Issue::NotEnlisted, now, rng),
            },
            Outcome::Enlist { tag, token } => {
                let request = self.with_context(now, rng, |modules, cx| modules.enlistment.enlist(cx, tag, &token));
                self.send_request(request);
            }
            Outcome::NotReady(issue @ (Issue::SignInNeeded | Issue::MovedElsewhere)) => {
                self.channel.stop(issue, now, rng);
            }
            Outcome::NotReady(issue) => self.channel.postpone(issue, now, rng),
            Outcome::Moved => {
                self.channel.stop(Issue::MovedElsewhere, now, rng);
                self.refresh_account(Reason::Refresh);
            }
            Outcome::RefreshAccount => self.refresh_account(Reason::Refresh),
            Outcome::Accepted { tag } => self.refresh_account(Reason::SignIn { tag }),
            Outcome::Claimed { exact } => {
                // Ratchets that another browser has advanced would reuse message keys.
                if !exact || self.records.account().stale == Stale::Sessions {
                    return self.load(Read::Sessions, vec![whole(Table::Session)]);
                }
                self.records.change_account().claim_from = None;
                self.group_commit.after(Effect::Prepare);
            }
            Outcome::Enlisted | Outcome::SignedIn => self.connect(Cause::Person, now, rng),
        }
    }

    /// Continues from rows that are older than the account's last activity, without using any key twice: freezes every
    /// session and makes new prekeys.
    pub(super) fn renew(&mut self, rows: Rows, now: UnixMillis, rng: &mut dyn CryptoRng) {
        for (key, sealed) in rows.into_iter().flatten() {
            match records::open(&key, &sealed, &self.sealer) {
                Ok(session) => self.records.sessions.loaded(key.clone(), Some(session), sealed.len()),
                // A row that does not open can never be used.
                Err(_) => self.storage = Issue::StorageDamaged,
            }
            if let Ok(found) = self.records.sessions.find(key)
                && let Some(session) = self.records.sessions.change(&found)
            {
                session.forget_sending();
            }
        }
        self.with_context(now, rng, |_, cx| session::renew(cx));
        let account = self.records.change_account();
        account.claim_from = None;
        account.stale = Stale::PreKeys;
        self.group_commit.after(Effect::Prepare);
    }

    /// Takes a hand-over back. The file becomes outdated: a later restore finds that another device held the account in
    /// between.
    pub(super) fn continue_here(&mut self, tag: CommandTag, now: UnixMillis, rng: &mut dyn CryptoRng) {
        if self.records.account().moved_at.is_some() {
            let account = self.records.change_account();
            account.moved_at = None;
            let old = account.device.replace(device::random(rng));
            if account.claim_from.is_none() {
                account.claim_from = old;
            }
            self.group_commit.show_account();
            self.connect(Cause::Person, now, rng);
        }
        self.done(tag, Issue::None);
    }

    fn login(&mut self, token: Zeroizing<String>) -> Option<Login> {
        let account = self.records.account.get(row_key::ACCOUNT)?;
        let (own, deployment) = (account.keys.as_ref()?, account.deployment.as_ref()?);
        Some(Login {
            url: deployment.chat_url.clone(),
            profile: deployment.profile.clone(),
            account_id: form::account_id(account.login.as_ref()?)?,
            token,
            noise: own.noise.clone(),
        })
    }
}
