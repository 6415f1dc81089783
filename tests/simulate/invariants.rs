//! Invariants of every stanza as it leaves the engine, also when its bytes never arrive, and of every update: nothing
//! may depend on what is not durable, and no message key may be used twice.

use crate::clock::Millis;
use crate::mirror::Mirror;
use causeway::store::chats::MessageRow;
use causeway::view::{ChatView, Delivery, MessageKind, MessageView, Messages, News, Update};
use causeway_peer::stanza::keys;
use causeway_proto::node::Node;
use causeway_proto::schema::signal::{PreKeySignalMessage, SignalMessage};
use prost::Message as _;
use std::collections::BTreeMap;

/// Retries of one message, either way.
const MAX_TRIES: u32 = 5;
/// Most connections of one instance in [`WINDOW`] that no person asked for, whatever the server, the network and pushes do.
const MAX_CONNECTS: usize = 20;
/// The ten minutes of the limit, less what may lie between an attempt, which begins with requests to the partner server,
/// and its connection.
const WINDOW: Millis = 540_000;

/// What the engine has sent so far.
#[derive(Default)]
pub(crate) struct Invariants {
    /// Ciphertexts by ratchet key and counter.
    positions: BTreeMap<(Vec<u8>, u32), Vec<u8>>,
    /// Envelopes by chat, id and number of the resend.
    envelopes: BTreeMap<(String, String, u32), Vec<u8>>,
    /// When connections began, and when a person asked for one.
    connects: Vec<Millis>,
    asked: Vec<Millis>,
}

impl Invariants {
    /// Checks a stanza that leaves the engine.
    ///
    /// # Errors
    /// What it depends on and is not durable, or what it repeats.
    pub(crate) fn stanza(&mut self, node: &Node, mirror: &Mirror) -> Result<(), String> {
        let id = node.text("id").unwrap_or_default();
        let to = node.jid("to").map_err(|error| error.to_string())?.map(|jid| jid.to_bare().to_string());
        let chat = to.unwrap_or_default();
        match node.tag.as_ref() {
            "message" => self.message(node, &id, mirror),
            "receipt" => match (node.text("type").as_deref(), mirror.find(&chat, false, &id)) {
                (_, None) => Err(format!("a receipt left for {id}, which is not durable")),
                (Some("retry"), Some(message)) => retry(node, &id, message),
                (None, Some(message)) if message.kind() == MessageKind::Undecryptable => {
                    Err(format!("{id} was receipted while it could not be opened"))
                }
                _ => Ok(()),
            },
            "ack" => acknowledgement(node, &chat, &id, mirror),
            "iq" => upload(node, mirror),
            _ => Ok(()),
        }
    }

    fn message(&mut self, node: &Node, id: &str, mirror: &Mirror) -> Result<(), String> {
        let enc = node.child("enc").ok_or("a message without an envelope")?;
        let (bytes, count) = (enc.bytes().unwrap_or_default(), count_of(enc));
        if count > MAX_TRIES {
            return Err(format!("{id} was sent again for the {count}th time"));
        }
        // Of two resends in one transaction only the later row is kept; both depend on the same ratchet.
        let superseded = (count + 1..=MAX_TRIES).any(|later| mirror.envelopes.contains_key(&(id.to_owned(), later)));
        let durable = mirror.envelopes.get(&(id.to_owned(), count)).is_some_and(|durable| durable == bytes);
        if !durable && !superseded {
            return Err(format!("the ciphertext of {id} left before it was durable"));
        }
        mirror.is_for_a_shown_key(node, count)?;
        self.keys(node)
    }

    /// Checks that a message uses no key of another one, and that an id is always sent with the same bytes.
    ///
    /// # Errors
    /// What was used twice.
    pub(crate) fn keys(&mut self, node: &Node) -> Result<(), String> {
        let Some(enc) = node.child("enc").filter(|_| node.tag == "message") else { return Ok(()) };
        let id = node.text("id").unwrap_or_default();
        let to = node.text("to").unwrap_or_default();
        let bytes = enc.bytes().unwrap_or_default();
        let position = (to.into_owned(), id.clone().into_owned(), count_of(enc));
        let known = self.envelopes.entry(position).or_insert_with(|| bytes.to_vec());
        if known != bytes {
            return Err(format!("{id} left with other bytes than before"));
        }
        let (ratchet, counter, ciphertext) = position_of(&enc.text("type").unwrap_or_default(), bytes)?;
        let known = self.positions.entry((ratchet, counter)).or_insert_with(|| ciphertext.clone());
        if *known != ciphertext {
            return Err(format!("{id} was encrypted with key {counter} of a chain, which another message has used"));
        }
        Ok(())
    }

    /// Checks an update to the pages.
    ///
    /// # Errors
    /// What it shows and is not durable.
    pub(crate) fn update(update: &Update, mirror: &Mirror) -> Result<(), String> {
        match &update.news {
            Some(News::Messages(Messages { chat, messages, removed })) => {
                if let Some(seq) = removed.iter().find(|seq| mirror.messages.contains_key(&(chat.clone(), **seq))) {
                    return Err(format!("{chat} #{seq} is shown as gone, and is durable"));
                }
                messages.iter().try_for_each(|message| shown(chat, message, mirror))
            }
            // An answer to a page; changes since its request follow at once.
            Some(News::MessagePage(thread)) => {
                thread.messages.iter().try_for_each(|message| was(&thread.chat, message, mirror))
            }
            Some(News::Chat(chat)) => row(chat, mirror),
            // A snapshot answers a new page; it may contain rows whose transaction is under way.
            _ => Ok(()),
        }
    }

    /// Checks the start of a connection.
    ///
    /// # Errors
    /// Too many connections.
    pub(crate) fn connect(&mut self, now: Millis) -> Result<(), String> {
        self.connects.push(now);
        let recent = |times: &[Millis]| times.iter().filter(|at| **at + WINDOW > now).count();
        let (connects, asked) = (recent(&self.connects), recent(&self.asked));
        match connects > MAX_CONNECTS + asked {
            true => Err(format!("{connects} connections in nine minutes, of which a person asked for {asked}")),
            false => Ok(()),
        }
    }

    /// A person asks for a connection, which is not limited.
    pub(crate) fn connect_was_asked_for(&mut self, now: Millis) {
        self.asked.push(now);
    }

    /// The clock leapt over every wait.
    pub(crate) fn waits_are_over(&mut self) {
        self.connects.clear();
    }

    /// Another engine instance, which knows nothing of earlier failures.
    pub(crate) fn new_instance(&mut self) {
        self.connects.clear();
        self.asked.clear();
    }
}

fn shown(chat: &str, shown: &MessageView, mirror: &Mirror) -> Result<(), String> {
    match mirror.messages.get(&(chat.to_owned(), shown.seq)).map(MessageRow::view) {
        Some(kept) if kept == *shown => Ok(()),
        kept => Err(format!("{chat} #{} is shown as {shown:?}, durable is {kept:?}", shown.seq)),
    }
}

fn was(chat: &str, shown: &MessageView, mirror: &Mirror) -> Result<(), String> {
    match mirror.messages.get(&(chat.to_owned(), shown.seq)) {
        Some(kept) if kept.id == shown.id => Ok(()),
        Some(_) => Err(format!("{chat} #{} is shown as {shown:?}, which it never was", shown.seq)),
        None if mirror.removed.contains(&(chat.to_owned(), shown.seq)) => Ok(()),
        None => Err(format!("{chat} #{} is shown and not durable", shown.seq)),
    }
}

fn row(shown: &ChatView, mirror: &Mirror) -> Result<(), String> {
    let kept = mirror.chats.get(&shown.id).ok_or_else(|| format!("{} is shown and not durable", shown.id))?;
    let counted = mirror.unread(kept);
    if shown.unread != counted {
        return Err(format!("{} is shown with {} unread, there are {counted}", shown.id, shown.unread));
    }
    match kept.last == shown.last {
        true => Ok(()),
        false => Err(format!("{} is shown with a newest message that is not durable", shown.id)),
    }
}

fn retry(node: &Node, id: &str, message: &MessageRow) -> Result<(), String> {
    let count = node.child("retry").and_then(|retry| retry.text("count")?.parse().ok()).unwrap_or(0);
    if count > MAX_TRIES {
        return Err(format!("{id} was asked for {count} times"));
    }
    match message.retries >= count {
        true => Ok(()),
        false => Err(format!("{id} was asked for {count} times, durable are {}", message.retries)),
    }
}

fn acknowledgement(node: &Node, chat: &str, id: &str, mirror: &Mirror) -> Result<(), String> {
    if node.attr("error").is_some() {
        return Err(format!("{id} was refused"));
    }
    match (node.text("class").as_deref(), node.text("type").as_deref()) {
        (Some("message"), _) if mirror.find(chat, false, id).is_none() => {
            Err(format!("{id} was acknowledged before it was durable"))
        }
        (Some("receipt"), None) => match mirror.find(chat, true, id) {
            Some(message) if message.delivery() < Delivery::Delivered => {
                Err(format!("the receipt of {id} was acknowledged before it was durable"))
            }
            _ => Ok(()),
        },
        _ => Ok(()),
    }
}

fn upload(node: &Node, mirror: &Mirror) -> Result<(), String> {
    let Some(list) = node.child("list").filter(|_| node.child("registration").is_some()) else { return Ok(()) };
    for key in list.children() {
        let (id, public) = keys::read_key(key).ok_or("a prekey that is none")?;
        if mirror.prekey(id) != Some(public) {
            return Err(format!("prekey {id} was uploaded and is not durable"));
        }
    }
    Ok(())
}

fn count_of(enc: &Node) -> u32 {
    enc.text("count").and_then(|count| count.parse().ok()).unwrap_or(0)
}

/// Ratchet key and counter of an envelope, and the inner message's bytes.
fn position_of(kind: &str, bytes: &[u8]) -> Result<(Vec<u8>, u32, Vec<u8>), String> {
    let bad = || format!("an envelope of type {kind} that is none");
    let inner = match kind {
        "pkmsg" => {
            let body = bytes.get(1..).ok_or_else(bad)?;
            PreKeySignalMessage::decode(body).map_err(|_| bad())?.message.ok_or_else(bad)?
        }
        _ => bytes.to_vec(),
    };
    // A version byte before, an authenticator of eight bytes behind.
    let body = inner.len().checked_sub(8).and_then(|end| inner.get(1..end)).ok_or_else(bad)?;
    let message = SignalMessage::decode(body).map_err(|_| bad())?;
    Ok((message.ratchet_key.ok_or_else(bad)?, message.counter.ok_or_else(bad)?, inner))
}
