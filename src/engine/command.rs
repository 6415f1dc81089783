//! Routes each command to the module that handles it.

use super::connect::Cause;
use super::state::{Engine, Read};
use crate::chat;
use crate::enlist::{Enlistment, Purpose, Reason};
use crate::id::{CommandTag, MessageSeq};
use crate::inbox;
use crate::model::{ChatId, PeerId, StanzaId};
use crate::outbox::Outbox;
use crate::store::changes::{Query, Table};
use crate::store::paged::NotLoaded;
use crate::store::row_key;
use crate::time::UnixMillis;
use crate::view::{Action, Command, Done, Issue, News, OpenChat, Stage};
use crate::visible;
use causeway_proto::jid::Jid;
use rand_core::CryptoRng;
use sha2::{Digest, Sha256};

/// Most messages of one page.
const MAX_PAGE: u32 = 200;

impl Engine {
    /// Runs a command.
    ///
    /// # Errors
    /// [`NotLoaded`] while rows that it needs are not in memory; the queue retries it.
    pub(super) fn command(
        &mut self,
        command: &Command,
        now: UnixMillis,
        rng: &mut dyn CryptoRng,
    ) -> Result<(), NotLoaded> {
        let tag = CommandTag(command.tag);
        let issue = match &command.action {
            None => Some(Issue::None),
            Some(Action::Hello(_)) => {
                for update in self.snapshot() {
                    self.group_commit.show(update);
                }
                Some(Issue::None)
            }
            Some(Action::SignIn(_) | Action::SignedIn(_) | Action::SignOut(_)) if self.http_requests.is_full() => {
                Some(Issue::RateLimited)
            }
            Some(Action::SignIn(sign_in)) => {
                let partner = self.partner_api.clone();
                let request = self.with_context(now, rng, |_, cx| Enlistment::sign_in(cx, tag, sign_in, &partner));
                request.map(|request| self.send_request(Some(request))).err()
            }
            Some(Action::SignedIn(_)) => {
                self.refresh_account(Reason::Enter { tag });
                None
            }
            Some(Action::SignOut(_)) => {
                let request = Enlistment::sign_out(tag, &self.partner_api);
                self.send_request(Some(request));
                None
            }
            Some(Action::Enlist(enlist)) => self.enlist(tag, enlist.replace, now, rng),
            Some(Action::StartChat(start)) => self.start_chat(tag, &start.phone, now, rng),
            Some(Action::OpenChat(open)) => {
                self.open_chat(tag, OpenChat { chat: self.chat_of(&open.chat).to_owned(), ..open.clone() });
                None
            }
            Some(Action::Send(send)) => Some(self.send(tag, &ChatId::named(&send.chat), &send.text, now, rng)?),
            Some(Action::MarkRead(read)) => {
                self.with_context(now, rng, |_, cx| {
                    chat::mark_read(cx, &ChatId::named(&read.chat), MessageSeq(read.up_to))
                });
                Some(Issue::None)
            }
            Some(Action::SaveDraft(draft)) => {
                let joined = self.records.aliases.get(draft.chat.as_str()).map(|id| PeerId::clone(id));
                self.with_context(now, rng, |_, cx| match joined {
                    Some(id) => chat::save_joined_draft(cx, &id, &draft.text),
                    None => chat::save_draft(cx, &ChatId::named(&draft.chat), &draft.text),
                });
                Some(Issue::None)
            }
            Some(Action::Retry(message)) => {
                let chat = &ChatId::named(&message.chat);
                if let Some(message) = self.records.message(chat, MessageSeq(message.seq))?.cloned() {
                    let fresh = message_id(tag, chat);
                    self.with_context(now, rng, |modules, cx| match message.outgoing {
                        true => modules.outbox.retry(cx, chat, message, &fresh),
                        false => inbox::ask_again(cx, chat, message),
                    });
                }
                Some(Issue::None)
            }
            Some(Action::Discard(message)) => {
                let chat = &ChatId::named(&message.chat);
                if let Some(message) = self.records.message(chat, MessageSeq(message.seq))?.cloned() {
                    self.with_context(now, rng, |_, cx| Outbox::discard(cx, chat, &message));
                }
                Some(Issue::None)
            }
            Some(Action::Reconnect(_)) => {
                self.connect(Cause::Person, now, rng);
                Some(Issue::None)
            }
            Some(Action::Export(export)) => self.export(tag, export, rng),
            Some(Action::Restore(piece)) => self.restore(tag, piece, now, rng)?,
            Some(Action::ContinueHere(_)) => {
                self.continue_here(tag, now, rng);
                None
            }
            Some(Action::Woken(_)) => self.woken(tag, now, rng),
            Some(Action::Notified(notified)) => {
                self.with_context(now, rng, |_, cx| {
                    chat::notified(cx, &ChatId::named(&notified.chat), MessageSeq(notified.up_to))
                });
                Some(Issue::None)
            }
            Some(Action::HideText(choice)) => {
                if self.records.account().hide_text != choice.hide {
                    self.records.change_account().hide_text = choice.hide;
                    self.group_commit.show_account();
                }
                Some(Issue::None)
            }
            Some(Action::SupportLog(_)) => {
                let log = self.support_log(now);
                self.group_commit.show(News::Done(Done { tag: tag.0, log, ..Done::default() }));
                None
            }
            Some(Action::Erase(_)) => {
                self.erase(tag, now, rng)?;
                None
            }
        };
        if let Some(issue) = issue {
            self.done(tag, issue);
        }
        Ok(())
    }

    /// The id of the chat that a page means, which may have become a part of another one. Numbers of messages are not
    /// translated: commands that name one concern only the chat in which the page saw it.
    fn chat_of<'a>(&'a self, name: &'a str) -> &'a str {
        self.records.aliases.get(name).map_or(name, |peer| peer.as_str())
    }

    /// Starts the enlistment. Returns the issue if it cannot; otherwise the command completes later.
    fn enlist(&mut self, tag: CommandTag, replace: bool, now: UnixMillis, rng: &mut dyn CryptoRng) -> Option<Issue> {
        match self.records.account().stage {
            Stage::SignedOut => Some(Issue::SignInNeeded),
            Stage::Enlisted if self.channel.issue() == Issue::MovedElsewhere => Some(Issue::MovedElsewhere),
            // WhatsApp removes an account after 30 days of absence; it must then enlist again
            // (docs/spec/enlistment.md §5). The reason of the refused log-in is not public.
            Stage::Enlisted if !matches!(self.channel.issue(), Issue::NotEnlisted | Issue::LoginRefused) => {
                Some(Issue::AlreadyEnlisted)
            }
            _ if self.enlistment.is_preparing() => Some(Issue::RateLimited),
            _ => {
                self.prepare(Purpose::Enlist { tag, replace }, now, rng);
                self.group_commit.show_account();
                None
            }
        }
    }

    /// Opens the chat with a phone number. The `Done` carries its id.
    fn start_chat(&mut self, tag: CommandTag, phone: &str, now: UnixMillis, rng: &mut dyn CryptoRng) -> Option<Issue> {
        // Before that another person may still sign in here, who must not find it.
        if self.records.account().stage != Stage::Enlisted {
            return Some(Issue::NotYetEnlisted);
        }
        let Ok(peer) = Jid::from_phone(phone) else { return Some(Issue::PhoneInvalid) };
        let chat = self.chat_of(&peer.to_string()).to_owned();
        self.with_context(now, rng, |_, cx| chat::open(cx, &ChatId::named(&chat)));
        self.group_commit.show(News::Done(Done { tag: tag.0, chat, ..Done::default() }));
        None
    }

    fn send(
        &mut self,
        tag: CommandTag,
        chat: &ChatId,
        text: &str,
        now: UnixMillis,
        rng: &mut dyn CryptoRng,
    ) -> Result<Issue, NotLoaded> {
        let account = self.records.account();
        if account.stage != Stage::Enlisted {
            return Ok(Issue::NotYetEnlisted);
        }
        // In the outbox it would never be sent.
        if account.moved_at.is_some() || self.channel.issue() == Issue::MovedElsewhere {
            return Ok(Issue::MovedElsewhere);
        }
        let limit = account.deployment.as_ref().map_or(usize::MAX, |deployment| deployment.profile.max_text_bytes);
        let text = visible::trimmed(text);
        if text.is_empty() {
            return Ok(Issue::TextEmpty);
        }
        if text.len() > limit {
            return Ok(Issue::TextTooLong);
        }
        // A function of the command, whatever has become of the chat since.
        let id = message_id(tag, chat);
        let chat = &ChatId::named(self.chat_of(chat.as_str()));
        if self.records.chats.get(chat.as_bytes()).is_none() {
            return Ok(Issue::NoSuchChat);
        }
        let place = self.records.positions.find(row_key::message_id(chat, true, &id))?;
        self.with_context(now, rng, |modules, cx| modules.outbox.send(cx, &place, &id, chat, text));
        Ok(Issue::None)
    }

    /// Reads a page of a chat; a failed read is retried.
    pub(super) fn open_chat(&mut self, tag: CommandTag, open: OpenChat) {
        let chat = ChatId::named(&open.chat);
        let chats = &self.records.chats;
        self.pages.open(chat.clone(), |chat| chats.get(chat.as_bytes()).is_some());
        self.want_security_code(&chat);
        self.group_commit.show_chat(&chat);
        let range = Query::Range {
            table: Table::Message,
            from: row_key::message(&chat, MessageSeq::LEAST),
            to: Some(row_key::message(&chat, open.before.map_or(MessageSeq::GREATEST, MessageSeq))),
            reverse: true,
            limit: if open.text_from.is_some() { 1 } else { page_of(&open) + 1 },
        };
        self.load(Read::MessagePage { tag, open }, vec![range]);
    }
}

/// Requested page size, clamped to 1..=200.
pub(super) fn page_of(open: &OpenChat) -> u32 {
    open.limit.clamp(1, MAX_PAGE)
}

/// The stanza id of a message is a function of the command: one that comes twice sends once. The form is the field's:
/// `3EB0` and 18 upper-case hex digits (docs/spec/wire.md §5).
fn message_id(tag: CommandTag, chat: &ChatId) -> StanzaId {
    use core::fmt::Write;
    let digest = Sha256::new().chain_update(tag.0.to_be_bytes()).chain_update(chat.as_str()).finalize();
    let mut id = String::from("3EB0");
    for byte in digest.iter().take(9) {
        // Writing to a string cannot fail.
        let _infallible = write!(id, "{byte:02X}");
    }
    StanzaId::new(id)
}
