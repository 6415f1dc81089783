//! What pages show: snapshots, changed rows, pages of messages; each update bounded in bytes.

use super::command::page_of;
use super::state::{Engine, Phase};
use crate::chat;
use crate::hex;
use crate::id::CommandTag;
use crate::io::Output;
use crate::model::{ChatId, Identifier};
use crate::protobuf::Message as _;
use crate::sorted_map::SortedMap;
use crate::store::changes::Rows;
use crate::store::chats::{ChatRow, MessageRow};
use crate::store::group_commit::{Effect, Group};
use crate::store::records;
use crate::store::row_key;
use crate::time::UnixMillis;
use crate::view::{
    AccountView, BackupView, ChatView, ConnectionState, ConnectionView, Issue, MAX_TEXT, MAX_TEXT_PIECE, MAX_UPDATE,
    MessageKind, MessagePage, MessageView, Messages, News, OpenChat, Snapshot, Stage, Update,
};
use causeway_proto::signal::{PublicKey, security_code};
use core::cmp::Reverse;

impl Engine {
    /// The state of everything but messages: a snapshot, then the chats that have no place in it.
    pub(super) fn snapshot(&mut self) -> Vec<Update> {
        // Newest first, and by key. A second use of the map is less code to download than a sort.
        let mut newest_first = SortedMap::default();
        for (key, chat) in self.records.chats.iter() {
            newest_first.insert((Reverse(chat.active_at), key), chat);
        }
        let mut size = 0;
        let views = newest_first.values().map(|chat| self.chat_view(chat));
        let (chats, rest): (Vec<_>, Vec<_>) = views.partition(|chat| {
            size += chat.encoded_len();
            size <= MAX_UPDATE
        });
        let snapshot = Snapshot {
            account: Some(Box::new(self.account_view())),
            connection: Some(self.connection_view()),
            chats,
            engine: self.engine_number(),
        };
        let rest = rest.into_iter().map(|chat| News::Chat(chat).into());
        std::iter::once(News::Snapshot(snapshot).into()).chain(rest).collect()
    }

    fn account_view(&mut self) -> AccountView {
        let enlisting = self.enlistment.is_enlisting();
        let client_version = self.client_version.clone();
        let account = self.records.account();
        let elsewhere_since = UnixMillis::to_field(self.enlistment.elsewhere_since(account.device.as_ref()));
        let profile = account.deployment.as_ref().map(|deployment| &deployment.profile);
        let keys = account.keys.as_ref();
        AccountView {
            stage: if enlisting && account.stage != Stage::Enlisted { Stage::Enlisting } else { account.stage }.into(),
            identifier: Identifier::to_field(account.identifier.as_ref()).to_owned(),
            login: account.login.as_ref().map(ToString::to_string).unwrap_or_default(),
            identity_key: keys.map(|keys| hex::encode(&keys.identity.public().0)).unwrap_or_default(),
            registration_id: keys.map_or(0, |keys| keys.registration_id.0),
            protocol_version: profile
                .map(|profile| profile.version.map(|part| part.to_string()).join("."))
                .unwrap_or_default(),
            client_version,
            partner: account.deployment.as_ref().map(|deployment| deployment.partner_name.clone()).unwrap_or_default(),
            prekeys_on_server: account.prekeys_on_server,
            unknown_stanzas: account.unknown_stanzas,
            max_text_bytes: profile.map_or(0, |profile| u32::try_from(profile.max_text_bytes).unwrap_or(u32::MAX)),
            elsewhere_since,
            lost_at: UnixMillis::to_field(account.lost_at),
            hide_text: account.hide_text,
            passkeys: account.deployment.as_ref().is_some_and(|deployment| deployment.passkeys),
            signs_in_elsewhere: account.deployment.as_ref().is_some_and(|deployment| deployment.signs_in_elsewhere),
            backup: Some(BackupView {
                made_at: UnixMillis::to_field(account.backed_up_at),
                moved_at: UnixMillis::to_field(account.moved_at),
            }),
        }
    }

    pub(super) fn connection_view(&mut self) -> ConnectionView {
        let preparing = self.enlistment.is_preparing() && !self.enlistment.is_enlisting();
        let state = if preparing { ConnectionState::Connecting } else { self.channel.view() };
        let issue = match (self.storage, state) {
            (Issue::None, ConnectionState::Online | ConnectionState::Draining) => Issue::None,
            (Issue::None, _) => self.channel.issue(),
            (storage, _) => storage,
        };
        let synced_at = if self.phase == Phase::Booting { None } else { self.records.account().synced_at };
        ConnectionView {
            state: state.into(),
            retry_at: UnixMillis::to_field(self.channel.retry_at()),
            issue: issue.into(),
            synced_at: UnixMillis::to_field(synced_at),
            pending: self.mailbox.waiting(),
        }
    }

    /// Sends the connection's state to pages if it has changed, at once: it depends on nothing that must be durable.
    pub(super) fn show_connection(&mut self) {
        let view = self.connection_view();
        // While a mailbox is read the count goes down with each message; once a group is often enough.
        if self.pages.show_connection(&view, !self.group_commit.is_writing()) {
            self.out.push_back(Output::Update(News::Connection(view).into()));
        }
    }

    fn chat_view(&self, chat: &ChatRow) -> ChatView {
        let peer = self.records.peers.get(chat.id.as_bytes());
        let code = self.pages.codes.of(chat, peer).unwrap_or_default().to_owned();
        chat::view(chat, peer, code)
    }

    /// Computes and shows the security code of this chat from now on, once the peer's identity is known.
    pub(super) fn want_security_code(&mut self, id: &ChatId) {
        self.pages.codes.want(id);
        self.know_security_code(id);
    }

    /// Computes a security code that is wanted and not known.
    fn know_security_code(&mut self, id: &ChatId) {
        let Some(peer) = self.records.peers.get(id.as_bytes()) else { return };
        let theirs: Vec<PublicKey> = peer.identities().collect();
        if !self.pages.codes.is_missing(id, &theirs) {
            return;
        }
        let Some(address) = peer.id.jid() else { return };
        let Some(account) = self.records.account.get(row_key::ACCOUNT) else { return };
        let (Some(own), Some(login)) = (&account.keys, &account.login) else { return };
        let ours = [own.identity.public()];
        let code = security_code(&ours, login.user.as_bytes(), &theirs, address.user.as_bytes());
        self.pages.codes.put(id, theirs, code);
    }

    /// A group's effects and the updates that show it.
    pub(super) fn effects_of(&mut self, group: Group) -> Vec<Effect> {
        let Group { effects, chats, messages, account } = group;
        // Messages of chats that no page has opened are left out; a page that opens one reads them.
        for id in chats.iter() {
            self.know_security_code(id);
        }
        let mut shown = Vec::with_capacity(effects.len() + chats.len() + messages.len() + 1);
        let mut show = |news: News| shown.push(Effect::Update(Box::new(news.into())));
        if account {
            show(News::Account(self.account_view()));
        }
        for id in chats.iter() {
            if let Some(chat) = self.records.chats.get(id.as_bytes()) {
                show(News::Chat(self.chat_view(chat)));
            }
        }
        for (chat, seqs) in messages.into_iter().filter(|(chat, _)| self.pages.have_opened(chat)) {
            let none = || Messages { chat: chat.as_str().to_owned(), ..Messages::default() };
            let (mut news, mut size) = (none(), 0);
            for (seq, kept) in *seqs {
                let row = self.records.messages.peek(&row_key::message(&chat, seq));
                let Some(message) = row.filter(|_| kept).map(|row| row.view().cut(0, MAX_TEXT)) else {
                    news.removed.push(seq.0);
                    continue;
                };
                size += message.encoded_len();
                if size > MAX_UPDATE {
                    size = message.encoded_len();
                    show(News::Messages(std::mem::replace(&mut news, none())));
                }
                news.messages.push(message);
            }
            show(News::Messages(news));
        }
        // Responses show the moment of their command, so they precede later changes. Changes precede `Done`, which is
        // among the effects.
        let (answers, rest): (Vec<_>, Vec<_>) = effects.into_iter().partition(is_answer);
        answers.into_iter().chain(shown).chain(rest).collect()
    }

    /// Responds to [`OpenChat`] with a page of messages.
    ///
    /// A page ends where it would be too large, but has at least one message. A response to
    /// [`text_from`](OpenChat::text_from) has a part of one text.
    pub(super) fn message_page(&mut self, tag: CommandTag, open: OpenChat, rows: Rows) {
        let limit = usize::try_from(page_of(&open)).unwrap_or(usize::MAX);
        let (mut messages, mut size) = (Vec::new(), 0);
        let mut rows = rows.into_iter().next().unwrap_or_default();
        // Some may have been deleted while they were read.
        rows.retain(|(key, _)| !self.records.messages.is_absent(key));
        let found = rows.len();
        for (key, sealed) in rows.into_iter().take(limit) {
            // A newer version may be in memory, on its way to the store.
            let message = match self.records.messages.peek(&key) {
                Some(message) => message.view(),
                None => records::open::<MessageRow>(&key, &sealed, &self.sealer).map_or_else(
                    |_| {
                        self.storage = Issue::StorageDamaged;
                        damaged_view(&key)
                    },
                    |message| message.view(),
                ),
            };
            let message = match open.text_from {
                None => message.cut(0, MAX_TEXT),
                Some(from) if open.before == message.seq.checked_add(1) => message.cut(from, MAX_TEXT_PIECE),
                // It is gone.
                Some(_) => break,
            };
            size += message.encoded_len();
            if size > MAX_UPDATE && !messages.is_empty() {
                break;
            }
            messages.push(message);
        }
        let more = found > messages.len();
        messages.reverse();
        self.group_commit.show(News::MessagePage(MessagePage { chat: open.chat, messages, more, tag: tag.0 }));
        self.done(tag, Issue::None);
    }
}

/// What stands for a message that does not open.
fn damaged_view(key: &[u8]) -> MessageView {
    MessageView {
        seq: row_key::seq_of(key).map_or(0, |seq| seq.0),
        kind: MessageKind::Unsupported.into(),
        text: "damaged".to_owned(),
        ..MessageView::default()
    }
}

/// A snapshot with its chats, or a page of messages.
fn is_answer(effect: &Effect) -> bool {
    let Effect::Update(update) = effect else { return false };
    matches!(update.news, Some(News::Snapshot(_) | News::Chat(_) | News::MessagePage(_)))
}
