//! What others send to a phone: opened, shown, receipted; or asked for again when it cannot be opened.

use super::conversation::{Entry, Kind, Progress};
use super::state::State;
use crate::random;
use crate::time::UnixSeconds;
use causeway_peer::content;
use causeway_peer::keyring::{MAX_RETRIES, envelope};
use causeway_peer::stanza::acknowledgement::client_ack;
use causeway_peer::stanza::client;
use causeway_proto::jid::Jid;
use causeway_proto::node::Node;
use causeway_proto::signal::{DecryptError, Envelope};

/// Messages whose retries are counted at once.
const MAX_COUNTED: usize = 1_000;

impl State {
    /// A message for us.
    pub(crate) fn incoming(&mut self, message: &Node, now: UnixSeconds) -> Vec<Node> {
        let (Some(id), Ok(Some(from))) = (message.text("id"), message.jid("from")) else { return Vec::new() };
        let t = message.text("t").and_then(|t| t.parse().ok()).map_or(now, UnixSeconds::new);
        let arrived = client::receipt(&from, &id, None, 0);
        if self.conversation.find(&from, &id, false).is_some_and(|entry| entry.kind != Kind::Waiting) {
            return vec![arrived];
        }
        let Some(envelope) = envelope(message) else {
            self.arrived(&from, &id, Kind::Unsupported, String::new(), t);
            return vec![arrived];
        };
        match envelope.and_then(|envelope| self.open(&from, &envelope, t)) {
            Ok(plain) => {
                self.retries.remove(&*id);
                match content::read(&plain) {
                    Some(body) => {
                        self.arrived(&from, &id, Kind::Text, body.clone(), t);
                        if self.echo {
                            self.write(&from.to_bare(), format!("You said: {body}"), now);
                        }
                    }
                    None => self.arrived(&from, &id, Kind::Unsupported, String::new(), t),
                }
                vec![arrived]
            }
            Err(DecryptError::DuplicateMessage { .. }) => vec![arrived],
            Err(error) => self.ask_again(message, &from, &id, &error, t),
        }
    }

    fn open(&mut self, from: &Jid, envelope: &Envelope, t: UnixSeconds) -> Result<Vec<u8>, DecryptError> {
        // Content that is not padded as it should be is empty here, and shown as unsupported.
        let opened = self.keys.decrypt(from, envelope, &mut random::rng())?;
        self.note_identity(from, opened.identity_changed, t);
        Ok(opened.plain)
    }

    fn arrived(&mut self, from: &Jid, id: &str, kind: Kind, text: String, t: UnixSeconds) {
        if self.conversation.find(from, id, false).is_some() {
            self.conversation.change(
                |entry| entry.id == id && !entry.from_me,
                |entry| {
                    entry.kind = kind;
                    entry.text.clone_from(&text);
                },
            );
            return;
        }
        self.conversation.add(Entry {
            version: 0,
            id: id.to_owned(),
            chat: from.to_bare().to_string(),
            from_me: false,
            kind,
            text,
            state: Progress::Received,
            error: None,
            t,
            resends: 0,
            stanza: None,
        });
    }

    fn ask_again(&mut self, message: &Node, from: &Jid, id: &str, error: &DecryptError, t: UnixSeconds) -> Vec<Node> {
        self.arrived(from, id, Kind::Waiting, String::new(), t);
        if self.retries.len() >= MAX_COUNTED {
            self.retries.pop_first();
        }
        let count = self.retries.entry(id.to_owned()).or_insert(0);
        *count += 1;
        let count = *count;
        let mut answers = Vec::new();
        if count <= MAX_RETRIES {
            answers.push(self.keys.retry_receipt(message, from, count, error, &mut random::rng()));
        }
        answers.push(client_ack(message));
        answers
    }

    /// Handles a notification of the server. Returns whether to upload more prekeys.
    pub(crate) fn notification(&mut self, notice: &Node, now: UnixSeconds) -> bool {
        if notice.text("type").as_deref() != Some("encrypt") {
            return false;
        }
        if notice.child("identity").is_some()
            && let Ok(Some(from)) = notice.jid("from")
            && self.keys.has_session(&from)
        {
            self.keys.archive(&from);
            self.conversation.note(&from, Kind::IdentityChanged, now);
        }
        notice.child("count").is_some()
    }
}
