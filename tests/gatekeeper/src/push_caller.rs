//! One push call: `POST {Partner's URL}/push` with the identifier and a token that WhatsApp signed
//! (docs/spec/enlistment.md §3.2.2).
//!
//! A call that fails, or is answered with 429 or 5xx, is repeated a few times. Must not know when a call is due.

use crate::push::{Outcome, PushKeyError};
use crate::sandbox::Sandbox;
use causeway_proto::jid::{Jid, Server};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// Attempts of one call.
const ATTEMPTS: u32 = 5;
/// Before the second attempt; doubled before each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// Nothing of an answer's body is used; so much is read to keep the connection.
const MAX_ANSWER: usize = 4096;

/// Makes one call and notes how it ended.
async fn push(sandbox: &Sandbox, who: &Jid) {
    let known = sandbox.config.integrators.iter().find(|integrator| integrator.id == who.integrator);
    let identifier = sandbox.world().account(who).and_then(|account| account.identifier.clone());
    let (Some(integrator), Some(identifier)) = (known, identifier) else {
        tracing::warn!(%who, "a push is due for somebody who is of no Partner");
        return;
    };
    let note = |outcome| sandbox.pushes.note(who, outcome, sandbox.clock.now_ms());
    let fault = sandbox.faults.push(who);
    tokio::time::sleep(fault.delay).await;
    if fault.off {
        return note(Outcome::Lost);
    }
    let mut pause = FIRST_PAUSE;
    for attempt in 1..=ATTEMPTS {
        let outcome = match attempt_once(sandbox, &integrator.url, &identifier).await {
            Ok(outcome) => outcome,
            Err(error) => return tracing::error!(%error, "a push token could not be signed"),
        };
        let again = match &outcome {
            Outcome::Status(status) => *status == 429 || *status >= 500,
            Outcome::Unreachable(_) => true,
            Outcome::Lost => false,
        };
        tracing::debug!(%who, attempt, ?outcome, "a push call");
        note(outcome);
        if !again || attempt == ATTEMPTS {
            return;
        }
        tokio::time::sleep(pause).await;
        pause *= 2;
    }
}

async fn attempt_once(sandbox: &Sandbox, base: &str, identifier: &str) -> Result<Outcome, PushKeyError> {
    // The Partner uses the machine's clock.
    let token = sandbox.pushes.token(base, sandbox.clock.machine_secs())?;
    let _permit = sandbox.pushes.permit().await;
    let request = sandbox
        .push_http
        .post(format!("{}/push", base.trim_end_matches('/')))
        .bearer_auth(token)
        .header("content-type", "application/json")
        .body(json!({ "to": identifier }).to_string());
    let mut answer = match request.send().await {
        Ok(answer) => answer,
        // The address is the Partner's own; the reason is what a developer needs.
        Err(error) => return Ok(Outcome::Unreachable(reason(&error))),
    };
    let mut read = 0;
    while let Ok(Some(chunk)) = answer.chunk().await {
        read += chunk.len();
        if read > MAX_ANSWER {
            break;
        }
    }
    Ok(Outcome::Status(answer.status().as_u16()))
}

/// The whole chain of causes: the outermost error alone does not name the cause.
fn reason(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}

/// Schedules a call if mail of a configured class waits for a user who is not connected. Called when a stanza for `who`
/// is durable, and when a connection of `who` has ended.
pub(crate) fn consider(sandbox: &Sandbox, who: &Jid) {
    if who.server != Server::Interop || sandbox.hub.online(who) {
        return;
    }
    let counts = |class| sandbox.config.push_for.contains(&class);
    let newest = sandbox.world().mailbox(who).rev().find(|queued| counts(queued.class)).map(|queued| queued.seq);
    if let Some(seq) = newest {
        sandbox.pushes.mail_queued(who, seq);
    }
}

/// Makes the scheduled calls until the sandbox stops.
pub(crate) async fn run(sandbox: Arc<Sandbox>) {
    let mut users = JoinSet::new();
    let mut stopping = sandbox.stopping();
    loop {
        tokio::select! {
            due = sandbox.pushes.due() => {
                for who in due {
                    users.spawn(attend(Arc::clone(&sandbox), who));
                }
            }
            Some(_) = users.join_next(), if !users.is_empty() => {}
            () = stopping.wait() => return,
        }
    }
}

/// Calls for one user, until there is nothing more to tell.
async fn attend(sandbox: Arc<Sandbox>, who: Jid) {
    while sandbox.pushes.begin(&who, sandbox.hub.online(&who)) {
        push(&sandbox, &who).await;
        tokio::time::sleep(sandbox.config.push_interval).await;
    }
}
