//! A phone's own messages: from written to read, and again when the other side asks for them again.

use super::conversation::{Entry, Kind, Progress};
use super::state::State;
use crate::time::UnixSeconds;
use crate::{hex, random};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use causeway_peer::content;
use causeway_peer::keyring::Renewal;
use causeway_peer::stanza::acknowledgement::client_ack;
use causeway_peer::stanza::{client, keys};
use causeway_proto::jid::Jid;
use causeway_proto::node::{Node, decode, encode};
use causeway_proto::profile::Profile;

impl State {
    /// Writes a text; it leaves when there are a connection and a session. Returns its id.
    pub(crate) fn write(&mut self, to: &Jid, text: String, t: UnixSeconds) -> String {
        let id = format!("3EB0{}", hex::encode(&random::bytes::<9>()).to_uppercase());
        self.conversation.add(Entry {
            version: 0,
            id: id.clone(),
            chat: to.to_string(),
            from_me: true,
            kind: Kind::Text,
            text,
            state: Progress::Queued,
            error: None,
            t,
            resends: 0,
            stanza: None,
        });
        id
    }

    /// Marks what has arrived as seen. Returns the read receipts.
    pub(crate) fn read(&mut self, from: Option<&Jid>, t: UnixSeconds) -> Vec<Node> {
        let chat = from.map(|from| from.to_bare().to_string());
        let unread = |entry: &Entry| {
            !entry.from_me
                && entry.kind == Kind::Text
                && entry.state == Progress::Received
                && chat.as_ref().is_none_or(|chat| *chat == entry.chat)
        };
        let seen = self.conversation.entries.iter().filter(|entry| unread(entry));
        let receipts =
            seen.filter_map(|entry| Some(client::receipt(&entry.chat.parse().ok()?, &entry.id, Some("read"), t.get())));
        let receipts = receipts.collect();
        self.conversation.change(unread, |entry| entry.state = Progress::Seen);
        receipts
    }

    /// Stanzas that went out on an earlier connection and were never acknowledged: the same bytes again.
    pub(crate) fn unacknowledged(&self) -> Vec<Node> {
        let under_way = self.conversation.entries.iter().filter(|entry| entry.state == Progress::Sending);
        under_way.filter_map(|entry| decode(&BASE64.decode(entry.stanza.as_ref()?).ok()?).ok()).collect()
    }

    /// Encrypts what can be encrypted: the stanzas, and those whose keys must be fetched first.
    pub(crate) fn flush(&mut self) -> (Vec<Node>, Vec<Jid>) {
        let (mut stanzas, mut missing) = (Vec::new(), Vec::new());
        let queued = self.conversation.entries.iter().filter(|entry| entry.state == Progress::Queued);
        let queued = queued.filter_map(|entry| Some((entry.chat.parse::<Jid>().ok()?, entry.clone())));
        for (to, Entry { id, text, resends, .. }) in queued.collect::<Vec<_>>() {
            match self.seal(&to, &id, &text, resends) {
                Some(stanza) => {
                    let mut bytes = Vec::new();
                    // Our own stanza always fits; without its bytes it would merely not be resent.
                    let kept = encode(&stanza, &Profile::default(), &mut bytes).is_ok().then(|| BASE64.encode(&bytes));
                    self.conversation.change(
                        |other| other.id == id && other.from_me,
                        |entry| {
                            entry.state = Progress::Sending;
                            entry.stanza.clone_from(&kept);
                        },
                    );
                    stanzas.push(stanza);
                }
                None if missing.contains(&to) => {}
                None => missing.push(to),
            }
        }
        (stanzas, missing)
    }

    fn seal(&mut self, to: &Jid, id: &str, body: &str, count: u32) -> Option<Node> {
        let envelope = self.keys.encrypt(to, content::write(body), &mut random::rng()).ok()?;
        Some(client::message(to, id, &envelope, count))
    }

    /// A key fetch answered for one user: builds the session, or gives up what waited for it.
    pub(crate) fn bundle_arrived(&mut self, to: &Jid, user: &Node, t: UnixSeconds) {
        let bundle = user.child("registration").and_then(|registration| keys::read_bundle(registration, user));
        let started = bundle.and_then(|bundle| self.keys.start_session(to, &bundle, &mut random::rng()));
        if let Some(identity_changed) = started {
            self.note_identity(to, identity_changed, t);
            return;
        }
        let code = user.child("error").and_then(|error| error.text("code")?.parse().ok());
        self.refused(|entry| entry.chat == to.to_string() && entry.state == Progress::Queued, code.unwrap_or(400));
    }

    fn refused(&mut self, wanted: impl Fn(&Entry) -> bool, code: u32) {
        self.conversation.change(
            |entry| entry.from_me && wanted(entry),
            |entry| {
                entry.state = Progress::Failed;
                entry.error = Some(code);
                entry.stanza = None;
            },
        );
    }

    /// The server's word on a message of ours.
    pub(crate) fn acknowledged(&mut self, ack: &Node) {
        let (Some(id), Ok(Some(chat))) = (ack.text("id"), ack.jid("from")) else { return };
        let chat = chat.to_bare().to_string();
        let ours = |entry: &Entry| entry.state == Progress::Sending && entry.id == id && entry.chat == chat;
        match ack.text("error").and_then(|code| code.parse().ok()).filter(|code| *code != 0) {
            Some(code) => self.refused(ours, code),
            None => self.conversation.change(ours, |entry| {
                entry.state = Progress::Sent;
                entry.stanza = None;
            }),
        }
    }

    /// A receipt for something of ours.
    pub(crate) fn receipt(&mut self, receipt: &Node, now: UnixSeconds) -> Vec<Node> {
        let answer = vec![client_ack(receipt)];
        let (Some(id), Ok(Some(from))) = (receipt.text("id"), receipt.jid("from")) else { return answer };
        let progress = match receipt.text("type").as_deref() {
            None | Some("inactive") => Progress::Delivered,
            Some("read" | "played") => Progress::Read,
            Some("retry") => {
                self.asked_again(receipt, &from, &id, now);
                return answer;
            }
            Some(_) => return answer,
        };
        let more = receipt.child("list").map(Node::children).unwrap_or_default().iter();
        let ids: Vec<_> = std::iter::once(id).chain(more.filter_map(|item| item.text("id"))).collect();
        let chat = from.to_bare().to_string();
        self.conversation.change(
            |entry| {
                let on_its_way = (Progress::Sending..Progress::Read).contains(&entry.state) && entry.state < progress;
                entry.from_me && on_its_way && entry.chat == chat && ids.iter().any(|id| *id == entry.id)
            },
            |entry| {
                entry.state = progress;
                entry.stanza = None;
            },
        );
        answer
    }

    /// The other side could not decrypt: the text goes out again under the same id, by its new keys where it sent some.
    fn asked_again(&mut self, receipt: &Node, from: &Jid, id: &str, now: UnixSeconds) {
        if self.conversation.find(from, id, true).is_none() {
            return;
        }
        let Some(resend) = self.keys.prepare_resend(from, receipt, &mut random::rng()) else { return };
        self.note_identity(from, resend.session == Renewal::Started { identity_changed: true }, now);
        self.conversation.change(
            |entry| entry.id == id && entry.from_me,
            |entry| {
                entry.state = Progress::Queued;
                entry.resends = resend.count;
            },
        );
    }
}
