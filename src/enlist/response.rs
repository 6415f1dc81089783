//! What the responses of the partner server and of the enlistment API change.

use super::device::AccountDevice;
use super::form;
use super::request::{ApiRequest, Reason};
use super::state::{Enlistment, Outcome, Preparation, Purpose, done, refusal};
use crate::context::Context;
use crate::id::CommandTag;
use crate::io::{HttpFailure, HttpResponse};
use crate::model::Identifier;
use crate::store::account::Account;
use crate::store::resident::Resident;
use crate::store::row::Row;
use crate::view::{Issue, Stage};

impl Enlistment {
    /// Handles the response to a request.
    pub(crate) fn answered(
        &mut self,
        cx: &mut Context<'_>,
        kind: ApiRequest,
        answer: Result<HttpResponse, HttpFailure>,
    ) -> Outcome {
        match kind {
            ApiRequest::Deployment => self.deployment(cx, answer),
            ApiRequest::Account(reason) => self.account(cx, reason, answer),
            ApiRequest::Claim(id) | ApiRequest::Token(id) if !self.prepares(id) => Outcome::Nothing,
            ApiRequest::Claim(_) => self.claimed(cx, answer),
            ApiRequest::Token(_) => self.token(cx, answer),
            ApiRequest::SignIn { tag, identifier } => self.signed_in(cx, tag, &identifier, answer),
            ApiRequest::SignOut { tag } => {
                self.account_device = None;
                signed_out(cx, tag, answer)
            }
            ApiRequest::Enlist { tag } => self.enlisted(cx, tag, answer),
        }
    }

    fn account(&mut self, cx: &mut Context<'_>, reason: Reason, answer: Result<HttpResponse, HttpFailure>) -> Outcome {
        let reported = match answer {
            Ok(HttpResponse { status: 200, body }) => AccountDevice::from_form(&body).ok_or(Issue::PartnerAnswer),
            Ok(HttpResponse { status: 204, .. }) => Err(Issue::SignInNeeded),
            answer => Err(refusal(&answer)),
        };
        if let Ok(reported) = &reported {
            self.account_device = Some(reported.clone());
            cx.group_commit.show_account();
        }
        match (reason, &reported) {
            (Reason::Empty, Ok(reported)) => self.recognise(cx, reported),
            (Reason::SignIn { tag }, _) => {
                // Whatever this response is, the password was accepted.
                done(cx, tag, Issue::None);
                return Outcome::SignedIn;
            }
            (Reason::Enter { tag }, Ok(reported)) => {
                let identifier = reported.identifier.clone();
                if !self.take_identifier(cx, &identifier) {
                    done(cx, tag, Issue::AlreadyEnlisted);
                    return Outcome::Nothing;
                }
                cx.group_commit.show_account();
                done(cx, tag, Issue::None);
                return Outcome::SignedIn;
            }
            (Reason::Enter { tag }, Err(issue)) => done(cx, tag, *issue),
            (Reason::Prepare(id), _) if !self.prepares(id) => {}
            (Reason::Prepare(_), reported) => {
                return self.account_received(cx, reported.as_ref().map_err(|issue| *issue));
            }
            _ => {}
        }
        let account = cx.records.account();
        match account.stage == Stage::Enlisted && self.elsewhere_since(account.device.as_ref()).is_some() {
            true => Outcome::NotReady(Issue::MovedElsewhere),
            false => Outcome::Nothing,
        }
    }

    fn enlisted(
        &mut self,
        cx: &mut Context<'_>,
        tag: CommandTag,
        answer: Result<HttpResponse, HttpFailure>,
    ) -> Outcome {
        // Another person has signed in meanwhile: the keys that this is about are gone.
        if self.enlisting.take_if(|enlisting| *enlisting == tag).is_none() {
            return Outcome::Nothing;
        }
        let integrator = cx.records.account().deployment.as_ref().map_or(0, |deployment| deployment.profile.integrator);
        let login = match answer {
            Ok(HttpResponse { status, body }) => form::answer(status, &body, integrator),
            Err(_) => Err(Issue::EnlistUnreachable),
        };
        cx.group_commit.show_account();
        match login {
            Ok(login) => {
                let account = cx.records.change_account();
                account.login = Some(login);
                account.stage = Stage::Enlisted;
                account.lost_at = None;
                done(cx, tag, Issue::None);
                Outcome::Enlisted
            }
            Err(issue) => {
                done(cx, tag, issue);
                Outcome::Nothing
            }
        }
    }

    /// The browser has a session but its store is empty: a device on record means that the browser has removed the data.
    /// The page then explains that and requests no password.
    fn recognise(&mut self, cx: &mut Context<'_>, reported: &AccountDevice) {
        if cx.records.account().stage == Stage::SignedOut && self.take_identifier(cx, &reported.identifier) {
            cx.records.change_account().lost_at = reported.device.is_some().then_some(cx.now);
        }
    }

    /// Somebody has signed in. Returns false if another identifier is enlisted here. Keys are bound to the identifier that
    /// they were made for: those of another one, and its enlistment in progress, end here.
    fn take_identifier(&mut self, cx: &mut Context<'_>, identifier: &Identifier) -> bool {
        let account = cx.records.account();
        if account.identifier.as_ref() != Some(identifier) {
            if account.stage == Stage::Enlisted {
                return false;
            }
            self.cancel(cx);
            let account = cx.records.change_account();
            *account = Account {
                identifier: Some(identifier.clone()),
                deployment: account.deployment.take(),
                next_prekey_id: account.next_prekey_id,
                next_order: account.next_order,
                unknown_stanzas: account.unknown_stanzas,
                ..Account::default()
            };
            delete_all(&mut cx.records.prekeys);
            delete_all(&mut cx.records.signed_prekeys);
        }
        let account = cx.records.change_account();
        account.stage = account.stage.max(Stage::SignedIn);
        true
    }

    /// Ends an enlistment in progress: its command completes, and late responses are ignored.
    fn cancel(&mut self, cx: &mut Context<'_>) {
        let prepared = match self.preparing.take() {
            Some(Preparation { purpose: Purpose::Enlist { tag, .. }, .. }) => Some(tag),
            _ => None,
        };
        for tag in prepared.into_iter().chain(self.enlisting.take()) {
            done(cx, tag, Issue::SignInNeeded);
        }
    }

    fn signed_in(
        &mut self,
        cx: &mut Context<'_>,
        tag: CommandTag,
        identifier: &Identifier,
        answer: Result<HttpResponse, HttpFailure>,
    ) -> Outcome {
        let issue = match answer {
            // Not shown yet: the account's state decides what the page shows next.
            Ok(HttpResponse { status: 200 | 204, .. }) if self.take_identifier(cx, identifier) => {
                return Outcome::Accepted { tag };
            }
            Ok(HttpResponse { status: 200 | 204, .. }) => Issue::AlreadyEnlisted,
            Ok(HttpResponse { status: 401, .. }) => Issue::BadCredentials,
            Ok(HttpResponse { status: 409, .. }) => Issue::IdentifierTaken,
            Ok(HttpResponse { status: 429, .. }) => Issue::RateLimited,
            Ok(HttpResponse { status: 422, body }) if body == b"password_too_short" => Issue::PasswordTooShort,
            Ok(HttpResponse { status: 422, .. }) => Issue::IdentifierInvalid,
            Ok(_) => Issue::PartnerAnswer,
            Err(_) => Issue::PartnerUnreachable,
        };
        done(cx, tag, issue);
        Outcome::Nothing
    }
}

fn delete_all<R: Row>(rows: &mut Resident<R>) {
    let keys: Vec<Vec<u8>> = rows.iter().map(|(key, _)| key.to_vec()).collect();
    keys.iter().for_each(|key| rows.delete(key));
}

fn signed_out(cx: &mut Context<'_>, tag: CommandTag, answer: Result<HttpResponse, HttpFailure>) -> Outcome {
    match answer {
        Ok(HttpResponse { status: 200 | 204 | 401, .. }) => {
            let account = cx.records.change_account();
            if account.stage == Stage::SignedIn {
                account.stage = Stage::SignedOut;
            }
            cx.group_commit.show_account();
            done(cx, tag, Issue::None);
            Outcome::NotReady(Issue::SignInNeeded)
        }
        Ok(_) => {
            done(cx, tag, Issue::PartnerAnswer);
            Outcome::Nothing
        }
        Err(_) => {
            done(cx, tag, Issue::PartnerUnreachable);
            Outcome::Nothing
        }
    }
}
