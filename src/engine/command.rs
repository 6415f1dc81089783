//! Which room a command belongs to.

use super::{Engine, Read};
use crate::chat;
use crate::enlist::{Enlistment, Purpose};
use crate::io::Millis;
use crate::store::changes::{Query, Table};
use crate::store::keys;
use crate::store::shelf::Missing;
use crate::view::{Action, Command, Done, Issue, News, OpenChat, Stage};
use causeway_proto::jid::Jid;
use rand_core::CryptoRng;
use sha2::{Digest, Sha256};

/// Most messages of one page.
const MAX_PAGE: u32 = 200;

impl Engine {
    pub(super) fn command(&mut self, command: &Command, now: Millis, rng: &mut dyn CryptoRng) -> Result<(), Missing> {
        let tag = command.tag;
        let issue = match &command.action {
            None => Issue::None,
            Some(Action::Hello(_)) => {
                let snapshot = self.snapshot();
                self.ledger.show(snapshot);
                Issue::None
            }
            Some(Action::SignIn(sign_in)) => {
                let partner = self.partner_api.clone();
                match self.room(now, rng, |_, turn| Enlistment::sign_in(turn, tag, sign_in, &partner)) {
                    Ok(question) => return Ok(self.ask(Some(question))),
                    Err(issue) => issue,
                }
            }
            Some(Action::SignOut(_)) => {
                let question = Enlistment::sign_out(tag, &self.partner_api);
                return Ok(self.ask(Some(question)));
            }
            Some(Action::Enlist(_)) => match self.records.account().stage {
                Stage::SignedOut => Issue::SignInNeeded,
                Stage::Enlisted => Issue::AlreadyEnlisted,
                _ if self.enlistment.is_preparing() => Issue::RateLimited,
                _ => {
                    self.prepare(Purpose::Enlist { tag });
                    return Ok(self.ledger.show_account());
                }
            },
            Some(Action::StartChat(start)) => match Jid::from_phone(&start.phone) {
                Ok(peer) => {
                    let chat = peer.to_string();
                    self.room(now, rng, |_, turn| chat::open(turn, &chat));
                    let done = Done { tag, issue: Issue::None.into(), chat };
                    return Ok(self.ledger.show(News::Done(done)));
                }
                Err(_) => Issue::PhoneInvalid,
            },
            Some(Action::OpenChat(open)) => return Ok(self.open_chat(tag, open)),
            Some(Action::Send(send)) => self.send(tag, &send.chat, &send.text, now, rng)?,
            Some(Action::MarkRead(read)) => {
                self.room(now, rng, |_, turn| chat::mark_read(turn, &read.chat, read.up_to));
                Issue::None
            }
            Some(Action::SaveDraft(draft)) => {
                self.room(now, rng, |_, turn| chat::save_draft(turn, &draft.chat, &draft.text));
                Issue::None
            }
            Some(Action::Retry(message)) => {
                self.room(now, rng, |rooms, turn| rooms.outbox.retry(turn, &message.chat, message.seq))?;
                Issue::None
            }
            Some(Action::Discard(message)) => {
                self.room(now, rng, |rooms, turn| rooms.outbox.discard(turn, &message.chat, message.seq))?;
                Issue::None
            }
            Some(Action::Reconnect(_)) => {
                self.connect(now);
                Issue::None
            }
            Some(Action::Erase(_)) => return self.erase(tag, now, rng),
        };
        self.done(tag, issue);
        Ok(())
    }

    fn send(
        &mut self,
        tag: u64,
        chat: &str,
        text: &str,
        now: Millis,
        rng: &mut dyn CryptoRng,
    ) -> Result<Issue, Missing> {
        let account = self.records.account();
        if account.stage != Stage::Enlisted {
            return Ok(Issue::NotYetEnlisted);
        }
        let limit = account.deployment.as_ref().map_or(usize::MAX, |deployment| deployment.profile.max_text_bytes);
        if text.trim().is_empty() {
            return Ok(Issue::TextEmpty);
        }
        if text.len() > limit {
            return Ok(Issue::TextTooLong);
        }
        if self.records.chats.peek(chat.as_bytes()).is_none() {
            return Ok(Issue::NoSuchChat);
        }
        let id = message_id(tag, chat);
        self.room(now, rng, |rooms, turn| rooms.outbox.send(turn, &id, chat, text))?;
        Ok(Issue::None)
    }

    fn open_chat(&mut self, tag: u64, open: &OpenChat) {
        self.know_security_code(&open.chat);
        self.ledger.show_chat(&open.chat);
        let limit = open.limit.clamp(1, MAX_PAGE);
        let range = Query::Range {
            table: Table::Message,
            from: keys::message(&open.chat, 0),
            to: Some(keys::message(&open.chat, open.before.unwrap_or(u64::MAX))),
            reverse: true,
            limit: limit + 1,
        };
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        self.load(Read::Thread { tag, chat: open.chat.clone(), limit }, vec![range]);
    }
}

/// The stanza id of a message is a function of the command: one that comes twice sends once. The form is the field's:
/// `3EB0` and 18 upper-case hex digits (wire.md §5).
fn message_id(tag: u64, chat: &str) -> String {
    use core::fmt::Write;
    let digest = Sha256::new().chain_update(tag.to_be_bytes()).chain_update(chat).finalize();
    let mut id = String::from("3EB0");
    for byte in digest.iter().take(9) {
        // Writing to a string cannot fail.
        let _infallible = write!(id, "{byte:02X}");
    }
    id
}
