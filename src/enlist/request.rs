//! The requests to the partner server, and what each one is for.

use super::identifier;
use super::state::Enlistment;
use crate::context::Context;
use crate::id::{CommandTag, PreparationId};
use crate::io::{HttpRequest, Method};
use crate::model::Identifier;
use crate::view::{Issue, SignIn, Stage};
use form_urlencoded::Serializer;
use zeroize::Zeroizing;

/// Largest response of the partner server that is read, in bytes.
const MAX_ANSWER: usize = 64 * 1024;

/// A request to a server, by purpose.
#[derive(Debug)]
pub(crate) enum ApiRequest {
    /// The deployment.
    Deployment,
    /// The signed-in account and the device that holds its keys.
    Account(Reason),
    /// Claims the account for this browser, for this preparation.
    Claim(PreparationId),
    /// A fresh identity token, for this preparation.
    Token(PreparationId),
    /// Sign in, or make an account.
    SignIn { tag: CommandTag, identifier: Identifier },
    /// Sign out.
    SignOut { tag: CommandTag },
    /// Enlist.
    Enlist { tag: CommandTag },
}

/// Why the account's state is requested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    /// The store holds nothing at all: a browser that was never used, or that has removed what was kept.
    Empty,
    /// The command of this tag has just signed in.
    SignIn { tag: CommandTag },
    /// The command of this tag checks whether the browser has a session from elsewhere.
    Enter { tag: CommandTag },
    /// This enlistment is being prepared.
    Prepare(PreparationId),
    /// It may have changed.
    Refresh,
}

/// A request and its HTTP form.
pub(crate) type PreparedRequest = (ApiRequest, HttpRequest);

impl Enlistment {
    /// Requests the deployment, unless this engine has fetched it.
    pub(crate) fn request_deployment(&self, partner: &str) -> Option<PreparedRequest> {
        (!self.deployment_fresh).then(|| (ApiRequest::Deployment, request(Method::Get, partner, "/api/profile", None)))
    }

    /// Requests the account's state.
    pub(crate) fn request_account(&self, reason: Reason, partner: &str) -> PreparedRequest {
        (ApiRequest::Account(reason), request(Method::Get, partner, "/api/account", None))
    }

    /// Signs in.
    ///
    /// # Errors
    /// [`Issue`] for an identifier that is invalid, or not the one enlisted in this browser.
    pub(crate) fn sign_in(
        cx: &mut Context<'_>,
        tag: CommandTag,
        command: &SignIn,
        partner: &str,
    ) -> Result<(ApiRequest, HttpRequest), Issue> {
        let identifier = Identifier::new(identifier::check(&command.identifier)?.to_owned());
        let account = cx.records.account();
        if account.stage == Stage::Enlisted && account.identifier.as_ref() != Some(&identifier) {
            return Err(Issue::AlreadyEnlisted);
        }
        let form = Serializer::new(String::new())
            .append_pair("identifier", identifier.as_str())
            .append_pair("password", &command.password)
            .finish();
        let path = if command.create { "/api/account" } else { "/api/session" };
        let kind = ApiRequest::SignIn { tag, identifier };
        Ok((kind, request(Method::Post, partner, path, Some(Zeroizing::new(form)))))
    }

    /// Signs out.
    pub(crate) fn sign_out(tag: CommandTag, partner: &str) -> (ApiRequest, HttpRequest) {
        (ApiRequest::SignOut { tag }, request(Method::Delete, partner, "/api/session", None))
    }
}

pub(super) fn request(method: Method, partner: &str, path: &str, form: Option<Zeroizing<String>>) -> HttpRequest {
    HttpRequest { method, url: format!("{partner}{path}"), form, max_answer: MAX_ANSWER }
}
