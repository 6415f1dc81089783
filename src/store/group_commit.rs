//! Group commit: which effects wait for which transaction.
//!
//! At most one transaction is in progress. Later changes gather into the next group. The effects of a group, stanzas
//! and updates for pages, are released only when its transaction, and with it every earlier one, is durable; a group
//! without changes is released as soon as no transaction is in progress. This is the only place that enforces "commit,
//! then send".

use crate::id::{Counted, MessageSeq, Order, PreKeyId, SocketId, TransactionId};
use crate::model::{ChatId, StanzaId};
use crate::sorted_map::SortedMap;
use crate::sorted_set::SortedSet;
use crate::view::Update;
use causeway_proto::node::Node;

/// An action that waits until the changes before it are durable.
#[derive(Debug)]
pub enum Effect {
    /// Send a stanza, if the socket is still the one that it was meant for.
    Transmit(SocketId, Box<Node>),
    /// Send the message of this recipient row, with the envelope of this number, unless its recipient has receipted the
    /// message or asked for another envelope meanwhile.
    Message(SocketId, Order, u32),
    /// Upload these one-time prekeys under this stanza id, those of them that were not used up meanwhile.
    Upload(SocketId, StanzaId, Vec<PreKeyId>),
    /// Show something.
    Update(Box<Update>),
    /// Send the next request of a preparation to the partner server: its keys and device id are durable.
    Prepare,
    /// Boot from the store: everything in it is new.
    Boot,
}

/// The effects and updates of one group of changes.
#[derive(Debug, Default)]
pub struct Group {
    /// In order.
    pub effects: Vec<Effect>,
    /// Chats whose row in the list is to be shown.
    pub chats: SortedSet<ChatId>,
    /// Messages to be shown, by chat; `false` for those that are gone.
    pub messages: SortedMap<ChatId, Box<SortedMap<MessageSeq, bool>>>,
    /// The account is to be shown.
    pub account: bool,
}

impl Group {
    /// Whether it has no effects and no updates.
    pub fn is_empty(&self) -> bool {
        self.effects.is_empty() && self.chats.is_empty() && self.messages.is_empty() && !self.account
    }
}

/// The group that gathers, and the one that is being written.
#[derive(Debug, Default)]
pub struct GroupCommit {
    gathering: Group,
    writing: Option<(TransactionId, Vec<Effect>)>,
    last: TransactionId,
}

impl GroupCommit {
    /// Adds an effect that is released when everything changed so far is durable.
    pub fn after(&mut self, effect: Effect) {
        self.gathering.effects.push(effect);
    }

    /// Sends a stanza when everything changed so far is durable.
    pub fn transmit(&mut self, socket: SocketId, node: Node) {
        self.after(Effect::Transmit(socket, Box::new(node)));
    }

    /// Sends an update to pages when everything changed so far is durable.
    pub fn show(&mut self, update: impl Into<Update>) {
        self.after(Effect::Update(Box::new(update.into())));
    }

    /// Show the chat's row.
    pub fn show_chat(&mut self, chat: &ChatId) {
        self.gathering.chats.insert(chat.clone());
    }

    /// Show the message.
    pub fn show_message(&mut self, chat: &ChatId, seq: MessageSeq) {
        self.gathering.messages.get_or_default(chat.clone()).insert(seq, true);
    }

    /// Show that the message is gone.
    pub fn show_removed(&mut self, chat: &ChatId, seq: MessageSeq) {
        self.gathering.messages.get_or_default(chat.clone()).insert(seq, false);
    }

    /// Show the account.
    pub fn show_account(&mut self) {
        self.gathering.account = true;
    }

    /// A transaction is in progress.
    pub fn is_writing(&self) -> bool {
        self.writing.is_some()
    }

    /// The group that gathers, if it may go now: nothing is in progress before it.
    pub fn take_group(&mut self) -> Option<Group> {
        match self.writing {
            Some(_) => None,
            None => Some(std::mem::take(&mut self.gathering)),
        }
    }

    /// Begins a transaction whose effects these are.
    pub fn begin(&mut self, effects: Vec<Effect>) -> TransactionId {
        self.last = self.last.next();
        self.writing = Some((self.last, effects));
        self.last
    }

    /// The transaction is durable: its effects, in order. `None` for one that is not in progress.
    pub fn committed(&mut self, transaction: TransactionId) -> Option<Vec<Effect>> {
        self.writing.take_if(|(id, _)| *id == transaction).map(|(_, effects)| effects)
    }

    /// The transaction had no effect: neither it nor anything gathered since may be done. These are the effects that
    /// will not happen.
    pub fn aborted(&mut self, transaction: TransactionId) -> Option<Vec<Effect>> {
        let (_, mut lost) = self.writing.take_if(|(id, _)| *id == transaction)?;
        lost.append(&mut std::mem::take(&mut self.gathering).effects);
        Some(lost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use causeway_proto::node::Node;

    fn tags(effects: Vec<Effect>) -> Vec<String> {
        effects
            .into_iter()
            .filter_map(|effect| match effect {
                Effect::Transmit(_, node) => Some(node.tag.to_string()),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn effects_are_released_with_their_transaction_and_in_order() {
        let mut group_commit = GroupCommit::default();
        group_commit.transmit(SocketId(1), Node::new("a"));
        let group = group_commit.take_group().unwrap();
        let first = group_commit.begin(group.effects);
        group_commit.transmit(SocketId(1), Node::new("b"));
        assert!(group_commit.take_group().is_none(), "a second transaction while one is in progress");
        assert!(group_commit.committed(first.next()).is_none(), "released by another transaction");
        assert_eq!(tags(group_commit.committed(first).unwrap()), ["a"]);
        assert_eq!(tags(group_commit.take_group().unwrap().effects), ["b"]);
    }

    #[test]
    fn an_aborted_transaction_takes_what_followed_with_it() {
        let mut group_commit = GroupCommit::default();
        group_commit.transmit(SocketId(1), Node::new("a"));
        let group = group_commit.take_group().unwrap();
        let id = group_commit.begin(group.effects);
        group_commit.transmit(SocketId(1), Node::new("b"));
        assert_eq!(tags(group_commit.aborted(id).unwrap()), ["a", "b"]);
        assert!(group_commit.take_group().unwrap().is_empty());
    }
}
