//! The requests before a connection and before an enlistment, one after the other, each only when the rows that it
//! depends on are durable.
//!
//! ```text
//!   connect: ─────────────────▶ device durable ── restored? claim ──▶ token ──▶ log in
//!   enlist:  account state ──▶ keys, device durable ── replacing? claim ──▶ token ──▶ enlistment request
//! ```
//!
//! The deployment is requested in parallel. A device id that the partner server has and this browser has lost would
//! lock it out of its own account; therefore the id is durable before it is sent. What this module does not know: how
//! requests are sent, and how the user agrees to the replacement of keys.

use super::device::{self, AccountDevice};
use super::form;
use super::request::{ApiRequest, PreparedRequest, Reason, request};
use super::state::{Enlistment, Outcome, Preparation, Purpose, Step, done, refusal};
use crate::context::Context;
use crate::deployment::Deployment;
use crate::id::{CommandTag, Counted, PreKeyId, RegistrationId};
use crate::io::{HttpFailure, HttpRequest, HttpResponse, Method};
use crate::session;
use crate::store::account::AccountKeys;
use crate::store::group_commit::Effect;
use crate::store::prekeys::SignedPreKeyRow;
use crate::store::row_key;
use crate::view::{Issue, Stage};
use causeway_proto::noise::StaticKey;
use causeway_proto::signal::KeyPair;
use zeroize::Zeroizing;

/// Registration ids are 1 to 16380 (docs/spec/wire.md §6.1).
const REGISTRATION_IDS: u32 = 16_380;
/// Id of the first signed prekey.
const FIRST_SIGNED_PREKEY: PreKeyId = PreKeyId::FIRST;

impl Enlistment {
    /// Starts a preparation. Returns the requests that can be sent at once.
    pub(crate) fn prepare(&mut self, cx: &mut Context<'_>, purpose: Purpose, partner: &str) -> Vec<PreparedRequest> {
        self.last = self.last.next();
        let step = match purpose {
            Purpose::Enlist { .. } => Step::Account,
            Purpose::Connect => {
                name_device(cx);
                cx.group_commit.after(Effect::Prepare);
                Step::Commit
            }
        };
        let account = matches!(step, Step::Account).then(|| self.request_account(Reason::Prepare(self.last), partner));
        let deployment = self.request_deployment(partner);
        self.preparing = Some(Preparation { purpose, deployment: deployment.is_none(), step });
        account.into_iter().chain(deployment).collect()
    }

    /// The changes so far are durable. Returns the next request.
    pub(crate) fn next(&mut self, cx: &mut Context<'_>, partner: &str) -> Option<PreparedRequest> {
        let preparing = self.preparing.as_mut()?;
        let account = cx.records.account();
        let claim = match preparing.purpose {
            Purpose::Connect => account.claim_from.is_some(),
            Purpose::Enlist { .. } => self
                .account_device
                .as_ref()
                .and_then(|reported| reported.elsewhere_since(account.device.as_ref()))
                .is_some(),
        };
        let (step, ask, path) = match preparing.step {
            Step::Commit if claim => (Step::Claim, ApiRequest::Claim(self.last), "/api/device"),
            Step::Commit => (Step::Token, ApiRequest::Token(self.last), "/api/token"),
            _ => return None,
        };
        preparing.step = step;
        Some((ask, request(Method::Post, partner, path, Some(device::form(account.device.as_ref())))))
    }

    /// Builds the enlistment request.
    pub(crate) fn enlist(&mut self, cx: &mut Context<'_>, tag: CommandTag, token: &str) -> Option<PreparedRequest> {
        let account = cx.records.account.get(row_key::ACCOUNT)?;
        let (own, deployment) = (account.keys.as_ref()?, account.deployment.as_ref()?);
        let SignedPreKeyRow { key: skey, .. } =
            cx.records.signed_prekeys.get(&row_key::prekey(own.signed_prekey_id))?;
        let form = form::request(account.identifier.as_ref()?, deployment.profile.integrator, own, skey, token);
        let request = HttpRequest {
            method: Method::Post,
            url: deployment.enlist_url.clone(),
            form: Some(form),
            max_answer: form::MAX_ANSWER,
        };
        self.enlisting = Some(tag);
        Some((ApiRequest::Enlist { tag }, request))
    }

    pub(super) fn deployment(&mut self, cx: &mut Context<'_>, answer: Result<HttpResponse, HttpFailure>) -> Outcome {
        let read = match answer {
            Ok(HttpResponse { status: 200, body }) => Deployment::from_form(&body).map_err(|_| Issue::PartnerAnswer),
            Ok(_) => Err(Issue::PartnerAnswer),
            Err(_) => Err(Issue::PartnerUnreachable),
        };
        match read {
            Ok(deployment) => {
                self.deployment_fresh = true;
                if cx.records.account().deployment.as_ref() != Some(&deployment) {
                    cx.records.change_account().deployment = Some(deployment);
                    cx.group_commit.show_account();
                }
            }
            // The stored deployment serves until the provider responds again.
            Err(_) if cx.records.account().deployment.is_some() => {}
            Err(issue) => return self.failed(cx, issue),
        }
        if let Some(preparing) = &mut self.preparing {
            preparing.deployment = true;
        }
        self.proceed()
    }

    /// The account's state is known: makes keys, unless that would replace another browser's keys without the user's
    /// agreement.
    pub(super) fn account_received(
        &mut self,
        cx: &mut Context<'_>,
        reported: Result<&AccountDevice, Issue>,
    ) -> Outcome {
        let Some(Preparation { purpose: Purpose::Enlist { replace, .. }, step: step @ Step::Account, .. }) =
            &mut self.preparing
        else {
            return Outcome::Nothing;
        };
        let account = cx.records.account();
        let elsewhere = match reported {
            Err(issue) => return self.failed(cx, issue),
            Ok(reported) => reported.elsewhere_since(account.device.as_ref()).is_some(),
        };
        if elsewhere && account.stage == Stage::Enlisted {
            return self.failed(cx, Issue::MovedElsewhere);
        }
        if elsewhere && !*replace {
            return self.failed(cx, Issue::EnlistedElsewhere);
        }
        *step = Step::Commit;
        make_keys(cx);
        name_device(cx);
        cx.group_commit.after(Effect::Prepare);
        cx.group_commit.show_account();
        Outcome::Nothing
    }

    pub(super) fn claimed(&mut self, cx: &mut Context<'_>, answer: Result<HttpResponse, HttpFailure>) -> Outcome {
        let previous = match answer {
            Ok(HttpResponse { status: 200, body }) => device::previous(&body).ok_or(Issue::PartnerAnswer),
            answer => Err(refusal(&answer)),
        };
        let Some(preparing) = self.preparing.as_mut().filter(|preparing| matches!(preparing.step, Step::Claim)) else {
            return Outcome::Nothing;
        };
        let previous = match previous {
            Ok(previous) => previous,
            Err(issue) => return self.failed(cx, issue),
        };
        preparing.step = Step::Commit;
        let purpose = preparing.purpose;
        self.is_here(cx);
        match purpose {
            Purpose::Connect => Outcome::Claimed { exact: previous == cx.records.account().claim_from },
            Purpose::Enlist { .. } => {
                cx.group_commit.after(Effect::Prepare);
                Outcome::Nothing
            }
        }
    }

    pub(super) fn token(&mut self, cx: &mut Context<'_>, answer: Result<HttpResponse, HttpFailure>) -> Outcome {
        let token = match answer {
            Ok(HttpResponse { status: 200, body }) if (1..=form::MAX_TOKEN).contains(&body.len()) => {
                String::from_utf8(body).map(Zeroizing::new).map_err(|_| Issue::PartnerAnswer)
            }
            Ok(HttpResponse { status: 409, .. }) => Err(Issue::MovedElsewhere),
            answer => Err(refusal(&answer)),
        };
        let Some(preparing) = self.preparing.as_mut().filter(|preparing| matches!(preparing.step, Step::Token)) else {
            return Outcome::Nothing;
        };
        match (token, preparing.purpose) {
            (Ok(token), _) => {
                preparing.step = Step::Done(token);
                self.is_here(cx);
                self.proceed()
            }
            (Err(Issue::MovedElsewhere), Purpose::Connect) => {
                self.preparing = None;
                Outcome::Moved
            }
            // Another browser was faster.
            (Err(Issue::MovedElsewhere), Purpose::Enlist { .. }) => {
                self.failed(cx, Issue::EnlistedElsewhere);
                Outcome::RefreshAccount
            }
            (Err(issue), _) => self.failed(cx, issue),
        }
    }

    fn failed(&mut self, cx: &mut Context<'_>, issue: Issue) -> Outcome {
        match self.preparing.take().map(|preparing| preparing.purpose) {
            Some(Purpose::Connect) => Outcome::NotReady(issue),
            Some(Purpose::Enlist { tag, .. }) => {
                done(cx, tag, issue);
                cx.group_commit.show_account();
                Outcome::Nothing
            }
            None => Outcome::Nothing,
        }
    }

    fn proceed(&mut self) -> Outcome {
        match self.preparing.take_if(|preparing| preparing.deployment && matches!(preparing.step, Step::Done(_))) {
            Some(Preparation { purpose, step: Step::Done(token), .. }) => match purpose {
                Purpose::Connect => Outcome::Ready(token),
                Purpose::Enlist { tag, .. } => Outcome::Enlist { tag, token },
            },
            _ => Outcome::Nothing,
        }
    }

    /// The partner server has confirmed that this browser holds the account's keys.
    fn is_here(&mut self, cx: &mut Context<'_>) {
        let own = &cx.records.account().device;
        if let Some(reported) = self.account_device.as_mut().filter(|reported| reported.device != *own) {
            reported.device.clone_from(own);
            cx.group_commit.show_account();
        }
    }
}

/// Gives this browser an id, unless it has one. An account that enlisted before there were ids gets one here.
fn name_device(cx: &mut Context<'_>) {
    if cx.records.account().device.is_none() {
        cx.records.change_account().device = Some(device::random(cx.rng));
    }
}

/// Makes the long-term keys, unless an earlier attempt of the same identifier has: an attempt that failed half-way is
/// repeated with the same. A signed prekey whose row is damaged is replaced.
fn make_keys(cx: &mut Context<'_>) {
    let account = cx.records.account.get(row_key::ACCOUNT);
    if let Some(own) = account.and_then(|account| account.keys.as_ref()) {
        if cx.records.signed_prekeys.get(&row_key::prekey(own.signed_prekey_id)).is_none() {
            let id = session::free_id(cx.records, own.signed_prekey_id);
            let key = session::signed_prekey(id, &own.identity, cx.now.seconds(), cx.rng);
            cx.records.signed_prekeys.put(row_key::prekey(id), SignedPreKeyRow { key, replaced: None });
            if let Some(own) = &mut cx.records.change_account().keys {
                own.signed_prekey_id = id;
            }
        }
        return;
    }
    let identity = KeyPair::generate(cx.rng);
    let noise = StaticKey::generate(cx.rng);
    let registration_id = RegistrationId(1 + cx.rng.next_u32() % REGISTRATION_IDS);
    let signed = session::signed_prekey(FIRST_SIGNED_PREKEY, &identity, cx.now.seconds(), cx.rng);
    cx.records
        .signed_prekeys
        .put(row_key::prekey(FIRST_SIGNED_PREKEY), SignedPreKeyRow { key: signed, replaced: None });
    cx.records.change_account().keys = Some(AccountKeys {
        identity,
        noise,
        registration_id,
        signed_prekey_id: FIRST_SIGNED_PREKEY,
        next_signed_prekey_id: None,
    });
}
