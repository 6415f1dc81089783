//! The oracle: what must be true after the faults have ended and everything is idle.

use crate::faults::Fault;
use crate::garbage;
use crate::page::SendState;
use crate::world::World;
use causeway::store::chats::MessageRow;
use causeway::view::{ConnectionState, Delivery, MessageKind, MessageView};
use std::collections::{BTreeMap, BTreeSet};

impl World {
    /// What is still pending; empty when nothing is.
    pub(crate) fn unsettled(&self) -> String {
        let mut open = Vec::new();
        let mirror = &self.disk.mirror;
        if !self.page.is_answered() {
            open.push("the page waits for answers".to_owned());
        }
        if self.page.texts_left > 0 {
            open.push(format!("{} texts to send", self.page.texts_left));
        }
        let connection = &self.page.model.connection;
        if connection.state() != ConnectionState::Online {
            open.push(format!("the page says {:?} {:?}", connection.state(), connection.issue()));
        }
        if !mirror.outbox.is_empty() {
            let ids: Vec<&str> = mirror.outbox.values().map(|row| row.id.as_str()).collect();
            open.push(format!("the outbox holds {ids:?}"));
        }
        if !self.directory.mailbox.is_empty() {
            let stanzas = self.directory.mailbox.iter().map(|queued| format!("{} {}", queued.class, queued.id));
            open.push(format!("the mailbox holds {:?}", stanzas.collect::<Vec<_>>()));
        }
        if let Some(message) = mirror.messages.values().find(|message| message.delivery() == Delivery::Failed) {
            open.push(format!("{} has failed: {:?}", message.id, message.issue()));
        }
        if self.phones.iter().any(|phone| !phone.inbox.is_empty()) {
            open.push("a phone has mail".to_owned());
        }
        open.join("; ")
    }

    /// Compares what everybody shows with what was sent.
    pub(crate) fn check_outcome(&self) -> Result<(), String> {
        for peer in 0..self.phones.len() {
            let chat = format!("{}@s.whatsapp.net", self.phones[peer].jid.user);
            self.outgoing(peer, &chat)?;
            self.incoming(peer, &chat)?;
            self.page_shows(&chat)?;
        }
        Ok(())
    }

    /// Every text that the engine accepted is shown to its peer once, in the order of sending; no other is. A text whose
    /// sender was told that it was not opened was sent again under another id: the first may be shown, too, or not.
    fn outgoing(&self, peer: usize, chat: &str) -> Result<(), String> {
        let phone = &self.phones[peer];
        let kept: Vec<&MessageRow> =
            self.disk.mirror.thread(chat).filter(|message| message.outgoing && !message.id.is_empty()).collect();
        let mut texts = BTreeSet::new();
        for message in &kept {
            if !texts.insert(message.words()) {
                return Err(format!("{:?} is in the chat twice", message.words()));
            }
            if message.delivery() < Delivery::Delivered && !self.liar.spoiled.contains(&message.id) {
                return Err(format!("{:?} ends as {:?}", message.words(), message.delivery()));
            }
        }
        for attempt in self.page.attempts.iter().filter(|attempt| attempt.chat == chat) {
            let there = texts.remove(attempt.text.as_str());
            match attempt.state {
                SendState::Kept if !there => return Err(format!("{:?} was kept, and is lost", attempt.text)),
                SendState::Refused if there && attempt.posted <= 1 => {
                    return Err(format!("{:?} was not kept, and is there", attempt.text));
                }
                SendState::Asked => return Err(format!("{:?} was never answered", attempt.text)),
                _ => {}
            }
        }
        if let Some(text) = texts.first() {
            return Err(format!("{text:?} is in the chat, and nobody sent it"));
        }
        let mut shown = BTreeMap::new();
        let told = &self.disk.mirror.told;
        let sent_again = |id: &str| told.contains(id) && kept.iter().all(|message| message.id != id);
        let spoiled = &self.liar.spoiled;
        for entry in phone.shown.iter().filter(|entry| !sent_again(&entry.id) && !spoiled.contains(&entry.id)) {
            let Some(text) = &entry.text else { return Err(format!("{} cannot be read by its peer", entry.id)) };
            if shown.insert(entry.id.as_str(), text.as_str()).is_some() {
                return Err(format!("{:?} is shown to its peer twice", text));
            }
        }
        for message in kept.iter().filter(|message| !spoiled.contains(&message.id)) {
            match shown.remove(message.id.as_str()) {
                Some(text) if text == message.words() => {}
                Some(text) => return Err(format!("{:?} is shown to its peer as {text:?}", message.words())),
                None => return Err(format!("{:?} is not shown to its peer", message.words())),
            }
        }
        if let Some((id, _)) = shown.first_key_value() {
            return Err(format!("{id} is shown to its peer, and is not in the chat"));
        }
        self.outgoing_order(chat, &kept)
    }

    /// Messages that never failed were accepted in the order of the chat, which is the order of the commands.
    fn outgoing_order(&self, chat: &str, kept: &[&MessageRow]) -> Result<(), String> {
        // A failed message that is retried is sent after what was sent meanwhile.
        if self.faults.count(Fault::ErrorIq) > 0 {
            return Ok(());
        }
        let honest = |id: &&str| !self.liar.spoiled.contains(*id);
        let in_chat: Vec<&str> = kept.iter().map(|message| message.id.as_str()).filter(honest).collect();
        if !self.disk.mirror.told.is_empty() {
            return Ok(());
        }
        let accepted = self.directory.order.get(chat).map(Vec::as_slice).unwrap_or_default();
        let accepted: Vec<&str> = accepted.iter().map(String::as_str).filter(honest).collect();
        if in_chat != accepted {
            return Err(format!("{chat}: sent in the order {in_chat:?}, accepted as {accepted:?}"));
        }
        let wanted = self.page.attempts.iter().filter(|attempt| attempt.chat == chat).map(|attempt| &attempt.text);
        let texts: Vec<String> = kept.iter().map(|message| message.words()).collect();
        let wanted: Vec<&String> = wanted.filter(|text| texts.contains(text)).collect();
        match wanted.into_iter().eq(&texts) {
            true => Ok(()),
            false => Err(format!("{chat}: kept in another order than asked for: {texts:?}")),
        }
    }

    /// Every text of the peer is in the chat once, readable, in an order of the server's deliveries.
    fn incoming(&self, peer: usize, chat: &str) -> Result<(), String> {
        let kept: Vec<&MessageRow> =
            self.disk.mirror.thread(chat).filter(|message| !message.outgoing && !message.kind().is_notice()).collect();
        let is_lie = |message: &&MessageRow| message.id.starts_with("LIE") || message.id.starts_with(garbage::PREFIX);
        let (lies, kept): (Vec<_>, Vec<_>) = kept.into_iter().partition(is_lie);
        for (_, id) in self.liar.messages.iter().filter(|(told_in, _)| told_in == chat) {
            let expected = match id.starts_with(garbage::PREFIX) {
                true => MessageKind::Undecryptable,
                false => MessageKind::UnknownDevice,
            };
            match lies.iter().find(|message| message.id == *id) {
                Some(message) if message.kind() == expected => {}
                Some(message) => return Err(format!("{id}, a lie, is shown as {:?}", message.kind())),
                None => return Err(format!("{id}, a lie, left no trace")),
            }
        }
        if let Some(message) = kept.iter().find(|message| message.kind() != MessageKind::Text) {
            return Err(format!("{} ends as {:?}", message.id, message.kind()));
        }
        let mut texts: BTreeMap<&str, String> = BTreeMap::new();
        for message in &kept {
            if texts.insert(&message.id, message.words()).is_some() {
                return Err(format!("{} is shown twice", message.id));
            }
        }
        for sent in &self.phones[peer].sent {
            match texts.remove(sent.id.as_str()) {
                Some(text) if text == sent.text => {}
                Some(text) => return Err(format!("{:?} is shown as {text:?}", sent.text)),
                None => return Err(format!("{:?} was sent to Alice, and is lost", sent.text)),
            }
        }
        if let Some((id, _)) = texts.first_key_value() {
            return Err(format!("{id} is shown, and nobody sent it"));
        }
        for pair in kept.windows(2) {
            let [first, second] = pair else { continue };
            if !self.may_precede(&first.id, &second.id) {
                return Err(format!("{} is shown before {}, and never came before it", first.id, second.id));
            }
        }
        let orderly = self.faults.count(Fault::ReorderStanza) + self.faults.count(Fault::DropStanza) == 0;
        let sent = self.phones[peer].sent.iter().map(|sent| &sent.id);
        if orderly && !sent.eq(kept.iter().map(|message| &message.id)) {
            return Err(format!("{chat}: shown in another order than sent, and the server kept it"));
        }
        Ok(())
    }

    /// Whether, on some connection, the first copy of `first` was sent before any of `second`.
    fn may_precede(&self, first: &str, second: &str) -> bool {
        let place = |ids: &[String], id: &str| ids.iter().position(|known| known == id);
        self.deliveries.values().any(|ids| match (place(ids, first), place(ids, second)) {
            (Some(first), Some(second)) => first < second,
            (Some(_), None) => true,
            _ => false,
        })
    }

    /// The page shows exactly what is durable.
    fn page_shows(&self, id: &str) -> Result<(), String> {
        let mirror = &self.disk.mirror;
        let (Some(kept), shown) = (mirror.chats.get(id), self.page.model.chat(id)) else { return Ok(()) };
        let Some(shown) = shown else { return Err(format!("{id} is not in the page's list")) };
        let report = shown.notified_up_to == kept.notified_up_to;
        if shown.unread != kept.unread || shown.last != kept.last || shown.draft != kept.draft || !report {
            return Err(format!("the page's list shows {shown:?}, durable is {kept:?}"));
        }
        let Some(thread) = self.page.model.thread(id) else { return Err(format!("{id} was never read by the page")) };
        let (held, count) = (thread.messages(), mirror.thread(id).count());
        let same = |(kept, shown): (&MessageRow, &MessageView)| kept.view() == *shown;
        match held.len() == count && mirror.thread(id).zip(held).all(same) {
            true => Ok(()),
            false => {
                let differing = mirror.thread(id).zip(held).find(|pair| !same(*pair));
                let differing = differing.map(|(kept, shown)| (kept.view(), shown));
                Err(format!(
                    "the page shows {} messages of {id}, durable are {count}; differing: {differing:?}",
                    held.len()
                ))
            }
        }
    }
}
