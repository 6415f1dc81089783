//! The requests to the partner server, and what each one is for.

use super::identifier;
use super::state::Enlistment;
use crate::context::Context;
use crate::io::{HttpRequest, Method};
use crate::view::{Issue, SignIn, Stage};
use form_urlencoded::Serializer;
use zeroize::Zeroizing;

/// Largest answer of the partner server that is read.
const MAX_ANSWER: usize = 64 * 1024;

/// A question to a server, by what its answer is for.
#[derive(Debug)]
pub(crate) enum ApiRequest {
    /// Where are the servers?
    Deployment,
    /// Who is signed in, and whose device is the account's?
    Account(Reason),
    /// From now on the account's keys live in this browser.
    Claim,
    /// A fresh identity token.
    Token,
    /// Sign in, or make an account.
    SignIn { tag: u64, identifier: String },
    /// Sign out.
    SignOut { tag: u64 },
    /// Enlist.
    Enlist { tag: u64 },
}

/// Why it is asked whose the account is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    /// The store holds nothing at all: a browser that was never used, or that has removed what was kept.
    Empty,
    /// Somebody has just signed in, by the command of this tag.
    SignIn { tag: u64 },
    /// The browser may have got a session by itself; the command of this tag asks.
    Enter { tag: u64 },
    /// An enlistment is being prepared.
    Prepare,
    /// It may have changed.
    Refresh,
}

/// A question and where it goes.
pub(crate) type PreparedRequest = (ApiRequest, HttpRequest);

impl Enlistment {
    /// Asks where the servers are and what the provider is called, unless this is known.
    pub(crate) fn request_deployment(&self, partner: &str) -> Option<PreparedRequest> {
        (!self.deployment_fresh).then(|| (ApiRequest::Deployment, request(Method::Get, partner, "/api/profile", None)))
    }

    /// Asks whose the account is.
    pub(crate) fn request_account(&self, reason: Reason, partner: &str) -> PreparedRequest {
        (ApiRequest::Account(reason), request(Method::Get, partner, "/api/account", None))
    }

    /// Signs in.
    ///
    /// # Errors
    /// [`Issue`] for what need not be asked: an identifier that cannot be one, or one that is not this browser's.
    pub(crate) fn sign_in(
        cx: &mut Context<'_>,
        tag: u64,
        command: &SignIn,
        partner: &str,
    ) -> Result<(ApiRequest, HttpRequest), Issue> {
        let identifier = identifier::check(&command.identifier)?;
        let account = cx.records.account();
        if account.stage == Stage::Enlisted && account.identifier != identifier {
            return Err(Issue::AlreadyEnlisted);
        }
        let form = Serializer::new(String::new())
            .append_pair("identifier", identifier)
            .append_pair("password", &command.password)
            .finish();
        let path = if command.create { "/api/account" } else { "/api/session" };
        let kind = ApiRequest::SignIn { tag, identifier: identifier.to_owned() };
        Ok((kind, request(Method::Post, partner, path, Some(Zeroizing::new(form)))))
    }

    /// Signs out.
    pub(crate) fn sign_out(tag: u64, partner: &str) -> (ApiRequest, HttpRequest) {
        (ApiRequest::SignOut { tag }, request(Method::Delete, partner, "/api/session", None))
    }
}

pub(super) fn request(method: Method, partner: &str, path: &str, form: Option<Zeroizing<String>>) -> HttpRequest {
    HttpRequest { method, url: format!("{partner}{path}"), form, max_answer: MAX_ANSWER }
}
